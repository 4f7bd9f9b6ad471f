"""How well predicted distributions fit: cross-entropies, divergence, counts."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad import losses
from minigrad.metrics.inputs import labels, one_hot, probabilities
from minigrad.metrics.mean import MeanOfLoss
from minigrad.metrics.metric import Array, Metric, known_as


@known_as("bce", "BCE")
class BinaryCrossentropy(MeanOfLoss):
    """Mean of ``−t ln p − (1 − t) ln(1 − p)``, over all outputs of all samples.

    `from_logits` and `label_smoothing` are those of the loss; targets must lie in [0, 1].

    Examples
    --------
    >>> round(BinaryCrossentropy()([[1.0, 0.0]], [[0.9, 0.2]]), 4)
    0.1643
    """

    loss: ClassVar[type[losses.Loss]] = losses.BinaryCrossentropy

    name, dtype = Metric.name, Metric.dtype  # which come first here
    from_logits = losses.BinaryCrossentropy.from_logits
    label_smoothing = losses.BinaryCrossentropy.label_smoothing

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, prediction = super().checked(y_true, y_pred)
        return probabilities(self.owner, target), prediction


@known_as()
class CategoricalCrossentropy(BinaryCrossentropy):
    """Mean of ``−Σ t ln p`` over the classes, the last axis: for one-hot targets.

    Settings are those of `BinaryCrossentropy`.

    Examples
    --------
    >>> metric = CategoricalCrossentropy()
    >>> round(metric([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 4)
    1.1769
    """

    loss = losses.CategoricalCrossentropy

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, scores = one_hot(self.owner, y_true, y_pred)
        return probabilities(self.owner, target), _divisible(target, scores, self.from_logits)


@known_as()
class SparseCategoricalCrossentropy(MeanOfLoss):
    """Mean of ``−ln p`` of the label's class: for whole numbers as labels.

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 4)
    1.1769
    """

    loss = losses.SparseCategoricalCrossentropy

    name, dtype = Metric.name, Metric.dtype
    from_logits = losses.SparseCategoricalCrossentropy.from_logits

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, scores = labels(self.owner, y_true, y_pred)
        rows = np.eye(scores.shape[-1])[target]
        return rows, _divisible(rows, scores, self.from_logits)


def _divisible(target: Array, scores: Array, from_logits: bool) -> Array:
    """Return scores that can be divided by their sum: zeros alone are as wrong as can be."""
    if from_logits:
        return scores
    return np.where(scores.sum(axis=-1, keepdims=True) == 0, 1 - target, scores)


@known_as()
class KLDivergence(MeanOfLoss):
    """Mean of ``Σ t ln(t / p)`` over the last axis; both are clipped to [1e-7, 1]."""

    loss = losses.KLDivergence


@known_as()
class Poisson(MeanOfLoss):
    """Mean of ``p − t ln(p + 1e-7)``: for counts t and predicted rates p, none of them negative."""

    loss = losses.Poisson

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, prediction = super().checked(y_true, y_pred)
        if prediction.min() < 0:
            raise ValueError(
                f"{self.owner}: predictions are rates and must not be negative. "
                f"Received: down to {prediction.min()}"
            )
        return target, prediction
