import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Sequential, Tensor, activations, layers
from minigrad.testing import check_grads

NAMES = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip
X = np.array([[-1.3, 0.4, 2.1, -7.0], [0.2, -0.6, 1.1, 6.5]])


@pytest.mark.parametrize("name", NAMES)
def test_every_activation_is_known_by_its_name_and_differentiable(name):
    activation = activations.get(name)
    check_grads(lambda x: activation(x) * 1.0, [X])
    assert activations.get(activations.serialize(activation)) is activation


def test_every_public_name_is_in_the_list():
    ours = set(activations.__all__) - {"deserialize", "get", "name_of", "serialize"}
    assert ours - {"threshold"} == set(NAMES)  # which has arguments that must be given


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32_and_finite_far_out(name):
    if name == "exponential":
        return
    far = np.array([[-1e15, -100.0, -0.0, 0.0, 100.0, 1e15]], np.float32)
    x = Tensor(far, requires_grad=True)
    z = activations.get(name)(x)
    z.sum().backward()
    assert z.dtype == x.grad.dtype == np.float32
    assert np.isfinite(z.numpy()).all()
    assert np.isfinite(x.grad).all()
    assert activations.get(name)(far).dtype == np.float32


@pytest.mark.parametrize(
    "activation",
    [
        lambda x: activations.relu(x, negative_slope=0.1, max_value=2.0, threshold=0.3),
        lambda x: activations.relu(x, threshold=1.0),
        lambda x: activations.elu(x, alpha=0.5),
        lambda x: activations.celu(x, alpha=0.5),
        lambda x: activations.glu(x, axis=0),
        lambda x: activations.softmax(x, axis=0),
        lambda x: activations.softmax(x, axis=(0, 1)),
        lambda x: activations.log_softmax(x, axis=0),
        lambda x: activations.sparsemax(0.3 * x, axis=0),
        lambda x: activations.squareplus(x, b=0.5),
        lambda x: activations.hard_shrink(x, threshold=1.0),
        lambda x: activations.soft_shrink(x, threshold=1.0),
        lambda x: activations.threshold(x, 0.3, -2.0),
    ],
)
def test_settings_have_derivatives_too(activation):
    check_grads(activation, [X])


def test_squareplus_loses_no_digits_far_below_zero():
    assert activations.squareplus(np.float32([-1000.0]))[0] == pytest.approx(0.000999999, rel=1e-6)


def test_squareplus_and_sparse_plus_are_smooth_where_their_parts_meet():
    for function, at, slope in (
        (activations.squareplus, 0.0, 0.5),
        (activations.sparse_plus, -1.0, 0.0),
        (activations.sparse_plus, 1.0, 1.0),
        (activations.celu, 0.0, 1.0),
    ):
        x = Tensor(np.array([at]), requires_grad=True)
        function(x).sum().backward()
        assert x.grad.tolist() == [slope]


@given(st.integers(0, 999), st.sampled_from([0, 1, -1]))
def test_sparsemax_is_the_nearest_point_of_the_simplex(seed, axis):
    x = np.random.default_rng(seed).normal(size=(4, 5))
    shares = activations.sparsemax(Tensor(x), axis=axis).numpy()
    np.testing.assert_allclose(shares.sum(axis=axis), 1)
    # What is above 0 lies τ below its number, and no number beyond those exceeds τ.
    tau = np.max(np.where(shares > 0, x - shares, -np.inf), axis=axis, keepdims=True)
    np.testing.assert_allclose(shares, np.maximum(x - tau, 0), atol=1e-12)


def test_sparsemax_of_equal_numbers_shares_equally():
    np.testing.assert_allclose(activations.sparsemax(np.zeros((1, 4))), 0.25)


def test_glu_needs_two_halves():
    with pytest.raises(ValueError, match=r"glu: axis -1 must be of even length.*\(2, 3\)"):
        activations.glu(np.ones((2, 3)))


def test_a_layer_and_the_function_of_its_name_bend_alike():
    layer = layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.3)
    np.testing.assert_array_equal(
        layer(X.astype(np.float32)), activations.relu(X.astype(np.float32), 0.1, 2.0, 0.3)
    )


@pytest.mark.parametrize("name", ["relu6", "mish", "sparsemax", "hard_silu"])
def test_a_model_trains_with_it(name):
    model = Sequential([layers.Dense(4, activation=name), layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, X[:, 0], epochs=6, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_an_alias_is_saved_by_the_same_name_in_every_process():
    program = "from minigrad import activations as a; print(a.serialize(a.swish))"
    names = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert names == {"silu"}


def test_none_stands_for_linear_and_unknown_names_are_refused():
    assert activations.get(None) is activations.linear
    with pytest.raises(ValueError, match="'relu'"):
        activations.get("rellu")


def test_what_stands_for_no_activation_is_of_the_wrong_type_and_for_keras_a_wrong_value():
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match="expected an activation"):
            activations.get(5)


def test_a_callable_serves_as_it_is():
    assert activations.get(np.sin) is np.sin
    assert activations.name_of(np.sin) == "sin"
