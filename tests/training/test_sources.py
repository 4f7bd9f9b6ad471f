import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype(np.float32)
Y = X[:, :1] * 2


def model():
    made = mg.Sequential(Dense(1, input_dim=3, seed=0))
    made.compile("sgd", "mse")
    return made


def cut(size=4):
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, len(X), size)]


class Dataset(mg.utils.PyDataset):
    """A dataset as Keras knows it: batches by their number."""

    def __init__(self):
        super().__init__(workers=2)
        self.ended = 0

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return cut()[index]

    def on_epoch_end(self):
        self.ended += 1


def generator():
    yield from cut()


class Iterable:
    def __iter__(self):
        return generator()


@pytest.mark.parametrize(
    "source", [Iterable(), Dataset(), generator], ids=["iterable", "dataset", "function"]
)
def test_batches_from_anywhere_train_like_arrays(source):
    expected, found = model(), model()
    history = expected.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    other = found.fit(source, epochs=3, verbose=0)
    assert other.history == history.history
    assert (found.layers[0].kernel.numpy() == expected.layers[0].kernel.numpy()).all()


def test_a_dataset_is_told_when_an_epoch_ends():
    dataset = Dataset()
    model().fit(dataset, epochs=2, verbose=0)
    assert dataset.ended == 2


def test_a_dataset_must_say_what_its_batches_are():
    with pytest.raises(NotImplementedError, match="must define __len__"):
        model().fit(mg.utils.PyDataset(), verbose=0)


def test_a_generator_yields_once():
    made = model()
    assert len(made.fit(generator(), verbose=0).epoch) == 1
    with pytest.raises(ValueError, match=r"ended after 3 batches.*A generator yields only once"):
        made.fit(generator(), epochs=2, verbose=0)
    assert len(made.history.epoch) == 1


def test_steps_per_epoch_cut_an_endless_source_and_begin_a_short_one_anew():
    def endless():
        while True:
            yield from cut()

    made = model()
    history = made.fit(endless(), epochs=2, steps_per_epoch=5, verbose=0)
    assert made.optimizer.iterations == 10
    assert len(history.epoch) == 2
    made.fit(Iterable(), epochs=2, steps_per_epoch=2, verbose=0)
    assert made.optimizer.iterations == 14
    with pytest.raises(ValueError, match="ended after 3 batches"):
        made.fit(generator(), steps_per_epoch=5, verbose=0)


def test_sample_weights_come_in_the_batches():
    weights = np.linspace(0, 1, 12).astype(np.float32)
    expected, found = model(), model()
    expected.fit(X, Y, batch_size=4, shuffle=False, sample_weight=weights, verbose=0)
    batches = [(X[i : i + 4], Y[i : i + 4], weights[i : i + 4]) for i in (0, 4, 8)]
    found.fit(iter(batches), verbose=0)
    assert (found.layers[0].kernel.numpy() == expected.layers[0].kernel.numpy()).all()


def test_class_weights_act_on_batches_too():
    labels = (X[:, :1] > 0).astype(np.float32)
    expected, found = model(), model()
    by_class = {0: 1.0, 1: 3.0}
    expected.fit(X, labels, batch_size=4, shuffle=False, class_weight=by_class, verbose=0)
    batches = [(X[i : i + 4], labels[i : i + 4]) for i in (0, 4, 8)]
    found.fit(iter(batches), class_weight=by_class, verbose=0)
    assert (found.layers[0].kernel.numpy() == expected.layers[0].kernel.numpy()).all()


def test_validation_evaluation_and_prediction_take_batches():
    made = model()
    history = made.fit(X, Y, validation_data=Dataset(), epochs=2, verbose=0)
    assert history.history["val_loss"][-1] == pytest.approx(made.evaluate(X, Y), rel=1e-5)
    assert made.evaluate(Iterable()) == pytest.approx(made.evaluate(X, Y, batch_size=4))
    parts = [X[:4], X[4:]]
    assert made.predict(iter(parts)).shape == (12, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": iter(cut()), "y": Y}, "targets and weights come in the batches"),
        ({"x": iter(cut()), "validation_split": 0.5}, "validation needs validation_data"),
        ({"x": X, "y": Y, "steps_per_epoch": 0}, "steps must be a positive integer"),
        ({"x": iter([(X, Y, Y, Y)])}, "batch 1: expected x, .*4 parts"),
        ({"x": iter([cut()[0], (X, Y[:3])])}, "batch 2: x and y must have the same number"),
        ({"x": iter([])}, "ended after 0 batches"),
        ({"x": lambda: 3}, "must return something that yields"),
        ({"x": object()}, "something that yields batches. Received: object"),
    ],
)
def test_sources_that_do_not_fit_say_why(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model().fit(**arguments, verbose=0)


def test_a_source_that_raises_keeps_the_history_and_says_where():
    def broken():
        yield cut()[0]
        raise OSError("the disk is gone")

    made = model()
    made.fit(X, Y, verbose=0)
    with pytest.raises(OSError, match="the disk is gone") as error:
        made.fit(broken, epochs=2, verbose=0)
    assert "in epoch 1, batch 2" in error.value.__notes__[0]
    assert made.optimizer.iterations == 2
    assert made.history.epoch == []
    assert np.isfinite(made.layers[0].kernel.numpy()).all()
