"""How the user's arrays lie in memory changes no bit of a training, replayed or not, or resumed."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from tests.training.test_replay import NoReplays


def unaligned(array):
    memory = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    memory[...] = array
    return memory


def every_second(array):
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


LAYOUTS = {
    "columns first": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "a part of a larger one": every_second,
    "backwards": lambda a: a[::-1, ..., ::-1].copy()[::-1, ..., ::-1],
    "bytes of another machine": lambda a: a.astype(a.dtype.newbyteorder()),
    "not aligned": unaligned,
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "a list": np.ndarray.tolist,
}
PAIRS = pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS.keys())

random = np.random.default_rng(5)
X = random.normal(size=(45, 37)).astype(np.float32)
Y = random.normal(size=(45, 7)).astype(np.float32)
WEIGHTS = random.random(45).astype(np.float32)


def model(replays=True):
    mg.set_seed(2)
    made = mg.Sequential(
        layers.Dense(
            23, "tanh", kernel_initializer="orthogonal", activity_regularizer="l1", input_dim=37
        ),
        layers.Dense(7, kernel_regularizer="l2"),
    )
    made.compile(mg.optimizers.Adam(0.01, global_clipnorm=0.5), "mse", metrics=["mae"])
    if not replays:
        made._replays = NoReplays()
    return made


def assert_same_run(ours, expected):
    for found, wanted in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def run(made, x, y, weights, shuffle=True):
    """Train, evaluate, predict; return all numbers."""
    options = {"batch_size": 8, "sample_weight": weights, "verbose": 0}
    history = made.fit(x, y, epochs=3, shuffle=shuffle, validation_split=0.2, **options).history
    values = made.evaluate(x, y, **options), made.train_on_batch(x, y, weights, return_dict=True)
    found = made.contributions(x, y)
    parts = [part for by_term in found.values() for part in by_term.values() if part is not None]
    return [
        *history.values(), values[0], list(values[1].values()),
        made.predict(x), made.predict_on_batch(x), *parts, *made.get_weights(),
    ]  # fmt: skip


@PAIRS
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("replays", [True, False])
def test_a_training_gives_the_same_bits_however_its_data_lie_in_memory(lay, shuffle, replays):
    ours = run(model(replays), lay(X), lay(Y), lay(WEIGHTS[:, None])[:, 0]
               if lay is not np.ndarray.tolist else WEIGHTS.tolist(), shuffle)  # fmt: skip
    assert_same_run(ours, run(model(), X, Y, WEIGHTS, shuffle))


@PAIRS
def test_batches_of_a_source_may_lie_as_they_like(lay):
    ours, expected = model(), model()
    for made, of in ((ours, lay), (expected, np.asarray)):
        made.fit(lambda of=of: ((of(X[i : i + 9]), of(Y[i : i + 9])) for i in range(0, 45, 9)),
                 epochs=2, verbose=0)  # fmt: skip
    assert_same_run(ours.get_weights(), expected.get_weights())


@PAIRS
@pytest.mark.parametrize("replays", [True, False])
def test_weights_may_lie_as_they_like_when_they_are_set(lay, replays):
    ours, expected = model(replays), model()
    values = [random.normal(size=weight.shape).astype(np.float32) for weight in ours.weights]
    ours.set_weights([lay(v) if v.ndim == 2 else v for v in values])
    expected.set_weights(values)
    assert_same_run(run(ours, X, Y, WEIGHTS), run(expected, X, Y, WEIGHTS))


@PAIRS
def test_a_loop_by_hand_gives_the_same_bits_however_its_arrays_lie(lay):
    results = []
    for of in (lay, np.asarray):
        kernel = mg.Parameter(of(np.ascontiguousarray(X[:, :7].T @ Y)))
        for data in (mg.Tensor(of(X[:, :7])), of(X[:, :7])):
            if not isinstance(data, list):
                loss = ((data @ kernel - of(Y)) ** 2).mean() + np.abs(kernel).sum()
                loss.backward()
        (mg.Tensor(X[:, :7]) @ kernel).backward(gradient=of(Y))
        results.append([kernel.numpy(), kernel.grad])
    if lay is not np.ndarray.tolist:
        assert_same_run(*results)


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_is_resumed_from_its_file_ends_with_the_same_bits(seed, tmp_path):
    x, y = np.asfortranarray(X + seed), np.asfortranarray(Y)
    whole = model()
    whole.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0)
    half = model()
    half.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    half.save(tmp_path / "half.npz")
    resumed = mg.load(tmp_path / "half.npz")
    resumed.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    assert_same_run(resumed.get_weights(), whole.get_weights())
