from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Tensor, grad, losses
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
P = RNG.uniform(0.05, 0.95, (4, 3))
T = RNG.uniform(0.05, 0.95, (4, 3))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.mean_squared_error, ((P - T) ** 2).mean()),
        (losses.mean_absolute_error, np.abs(P - T).mean()),
        (losses.binary_crossentropy, -(T * np.log(P) + (1 - T) * np.log(1 - P)).mean()),
    ],
)
def test_values_and_derivatives(loss, expected):
    np.testing.assert_allclose(float(loss(T, P)), expected, rtol=1e-12)
    check_grads(lambda p: loss(T, p), [P])


def test_cross_entropy_of_logits_is_that_of_their_sigmoid_and_never_overflows():
    logits = Tensor(np.log(P / (1 - P)), requires_grad=True)
    loss = losses.binary_crossentropy(T, logits, from_logits=True)
    np.testing.assert_allclose(float(loss), float(losses.binary_crossentropy(T, P)), rtol=1e-12)
    np.testing.assert_allclose(grad(loss, logits), (P - T) / P.size, rtol=1e-10)
    extreme = Tensor(np.array([[-1e4, 1e4]]), requires_grad=True)
    loss = losses.binary_crossentropy([[1.0, 0.0]], extreme, from_logits=True)
    assert float(loss) == 1e4
    assert grad(loss, extreme).tolist() == [[-0.5, 0.5]]


def test_targets_of_another_shape_are_never_broadcast():
    for shape in ((4,), (4, 1), (3,), (1, 3)):
        with pytest.raises(ValueError, match="same shape") as error:
            losses.mean_squared_error(np.ones(shape), P)
        assert "(4, 3)" in str(error.value)


def test_a_missing_last_axis_of_length_1_is_added_as_in_keras():
    assert float(losses.mean_squared_error([1.0, 2.0], [[1.0], [4.0]])) == 2
    assert float(losses.MeanSquaredError()([[1.0], [2.0]], [1.0, 4.0])) == 2


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="batch is empty"):
        losses.mean_squared_error(np.ones((0, 3)), np.ones((0, 3)))


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_targets_of_cross_entropy_are_probabilities(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        losses.binary_crossentropy([[bad]], [[0.5]])


def test_names():
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("bce") is losses.get("binary_crossentropy")
    with pytest.raises(ValueError, match="mean_squared_error"):
        losses.get("mean_square_error")


def test_every_class_is_known_by_its_name_and_comes_back_from_its_config():
    classes = [v for v in vars(losses).values() if isinstance(v, type) and v is not losses.Loss]
    assert len(classes) == 15
    for kind in classes:
        loss = kind(reduction="sum", name="mine")
        twin = losses.deserialize(losses.serialize(loss))
        assert type(twin) is kind
        assert twin.get_config() == loss.get_config()
        assert type(losses.get(kind.__name__)) is type(losses.get(kind)) is kind
        assert losses.get(loss) is loss
    assert repr(losses.Huber(2.0)) == "Huber(reduction='sum_over_batch_size', delta=2.0)"


TARGETS = {  # what each loss expects, for predictions P of shape (n, classes)
    "CategoricalCrossentropy": lambda rng, shape: rng.dirichlet(np.ones(shape[-1]), shape[:-1]),
    "SparseCategoricalCrossentropy": lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
    "CategoricalHinge": lambda rng, shape: np.eye(shape[-1])[
        rng.integers(0, shape[-1], shape[:-1])
    ],
    "Hinge": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "SquaredHinge": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
}
CLASSES = [
    losses.MeanSquaredError(),
    losses.MeanAbsoluteError(),
    losses.MeanAbsolutePercentageError(),
    losses.MeanSquaredLogarithmicError(),
    losses.Huber(0.3),
    losses.LogCosh(),
    losses.CosineSimilarity(),
    losses.BinaryCrossentropy(),
    losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
    losses.CategoricalCrossentropy(),
    losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
    losses.SparseCategoricalCrossentropy(),
    losses.SparseCategoricalCrossentropy(from_logits=True),
    losses.KLDivergence(),
    losses.Poisson(),
    losses.Hinge(),
    losses.SquaredHinge(),
    losses.CategoricalHinge(),
]
every_class = pytest.mark.parametrize("loss", CLASSES, ids=repr)


def batch(loss, shape=(4, 3)):
    rng = np.random.default_rng(0)
    draw = TARGETS.get(type(loss).__name__, lambda rng, shape: rng.uniform(0.1, 0.9, shape))
    return draw(rng, shape), rng.uniform(0.1, 0.9, shape)


@every_class
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4)])
def test_derivatives_of_both_orders_agree_with_finite_differences(loss, shape):
    targets, predictions = batch(loss, shape)
    check_grads(lambda p: loss(targets, p), [predictions], order=2)
    check_grads(lambda p: loss(targets, p, np.arange(shape[0])), [predictions], order=2)


