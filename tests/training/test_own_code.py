"""A program is ours or nobody's: what a user has put anywhere runs in every step, whatever it says.

Each case is held against a twin that never replays.
"""

import contextlib
import copy
import functools
import gc
import importlib
import sys
import types

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, losses, regularizers
from minigrad.engine.recorder import NotRepeatableError
from minigrad.engine.table import TABLE
from minigrad.training.own_code import is_known, is_ours, ran
from minigrad.training.unchanged import Snapshot, is_all_ours
from tests.training.test_replay import NoReplays, X, is_replaying, train

# Numbers from anywhere are a tanh's or a relu's targets here.
pytestmark = pytest.mark.filterwarnings("ignore:.*targets out of reach")


@pytest.fixture(autouse=True)
def table_as_it_was():
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)


def autoencoder(**changes):
    mg.set_seed(3)
    made = mg.Sequential(
        layers.Dense(5, "relu", kernel_regularizer="l2", activity_regularizer="l1", name="codings"),
        layers.Dense(6, "tanh", name="outputs"),
    )
    made.compile(mg.optimizers.Adam(0.01), changes.pop("loss", "mse"), **changes)
    made(X[:1])
    return made


class Wrapper:
    """A decorator of `functools.wraps`, with a strength that changes."""

    def __init__(self, function):
        self.strength = 1.0
        self.calls = 0

        @functools.wraps(function)
        def wrapped(*arguments, **keywords):
            self.calls += 1
            return self.strength * function(*arguments, **keywords)

        self.wrapped = wrapped


def pair_of_models(**changes):
    model, twin = autoencoder(**changes), autoencoder(**changes)
    twin._replays = NoReplays()
    return model, twin


def assert_same(model, twin, steps=6):
    assert train(model, X, X, steps=steps) == train(twin, X, X, steps=steps)
    for ours, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


# ---- functions that say they are ours ----------------------------------------------------------


def as_loss(model, wrap):
    model.loss = wrap(losses.mean_squared_error)


def as_activation(model, wrap):
    model.layers[1].activation = wrap(mg.activations.softsign)


def as_regularizer(model, wrap):
    model.layers[0].kernel_regularizer = wrap(regularizers.L2(0.1))


def as_call_of_a_layer(model, wrap):
    model.layers[1].call = wrap(model.layers[1].call)


def as_call_of_a_regularizer(model, wrap):
    model.layers[0].kernel_regularizer.measure = wrap(np.tanh)
    model.layers[0].kernel_regularizer.__class__ = type(
        "L2", (regularizers.L2,), {"__call__": lambda self, x: self.measure(x).sum(),
                                   "__module__": "minigrad.regularizers"},
    )  # fmt: skip


def as_part_of_a_function(model, wrap):
    model.layers[1].activation = functools.partial(wrap(np.tanh))


def as_callable_object(model, wrap):
    kind = type("Tanh", (), {"__call__": lambda self, x: self.function(x)})
    kind.__module__ = "minigrad.activations"
    activation = kind()
    activation.function = wrap(np.tanh)
    model.layers[1].activation = activation


def as_bound_method(model, wrap):
    as_callable_object(model, wrap)
    model.layers[1].activation = model.layers[1].activation.__call__


def as_another_class(model, wrap):
    call = wrap(layers.Dense.call)
    kind = type("Dense", (layers.Dense,), {"call": call})
    kind.__module__, kind.__qualname__ = "minigrad.layers.dense", "Dense"
    model.layers[1].__class__ = kind


def as_code(model, wrap):
    model.layers[1].activation = types.FunctionType(
        mg.activations.softsign.__code__, {"np": types.SimpleNamespace(abs=wrap(np.abs))}
    )


PLACES = [as_loss, as_activation, as_regularizer, as_call_of_a_layer, as_call_of_a_regularizer,
          as_part_of_a_function, as_callable_object, as_bound_method, as_another_class,
          as_code]  # fmt: skip


@pytest.mark.parametrize("steps_before", [0, 6])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_wrapper_that_says_it_is_ours_runs_in_every_step(place, steps_before):
    model, twin = pair_of_models()
    calls = []
    wrappers = []
    for each in (model, twin):
        train(each, X, X, steps=steps_before)

        def wrap(function):
            wrappers.append(Wrapper(function))
            return wrappers[-1].wrapped

        place(each, wrap)
        calls.append(wrappers[-1])
    assert not is_all_ours(model)
    assert_same(model, twin)
    for wrapper in wrappers:
        wrapper.strength = 100.0
    assert_same(model, twin)
    assert calls[0].calls == calls[1].calls > 0


PATCHES = {
    "a method of a class": (layers.Dense, "call"),
    "a method of a base": (losses.Loss, "__call__"),
    "a method of all layers": (layers.Layer, "_as_input"),
    "what a model does with its loss": (mg.Model, "_data_term"),
    "a name in a module": (sys.modules["minigrad.losses.regression"], "mean_of_last_axis"),
    "an op in a module": (sys.modules["minigrad.regularizers"], "sum_of_squares"),
    "a NumPy function": (np, "square"),
    "the method of a regularizer": (regularizers.L1, "__call__"),
}


