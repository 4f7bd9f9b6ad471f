"""After a step of training there is no tape, and nothing for the garbage collector to find."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import Node
from minigrad.layers import Dense, Layer
from minigrad.optimizers import SGD, Adam

X = np.random.default_rng(0).uniform(0, 1, (8, 6)).astype(np.float32)


def live_nodes():
    return [thing for thing in gc.get_objects() if type(thing) is Node]


class Spy(Layer):
    """Passes its input on, and remembers the activation only by a weak reference."""

    def __init__(self, seen):
        super().__init__(name="spy")
        self.seen = seen

    def call(self, x):
        x = x * 1.0
        self.seen.append(weakref.ref(x))
        return x

    def compute_output_shape(self, input_shape):
        return input_shape


def autoencoder(seen, activity=None):
    made = mg.Sequential(
        Dense(4, "tanh", kernel_regularizer="l2", activity_regularizer=activity, input_dim=6),
        Spy(seen),
        Dense(6, "sigmoid", bias_regularizer="l1"),
    )
    made.compile(Adam(0.01), "mse")
    return made


@pytest.fixture
def quiet():
    """Keep the collector out, so that only reference counts free anything."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def runs(made):
    def by_hand():
        loss = mg.losses.mean_squared_error(X, made(X)) + sum(made.losses)
        made.optimizer.zero_grad()
        loss.backward()
        made.optimizer.step()

    return {
        "train_on_batch": lambda: made.train_on_batch(X, X),
        "fit": lambda: made.fit(X, X, batch_size=3, epochs=2, validation_split=0.25, verbose=0),
        "evaluate": lambda: made.evaluate(X, X),
        "predict": lambda: made.predict(X),
        "by_hand": by_hand,
    }


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("run", ["train_on_batch", "fit", "evaluate", "predict", "by_hand"])
def test_no_tape_and_no_activation_is_alive_after(run):
    seen = []
    made = autoencoder(seen)
    made.train_on_batch(X, X)
    before = len(live_nodes())
    seen.clear()
    runs(made)[run]()
    assert seen
    assert all(reference() is None for reference in seen)
    assert len(live_nodes()) == before
    assert gc.collect() == 0


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("run", ["train_on_batch", "fit", "by_hand"])
def test_activity_penalties_that_are_kept_for_losses_keep_no_tape(run):
    seen = []
    made = autoencoder(seen, activity="l1")
    before = set(map(id, live_nodes()))
    runs(made)["train_on_batch"]()
    runs(made)[run]()
    left = [node for node in live_nodes() if id(node) not in before]
    assert len(made.losses) == 3
    assert [node.released for node in left] == [True]  # the one behind model.losses
    assert all(reference() is None for reference in seen)
    assert gc.collect() == 0


@pytest.mark.usefixtures("quiet")
def test_a_trace_that_is_dropped_takes_its_tape_along():
    seen = []
    made = autoencoder(seen)
    made.train_on_batch(X, X)
    before = len(live_nodes())
    trace = made.trace(X, X)
    assert len(live_nodes()) > before
    del trace
    assert len(live_nodes()) == before
    assert all(reference() is None for reference in seen)
    assert gc.collect() == 0


@pytest.mark.usefixtures("quiet")
def test_a_model_that_is_dropped_is_freed_by_counting():
    seen = []
    made = autoencoder(seen)
    made.fit(X, X, verbose=0)
    kernel = weakref.ref(made.layers[0].kernel)
    del made
    assert kernel() is None


def test_memory_does_not_grow_with_the_steps():
    made = mg.Sequential(Dense(4, "relu", activity_regularizer="l1", input_dim=6), Dense(6))
    made.compile(SGD(0.01, 0.9), "mse")

    def objects_after(steps):
        for _ in range(steps):
            made.train_on_batch(X, X)
        gc.collect()
        return len(gc.get_objects())

    objects_after(3)
    first = objects_after(1)
    assert abs(objects_after(50) - first) <= 5
