"""What all metrics share: gathering, resetting, stopping and going on, configs."""

import json
from functools import partial

import numpy as np
import pytest

from minigrad import Tensor, losses, metrics
from minigrad.serialization import register_serializable

RNG = np.random.default_rng(0)
NUMBERS = RNG.uniform(0.05, 0.95, (12, 3)), RNG.uniform(0.05, 0.95, (12, 3))
BINARY = RNG.integers(0, 2, (12, 3)), NUMBERS[1]
LABELS = RNG.integers(0, 3, 12), NUMBERS[1]
ONE_HOT = np.eye(3)[LABELS[0]], NUMBERS[1]

# Each metric, and data that it takes.
EVERY = [
    (metrics.AUC(), BINARY),
    (metrics.AUC(20, "PR", "minoring", from_logits=True), BINARY),
    (metrics.AUC(thresholds=[0.2, 0.6]), BINARY),
    (metrics.Accuracy(), BINARY),
    (metrics.BinaryAccuracy("right", threshold=0.25), BINARY),
    (metrics.BinaryCrossentropy(label_smoothing=0.1), BINARY),
    (metrics.CategoricalAccuracy(), ONE_HOT),
    (metrics.CategoricalCrossentropy(from_logits=True, label_smoothing=0.25), ONE_HOT),
    (metrics.CategoricalHinge(), ONE_HOT),
    (metrics.CosineSimilarity(axis=1), NUMBERS),
    (metrics.F1Score(), BINARY),
    (metrics.F1Score("micro", threshold=0.5), BINARY),
    (metrics.FalseNegatives(), BINARY),
    (metrics.FalsePositives(0.3), BINARY),
    (metrics.FBetaScore("weighted", beta=2.0), BINARY),
    (metrics.Hinge(), BINARY),
    (metrics.KLDivergence(), NUMBERS),
    (metrics.LogCoshError(), NUMBERS),
    (metrics.Mean("loss"), NUMBERS[:1]),
    (metrics.MeanAbsoluteError(), NUMBERS),
    (metrics.MeanAbsolutePercentageError(), NUMBERS),
    (metrics.MeanSquaredError("error"), NUMBERS),
    (metrics.MeanSquaredLogarithmicError(), NUMBERS),
    (metrics.Poisson(), NUMBERS),
    (metrics.Precision(thresholds=[0.2, 0.8]), BINARY),
    (metrics.Precision(top_k=2, class_id=1), BINARY),
    (metrics.R2Score("variance_weighted_average", num_regressors=2), NUMBERS),
    (metrics.R2Score(None), NUMBERS),
    (metrics.Recall(thresholds=0.3), BINARY),
    (metrics.RootMeanSquaredError(), NUMBERS),
    (metrics.SparseCategoricalAccuracy(), LABELS),
    (metrics.SparseCategoricalCrossentropy(from_logits=True), LABELS),
    (metrics.SparseTopKCategoricalAccuracy(k=2), LABELS),
    (metrics.SquaredHinge(), BINARY),
    (metrics.Sum(dtype="float64"), NUMBERS[:1]),
    (metrics.TopKCategoricalAccuracy(k=1), ONE_HOT),
    (metrics.TrueNegatives([0.2, 0.8]), BINARY),
    (metrics.TruePositives(name="found"), BINARY),
    (metrics.ActiveUnits("codings", threshold=0.5), NUMBERS[:1]),
    (metrics.DeadUnits("codings", threshold=0.9), NUMBERS[:1]),
    (metrics.Sparsity("codings", threshold=0.2), NUMBERS[:1]),
]
every_metric = pytest.mark.parametrize(("made", "data"), EVERY, ids=[repr(m) for m, _ in EVERY])


@register_serializable()
def largest_error(y_true, y_pred):
    return np.abs(y_true - y_pred).max(axis=-1)


def again(metric):
    """The metric that its config makes, by way of JSON, as in a file."""
    return metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))


def part(data, start, stop):
    return [array[start:stop] for array in data]


def test_every_class_has_a_row():
    classes = {name for name in metrics.__all__ if isinstance(getattr(metrics, name), type)}
    bases = {"Metric", "MeanOverSamples", "MeanMetricWrapper"}
    assert classes - bases == {type(made).__name__ for made, _ in EVERY}


