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
    if target == prediction or (*target, 1) == prediction:
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