@pytest.mark.parametrize("steps_before", [0, 6])
@pytest.mark.parametrize("where", PATCHES.values(), ids=PATCHES.keys())
def test_what_somebody_replaces_runs_in_every_step(where, steps_before, monkeypatch):
    model, twin = pair_of_models(
        loss=losses.LogCosh() if where[1] == "mean_of_last_axis" else "mse"
    )
    for each in (model, twin):
        train(each, X, X, steps=steps_before)
    original = getattr(*where)
    if where[0] is np:
        model.layers[1].activation = twin.layers[1].activation = mg.activations.get("softsign")
        where, original = (np, "abs"), np.abs
    wrapper = Wrapper(original)
    counts = []
    monkeypatch.setattr(*where, wrapper.wrapped)
    for strength in (1.0, 3.0):
        wrapper.strength = strength
        for each in (model, twin):
            before = wrapper.calls
            train(each, X, X, steps=6)
            counts.append(wrapper.calls - before)
    assert_same(model, twin)
    assert counts[0] == counts[1] > 0
    assert counts[2] == counts[3]


def test_a_property_that_is_put_on_a_class_is_read_in_every_step(monkeypatch):
    strengths, model = iter(range(1, 100)), autoencoder()
    monkeypatch.setattr(
        regularizers.L1, "l1", property(lambda self: next(strengths)), raising=False
    )
    terms = [step["codings/activity"] for step in train(model, X[:8], X[:8], steps=6)]
    assert len(set(terms)) == 6


# ---- changes in training -----------------------------------------------------------------------


class Fickle(float):
    """A number that is another one in each product."""

    factor = 1.0

    def __mul__(self, other):
        return float(self) * Fickle.factor * other

    __rmul__ = __mul__


@pytest.fixture(autouse=True)
def reliable_numbers():
    yield
    Fickle.factor = 1.0


@pytest.mark.parametrize("steps_before", [0, 6])
def test_a_number_that_is_no_plain_float_is_asked_in_every_step(steps_before):
    model, twin = pair_of_models()
    for each in (model, twin):
        train(each, X, X, steps=steps_before)
        each.layers[0].activity_regularizer.l1 = Fickle(0.01)
    assert_same(model, twin)
    Fickle.factor = 50.0
    assert_same(model, twin)


def test_a_setting_that_is_equal_but_of_another_kind_takes_effect():
    model, twin = pair_of_models()
    for each in (model, twin):
        train(each, X, X, steps=6)
        each.layers[0].activity_regularizer.l1 = Fickle(each.layers[0].activity_regularizer.l1)
    Fickle.factor = 50.0
    assert_same(model, twin)


@pytest.mark.parametrize("kind", [float, np.float64, np.float32, Fickle])
def test_an_equal_number_may_be_of_another_kind(kind):
    model, twin = pair_of_models()
    for each in (model, twin):
        train(each, X, X, steps=6)
        regularizer = each.layers[0].activity_regularizer
        regularizer.l1 = kind(repr(regularizer.l1))
    snapshot = next(step for step in model._replays._known.values() if step)._snapshot
    assert not snapshot.still_holds()
    assert_same(model, twin)


def test_zero_and_minus_zero_are_two_settings():
    model = mg.Sequential(layers.LeakyReLU(0.0))
    snapshot = Snapshot(model)
    model.layers[0].negative_slope = -0.0
    assert not snapshot.still_holds()


CLASS_CHANGES = {
    "whether a penalty averages over the batch": (
        regularizers.Regularizer,
        "averages_over_batch",
        True,
    ),
    "the same, of one kind alone": (regularizers.L1, "averages_over_batch", True),
    "a method, by a stranger": (regularizers.L1, "__call__", lambda self, x: x.sum() * 0.5),
}


@pytest.mark.parametrize(("owner", "name", "value"), CLASS_CHANGES.values())
def test_an_attribute_of_a_class_takes_effect_in_the_next_step(owner, name, value, monkeypatch):
    model, twin = pair_of_models()
    for each in (model, twin):
        train(each, X, X, steps=6)
    assert is_replaying(model)
    monkeypatch.setattr(owner, name, value, raising=False)
    assert_same(model, twin)
    monkeypatch.undo()
    assert_same(model, twin)


def another_rule():
    mg.Primitive(np.multiply, lambda g, z, x, y: 2 * g * y, lambda g, z, x, y: 2 * g * x)


def another_op():
    mg.Primitive(np.tanh, lambda g, z, x: 7 * g)


def another_function():
    mg.implements(np.tanh)(lambda x: x * 0.5)


@pytest.mark.parametrize("name", ["rules", "forward"])
def test_an_op_keeps_its_rules_which_tapes_and_programs_hold(name):
    before = getattr(TABLE[np.tanh], name)
    with pytest.raises(AttributeError, match=f"op 'tanh' keeps its {name}. Make another Primitive"):
        setattr(TABLE[np.tanh], name, before)