@every_class
def test_reductions_belong_together(loss):
    targets, predictions = batch(loss)
    weights = np.array([0.0, 1.0, 2.0, 0.5])

    def reduced(how, sample_weight=None):
        config = {**loss.get_config(), "reduction": how}
        return type(loss)(**config)(targets, predictions, sample_weight).numpy()

    values = reduced("none")
    assert values.shape == (4,)
    for sample_weight, weighted in ((None, values), (weights, values * weights)):
        np.testing.assert_allclose(reduced("none", sample_weight), weighted, rtol=1e-12)
        np.testing.assert_allclose(reduced("sum", sample_weight), weighted.sum(), rtol=1e-12)
        for mean in ("mean", "sum_over_batch_size"):
            np.testing.assert_allclose(reduced(mean, sample_weight), weighted.mean(), rtol=1e-12)
    np.testing.assert_allclose(
        reduced("mean_with_sample_weight", weights), (values * weights).sum() / 3.5, rtol=1e-12
    )


@every_class
def test_values_and_gradients_keep_float32(loss):
    targets, predictions = batch(loss)
    p = Tensor(predictions.astype(np.float32), requires_grad=True)
    for sample_weight in (None, np.ones(4)):
        value = loss(targets, p, sample_weight)
        assert value.dtype == grad(value, p).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: losses.Huber(0), "Huber: delta must be a number above 0. Received: delta=0"),
        (lambda: losses.MeanSquaredError("average"), "MeanSquaredError: reduction must be one of"),
        (lambda: losses.CosineSimilarity(1.5), "axis must be an integer"),
        (lambda: losses.BinaryCrossentropy("yes"), "from_logits must be True or False"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), "label_smoothing must be"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "targets", "message"),
    [
        ("categorical_crossentropy", [1, 0], "use 'sparse_categorical_crossentropy'"),
        ("categorical_crossentropy", np.ones((2, 4)), r"targets \(2, 4\), predictions \(2, 3\)"),
        ("sparse_categorical_crossentropy", np.eye(3)[:2], "use 'categorical_crossentropy'"),
        ("sparse_categorical_crossentropy", [0, 3], "integers from 0 to 2.*from 0 to 3"),
        ("sparse_categorical_crossentropy", [0, -1], "from -1 to 0"),
        ("sparse_categorical_crossentropy", [0.5, 1.0], "must be integers"),
        ("sparse_categorical_crossentropy", [0, 1, 2], r"each of \(2,\) predictions"),
    ],
)
def test_labels_that_do_not_fit_say_which_loss_would(name, targets, message):
    with pytest.raises(ValueError, match=message):
        losses.get(name)(targets, np.full((2, 3), 1 / 3))


def test_weights_must_fit_the_samples():
    loss = losses.MeanSquaredError()
    with pytest.raises(ValueError, match=r"each of 2 samples. Received: shape \(3,\)"):
        loss(np.ones((2, 3)), np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match="all weights are 0"):
        losses.MeanSquaredError("mean_with_sample_weight")([[1.0]], [[0.0]], [0.0])


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3)])
def test_weights_are_broadcast_from_the_samples_on(shape):
    y, p = np.zeros(shape), np.random.default_rng(0).uniform(size=shape)
    values = (p**2).mean(axis=-1)
    each = np.arange(4.0)
    for weights in (2.0, [2.0], np.full((1, 1), 2.0)):
        found = losses.MeanSquaredError()(y, p, weights)
        np.testing.assert_allclose(float(found), 2 * values.mean(), rtol=1e-12)
    aligned = each.reshape((4,) + (1,) * (values.ndim - 1))
    for weights in (each, each[:, None], Tensor(each)):
        found = losses.MeanSquaredError()(y, p, weights)
        np.testing.assert_allclose(float(found), (values * aligned).mean(), rtol=1e-12)
    steps = np.random.default_rng(1).uniform(size=values.shape)
    found = losses.MeanSquaredError("mean_with_sample_weight")(y, p, steps)
    np.testing.assert_allclose(float(found), (values * steps).sum() / steps.sum(), rtol=1e-12)


