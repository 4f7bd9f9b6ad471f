"""Large batches of `predict` are shared by threads; nobody can tell but by the clock."""

import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.ops import threads
from minigrad.training import prediction

X = np.random.default_rng(0).normal(size=(3_300, 12)).astype(np.float32)
SIZE = 100


@pytest.fixture(autouse=True)
def several_threads(monkeypatch):
    pool = threads._Pool()
    pool.threads = 3
    monkeypatch.setattr(threads, "POOL", pool)
    monkeypatch.setattr(threads, "number_of_threads", lambda: 3)
    monkeypatch.setattr(prediction, "number_of_threads", lambda: 3)
    monkeypatch.setattr(prediction, "LARGE_BATCH", SIZE * 12)
    yield
    if pool.executor is not None:
        pool.executor.shutdown()


def autoencoder():
    mg.set_seed(0)
    return mg.Sequential(
        layers.Dense(7, "relu", activity_regularizer="l1"), layers.Dense(12, "sigmoid")
    )


def convolutional():
    mg.set_seed(0)
    return mg.Sequential(
        layers.Reshape((3, 4, 1)),
        layers.Conv2D(5, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(2, padding="same"),
        layers.Flatten(),
        layers.Dense(3),
    )


@pytest.fixture
def names(monkeypatch):
    """Names of the threads in which batches are predicted."""
    seen = set()
    replays = mg.training.replay.Replays
    usual = replays.predict

    def predict(self, model, x):
        seen.add(threading.current_thread().name)
        return usual(self, model, x)

    monkeypatch.setattr(replays, "predict", predict)
    return seen


@pytest.fixture
def meeting(monkeypatch, names):
    """Let each of three threads wait for the others once, however busy the machine is."""
    barrier, waited, replays = threading.Barrier(3), set(), mg.training.replay.Replays
    watched, main = replays.predict, threading.current_thread().name

    def predict(self, model, x):
        name = threading.current_thread().name
        is_alone = name == main and main not in names  # with the first batch
        if name not in waited and not is_alone:
            waited.add(name)
            barrier.wait(timeout=60)
        return watched(self, model, x)

    monkeypatch.setattr(replays, "predict", predict)


@pytest.mark.usefixtures("meeting")
@pytest.mark.parametrize("make", [autoencoder, convolutional])
def test_outputs_are_those_of_the_model_each_time_the_same(make, names):
    model = make()
    expected = model(X).numpy()
    found = [model.predict(X, SIZE) for _ in range(3)]
    assert len(names) == 3
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_the_last_batch_may_be_smaller():
    model = autoencoder()
    found = model.predict(X[:3_217], SIZE)
    np.testing.assert_allclose(found, model(X[:3_217]).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("samples", "size"), [(3_300, 99), (1_500, 100)])
def test_few_or_small_batches_stay_on_one_thread(names, samples, size):
    model = autoencoder()
    model.predict(X[:samples], size)
    assert names == {"MainThread"}


def test_a_layer_of_the_user_is_called_on_the_thread_of_the_user(names):
    class Doubled(layers.Layer):
        def call(self, x):
            return 2 * x

    model = mg.Sequential(autoencoder(), Doubled())
    model.predict(X, SIZE)
    assert names == {"MainThread"}


def test_a_bad_number_anywhere_is_named_with_its_place():
    bad = X.copy()
    bad[2_750, 3] = np.nan
    with pytest.raises(ValueError, match=r"first at index \(2750, 3\)"):
        autoencoder().predict(bad, SIZE)


def test_an_interrupt_ends_all_threads(monkeypatch):
    model = autoencoder()
    usual, calls = model._replays.predict, []

    def predict(model, x):
        calls.append(threading.current_thread() is threading.main_thread())
        if calls[-1] and len(calls) > 4:
            raise KeyboardInterrupt
        return usual(model, x)

    monkeypatch.setattr(model._replays, "predict", predict)
    with pytest.raises(KeyboardInterrupt):
        model.predict(np.tile(X, (20, 1)), SIZE)
    assert len(calls) < 600  # of 660 batches
    monkeypatch.undo()
    np.testing.assert_allclose(model.predict(X), model(X).numpy(), rtol=1e-5, atol=1e-6)


def test_losses_of_a_pass_before_stay():
    model = autoencoder()
    model(X[:10])
    before = [float(loss) for loss in model.losses]
    model.predict(X, SIZE)
    assert [float(loss) for loss in model.losses] == before
    assert before[0] > 0


def test_no_thread_is_started_within_another_call_of_a_layer(names):
    inner = autoencoder()
    inner(X[:1])

    class Guess(layers.Layer):
        def call(self, x):
            return x * float(inner.predict(X, SIZE).mean())

    Guess()(X[:4])
    assert names == {"MainThread"}


def test_a_changed_setting_counts_once_for_all_threads():
    model = autoencoder()
    model.predict(X, SIZE)
    model.layers[1].trainable = False
    model.predict(X, SIZE)
    assert model._replays._failures <= 1
