"""Metrics: numbers about a prediction that are shown beside the loss, and never minimised."""

from minigrad.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minigrad.metrics.activity import ActiveUnits, DeadUnits, Sparsity
from minigrad.metrics.auc import AUC
from minigrad.metrics.classification import (
    F1Score,
    FalseNegatives,
    FalsePositives,
    FBetaScore,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minigrad.metrics.hinge import CategoricalHinge, Hinge, SquaredHinge
from minigrad.metrics.lookup import deserialize, get, serialize
from minigrad.metrics.mean import Mean, MeanMetricWrapper, MeanOverSamples, Sum
from minigrad.metrics.metric import Metric
from minigrad.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from minigrad.metrics.r2_score import R2Score
from minigrad.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)
from minigrad.metrics.resolve import BY_SHAPE, resolve
from minigrad.suggestions import speak_up

__all__ = [
    "AUC",
    "BY_SHAPE",
    "Accuracy",
    "ActiveUnits",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "DeadUnits",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanOverSamples",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sparsity",
    "SquaredHinge",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "deserialize",
    "get",
    "resolve",
    "serialize",
]

speak_up(__name__)
