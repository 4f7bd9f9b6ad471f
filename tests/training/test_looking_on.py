"""A look at a model from another thread waits for the step that goes on, and changes nothing."""

import copy
import pickle
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.callbacks import TraceCallback

X = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)


@pytest.fixture(autouse=True)
def threads_take_turns_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


class Counts(layers.Layer):
    """A layer of a user, with state that its call changes."""

    def build(self, input_shape):
        self.calls = self.add_weight("calls", (), "zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign(self.calls.numpy() + 1)
        return x


def model():
    mg.set_seed(1)
    made = mg.Sequential(
        layers.Dense(5, "relu", activity_regularizer="l1", input_dim=6),
        layers.Dropout(0.3),
        layers.BatchNormalization(),
        layers.GaussianNoise(0.1),
        Counts(),
        layers.Dense(6),
    )
    made.compile("adam", "mse")
    return made


LOOKS = {
    "trace": lambda m: m.trace(X[:8], X[:8]),
    "contributions": lambda m: m.contributions(X[:8], X[:8]),
    "some contributions": lambda m: m.contributions(X[:8], X[:8], names=["dense/kernel"]),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_a_fit_gives_the_same_bits_while_another_thread_looks(look):
    expected, ours = model(), model()
    expected.fit(X, X, batch_size=8, epochs=10, verbose=0)
    done, failures = threading.Event(), []

    def look_on():
        try:
            while not done.is_set():
                look(ours)
        except Exception as error:
            failures.append(error)

    other = threading.Thread(target=look_on)
    other.start()
    try:
        history = ours.fit(X, X, batch_size=8, epochs=10, verbose=0).history
    finally:
        done.set()
        other.join()
    assert not failures
    assert history == expected.history.history
    for found, wanted in zip(ours.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_trace_of_another_thread_adds_up_while_a_fit_changes_the_weights():
    ours, residuals = model(), []
    other = threading.Thread(target=lambda: ours.fit(X, X, batch_size=8, epochs=20, verbose=0))
    other.start()
    while other.is_alive():
        residuals.append(ours.trace(X[:8], X[:8]).residual)
    other.join()
    assert residuals
    assert max(residuals) < 1e-5


def test_looks_of_the_same_thread_do_not_wait_for_themselves():
    ours = model()
    inside = mg.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs=None: ours.trace(X[:8], X[:8]),
        on_train_batch_end=lambda batch, logs=None: ours.contributions(X[:8], X[:8]),
        on_epoch_end=lambda epoch, logs=None: ours.loss_terms(X[:8], X[:8]),
    )
    ours.fit(X, X, epochs=1, verbose=0, callbacks=[inside, TraceCallback(every=3)])


@pytest.mark.parametrize(
    "twin_of", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))]
)
def test_a_model_is_copied_and_pickled_as_before(twin_of):
    ours = mg.Sequential(layers.Dense(6, input_dim=6), layers.BatchNormalization())
    ours.compile("sgd", "mse")
    ours.train_on_batch(X, X)
    twin = twin_of(ours)
    twin.trace(X[:8], X[:8])
    twin.train_on_batch(X, X)
