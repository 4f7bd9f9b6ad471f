import numpy as np
import pytest

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
