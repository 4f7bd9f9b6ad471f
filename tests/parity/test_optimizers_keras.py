"""The same gradients fed to Keras' optimizers, and the same steps to its schedules."""

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import optimizers
from minigrad.layers import Parameter

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

SHAPES = [(3, 4), (4,), (2, 2, 3)]

fractions = st.sampled_from([0.5, 0.9, 0.99])
OPTIONS = {
    "SGD": {"momentum": st.sampled_from([0.0, 0.9]), "nesterov": st.booleans()},
    "RMSprop": {
        "rho": fractions,
        "momentum": st.sampled_from([0.0, 0.9]),
        "centered": st.booleans(),
        "epsilon": st.sampled_from([1e-7, 1e-3]),
    },
    "Adagrad": {"initial_accumulator_value": st.sampled_from([0.1, 1.0])},
    "Adadelta": {"rho": fractions, "epsilon": st.sampled_from([1e-7, 1e-3])},
    "Adam": {"beta_1": fractions, "beta_2": fractions, "amsgrad": st.booleans()},
    "AdamW": {"beta_1": fractions, "amsgrad": st.booleans()},
    "Adamax": {"beta_1": fractions, "beta_2": fractions},
    "Ftrl": {
        "learning_rate_power": st.sampled_from([-0.5, -0.25, 0.0]),
        "initial_accumulator_value": st.sampled_from([0.1, 1.0]),
        "l1_regularization_strength": st.sampled_from([0.0, 0.5]),
        "l2_regularization_strength": st.sampled_from([0.0, 0.25]),
        "l2_shrinkage_regularization_strength": st.sampled_from([0.0, 0.125]),
        "beta": st.sampled_from([0.0, 0.5]),
    },
    "Nadam": {"beta_1": fractions, "beta_2": fractions},
    "Lion": {"beta_1": fractions, "beta_2": fractions},
}
COMMON = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"clipnorm": st.sampled_from([0.5, 5.0])}),
    st.fixed_dictionaries({"clipvalue": st.sampled_from([0.25, 1.0])}),
    st.fixed_dictionaries({"global_clipnorm": st.sampled_from([0.5, 50.0])}),
    st.fixed_dictionaries({"weight_decay": st.sampled_from([0.001, 0.1])}),
)

rates = st.sampled_from([0.5, 0.05])
lengths = st.sampled_from([3, 7])
flags = st.booleans()
SCHEDULES = {
    "ExponentialDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "decay_rate": fractions,
        "staircase": flags,
    },
    "InverseTimeDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "decay_rate": fractions,
        "staircase": flags,
    },
    "PolynomialDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "end_learning_rate": st.sampled_from([0.001, 0.01]),
        "power": st.sampled_from([0.5, 1.0, 2.0]),
        "cycle": flags,
    },
    "CosineDecay": {
        "initial_learning_rate": rates,
        "decay_steps": lengths,
        "alpha": st.sampled_from([0.0, 0.1]),
        "warmup_target": st.sampled_from([None, 1.0]),
        "warmup_steps": st.sampled_from([0, 4]),
    },
    "CosineDecayRestarts": {
        "initial_learning_rate": rates,
        "first_decay_steps": lengths,
        "t_mul": st.sampled_from([1.0, 2.0]),
        "m_mul": st.sampled_from([1.0, 0.5]),
        "alpha": st.sampled_from([0.0, 0.1]),
    },
    "PiecewiseConstantDecay": {
        "boundaries": st.just([2, 5, 11]),
        "values": st.just([0.5, 0.25, 0.125, 0.0625]),
    },
}


def numbers(variable):
    return np.asarray(keras.ops.convert_to_numpy(variable))


def agree_over_20_steps(name, arguments, dtype, seed, rate=None, peer_rate=None):
    rng = np.random.default_rng(seed)
    starts = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    ours = [Parameter(start) for start in starts]
    theirs = [keras.Variable(start, dtype=dtype) for start in starts]
    given_rate = {} if rate is None else {"learning_rate": rate}
    given_peer_rate = {} if rate is None else {"learning_rate": peer_rate or rate}
    optimizer = getattr(optimizers, name)(**given_rate, **arguments)
    peer = getattr(keras.optimizers, name)(**given_peer_rate, **arguments)
    optimizer.build(ours)
    peer.build(theirs)
    for _ in range(20):
        gradients = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
        optimizer.apply(gradients)
        peer.apply([keras.ops.convert_to_tensor(g) for g in gradients], theirs)
    # Keras keeps learning rates as float32, whatever the weights are.
    tolerance = 1e-6 if dtype == "float64" else 2e-5
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.numpy(), numbers(q), rtol=tolerance, atol=tolerance)