@every_metric
def test_a_config_makes_the_same_metric_again(made, data):
    copy = again(made)
    assert type(copy) is type(made)
    assert copy.get_config() == made.get_config()
    np.testing.assert_array_equal(again(made)(*data), again(made)(*data))


@every_metric
def test_batches_add_up_to_the_whole(made, data):
    in_parts, at_once = again(made), again(made)
    for start, stop in ((0, 5), (5, 6), (6, 12)):
        in_parts.update_state(*part(data, start, stop))
    np.testing.assert_allclose(in_parts.result(), at_once(*data), rtol=1e-9)


@every_metric
def test_reset_forgets_everything(made, data):
    metric = again(made)
    first = metric(*part(data, 0, 4))
    metric(*part(data, 4, 12))
    metric.reset_state()
    for array, new in zip(metric.variables, again(made).variables, strict=True):
        np.testing.assert_array_equal(array, new)
    assert metric.state == {}
    np.testing.assert_array_equal(metric(*part(data, 0, 4)), first)


@every_metric
def test_a_run_that_is_stopped_and_resumed_ends_bit_for_bit_alike(made, data, tmp_path):
    straight, stopped, resumed = again(made), again(made), again(made)
    straight.update_state(*part(data, 0, 7))
    stopped.update_state(*part(data, 0, 7))
    np.savez(tmp_path / "state.npz", **stopped.state_arrays())
    with np.load(tmp_path / "state.npz") as state:
        resumed.load_state_arrays(dict(state))
    for metric in (straight, resumed):
        metric.update_state(*part(data, 7, 12))
    np.testing.assert_array_equal(resumed.result(), straight.result(), strict=True)


@every_metric
def test_a_saved_state_is_a_copy(made, data):
    metric = again(made)
    metric.update_state(*data)
    expected = metric.result()
    for array in metric.state_arrays().values():
        array[...] = 0
    state = metric.state_arrays()
    metric.load_state_arrays(state)
    for array in state.values():
        array[...] = 0
    np.testing.assert_array_equal(metric.result(), expected)


@every_metric
def test_a_state_of_something_else_is_refused_and_changes_nothing(made, data):
    metric = again(made)
    metric.update_state(*data)
    before, state = metric.result(), metric.state_arrays()
    first = next(iter(state))
    wrong = [
        ({**state, "extra": np.array(1.0)}, "no use for 'extra'"),
        ({**state, first: np.zeros((2, 2))}, f"axes for '{first}'"),
        ({**state, first: np.array("text")}, f"axes for '{first}'"),
        (
            {name: array for name, array in state.items() if name != first} | {"other": 0.0},
            "its state",
        ),
    ]
    for bad, message in wrong:
        with pytest.raises(ValueError, match=message) as error:
            metric.load_state_arrays(bad)
        assert metric.name in str(error.value)
    np.testing.assert_array_equal(metric.result(), before)


def test_arrays_of_a_state_must_be_of_one_length():
    metric = metrics.Precision(thresholds=[0.2, 0.8])
    state = {"true_positives": np.ones(2), "false_positives": np.ones(3)}
    with pytest.raises(ValueError, match=r"'false_positives'.*shape \(3,\)"):
        metric.load_state_arrays(state)
    scores = metrics.F1Score()
    state = {**state, "false_negatives": np.ones(3)}
    with pytest.raises(ValueError, match="of one length"):
        scores.load_state_arrays(state)


@every_metric
def test_before_the_first_batch_the_state_is_empty_and_the_result_0(made, data):
    metric = again(made)
    metric.load_state_arrays(metric.state_arrays())
    assert np.all(np.asarray(metric.result()) == 0)


@every_metric
def test_tensors_lists_and_arrays_of_float32_are_alike(made, data):
    data = [array.astype(np.float32) if array.dtype.kind == "f" else array for array in data]
    expected = again(made)(*data)
    tensors = [Tensor(array) if array.dtype.kind == "f" else array for array in data]
    np.testing.assert_array_equal(again(made)(*tensors), expected)
    lists = [array.astype(float).tolist() for array in data]
    np.testing.assert_allclose(again(made)(*lists), expected, rtol=1e-6)


