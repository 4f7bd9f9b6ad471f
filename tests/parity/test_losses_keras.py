"""Values and gradients of the losses, in the real Keras 3 on its torch backend."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad, losses

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

LOSSES = {
    "mse": (losses.mean_squared_error, lambda: keras.losses.MeanSquaredError()),
    "mae": (losses.mean_absolute_error, lambda: keras.losses.MeanAbsoluteError()),
    "bce": (losses.binary_crossentropy, lambda: keras.losses.BinaryCrossentropy()),
    "bce_of_logits": (
        lambda t, x: losses.binary_crossentropy(t, x, from_logits=True),
        lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    ),
}
shapes = st.sampled_from([(1, 1), (5, 1), (4, 3), (2, 3, 2)])


@pytest.fixture(autouse=True, scope="module")
def _keras_in_float64():
    """Let Keras compute in float64: whatever its arguments are, it takes its default dtype."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def compare(name, targets, predictions, rtol=1e-12):
    ours, make = LOSSES[name]
    x = Tensor(predictions, requires_grad=True)
    peer = torch.tensor(predictions, requires_grad=True)
    found, expected = ours(targets, x), make()(torch.tensor(targets), peer)
    np.testing.assert_allclose(float(found), expected.item(), rtol=rtol, atol=1e-15)
    expected.backward()
    np.testing.assert_allclose(grad(found, x), peer.grad.numpy(), rtol=rtol, atol=1e-15)


@settings(max_examples=15)
@given(st.sampled_from(sorted(LOSSES)), shapes, st.integers(0, 999))
def test_values_and_gradients_agree(name, shape, seed):
    rng = np.random.default_rng(seed)
    predictions = rng.uniform(0.01, 0.99, shape) if name == "bce" else rng.normal(0, 3, shape)
    compare(name, rng.uniform(0, 1, shape), predictions, rtol=1e-10)


@pytest.mark.parametrize("name", ["mse", "mae"])
def test_a_perfect_prediction_has_no_gradient(name):
    compare(name, np.array([[1.0, -2.0]]), np.array([[1.0, -2.0]]))


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("probability", [0.0, 1e-9, 1e-8, 1.0])
def test_saturated_probabilities_agree(target, probability):
    compare("bce", np.array([[target]]), np.array([[probability]]), rtol=1e-9)


@pytest.mark.parametrize("logit", [-800.0, -30.0, 0.0, 30.0, 800.0])
def test_extreme_logits_agree(logit):
    compare("bce_of_logits", np.array([[1.0, 0.0]]), np.array([[logit, logit]]))


def test_targets_of_one_axis_less_count_as_a_column_in_both():
    targets, predictions = np.array([1.0, 0.0, 0.5]), np.array([[0.9], [0.2], [0.5]])
    for name, (ours, make) in LOSSES.items():
        expected = make()(torch.tensor(targets), torch.tensor(predictions)).item()
        assert float(ours(targets, predictions)) == pytest.approx(expected, rel=1e-10), name
