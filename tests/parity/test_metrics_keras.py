"""Results of the metrics over several updates, beside those of the real Keras."""

import inspect
import os
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import metrics

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def numbers(rng, shape):
    return rng.normal(0, 2, shape), rng.normal(0, 2, shape)


def positive_numbers(rng, shape):
    return rng.uniform(0.1, 5, shape), rng.uniform(0.1, 5, shape)


def probabilities(rng, shape):
    return rng.uniform(0.05, 0.95, shape), rng.uniform(0.05, 0.95, shape)


def zeros_and_ones(rng, shape):
    return rng.integers(0, 2, shape).astype(float), rng.uniform(0, 1, shape)


def zeros_and_ones_and_logits(rng, shape):
    return rng.integers(0, 2, shape).astype(float), rng.normal(0, 3, shape)


def small_integers(rng, shape):
    return rng.integers(0, 3, shape), rng.integers(0, 3, shape)


def signs(rng, shape):
    return rng.choice([-1.0, 1.0], shape), rng.normal(0, 2, shape)


def classes(rng, shape):
    labels = rng.integers(0, shape[-1], shape[:-1])
    scores = rng.uniform(0.05, 1, shape)
    return labels, scores / scores.sum(axis=-1, keepdims=True)


def one_hot_classes(rng, shape):
    labels, scores = classes(rng, shape)
    return np.eye(shape[-1])[labels], scores


def classes_and_logits(rng, shape):
    return classes(rng, shape)[0], rng.normal(0, 3, shape)


def one_hot_classes_and_logits(rng, shape):
    return one_hot_classes(rng, shape)[0], rng.normal(0, 3, shape)


ANY = [(1, 1), (5, 1), (4, 3), (2, 3, 4)]
SEVERAL_CLASSES = [(1, 6), (4, 6), (2, 3, 6)]
TWO_AXES = [(4, 1), (5, 3)]

# The metric's name in both packages, its arguments, its data, and the shapes of predictions.
CASES = [
    ("Accuracy", {}, small_integers, ANY),
    ("BinaryAccuracy", {}, zeros_and_ones, ANY),
    ("BinaryAccuracy", {"threshold": 0.3}, zeros_and_ones, ANY),
    ("CategoricalAccuracy", {}, one_hot_classes, SEVERAL_CLASSES),
    ("SparseCategoricalAccuracy", {}, classes, SEVERAL_CLASSES),
    ("TopKCategoricalAccuracy", {}, one_hot_classes, SEVERAL_CLASSES),
    ("TopKCategoricalAccuracy", {"k": 2}, one_hot_classes, SEVERAL_CLASSES),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, classes, SEVERAL_CLASSES),
    ("MeanSquaredError", {}, numbers, ANY),
    ("RootMeanSquaredError", {}, numbers, ANY),
    ("MeanAbsoluteError", {}, numbers, ANY),
    ("MeanAbsolutePercentageError", {}, numbers, ANY),
    ("MeanSquaredLogarithmicError", {}, numbers, ANY),
    ("LogCoshError", {}, numbers, ANY),
    ("CosineSimilarity", {}, numbers, ANY),
    ("CosineSimilarity", {"axis": 1}, numbers, [(4, 3), (2, 3, 4)]),
    ("BinaryCrossentropy", {}, probabilities, ANY),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, zeros_and_ones, ANY),
    ("BinaryCrossentropy", {"from_logits": True}, zeros_and_ones_and_logits, ANY),
    ("CategoricalCrossentropy", {}, one_hot_classes, SEVERAL_CLASSES),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, one_hot_classes, SEVERAL_CLASSES),
    ("CategoricalCrossentropy", {"from_logits": True}, one_hot_classes_and_logits, SEVERAL_CLASSES),
    ("SparseCategoricalCrossentropy", {}, classes, SEVERAL_CLASSES),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, classes_and_logits, SEVERAL_CLASSES),
    ("KLDivergence", {}, probabilities, ANY),
    ("Poisson", {}, positive_numbers, ANY),
    ("Hinge", {}, signs, ANY),
    ("Hinge", {}, zeros_and_ones, ANY),
    ("SquaredHinge", {}, signs, ANY),
    ("CategoricalHinge", {}, one_hot_classes, SEVERAL_CLASSES),
    ("R2Score", {}, numbers, TWO_AXES),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, numbers, TWO_AXES),
    ("R2Score", {"class_aggregation": None}, numbers, TWO_AXES),
    ("R2Score", {"num_regressors": 2}, numbers, [(5, 1)]),
    ("Precision", {}, zeros_and_ones, ANY),
    ("Precision", {"thresholds": 0.7}, zeros_and_ones, ANY),
    ("Precision", {"thresholds": [0.2, 0.6, 0.7]}, zeros_and_ones, ANY),
    ("Precision", {"top_k": 2}, zeros_and_ones, [(4, 3)]),
    ("Precision", {"top_k": 2, "thresholds": 0.4}, zeros_and_ones, [(4, 3)]),
    ("Precision", {"class_id": 1}, zeros_and_ones, [(4, 3)]),
    ("Recall", {}, zeros_and_ones, ANY),
    ("Recall", {"thresholds": [0.2, 0.6, 0.7]}, zeros_and_ones, ANY),
    ("Recall", {"top_k": 1, "class_id": 2}, zeros_and_ones, [(4, 3)]),
    ("TruePositives", {}, zeros_and_ones, ANY),
    ("FalsePositives", {"thresholds": [0.2, 0.6]}, zeros_and_ones, ANY),
    ("TrueNegatives", {"thresholds": [0.3]}, zeros_and_ones, ANY),
    ("FalseNegatives", {"thresholds": 0.7}, zeros_and_ones, ANY),
    ("AUC", {}, zeros_and_ones, ANY),
    ("AUC", {"from_logits": True}, zeros_and_ones_and_logits, ANY),
    ("AUC", {"curve": "PR"}, zeros_and_ones, ANY),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, zeros_and_ones, ANY),
    ("AUC", {"num_thresholds": 5, "summation_method": "minoring"}, zeros_and_ones, ANY),
    ("AUC", {"thresholds": [0.2, 0.9, 0.5]}, zeros_and_ones, ANY),
    ("F1Score", {}, one_hot_classes, [(4, 6)]),
    ("F1Score", {"average": "micro", "threshold": 0.5}, zeros_and_ones, TWO_AXES),
    ("F1Score", {"average": "macro"}, one_hot_classes, [(4, 6)]),
    ("F1Score", {"average": "weighted", "threshold": 0.3}, zeros_and_ones, TWO_AXES),
    ("FBetaScore", {"beta": 2.0, "average": "macro", "threshold": 0.5}, zeros_and_ones, TWO_AXES),
]
every_case = pytest.mark.parametrize(
    ("name", "arguments", "data", "shapes"),
    CASES,
    ids=[f"{c[0]}-{c[1]}-{c[2].__name__}" for c in CASES],
)


