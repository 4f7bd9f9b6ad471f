"""Values and gradients of the losses, in the real Keras 3 and in PyTorch below it."""

import os
from functools import partial

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

functional = torch.nn.functional


def clipped_bce(x, t):
    return functional.binary_cross_entropy(torch.clip(x, 1e-7, 1 - 1e-7), t)


# Ours; Keras, which takes its means in float32 whatever it is given; PyTorch, all in float64.
LOSSES = {
    "mse": (losses.mean_squared_error, keras.losses.mean_squared_error, functional.mse_loss),
    "mae": (losses.mean_absolute_error, keras.losses.mean_absolute_error, functional.l1_loss),
    "bce": (losses.binary_crossentropy, keras.losses.binary_crossentropy, clipped_bce),
    "bce_of_logits": (
        partial(losses.binary_crossentropy, from_logits=True),
        partial(keras.losses.binary_crossentropy, from_logits=True),
        functional.binary_cross_entropy_with_logits,
    ),
}
every_loss = st.sampled_from(sorted(LOSSES))
shapes = st.sampled_from([(1, 1), (5, 1), (4, 3), (2, 3, 2)])


def compare(name, targets, predictions):
    ours, in_keras, in_torch = LOSSES[name]
    x = Tensor(predictions, requires_grad=True)
    found = ours(targets, x)
    gradient = grad(found, x)
    t = torch.tensor(targets)
    for peer, tolerance in (
        (lambda p: in_keras(t, p).mean(), 1e-6),
        (lambda p: in_torch(p, t), 1e-11),
    ):
        p = torch.tensor(predictions, requires_grad=True)
        expected = peer(p)
        expected.backward()
        np.testing.assert_allclose(float(found), expected.item(), rtol=tolerance, atol=1e-13)
        np.testing.assert_allclose(gradient, p.grad.numpy(), rtol=tolerance, atol=1e-13)


@settings(max_examples=40)
@given(every_loss, shapes, st.integers(0, 999))
def test_values_and_gradients_agree(name, shape, seed):
    rng = np.random.default_rng(seed)
    predictions = rng.uniform(0.01, 0.99, shape) if name == "bce" else rng.normal(0, 3, shape)
    compare(name, rng.uniform(0, 1, shape), predictions)


@pytest.mark.parametrize("name", ["mse", "mae"])
def test_a_perfect_prediction_has_no_gradient(name):
    compare(name, np.array([[1.0, -2.0]]), np.array([[1.0, -2.0]]))


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("probability", [0.0, 1e-9, 1e-8, 1.0])
def test_saturated_probabilities_agree(target, probability):
    compare("bce", np.array([[target]]), np.array([[probability]]))


@pytest.mark.parametrize("logit", [-800.0, -30.0, 0.0, 30.0, 800.0])
def test_extreme_logits_agree(logit):
    compare("bce_of_logits", np.array([[1.0, 0.0]]), np.array([[logit, logit]]))


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("mse", keras.losses.MeanSquaredError),
        ("mae", keras.losses.MeanAbsoluteError),
        ("bce", keras.losses.BinaryCrossentropy),
    ],
)
def test_targets_of_one_axis_less_count_as_a_column_in_both(name, peer):
    targets, predictions = np.array([1.0, 0.0, 0.5]), np.array([[0.9], [0.2], [0.5]])
    expected = peer()(torch.tensor(targets), torch.tensor(predictions)).item()
    assert float(LOSSES[name][0](targets, predictions)) == pytest.approx(expected, rel=1e-6)