@every_metric
def test_inputs_are_left_as_they_are(made, data):
    data = [array.copy() for array in data]
    for array in data:
        array.flags.writeable = False
    again(made).update_state(*data)


@every_metric
def test_a_batch_without_samples_is_refused(made, data):
    with pytest.raises(ValueError, match="batch is empty") as error:
        again(made).update_state(*part(data, 0, 0))
    assert repr(made.name) in str(error.value)


WITH_TARGETS = [(made, data) for made, data in EVERY if len(data) == 2]
# Weights do not change how many samples there are, by which a score is adjusted.
UNADJUSTED = [(m, data) for m, data in WITH_TARGETS if not getattr(m, "num_regressors", 0)]


@pytest.mark.parametrize(("made", "data"), WITH_TARGETS, ids=repr)
def test_targets_of_another_shape_are_never_broadcast(made, data):
    y_true, y_pred = data
    for bad in (y_true[:1], y_true[:6], np.zeros((12, 2))):
        with pytest.raises(ValueError, match="Received") as error:
            again(made).update_state(bad, y_pred)
        message = str(error.value)
        assert repr(made.name) in message
        assert str(bad.shape) in message
        assert "(12, 3)" in message


@pytest.mark.parametrize(("made", "data"), UNADJUSTED, ids=repr)
def test_twice_the_weight_is_a_sample_twice_in_a_mean(made, data):
    y_true, y_pred = data
    twice = np.r_[0:12, 3]
    weights = np.ones(12)
    weights[3] = 2
    expected = again(made)(y_true[twice], y_pred[twice])
    found = again(made)(y_true, y_pred, sample_weight=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(("made", "data"), WITH_TARGETS, ids=repr)
@pytest.mark.parametrize("weights", [np.ones(3), np.ones(11), np.ones((1, 12)), [], ["a"] * 12])
def test_weights_that_do_not_fit_are_refused(made, data, weights):
    with pytest.raises(ValueError, match="sample_weight") as error:
        again(made).update_state(*data, sample_weight=weights)
    assert repr(made.name) in str(error.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_must_be_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        metrics.MeanSquaredError()([[1.0], [2.0]], [[1.0], [2.0]], sample_weight=[1.0, bad])


def test_weights_of_0_give_0_and_not_0_by_0():
    for metric in (metrics.MeanSquaredError(), metrics.R2Score(), metrics.F1Score("weighted")):
        assert metric([[1.0], [0.0]], [[3.0], [0.0]], sample_weight=[0, 0]) in (0, 1)


@pytest.mark.parametrize(
    "bad", [None, "text", [["a"]], [[1.0], [1.0, 2.0]], 3.0, [[1j]], [[None]]], ids=repr
)
def test_what_is_no_array_of_real_numbers_is_refused(bad):
    with pytest.raises(ValueError, match="MeanSquaredError 'mse': y_true must"):
        metrics.get("mse").update_state(bad, [[1.0]])


def test_sums_of_many_float32_values_stay_exact():
    metric = metrics.Mean()
    for _ in range(100):
        metric.update_state(np.full(1000, 0.1, np.float32))
    assert metric.result() == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("name", [3, "", True, ["mse"]])
def test_a_name_is_a_text(name):
    with pytest.raises(ValueError, match="name must be a text"):
        metrics.MeanSquaredError(name)


def test_the_base_says_what_a_subclass_must_define():
    class Nothing(metrics.Metric):
        pass

    class NoValues(metrics.MeanOverSamples):
        pass

    assert Nothing().name == "nothing"
    with pytest.raises(NotImplementedError, match="Nothing must define update_state"):
        Nothing().update_state([1.0], [1.0])
    with pytest.raises(NotImplementedError, match="Nothing must define result"):
        Nothing().result()
    with pytest.raises(NotImplementedError, match="NoValues must define values"):
        NoValues().update_state([1.0], [1.0])


def test_a_subclass_that_forgets_its_arguments_cannot_be_saved_but_shown():
    @register_serializable()
    class Within(metrics.MeanOverSamples):
        def __init__(self, distance):
            super().__init__()
            self.limit = distance

        def values(self, y_true, y_pred):
            return np.abs(np.subtract(y_true, y_pred)) <= self.limit

    metric = Within(1.0)
    assert metric([1.0, 2.0, 3.0], [1.5, 4.0, 3.0]) == pytest.approx(2 / 3)
    with pytest.raises(NotImplementedError, match=r"get_config.*it keeps none as distance"):
        metrics.serialize(metric)
    assert repr(metric) == "Within(name='within')"


def test_a_registered_subclass_survives_its_config():
    @register_serializable()
    class Bias(metrics.MeanOverSamples):
        def values(self, y_true, y_pred):
            return np.subtract(y_pred, y_true)

    metric = metrics.get("Bias")
    assert metric.name == "Bias"
    assert again(metric)([1.0, 2.0], [2.0, 2.0]) == 0.5


class TestFunctions:
    def test_a_registered_function_survives_its_config(self):
        metric = again(metrics.get(largest_error))
        assert metric.name == "largest_error"
        assert metric(*NUMBERS) == pytest.approx(largest_error(*NUMBERS).mean())

    def test_a_registered_function_is_found_by_name(self):
        assert metrics.get("largest_error").fn is largest_error
        assert (
            metrics.deserialize({"class_name": "largest_error", "config": None}).fn is largest_error
        )

    def test_further_arguments_are_passed_and_saved(self):
        @register_serializable()
        def power_error(y_true, y_pred, power=1):
            return (np.abs(y_true - y_pred) ** power).mean(axis=-1)

        metric = again(metrics.MeanMetricWrapper(power_error, "cubes", power=3))
        assert metric.name == "cubes"
        assert metric([[1.0]], [[3.0]]) == 8

    def test_one_number_counts_as_often_as_there_are_samples(self):
        metric = metrics.get(lambda y_true, y_pred: abs(y_true - y_pred).mean())
        metric.update_state([[0.0], [0.0], [0.0]], [[1.0], [1.0], [1.0]])
        metric.update_state([[0.0]], [[5.0]])
        assert metric.result() == 2

    def test_weights_cannot_act_on_one_number(self):
        metric = metrics.get(lambda y_true, y_pred: 1.0)
        with pytest.raises(ValueError, match="one number for the whole batch"):
            metric.update_state([1.0], [1.0], sample_weight=[1.0])

    @pytest.mark.parametrize("bad", [None, "text", np.ones(3), np.ones((3, 2))], ids=repr)
    def test_what_a_function_returns_must_fit_the_batch(self, bad):
        metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: bad, "mine")
        with pytest.raises(ValueError, match=r"'mine'.*each of 2 samples"):
            metric.update_state([1.0, 2.0], [1.0, 2.0])

    def test_a_function_may_return_a_tensor(self):
        metric = metrics.get(lambda y_true, y_pred: (Tensor(y_true) - y_pred).abs().mean())
        assert metric([1.0, 2.0], [1.0, 4.0]) == 1

    @pytest.mark.parametrize("bad", [3, "mse", metrics.Mean()])
    def test_only_functions_are_wrapped(self, bad):
        with pytest.raises(TypeError, match="fn must be a function"):
            metrics.MeanMetricWrapper(bad)

    @pytest.mark.parametrize("unknown", [lambda y_true, y_pred: 0.0, len])
    def test_what_has_no_registered_name_cannot_be_saved(self, unknown):
        with pytest.raises(ValueError, match="register_serializable"):
            metrics.serialize(metrics.get(unknown))

    def test_it_is_called_by_its_own_name(self):
        class Named:
            name = "given"

            def __call__(self, y_true, y_pred):
                return 0.0

        assert metrics.get(Named()).name == metrics.get(Named).name == "given"
        assert metrics.get(partial(partial(largest_error))).name == "largest_error"

    def test_a_loss_can_serve_but_not_be_saved(self):
        metric = metrics.get(losses.mean_squared_error)
        assert metric([[1.0], [2.0]], [[1.0], [4.0]]) == 2
        with pytest.raises(ValueError, match="Use the metric of that name"):
            metrics.serialize(metric)