def as_array(result):
    return keras.ops.convert_to_numpy(result)


@every_case
@settings(max_examples=10)
@given(st.integers(0, 999), st.integers(1, 3), st.booleans())
def test_results_after_several_batches_agree(
    name, arguments, data, shapes, seed, batches, weighted
):
    rng = np.random.default_rng(seed)
    shape = shapes[seed % len(shapes)]
    ours = getattr(metrics, name)(**arguments)
    theirs = getattr(keras.metrics, name)(**arguments)
    for batch in range(batches):
        y_true, y_pred = data(rng, (shape[0] + batch, *shape[1:]))
        counts = ("Precision", "Recall", "AUC")
        has_three_axes = y_pred.ndim == 3 and (name in counts or "tives" in name)
        weights = None
        if weighted:
            weights = rng.uniform(0.1, 2, y_pred.shape[: 2 if has_three_axes else 1])
        ours.update_state(y_true, y_pred, sample_weight=weights)
        theirs.update_state(y_true, y_pred, sample_weight=weights)
    np.testing.assert_allclose(ours.result(), as_array(theirs.result()), rtol=2e-5, atol=2e-6)
    ours.reset_state()
    theirs.reset_state()
    y_true, y_pred = data(rng, (6, *shape[1:]))
    found, expected = ours(y_true, y_pred), as_array(theirs(y_true, y_pred))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_every_metric_of_both_packages_is_compared():
    ours = {name for name in metrics.__all__ if isinstance(getattr(metrics, name), type)}
    compared = {name for name, *_ in CASES} | {"Mean", "MeanMetricWrapper", "Metric", "Sum"}
    assert {name for name in ours if hasattr(keras.metrics, name)} == compared


def test_default_names_are_the_same():
    keras.utils.clear_session()  # or the second Precision of a process is called precision_1
    for name in sorted({name for name, *_ in CASES}):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        assert ours.name == theirs.name
        if name not in ("F1Score", "FBetaScore", "R2Score"):  # the first batch tells their shapes
            assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]


