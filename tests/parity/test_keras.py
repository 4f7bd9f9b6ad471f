"""The same weights and data in the real Keras 3, on its torch backend."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.layers import Activation, ActivityRegularization, Dense, Flatten

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(0)
REGULARIZERS = {
    "l1": {"l1": 0.03},
    "l2": {"l2": 0.02},
    "L1L2": {"l1": 0.01, "l2": 0.02},
    "OrthogonalRegularizer": {"factor": 0.05, "mode": "columns"},
}


def both(name):
    """A regularizer in minigrad and in Keras."""
    if name is None:
        return None, None
    arguments = REGULARIZERS[name]
    kind = {"l1": "L1", "l2": "L2"}.get(name, name)
    return (
        getattr(mg.regularizers, kind)(**arguments),
        getattr(keras.regularizers, kind)(**arguments),
    )


def copy_weights(ours, theirs):
    theirs.set_weights([parameter.numpy() for parameter in ours.parameters()])


@pytest.mark.parametrize("name", REGULARIZERS)
def test_penalties_agree(name):
    ours, theirs = both(name)
    x = RNG.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(float(ours(x)), float(theirs(keras.ops.array(x))), rtol=1e-5)


def build_pair(kernel, bias, activity, activation):
    ours, theirs = [], []
    for index, units in enumerate((5, 3)):
        (k, kk), (b, kb), (a, ka) = both(kernel), both(bias), both(activity)
        ours.append(
            Dense(
                units,
                activation,
                kernel_regularizer=k,
                bias_regularizer=b,
                activity_regularizer=a,
                bias_initializer="random_normal",
                seed=index,
            )
        )
        theirs.append(
            keras.layers.Dense(
                units,
                activation,
                kernel_regularizer=kk,
                bias_regularizer=kb,
                activity_regularizer=ka,
            )
        )
    ours, theirs = mg.Sequential(*ours), keras.Sequential(theirs)
    ours.build((None, 4))
    theirs.build((None, 4))
    copy_weights(ours, theirs)
    return ours, theirs


@settings(max_examples=12)
@given(
    st.sampled_from([None, *REGULARIZERS]),
    st.sampled_from([None, "l1", "l2"]),
    st.sampled_from([None, "l1", "l2", "L1L2"]),
    st.sampled_from(["relu", "tanh", "sigmoid", "elu", "softplus", "silu", "selu", None]),
)
def test_dense_models_agree_in_outputs_and_losses(kernel, bias, activity, activation):
    ours, theirs = build_pair(kernel, bias, activity, activation)
    x = RNG.normal(size=(6, 4)).astype(np.float32)
    np.testing.assert_allclose(
        ours(x).numpy(), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-4, atol=1e-5
    )
    total = sum(float(keras.ops.convert_to_numpy(value)) for value in theirs.losses)
    np.testing.assert_allclose(sum(map(float, ours.losses)), total, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda: mg.optimizers.SGD(0.05), lambda: keras.optimizers.SGD(0.05)),
        (lambda: mg.optimizers.SGD(0.05, 0.9), lambda: keras.optimizers.SGD(0.05, 0.9)),
        (
            lambda: mg.optimizers.SGD(0.05, 0.9, True),
            lambda: keras.optimizers.SGD(0.05, 0.9, nesterov=True),
        ),
        (lambda: mg.optimizers.Adam(0.01), lambda: keras.optimizers.Adam(0.01)),
    ],
    ids=["sgd", "momentum", "nesterov", "adam"],
)
@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy"])
def test_weights_agree_after_20_steps_with_all_penalties(ours, theirs, loss):
    model, peer = build_pair("l2", "l1", "l1", "sigmoid")
    x = RNG.normal(size=(16, 4)).astype(np.float32)
    y = RNG.uniform(0, 1, size=(16, 3)).astype(np.float32)
    model.compile(ours(), loss)
    peer.compile(theirs(), loss)
    first = model.fit(x, y, batch_size=8, epochs=10, shuffle=False, verbose=0)
    second = peer.fit(x, y, batch_size=8, epochs=10, shuffle=False, verbose=0)
    np.testing.assert_allclose(first.history["loss"], second.history["loss"], rtol=1e-4)
    for left, right in zip(model.parameters(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(left.numpy(), right, rtol=1e-3, atol=1e-4)


def test_worked_example_3_agrees():
    model = mg.Sequential(
        Dense(3, "relu", kernel_initializer="ones", bias_initializer="ones",
              kernel_regularizer="l2", bias_regularizer="l1",
              activity_regularizer=mg.regularizers.L1(0.1), input_dim=2),
        Dense(1, kernel_initializer="ones", kernel_regularizer=mg.regularizers.L1(0.5)),
    )  # fmt: skip
    peer = keras.Sequential([
        keras.layers.Dense(3, "relu", kernel_initializer="ones", bias_initializer="ones",
                           kernel_regularizer="l2", bias_regularizer="l1",
                           activity_regularizer=keras.regularizers.L1(0.1)),
        keras.layers.Dense(1, kernel_initializer="ones",
                           kernel_regularizer=keras.regularizers.L1(0.5)),
    ])  # fmt: skip
    model.compile(mg.optimizers.SGD(0.1), "mse")
    peer.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0, 2.0], [3.0, -5.0]]), np.array([[1.0], [0.0]])
    assert float(peer.train_on_batch(x, y)) == pytest.approx(62.69, rel=1e-5)
    model.train_on_batch(x, y)
    for left, right in zip(model.parameters(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(left.numpy(), right, rtol=1e-5, atol=1e-6)


def test_small_layers_agree():
    x = RNG.normal(size=(3, 2, 2)).astype(np.float32)
    for ours, theirs in (
        (Flatten(), keras.layers.Flatten()),
        (Activation("softmax"), keras.layers.Activation("softmax")),
        (ActivityRegularization(0.1, 0.2), keras.layers.ActivityRegularization(0.1, 0.2)),
    ):
        np.testing.assert_allclose(
            ours(x).numpy(), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-5, atol=1e-6
        )
        expected = [float(keras.ops.convert_to_numpy(value)) for value in theirs.losses]
        np.testing.assert_allclose(list(map(float, ours.losses)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "name", ["relu", "elu", "selu", "gelu", "silu", "softplus", "sigmoid", "hard_sigmoid", "tanh",
             "leaky_relu", "softmax", "log_softmax", "softsign", "exponential", "linear"],
)  # fmt: skip
def test_activations_agree(name):
    x = RNG.normal(size=(3, 7)).astype(np.float32) * 3
    ours = mg.activations.get(name)(mg.Tensor(x)).numpy()
    theirs = keras.ops.convert_to_numpy(keras.activations.get(name)(keras.ops.array(x)))
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-6)


# ---- where minigrad differs on purpose (docs/semantics.md) -----------------------------------


def test_keras_refuses_or_empties_the_identifiers_of_l1_l2():
    assert mg.regularizers.get("l1_l2").get_config() == {"l1": 0.01, "l2": 0.01}
    with pytest.raises(ValueError, match="l1_l2"):
        keras.regularizers.get("l1_l2")
    assert keras.regularizers.get("l1l2").get_config() == {"l1": 0.0, "l2": 0.0}


def test_keras_penalises_integers_with_0():
    x = np.full((2, 2), 3)
    assert float(mg.regularizers.L2(0.1)(x)) == pytest.approx(3.6)
    assert float(keras.regularizers.L2(0.1)(keras.ops.array(x))) == 0
