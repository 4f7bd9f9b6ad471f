"""Values and derivatives of the activations, in the real Keras 3."""

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, activations

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

NAMES = sorted(set(activations.__all__) - {"deserialize", "get", "name_of", "serialize"})
positive = st.floats(0.25, 2.0)
SETTINGS = {
    "relu": st.fixed_dictionaries(
        {},
        optional={
            "negative_slope": positive,
            "max_value": st.floats(2.5, 4.0),
            "threshold": positive,
        },
    ),
    "leaky_relu": st.fixed_dictionaries({"negative_slope": positive}),
    "elu": st.fixed_dictionaries({"alpha": positive}),
    "celu": st.fixed_dictionaries({"alpha": positive}),
    "gelu": st.fixed_dictionaries({"approximate": st.booleans()}),
    "glu": st.fixed_dictionaries({"axis": st.sampled_from([-1, 1, 0])}),
    "softmax": st.fixed_dictionaries({"axis": st.sampled_from([-1, 0, (0, 1)])}),
    "log_softmax": st.fixed_dictionaries({"axis": st.sampled_from([-1, 0])}),
    "hard_shrink": st.fixed_dictionaries({"threshold": positive}),
    "soft_shrink": st.fixed_dictionaries({"threshold": positive}),
    "squareplus": st.fixed_dictionaries({"b": positive}),
    "threshold": st.fixed_dictionaries({"threshold": positive, "default_value": positive}),
}
# Rows of its sparsemax do not add up to 1 (Keras 3.15): [[-3, 5, 4.5]] gives zeros.
WRONG_IN_KERAS = {"sparsemax"}


def test_no_activation_of_keras_is_missing():
    functions = {name for name, f in vars(keras.activations).items() if inspect.isfunction(f)}
    assert functions - {"get", "serialize", "deserialize"} == set(NAMES)


@settings(max_examples=200)
@given(st.sampled_from(sorted(set(NAMES) - WRONG_IN_KERAS)), st.integers(0, 999), st.data())
def test_values_and_derivatives_agree(name, seed, data):
    options = data.draw(SETTINGS.get(name, st.just({})))
    values = np.random.default_rng(seed).normal(0, 3, (4, 6))
    weights = np.random.default_rng(seed + 1).normal(size=(4, 6))
    x = Tensor(values, requires_grad=True)
    found = getattr(activations, name)(x, **options)
    part = weights[tuple(slice(length) for length in found.shape)]
    (found * part).sum().backward()
    p = torch.tensor(values, requires_grad=True)
    expected = getattr(keras.activations, name)(p, **options)
    (expected * torch.tensor(part)).sum().backward()
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(x.grad, p.grad.numpy(), rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_their_defaults_are_those_of_keras(name):
    expected = inspect.signature(getattr(keras.activations, name)).parameters
    function = getattr(activations, name)
    if not inspect.isfunction(function):  # an op, of one operand
        assert list(expected) == ["x"]
        return
    found = inspect.signature(function).parameters
    assert {key: p.default for key, p in found.items()} == {
        key: p.default for key, p in expected.items()
    }