@pytest.mark.parametrize("name", sorted({name for name, *_ in CASES}))
def test_arguments_are_those_of_keras(name):
    ours, theirs = (
        inspect.signature(getattr(package, name)).parameters for package in (metrics, keras.metrics)
    )
    # Classes are the last axis here; samples to be left out have weight 0.
    left_out = {"ignore_class", "from_sorted_ids", "multi_label", "num_labels", "label_weights"}
    left_out |= {"axis"} if "rossentropy" in name else set()
    # Counts take top_k and class_id, too.
    assert [key for key in theirs if key not in left_out] == [key for key in ours if key in theirs]


def own(package, add):
    class MeanOfLargest(package.Metric):
        def __init__(self, name="largest", **more):
            super().__init__(name=name, **more)
            self.total = add(self, "total")
            self.count = add(self, "count")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(abs(y_true - y_pred).max(-1).sum())
            self.count.assign_add(len(y_true))

        def result(self):
            return self.total / self.count

    return MeanOfLargest()


@pytest.mark.parametrize(
    "add",
    [
        lambda metric, name: metric.add_weight(name=name, initializer="zeros"),
        lambda metric, name: metric.add_weight((), "zeros", "float32", name),
        lambda metric, name: metric.add_variable((), "zeros", name=name),
    ],
)
def test_a_metric_of_ones_own_is_written_alike(add):
    rng = np.random.default_rng(0)
    ours, theirs = own(metrics, add), own(keras.metrics, add)
    for samples in (4, 2):
        y_true, y_pred = rng.normal(size=(samples, 3)), rng.normal(size=(samples, 3))
        for metric in (ours, theirs):
            metric.update_state(y_true, y_pred)
    assert float(ours.result()) == pytest.approx(float(theirs.result()))
    assert [v.name for v in ours.variables] == [v.name for v in theirs.variables]
    for metric in (ours, theirs):
        metric.reset_state()
        assert [float(v) for v in metric.variables] == [0, 0]


@pytest.mark.parametrize("weights", [2.0, [2.0], [[0.5], [1.0], [2.0]]])
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryAccuracy", "Sum", "Mean"])
def test_weights_are_broadcast_alike(name, weights):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, (3, 2)), rng.uniform(size=(3, 2))
    data = (y_pred,) if name in ("Sum", "Mean") else (y_true, y_pred)
    expected = float(getattr(keras.metrics, name)()(*data, sample_weight=weights))
    found = getattr(metrics, name)()(*data, sample_weight=weights)
    assert found == pytest.approx(expected, rel=1e-6)


@settings(max_examples=25)
@given(
    st.integers(0, 999),
    st.sampled_from(
        [((4,), None), ((4,), (4,)), ((4, 3), (4,)), ((4, 3), (4, 3)), ((4, 3), (4, 1))]
    ),
)
def test_means_of_values_agree(seed, shapes):
    rng = np.random.default_rng(seed)
    ours, theirs = metrics.Mean(), keras.metrics.Mean()
    for _ in range(2):
        values = rng.normal(size=shapes[0])
        weights = None if shapes[1] is None else rng.uniform(0.1, 2, shapes[1])
        ours.update_state(values, weights)
        theirs.update_state(values, weights)
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", [(4, 3), (4,), (4, 1)])
def test_weights_of_parts_of_a_sample_agree(shape):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 3, 2))
    weights = rng.uniform(0.1, 2, shape)
    ours, theirs = metrics.MeanAbsoluteError(), keras.metrics.MeanAbsoluteError()
    expected = float(theirs(y_true, y_pred, sample_weight=weights))
    assert ours(y_true, y_pred, sample_weight=weights) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "shapes",
    [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3), (4, 3, 1)), ((4, 3, 1), (4, 3))],
)
def test_a_missing_last_axis_of_1_agrees(shapes):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=shapes[0]), rng.normal(size=shapes[1])
    expected = float(keras.metrics.MeanSquaredError()(y_true, y_pred))
    assert metrics.MeanSquaredError()(y_true, y_pred) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("labels", [[2, 1], [[2], [1]], [2.0, 1.0]])
def test_labels_of_any_form_agree(labels):
    scores = np.array([[0.1, 0.6, 0.3], [0.05, 0.95, 0.0]])
    for name in ("SparseCategoricalAccuracy", "SparseCategoricalCrossentropy"):
        expected = float(getattr(keras.metrics, name)()(np.array(labels), scores))
        assert getattr(metrics, name)()(labels, scores) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.7])