def test_a_weight_of_all_is_taken_and_others_are_not_where_there_is_one_value():
    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return np.abs(y_true - y_pred).max()

    assert float(Largest()([[1.0], [0.0]], [[0.0], [0.5]], 2.0)) == 2
    with pytest.raises(ValueError, match="Largest: sample_weight must hold one weight"):
        Largest()([[1.0], [0.0]], [[0.0], [1.0]], [1.0, 2.0])


@every_class
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_a_dtype_is_that_of_the_computation(loss, dtype):
    targets, predictions = batch(loss)
    p = Tensor(predictions.astype(np.float32), requires_grad=True)
    made = type(loss)(**{**loss.get_config(), "dtype": dtype})
    value = made(targets, p)
    assert value.dtype == dtype
    assert grad(value, p).dtype == np.float32
    assert losses.deserialize(losses.serialize(made)).dtype == dtype


@pytest.mark.parametrize("bad", ["int32", "flaot32", 3])
def test_a_dtype_is_floating(bad):
    with pytest.raises(ValueError, match="MeanSquaredError: dtype must be a floating dtype"):
        losses.MeanSquaredError(dtype=bad)


def test_lists_and_missing_targets_are_columns_only_where_they_are_meant():
    assert losses.in_column([1.0, 2.0], np.ones((2, 1))).shape == (2, 1)
    assert losses.in_column(None, np.ones(1)) is None
    labels = np.array([1, 2])
    assert losses.in_column(labels, np.ones((2, 3))) is labels


def test_a_misspelt_argument_names_the_one_that_was_meant():
    with pytest.raises(TypeError, match=r"no argument 'reducton'\. Did you mean 'reduction'"):
        losses.MeanSquaredError(reducton="sum")
    with pytest.raises(TypeError, match="Did you mean 'from_logits'"):
        losses.BinaryCrossentropy(from_logit=True)

    class Mine(losses.Loss):
        def __init__(self, **settings):
            self.power = settings.pop("power", 2)
            super().__init__(**settings)

    assert Mine(power=3, name="cubic").name == "cubic"
    with pytest.raises(TypeError, match="Did you mean 'name'"):
        Mine(power=3, nam="cubic")


def test_names_are_those_of_keras():
    assert losses.MeanSquaredError().name == "mean_squared_error"
    assert losses.KLDivergence().name == "kl_divergence"


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalCrossentropy(),
        losses.SparseCategoricalCrossentropy(),
    ],
    ids=repr,
)
def test_a_single_class_whose_loss_is_always_0_is_told_of(loss):
    with pytest.warns(SyntaxWarning, match=r"\(2, 1\) have a single class.*'binary_crossentropy'"):
        loss([[0.0], [0.0]], [[0.3], [0.4]])


def test_logits_are_more_accurate_than_probabilities_where_those_saturate():
    logits = Tensor(np.array([[800.0, -800.0]]), requires_grad=True)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)([1], logits)
    assert float(loss) == 1600
    assert grad(loss, logits).tolist() == [[1, -1]]


