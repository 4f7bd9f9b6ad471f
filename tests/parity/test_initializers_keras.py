"""Fan rules and distributions of the initializers, in the real Keras 3."""

import inspect
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import initializers

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

NAMES = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "LecunNormal",
    "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling", "Zeros",
]  # fmt: skip


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5).map(tuple))
def test_fans_are_those_of_keras(shape):
    from keras.src.initializers.random_initializers import compute_fans

    assert initializers.fans(shape) == compute_fans(shape)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_those_of_keras(name):
    expected = inspect.signature(getattr(keras.initializers, name)).parameters
    found = inspect.signature(getattr(initializers, name)).parameters
    of_kernels_with_several_input_axes = {"input_axes", "output_axes"}  # which no layer here has
    for argument, parameter in expected.items():
        if argument in of_kernels_with_several_input_axes:
            continue
        assert found[argument].default == parameter.default, argument


@pytest.mark.parametrize("shape", [(40, 60), (3, 3, 16, 24)])
@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("Identity", "Zeros", "Ones")])
def test_mean_deviation_and_extremes_are_those_of_keras(name, shape):
    found = getattr(initializers, name)(**({} if name == "Constant" else {"seed": 0}))(shape)
    maker = getattr(keras.initializers, name)
    expected = numbers(maker(**({} if name == "Constant" else {"seed": 0}))(shape))
    scale = expected.std() + 1e-9
    assert found.shape == expected.shape
    assert abs(found.mean() - expected.mean()) < 0.15 * scale
    assert found.std() == pytest.approx(expected.std(), rel=0.06)
    if name not in ("RandomNormal", "Orthogonal"):  # those have no limits
        assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.05)


@pytest.mark.parametrize("scale", [0.5, 3.0])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
def test_variance_scaling_is_that_of_keras(scale, mode, distribution):
    arguments = {"scale": scale, "mode": mode, "distribution": distribution, "seed": 0}
    found = initializers.VarianceScaling(**arguments)((30, 90))
    expected = numbers(keras.initializers.VarianceScaling(**arguments)((30, 90)))
    assert found.std() == pytest.approx(expected.std(), rel=0.06)


@pytest.mark.parametrize(
    "identifier",
    [
        "glorot_uniform",
        "HeNormal",
        "lecun_normal",
        "orthogonal",
        "identity",
        "zeros",
        "random_normal",
        "uniform",
        "normal",
    ],
)
def test_identifiers_mean_what_they_mean_in_keras(identifier):
    expected = type(keras.initializers.get(identifier)).__name__
    assert type(initializers.get(identifier)).__name__ == expected
