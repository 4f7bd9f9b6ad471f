"""Settings of optimizers: they take effect when they are set, and misspelt ones are errors."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import optimizers
from minigrad.layers import Dense, Parameter
from minigrad.optimizers import SGD, Adam, schedules

X = np.random.default_rng(0).normal(size=(24, 3)).astype(np.float32)
Y = X[:, :1] * 2 - 1


def run(optimizer, change=None, steps=12, at=6):
    """The weights after some steps; `change` is called with the optimizer before one of them."""
    rng = np.random.default_rng(1)
    parameter = Parameter(rng.normal(size=(3, 4)), name="p")
    for step in range(steps):
        if step == at and change is not None:
            change(optimizer)
        optimizer.apply([rng.normal(size=(3, 4))], [parameter])
    return parameter.numpy()


CHANGES = [
    ("SGD", {}, "momentum", 0.9),
    ("SGD", {"momentum": 0.5}, "momentum", 0.0),
    ("SGD", {"momentum": 0.5}, "nesterov", True),
    ("RMSprop", {}, "momentum", 0.9),
    ("RMSprop", {}, "centered", True),
    ("RMSprop", {}, "rho", 0.5),
    ("Adam", {}, "amsgrad", True),
    ("Adam", {"amsgrad": True}, "amsgrad", False),
    ("Adam", {}, "beta_1", 0.5),
    ("Adam", {}, "beta_2", 0.5),
    ("Adam", {}, "epsilon", 0.5),
    ("Adam", {}, "weight_decay", 0.5),
    ("Adagrad", {}, "clipnorm", 0.1),
    ("SGD", {}, "clipvalue", 0.1),
    ("SGD", {}, "global_clipnorm", 0.1),
    ("SGD", {"clipnorm": 0.1}, "clipnorm", None),
    ("Nadam", {}, "beta_1", 0.5),
    ("Lion", {}, "beta_2", 0.5),
    ("Adamax", {}, "beta_2", 0.5),
    ("Ftrl", {}, "l1_regularization_strength", 0.5),
    ("Adadelta", {}, "rho", 0.5),
    ("Adagrad", {}, "epsilon", 0.5),
]
every_change = pytest.mark.parametrize(("name", "start", "setting", "value"), CHANGES)


@every_change
def test_a_setting_takes_effect_at_the_next_step(name, start, setting, value):
    make = getattr(optimizers, name)
    plain = run(make(0.1, **start))
    changed = run(make(0.1, **start), lambda o: setattr(o, setting, value))
    assert (plain != changed).any()
    # Before the first step it is as if it had been given to the constructor.
    early = run(make(0.1, **start), lambda o: setattr(o, setting, value), at=0)
    assert (early == run(make(0.1, **{**start, setting: value}))).all()


@every_change
def test_changed_settings_are_in_the_config_and_in_the_state(name, start, setting, value):
    optimizer = getattr(optimizers, name)(0.1, **start)
    parameter = Parameter(np.ones(2), name="p")
    optimizer.apply([np.ones(2)], [parameter])
    setattr(optimizer, setting, value)
    twin = optimizers.deserialize(optimizers.serialize(optimizer))
    assert getattr(twin, setting) == value
    copied = Parameter(parameter.numpy(), name="p")
    twin.build([copied])
    twin.load_state_arrays(optimizer.state_arrays())
    for g in (0.5, -2.0):
        optimizer.apply([np.full(2, g)], [parameter])
        twin.apply([np.full(2, g)], [copied])
    assert (parameter.numpy() == copied.numpy()).all()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_a_copy_has_the_changed_settings(duplicate):
    optimizer, parameter = SGD(0.1, weight_decay=0.1), Parameter(np.ones(2))
    optimizer.exclude_from_weight_decay([parameter])
    optimizer.apply([np.ones(2)], [parameter])
    optimizer.momentum = 0.5
    other, its = duplicate((optimizer, [parameter]))
    for pair in ((optimizer, parameter), (other, its[0])):
        pair[0].apply([np.ones(2)], [pair[1]])
        pair[0].apply([np.ones(2)], [pair[1]])
    assert other.momentum == 0.5
    assert (parameter.numpy() == its[0].numpy()).all()


@pytest.mark.parametrize("more", [{}, {"gradient_accumulation_steps": 3}], ids=["", "accumulated"])
def test_a_replayed_training_follows_its_settings(tmp_path, more):
    def trained(replays):
        model = mg.Sequential([Dense(4, "tanh", input_dim=3, seed=0), Dense(1, seed=1)])
        model.compile(SGD(0.05, **more), "mse")
        if not replays:
            model._replays._failures = 99
        model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0)
        model.optimizer.momentum = 0.9
        model.optimizer.clipnorm = 0.5
        model.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0)
        return model

    replayed, eager = trained(True), trained(False)
    assert any(program is not None for program in replayed._replays._known.values())
    for a, b in zip(replayed.get_weights(), eager.get_weights(), strict=True):
        assert (a == b).all()
    replayed.save(tmp_path / "m.npz")
    loaded = mg.load(tmp_path / "m.npz")
    assert (loaded.optimizer.momentum, loaded.optimizer.clipnorm) == (0.9, 0.5)
    for model in (replayed, loaded):
        model.fit(X, Y, batch_size=6, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(replayed.get_weights(), loaded.get_weights(), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize(
    ("make", "setting", "value", "message"),
    [
        (SGD, "momentum", 1.0, r"momentum must be a number in \[0, 1\)"),
        (SGD, "nesterov", "no", "nesterov must be True or False"),
        (Adam, "epsilon", 0, "epsilon must be a number above 0"),
        (Adam, "weight_decay", -1, "weight_decay must be a finite number"),
        (Adam, "learning_rate", -1, "learning_rate must be a finite number"),
        (lambda: SGD(clipnorm=1.0), "clipvalue", 1.0, "only one of clipnorm"),
    ],
)
def test_settings_are_checked_as_in_the_constructor_and_stay_as_they_were(
    make, setting, value, message
):
    optimizer = make()
    before = optimizer.get_config()
    with pytest.raises(ValueError, match=message):
        setattr(optimizer, setting, value)
    assert optimizer.get_config() == before


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Ftrl", "Nadam"])
@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.05}, {"clipnorm": 0.5}])
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_accumulated_gradients_make_the_step_of_their_mean(name, more, dtype):
    rng = np.random.default_rng(0)
    start = rng.normal(size=4).astype(dtype)
    one, three = Parameter(start), Parameter(start)
    make = getattr(optimizers, name)
    usual, other = make(0.125, **more), make(0.125, gradient_accumulation_steps=3, **more)
    for _ in range(5):
        gradients = rng.integers(-8, 8, (3, 4)) * 3.0
        usual.apply([gradients.mean(axis=0)], [one])
        for g in gradients:
            other.apply([g], [three])
    assert usual.iterations == other.iterations == 5
    tolerance = 2e-3 if dtype == "float16" else 1e-12
    np.testing.assert_allclose(one.numpy(), three.numpy(), rtol=tolerance, atol=tolerance)


def test_accumulated_gradients_are_part_of_the_state():
    optimizer, parameter = SGD(1.0, gradient_accumulation_steps=2), Parameter([0.0], name="p")
    optimizer.apply([[4.0]], [parameter])
    assert (parameter.tolist(), optimizer.iterations) == ([0], 0)
    other, copied = SGD(1.0, gradient_accumulation_steps=2), Parameter([0.0], name="p")
    other.build([copied])
    other.load_state_arrays(optimizer.state_arrays())
    other.apply([[2.0]], [copied])
    assert (copied.tolist(), other.iterations) == ([-3], 1)
    optimizer.gradient_accumulation_steps = None  # what waits is given up
    optimizer.apply([[1.0]], [parameter])
    assert parameter.tolist() == [-1]


def test_what_averages_have_begun_with_cannot_be_changed():
    optimizer = optimizers.Adagrad()
    optimizer.initial_accumulator_value = 0.5
    parameter = Parameter(np.ones(1))
    optimizer.build([parameter])
    assert optimizer.state_arrays()["accumulator/parameter"] == 0.5
    with pytest.raises(AttributeError, match=r"averages have begun with .*Make a new optimizer"):
        optimizer.initial_accumulator_value = 1.0


@pytest.mark.parametrize(
    ("name", "meant"),
    [("momentun", "momentum"), ("lr", "learning_rate"), ("clip_norm", "clipnorm")],
)
def test_misspelt_attributes_are_errors_that_say_which_was_meant(name, meant):
    with pytest.raises(AttributeError, match=f"SGD has no '{name}' to set. Did you mean '{meant}'"):
        setattr(SGD(), name, 0.9)
    with pytest.raises(AttributeError, match=f"has no attribute '{name}'. Did you mean '{meant}'"):
        getattr(SGD(), name)
    with pytest.raises(AttributeError, match="SGD has no 'beta_1' to set"):
        SGD().beta_1 = 0.9


def test_an_optimizer_of_ones_own_has_attributes_of_its_own():
    class Momentum(optimizers.Optimizer):
        slots = ("m",)

        def __init__(self, learning_rate=0.1, strength=0.5, **arguments):
            super().__init__(learning_rate, **arguments)
            self.strength = strength

        def update(self, w, g, scratch, m):
            m *= self.strength
            m += g
            w -= self.rate * m

    names = list(inspect.signature(Momentum).parameters)
    assert names[:3] == ["learning_rate", "strength", "weight_decay"]
    with pytest.raises(AttributeError, match="Did you mean 'clipnorm'"):
        Momentum().clipnrm = 1.0
    ours = run(Momentum(0.1, strength=0.9))
    np.testing.assert_allclose(ours, run(SGD(0.1, momentum=0.9)), rtol=1e-9)


# ---- the learning rate and other numbers ---------------------------------------------------------


def test_the_learning_rate_is_a_number_with_the_words_of_a_variable():
    optimizer = Adam(0.5)
    rate = optimizer.learning_rate
    assert rate == rate.value == float(rate) == 0.5
    assert (rate.numpy().shape, rate.numpy().item()) == ((), 0.5)
    assert rate.assign(rate * 0.5) == optimizer.learning_rate == 0.25
    optimizer.learning_rate *= 2
    optimizer.learning_rate = np.asarray(optimizer.learning_rate)
    assert optimizer.learning_rate == 0.5
    assert json.dumps(rate) == "0.5"
    assert f"{rate:.2f}" == "0.50"
    assert type(copy.deepcopy(rate)) is float
    assert optimizer.get_config()["learning_rate"] == 0.5


def test_a_rate_of_zero_changes_nothing_and_a_function_is_asked_at_each_step():
    for optimizer in (Adam(0.0), SGD(lambda: 0.0)):
        parameter = Parameter(np.ones(2))
        optimizer.apply([np.ones(2)], [parameter])
        assert parameter.tolist() == [1, 1]
    with pytest.raises(ValueError, match="must be above 0, as it divides"):
        optimizers.Ftrl(0.0).apply([np.ones(2)], [parameter])
    rates = iter([9.0, 1.0, 2.0])  # the first is asked for by the constructor
    optimizer = SGD(lambda: next(rates))
    optimizer.apply([np.ones(2)], [parameter])
    optimizer.apply([np.ones(2)], [parameter])
    assert parameter.tolist() == [-2, -2]


def test_it_is_shown_with_what_is_not_as_usual():
    assert (
        repr(SGD(0.5, clipnorm=1))
        == "SGD(learning_rate=0.5, momentum=0.0, nesterov=False, clipnorm=1.0)"
    )
    schedule = schedules.ExponentialDecay(0.5, 10, 0.5)
    assert repr(optimizers.Lion(schedule)).startswith(f"Lion(learning_rate={schedule!r}, ")
    assert repr(SGD(lambda: 0.1)).startswith("SGD(learning_rate=<function")
    with pytest.raises(ValueError, match="a lambda cannot be saved"):
        SGD(lambda: 0.1).get_config()


def test_iterations_are_an_int_with_the_words_of_a_variable():
    optimizer, parameter = SGD(0.5), Parameter(np.ones(2), name="p")
    optimizer.apply([np.ones(2)], [parameter])
    assert optimizer.iterations == optimizer.iterations.numpy() == 1
    assert list(range(optimizer.iterations)) == [0]
    optimizer.iterations.assign(7)
    assert optimizer.iterations == 7


def test_variables_are_copies_of_the_state_in_the_order_of_keras():
    optimizer = SGD(0.5, momentum=0.5)
    assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate"]
    optimizer.apply([np.ones(2)], [Parameter(np.ones(2), name="p")])
    iteration, rate, velocity = optimizer.variables
    assert (iteration.item(), rate.item()) == (1, 0.5)
    assert (velocity.name, velocity.tolist()) == ("velocity/p", [-0.5, -0.5])
    with pytest.raises(TypeError, match=r"a copy of the optimizer's state"):
        velocity.assign([0.0, 0.0])
    assert len(SGD(schedules.CosineDecay(0.1, 5)).variables) == 1


# ---- float16 -------------------------------------------------------------------------------------

NAMES = ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam", "Lion"]


@pytest.mark.parametrize("name", [*NAMES, "Ftrl"])
@pytest.mark.parametrize("common", [{}, {"clipnorm": 50.0}, {"weight_decay": 0.1}])
def test_float16_is_trained_as_float32_and_rounded(name, common):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3)).astype(np.float16)
    low, high = Parameter(start), Parameter(start.astype(np.float32))
    rate = 1.0 if name == "Adadelta" else 0.001
    pair = [getattr(optimizers, name)(rate, **common) for _ in range(2)]
    for _ in range(300):
        g = (100 * rng.normal(size=start.shape)).astype(np.float16)
        pair[0].apply([g], [low])
        pair[1].apply([g.astype(np.float32)], [high])
    assert low.dtype == np.float16
    assert (low.numpy() == high.numpy().astype(np.float16)).all()
    assert (low.numpy() != start).any()
    for key, array in pair[0].state_arrays().items():
        assert array.dtype != np.float16, key


def test_float16_goes_on_from_its_state_with_the_same_bits():
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(40, 4)).astype(np.float16)
    whole, optimizer = Parameter(np.ones(4, np.float16), name="p"), Adam(1e-4)
    for g in gradients[:20]:
        optimizer.apply([g], [whole])
    half, other = Parameter(whole.numpy(), name="p"), Adam(1e-4)
    other.build([half])
    other.load_state_arrays(optimizer.state_arrays())
    copied, its = copy.deepcopy((optimizer, whole))
    for g in gradients[20:]:
        for one, parameter in ((optimizer, whole), (other, half), (copied, its)):
            one.apply([g], [parameter])
    assert (whole.numpy() == half.numpy()).all()
    assert (whole.numpy() == its.numpy()).all()
    exact = [o.state_arrays()["exact_values/p"] for o in (optimizer, other, copied)]
    assert (exact[0] == exact[1]).all()
    assert (exact[0] == exact[2]).all()


def test_values_given_to_float16_parameters_count():
    parameter, optimizer = Parameter(np.ones(3, np.float16)), SGD(0.5)
    optimizer.apply([np.ones(3)], [parameter])
    parameter.assign([5.0, 0.5, 7.0])
    optimizer.apply([np.ones(3)], [parameter])
    assert parameter.tolist() == [4.5, 0, 6.5]
    alias = parameter.data
    alias[0] = 1.0
    optimizer.apply([np.ones(3)], [parameter])
    assert parameter.tolist() == alias.tolist() == [0.5, -0.5, 6]


def test_a_float16_model_trains_by_replay_as_eagerly():
    def trained(replays):
        hidden = Dense(8, "relu", input_dim=3, seed=0, dtype="float16")
        model = mg.Sequential([hidden, Dense(1, seed=1, dtype="float16")])
        model.compile(Adam(0.001), "mse")
        if not replays:
            model._replays._failures = 99
        model.fit(10 * X, 10 * Y, batch_size=6, epochs=6, shuffle=False, verbose=0)
        return model

    replayed, eager = trained(True), trained(False)
    assert replayed.get_weights()[0].dtype == np.float16
    for a, b in zip(replayed.get_weights(), eager.get_weights(), strict=True):
        assert np.isfinite(a).all()
        assert (a == b).all()