@settings(max_examples=120)
@given(st.sampled_from(sorted(OPTIONS)), COMMON, st.integers(0, 99), st.data())
def test_optimizers_agree_over_20_steps(name, common, seed, data):
    arguments = {**common, **data.draw(st.fixed_dictionaries(OPTIONS[name]))}
    rate = data.draw(st.sampled_from([0.0625, 0.0078125]))  # exact in float32
    agree_over_20_steps(name, arguments, "float64", seed, rate)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_optimizers_agree_by_default(name, dtype):
    agree_over_20_steps(name, {}, dtype, seed=0)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_arguments_and_defaults_are_those_of_keras(name):
    expected = inspect.signature(getattr(keras.optimizers, name)).parameters
    found = inspect.signature(getattr(optimizers, name)).parameters
    elsewhere = {"use_ema", "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor"}
    for argument in expected.keys() - elsewhere - {"gradient_accumulation_steps", "kwargs", "name"}:
        assert found[argument].default == expected[argument].default, argument


@settings(max_examples=150)
@given(st.sampled_from(sorted(SCHEDULES)), st.data())
def test_schedules_agree_at_every_step(name, data):
    arguments = data.draw(st.fixed_dictionaries(SCHEDULES[name]))
    ours = getattr(optimizers.schedules, name)(**arguments)
    theirs = getattr(keras.optimizers.schedules, name)(**arguments)
    for step in range(30):
        found, expected = ours(step), float(theirs(step))
        assert found == pytest.approx(expected, rel=2e-5, abs=1e-7), (name, arguments, step)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_an_optimizer_follows_a_schedule_as_in_keras(name):
    arguments = {"initial_learning_rate": 0.125, "decay_steps": 6, "decay_rate": 0.5}
    rate = optimizers.schedules.ExponentialDecay(**arguments)
    peer_rate = keras.optimizers.schedules.ExponentialDecay(**arguments)
    agree_over_20_steps(name, {}, "float64", 0, rate, peer_rate)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("SGD", {"nesterov": True}),
        ("SGD", {"clipnorm": 0.5}),
        ("RMSprop", {"rho": 0.5}),
        ("Lion", {"beta_1": 0.5}),
        ("Adamax", {"beta_2": 0.5}),
        ("Adagrad", {"epsilon": 0.125}),
        ("AdamW", {"weight_decay": 0.5}),
        ("Adadelta", {"clipvalue": 0.25}),
    ],
)
def test_settings_that_change_between_steps_take_effect_as_in_keras(name, change):
    rng = np.random.default_rng(0)
    start, rate = rng.normal(size=(3, 4)), 0.0625
    more = {"momentum": 0.5} if name == "SGD" else {}
    parameter, variable = Parameter(start), keras.Variable(start, dtype="float64")
    optimizer = getattr(optimizers, name)(rate, **more)
    peer = getattr(keras.optimizers, name)(rate, **more)
    for step in range(10):
        if step == 5:
            for setting, value in change.items():
                setattr(optimizer, setting, value)
                setattr(peer, setting, value)
        g = rng.normal(size=start.shape)
        optimizer.apply([g], [parameter])
        peer.apply([keras.ops.convert_to_tensor(g)], [variable])
    np.testing.assert_allclose(parameter.numpy(), numbers(variable), rtol=1e-6, atol=1e-6)


def test_excluded_parameters_do_not_decay_in_either():
    start = np.array([1.0, -2.0])
    kernel, bias = Parameter(start, name="kernel"), Parameter(start, name="bias")
    optimizer = optimizers.AdamW(0.0625, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    variables = [keras.Variable(start, dtype="float64", name=name) for name in ("kernel", "bias")]
    peer = keras.optimizers.AdamW(0.0625, weight_decay=0.5)
    peer.build(variables)
    peer.exclude_from_weight_decay(var_names=["bias"])
    for step in range(20):
        g = np.array([0.5, float(step)])
        optimizer.apply([g, g], [kernel, bias])
        peer.apply([keras.ops.convert_to_tensor(g)] * 2, variables)
    assert (kernel.numpy() != bias.numpy()).any()
    for p, q in zip((kernel, bias), variables, strict=True):
        np.testing.assert_allclose(p.numpy(), numbers(q), rtol=1e-6)
