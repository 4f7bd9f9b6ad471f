"""The same optimizers and the same fit in the real Keras 3, on its torch backend."""

import os

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense, Parameter

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

# Keras keeps a learning rate in float32, so these are numbers that float32 holds exactly.
RATE, SLOW = 0.0625, 0.0078125
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": RATE}),
    "momentum": ("SGD", {"learning_rate": RATE, "momentum": 0.75}),
    "nesterov": ("SGD", {"learning_rate": RATE, "momentum": 0.75, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": SLOW}),
    "adam_of_other_betas": (
        "Adam",
        {"learning_rate": SLOW, "beta_1": 0.75, "beta_2": 0.9375, "epsilon": 1e-3},
    ),
}
every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@pytest.fixture(params=TOLERANCE)
def dtype(request):
    """Both dtypes, each as the default of Keras too: it computes in no other."""
    before = keras.config.floatx()
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx(before)


def both(name):
    kind, arguments = OPTIMIZERS[name]
    return getattr(mg.optimizers, kind)(**arguments), getattr(keras.optimizers, kind)(**arguments)


def numbers(tensor):
    return keras.ops.convert_to_numpy(tensor)


@every_optimizer
def test_optimizers_agree_over_20_steps_on_the_same_gradients(name, dtype):
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape).astype(dtype) for shape in ((3, 4), (4,), ())]
    ours = [Parameter(start) for start in starts]
    theirs = [keras.Variable(start, dtype=dtype) for start in starts]
    optimizer, peer = both(name)
    optimizer.build(ours)
    peer.build(theirs)
    for step in range(20):
        # Sizes from 1e-8 to 1e+3, as Adam's ε matters for the small ones.
        gradients = [
            (rng.normal(size=p.shape) * 10.0 ** rng.integers(-8, 4, p.shape)).astype(dtype)
            for p in ours
        ]
        for p, g in zip(ours, gradients, strict=True):
            p.grad = g
        optimizer.step()
        peer.apply([keras.ops.convert_to_tensor(g) for g in gradients], theirs)
        for p, q in zip(ours, theirs, strict=True):
            found, expected = p.numpy(), numbers(q)
            assert found.dtype == expected.dtype == dtype
            np.testing.assert_allclose(
                found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], err_msg=f"{step=}"
            )


def pair(dtype):
    """An autoencoder with every kind of penalty, in both, with the same weights."""
    ours, theirs = [], []
    for index, (units, activation) in enumerate([(5, "tanh"), (3, "sigmoid")]):
        strengths = {"kernel": 0.0625, "bias": 0.03125, "activity": 0.015625}
        for layers, package in ((ours, mg), (theirs, keras)):
            layers.append(
                package.layers.Dense(
                    units,
                    activation,
                    name=f"layer{index}",
                    dtype=dtype,
                    kernel_regularizer=package.regularizers.L2(strengths["kernel"]),
                    bias_regularizer=package.regularizers.L1(strengths["bias"]),
                    activity_regularizer=package.regularizers.L1(strengths["activity"]),
                )
            )
    ours, theirs = mg.Sequential(ours, seed=0), keras.Sequential(theirs)
    ours.build((None, 3))
    theirs.build((None, 3))
    rng = np.random.default_rng(5)
    for parameter in ours.parameters():
        parameter.data = rng.normal(0, 0.5, parameter.shape)
    theirs.set_weights([parameter.numpy() for parameter in ours.parameters()])
    return ours, theirs


def data(dtype, samples=20):
    rng = np.random.default_rng(1)
    return (
        rng.normal(size=(samples, 3)).astype(dtype),
        rng.uniform(0, 1, (samples, 3)).astype(dtype),
    )