def test_a_loss_of_ones_own_needs_only_call():
    class Quartic(losses.Loss):
        def call(self, y_true, y_pred):
            return ((y_pred - y_true) ** 4).mean(axis=-1)

    assert float(Quartic()([[0.0], [0.0]], [[1.0], [2.0]], [2.0, 0.0])) == 1
    assert float(Quartic(reduction="sum")([0.0, 0.0], [[1.0], [2.0]])) == 17  # no row and column
    assert losses.Loss.from_config(Quartic("sum").get_config()).reduction == "sum"

    class Pinball(losses.Loss):  # several quantiles of one target
        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return np.maximum(0.1 * error, -0.9 * error).mean(axis=-1)

    assert float(Pinball()([[1.0], [1.0]], [[0.0, 2.0], [1.0, 1.0]])) == pytest.approx(0.25)
    with pytest.raises(NotImplementedError, match=r"Loss must define call"):
        losses.Loss()([[0.0]], [[1.0]])


every_loss = pytest.mark.parametrize(
    "loss",
    [
        losses.mean_squared_error,
        losses.mean_absolute_error,
        losses.binary_crossentropy,
        partial(losses.binary_crossentropy, from_logits=True),
    ],
    ids=["mse", "mae", "bce", "bce_of_logits"],
)


@every_loss
@given(st.data())
def test_shapes_are_equal_or_refused_by_name(loss, data):
    lengths = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
    target, prediction = data.draw(lengths), data.draw(lengths)
    if target == prediction or (*target, 1) == prediction or target == (*prediction, 1):
        assert loss(np.ones(target), np.full(prediction, 0.5)).shape == ()
        return
    with pytest.raises(ValueError, match="same shape") as error:
        loss(np.ones(target), np.full(prediction, 0.5))
    assert f"targets {target}, predictions {prediction}" in str(error.value)


@every_loss
def test_a_loss_and_its_gradient_have_the_dtype_of_the_prediction(loss):
    for dtype in (np.float32, np.float64):
        prediction = Tensor(P.astype(dtype), requires_grad=True)
        value = loss(T, prediction)  # whatever the targets' dtype
        assert value.dtype == dtype
        assert grad(value, prediction).dtype == dtype


@every_loss
def test_integer_targets_are_numbers(loss):
    targets = (T > 0.5).astype(int)
    assert float(loss(targets, P)) == float(loss(targets.astype(float), P))


@every_loss
def test_a_batch_repeated_is_the_same_loss(loss):
    once, often = float(loss(T, P)), float(loss(np.tile(T, (3, 1)), np.tile(P, (3, 1))))
    assert often == pytest.approx(once, rel=1e-13)


@every_loss
@pytest.mark.parametrize("shape", [(0,), (0, 3), (4, 0)])
def test_an_empty_batch_has_no_mean(loss, shape):
    with pytest.raises(ValueError, match="the batch is empty") as error:
        loss(np.ones(shape), np.ones(shape))
    assert str(shape) in str(error.value)


@every_loss
def test_targets_may_be_tensors_and_get_gradients_too(loss):
    check_grads(lambda t, p: loss(t, p), [T, P])


def test_predictions_in_the_place_of_targets_are_warned_of():
    p, prediction = Tensor([[0.3, 0.7]], requires_grad=True), [[1.0, 0.0]]
    for loss in (losses.CategoricalCrossentropy(), losses.mean_squared_error):
        with pytest.warns(UserWarning, match="targets come first here, predictions second"):
            loss(p * 1, prediction)
        loss(prediction, p * 1)
        loss(p, prediction)  # a leaf: somebody asks for the targets' own gradient
        loss(p * 1, p * 2)


@every_loss
def test_text_is_refused(loss):
    with pytest.raises(TypeError, match="real numbers"):
        loss([["a"]], [[1.0]])


def test_saturated_probabilities_stay_finite_and_are_not_pulled_further():
    prediction = Tensor(np.array([[0.0, 1.0, 0.0, 1.0]]), requires_grad=True)
    loss = losses.binary_crossentropy([[0.0, 1.0, 1.0, 0.0]], prediction)
    assert float(loss) == pytest.approx(-np.log(1e-7) / 2, rel=1e-6)
    assert not grad(loss, prediction).any()


@pytest.mark.parametrize("from_logits", [False, True])
def test_targets_out_of_range_name_their_range(from_logits):
    with pytest.raises(ValueError, match=r"between 0 and 1. Received: from -1.0 to 3.0"):
        losses.binary_crossentropy([[-1.0, 3.0]], [[0.5, 0.5]], from_logits=from_logits)