def test_a_float32_prediction_equal_to_the_threshold_is_below_it_in_both(threshold):
    prediction = np.array([[threshold]], np.float32)
    for name, keyword in (("BinaryAccuracy", "threshold"), ("Recall", "thresholds")):
        expected = float(getattr(keras.metrics, name)(**{keyword: threshold})([[1.0]], prediction))
        ours = getattr(metrics, name)(**{keyword: threshold})
        assert ours([[1.0]], prediction) == expected == 0


@pytest.mark.parametrize("scores", [[0.0, 0.0, 0.0], [0.5, 0.5, 0.1]])
def test_f1_of_zero_and_of_equal_scores_agrees(scores):
    y_true, y_pred = np.array([[1.0, 0.0, 1.0]]), np.array([scores])
    expected = as_array(keras.metrics.F1Score()(y_true, y_pred))
    np.testing.assert_allclose(metrics.F1Score()(y_true, y_pred), expected, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    ["mse", "MSE", "mae", "mape", "msle", "bce", "cosine_similarity", "r2_score", "log_cosh_error",
     "f1_score", "f_beta_score", "kl_divergence", "top_k_categorical_accuracy", "MeanSquaredError"],
)  # fmt: skip
def test_identifiers_stand_for_the_same_class(name):
    assert type(metrics.get(name)).__name__ == type(keras.metrics.get(name)).__name__


def shown_in_keras(asked_for, y_true, y_pred):
    """Name and class of the metric that the real `compile` makes of one entry of its list."""
    inputs = keras.Input(y_pred.shape[1:])
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss="mse" if y_true.shape == y_pred.shape else None, metrics=[asked_for])
    model._compile_metrics.build(
        keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred)
    )
    (metric,) = model._compile_metrics.metrics
    return metric.name, type(metric).__name__


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy", "ACC"])
@pytest.mark.parametrize(
    ("y_shape", "prediction_shape"),
    [
        ((4,), (4, 1)), ((4, 1), (4, 1)), ((4,), (4, 3)), ((4, 1), (4, 3)), ((4, 3), (4, 3)),
        ((4, 5), (4, 5, 3)), ((4, 5, 1), (4, 5, 3)), ((4, 5, 3), (4, 5, 3)), ((4, 5), (4, 5, 1)),
    ],
)  # fmt: skip
def test_accuracy_is_resolved_by_the_shapes_alike(name, y_shape, prediction_shape):
    expected = shown_in_keras(name, np.zeros(y_shape), np.zeros(prediction_shape))
    ours = metrics.resolve(name, None, y_shape, prediction_shape)
    assert (ours.name, type(ours).__name__) == expected


def error_of_my_own(y_true, y_pred):
    return abs(y_true - y_pred).mean(-1)


class CamelError:
    def __call__(self, y_true, y_pred):
        return abs(y_true - y_pred).mean(-1)


@pytest.mark.parametrize(
    "asked_for",
    ["mse", "MSE", "MeanSquaredError", "mean_squared_error", "r2_score", error_of_my_own,
     CamelError(), lambda y_true, y_pred: abs(y_true - y_pred).mean(-1)],
    ids=str,
)  # fmt: skip
def test_what_the_history_calls_a_metric(asked_for):
    expected, _ = shown_in_keras(asked_for, np.zeros((4, 3)), np.zeros((4, 3)))
    assert metrics.get(asked_for).name == expected


@settings(max_examples=20)
@given(st.integers(0, 999), st.booleans())
def test_a_function_of_values_for_each_sample_agrees(seed, weighted):
    rng = np.random.default_rng(seed)
    ours = metrics.get(partial(error_of_my_own))
    theirs = keras.metrics.MeanMetricWrapper(error_of_my_own, name="error_of_my_own")
    for samples in (4, 3):
        y_true, y_pred = rng.normal(size=(samples, 2)), rng.normal(size=(samples, 2))
        weights = rng.uniform(0.1, 2, samples) if weighted else None
        ours.update_state(y_true, y_pred, weights)
        theirs.update_state(
            *map(keras.ops.convert_to_tensor, (y_true, y_pred)), sample_weight=weights
        )
    assert ours.result() == pytest.approx(float(theirs.result()), rel=1e-5)
    assert ours.name == theirs.name