@every_optimizer
def test_20_steps_of_fit_end_at_the_same_weights(name, dtype):
    ours, theirs = pair(dtype)
    optimizer, peer = both(name)
    x, y = data(dtype)
    ours.compile(optimizer, "mse")
    theirs.compile(peer, "mse")
    # The last of the three batches is smaller; 7 epochs are 21 steps.
    settings = {"batch_size": 8, "epochs": 7, "shuffle": False, "verbose": 0}
    found, expected = ours.fit(x, y, **settings), theirs.fit(x, y, **settings)
    assert optimizer.iterations == int(numbers(peer.iterations)) == 21
    # Keras rounds its loss to float32 in every dtype, and 21 steps of Adam enlarge a last bit.
    limit = 2e-4 if dtype == "float32" else 1e-7
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=1e-5)
    for p, q in zip(ours.parameters(), theirs.get_weights(), strict=True):
        assert q.dtype == dtype
        np.testing.assert_allclose(p.numpy(), q, rtol=limit, atol=limit, err_msg=p.name)


def test_validation_split_and_its_losses_agree():
    ours, theirs = pair("float32")
    ours.compile("sgd", "mse")
    theirs.compile("sgd", "mse")
    x, y = data("float32", 23)
    settings = {"batch_size": 4, "epochs": 3, "shuffle": False, "verbose": 0}
    found = ours.fit(x, y, validation_split=0.3, **settings).history
    expected = theirs.fit(x, y, validation_split=0.3, **settings).history
    for key in ("loss", "val_loss"):
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5)


def test_evaluate_and_predict_agree():
    ours, theirs = pair("float32")
    ours.compile("sgd", "mae")
    theirs.compile("sgd", "mae")
    x, y = data("float32")
    for batch_size in (7, 20):
        found = ours.evaluate(x, y, batch_size=batch_size)
        expected = theirs.evaluate(x, y, batch_size=batch_size, verbose=0)
        assert found == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(
            ours.predict(x, batch_size), theirs.predict(x, batch_size, verbose=0), rtol=1e-5
        )


def test_frozen_layers_agree():
    ours, theirs = pair("float32")
    for model, package in ((ours, mg), (theirs, keras)):
        model.layers[0].trainable = False
        model.compile(package.optimizers.SGD(RATE), "mse")
    x, y = data("float32")
    kernel = ours.layers[0].kernel.numpy()
    settings = {"batch_size": 20, "epochs": 3, "shuffle": False, "verbose": 0}
    found, expected = ours.fit(x, y, **settings), theirs.fit(x, y, **settings)
    np.testing.assert_allclose(found.history["loss"], expected.history["loss"], rtol=1e-5)
    assert (ours.layers[0].kernel.numpy() == kernel).all()
    for p, q in zip(ours.layers[1].parameters(), theirs.layers[1].get_weights(), strict=True):
        np.testing.assert_allclose(p.numpy(), q, rtol=1e-4, atol=1e-6)


def test_a_batch_seen_by_both_gives_the_same_loss_before_the_step():
    ours, theirs = pair("float32")
    ours.compile("sgd", "mse")
    theirs.compile("sgd", "mse")
    x, y = data("float32")
    for _ in range(3):
        assert ours.train_on_batch(x, y) == pytest.approx(
            float(theirs.train_on_batch(x, y)), rel=1e-5
        )
        theirs.reset_metrics()  # else Keras returns the mean since the beginning


def test_default_rates_and_betas_are_those_of_keras():
    for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Nadam", "Lion"):
        expected = getattr(keras.optimizers, name)().get_config()
        for argument, value in getattr(mg.optimizers, name)().get_config().items():
            if argument != "name" and isinstance(value, float):
                assert value == pytest.approx(expected[argument], rel=1e-7), (name, argument)
            elif argument != "name":
                assert value == expected[argument], (name, argument)


def test_a_dense_layers_default_initial_weights_have_the_range_of_keras():
    mg.set_seed(0)
    keras.utils.set_random_seed(0)
    ours, theirs = Dense(300, input_dim=200), keras.layers.Dense(300)
    theirs.build((None, 200))
    limit = np.sqrt(6 / 500)
    for kernel in (ours.kernel.numpy(), numbers(theirs.kernel)):
        assert 0.99 * limit < np.abs(kernel).max() <= limit
        assert abs(kernel.mean()) < 0.01 * limit
    assert not ours.bias.numpy().any()
    assert not numbers(theirs.bias).any()