@pytest.mark.parametrize("steps_before", [0, 6])
@pytest.mark.parametrize("change", [another_rule, another_op, another_function])
def test_an_op_that_is_replaced_takes_effect_in_the_next_step(change, steps_before):
    model, twin = pair_of_models()
    for each in (model, twin):
        each.layers[1].activation = np.tanh
        each.layers[0].kernel_regularizer = regularizers.L1L2(0.1, 0.1)
        train(each, X, X, steps=steps_before)
    change()
    assert_same(model, twin)


FUNCTION_CHANGES = {
    "its defaults": lambda f: setattr(f, "__defaults__", (3.0,)),
    "its defaults by name": lambda f: setattr(f, "__kwdefaults__", {"beta": 3.0}),
    "its code": lambda f: setattr(f, "__code__", (lambda x: 3 * x).__code__),
    "whether it averages": lambda f: setattr(f, "averages_over_batch", True),
}


@pytest.mark.parametrize("change", FUNCTION_CHANGES.values(), ids=FUNCTION_CHANGES.keys())
def test_a_function_that_is_a_setting_is_looked_into(change):
    model = mg.Sequential(layers.Dense(6, mg.activations.softsign, input_dim=6))
    function = model.layers[0].activation
    before = function.__defaults__, function.__kwdefaults__, function.__code__
    snapshot = Snapshot(model)
    assert snapshot.still_holds()
    try:
        change(function)
        assert not snapshot.still_holds()
    finally:
        function.__defaults__, function.__kwdefaults__, function.__code__ = before
        vars(function).clear()
    assert snapshot.still_holds()


def test_a_layer_that_becomes_another_kind_does_as_that():
    model, twin = pair_of_models()
    for each in (model, twin):
        train(each, X, X, steps=6)
        each.layers[0].activity_regularizer.__class__ = regularizers.L2
        each.layers[0].activity_regularizer.l2 = 0.1
    assert_same(model, twin)


def test_an_array_that_is_an_argument_is_read_in_every_step():
    model, twin = (
        mg.Sequential(layers.Dense(6, seed=1), layers.Lambda(mg.activations.relu)) for _ in range(2)
    )
    for each in (model, twin):
        each(X[:1])
        each.layers[1].function = mg.activations.leaky_relu
        each.layers[1].arguments = {"negative_slope": np.full(6, 0.5, np.float32)}
        each.compile("sgd", "mse")
    twin._replays = NoReplays()
    assert_same(model, twin)
    for each in (model, twin):
        each.layers[1].arguments["negative_slope"][:] = 0.2
    assert_same(model, twin)


# ---- how it is found out -----------------------------------------------------------------------


def test_code_is_known_by_its_file_and_by_the_names_that_it_sees():
    def of(function):
        return function.__code__, function.__globals__

    ours = mg.activations.softsign
    assert is_ours(*of(ours))
    assert is_known(*of(ours))
    assert not is_known(ours.__code__, {})
    assert not is_known(*of(functools.wraps(ours)(lambda x: x)))
    assert is_known(*of(copy.copy))
    assert not is_ours(*of(copy.copy))
    assert not is_known(*of(pytest.fixture))
    assert is_known(*of(types.new_class))


def test_who_takes_a_profile_keeps_it_and_steps_go_on_eagerly():
    seen = []
    model, twin = pair_of_models()

    def profile(frame, event, argument):
        seen.append(event)

    sys.setprofile(profile)
    try:
        train(model, X, X, steps=4)
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert not is_replaying(model)
    train(twin, X, X, steps=4)
    assert_same(model, twin)
    assert is_replaying(model)


def test_an_error_that_somebody_catches_is_raised_at_the_end():
    with pytest.raises(NotRepeatableError, match="mine may look at anything"), ran():
        with contextlib.suppress(Exception):
            mine()


def test_hooks_of_imports_are_no_part_of_a_pass(monkeypatch):
    calls = []

    class Finder:
        @staticmethod
        def find_spec(*arguments):
            calls.append(arguments)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with ran() as functions, contextlib.suppress(ImportError):
        importlib.import_module("there_is_no_such_module")
    assert calls
    assert functions.seen


@pytest.mark.parametrize("images", [2, 64])  # computed on one thread, and shared by several
def test_convolutions_are_replayed_however_many_threads_share_them(images):
    x = np.random.default_rng(0).random((images, 14, 14, 16), np.float32)
    model = mg.Sequential(
        mg.layers.Conv2D(32, 3, activation="relu", input_shape=(14, 14, 16)),
        mg.layers.MaxPooling2D(2),
        mg.layers.Flatten(),
        mg.layers.Dense(10, activation="softmax"),
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    for _ in range(4):
        model.train_on_batch(x, np.arange(images) % 10)
    assert is_replaying(model)


def test_what_python_calls_when_it_frees_something_is_no_part_of_a_pass():
    calls = []

    class Freed:
        def __del__(self):
            calls.append("freed")

    def hook(phase, info):
        calls.append(phase)

    gc.callbacks.append(hook)
    try:
        with ran() as functions:
            freed = Freed()
            del freed
            gc.collect()
    finally:
        gc.callbacks.remove(hook)
    assert {"freed", "start", "stop"} <= set(calls)
    assert {code.co_name for code, _ in functions.seen.values()} == {"__exit__"}


def mine():
    return 1
