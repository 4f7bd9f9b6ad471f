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


# ---- lists and dicts of arrays ------------------------------------------------------------------


def batches_in_lists():
    for x, y in cut():
        yield [x], [y]


def test_a_list_of_one_array_is_that_array_everywhere():
    expected, found = model(), model()
    arguments = {"batch_size": 4, "shuffle": False, "verbose": 0, "epochs": 2}
    weights = np.linspace(0, 1, 12)
    held_out = (X[:6], Y[:6])
    history = expected.fit(X, Y, sample_weight=weights, validation_data=held_out, **arguments)
    other = found.fit(
        [X], (Y,), sample_weight=[weights], validation_data=([X[:6]], [Y[:6]]), **arguments
    )
    assert other.history == history.history
    assert found.optimizer.iterations == 6
    assert found.evaluate([X], [Y]) == expected.evaluate(X, Y)
    for call in (found.predict, found.predict_on_batch, lambda x: found(x).numpy()):
        np.testing.assert_array_equal(call([X]), found.predict(X))
    assert found.train_on_batch([X], [Y]) == expected.train_on_batch(X, Y)
    assert found.test_on_batch([X], [Y]) == expected.test_on_batch(X, Y)
    history = expected.fit(Iterable(), epochs=2, verbose=0)
    assert found.fit(batches_in_lists, epochs=2, verbose=0).history == history.history
    assert str(found.trace([X], [Y])) == str(expected.trace(X, Y))
    assert found.fit([X], [Y], validation_split=0.5, sample_weight=[weights], verbose=0).epoch == [
        0
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda made: made.fit([X, X], Y, verbose=0),
        lambda made: made.fit([X, X, X], Y, verbose=0),
        lambda made: made.fit(X, [Y, Y], verbose=0),
        lambda made: made.evaluate((X, X), Y),
        lambda made: made.predict([mg.Tensor(X), mg.Tensor(X)]),
        lambda made: made.train_on_batch(X, [Y, Y]),
        lambda made: made.fit(X, Y, validation_data=([X, X], Y), verbose=0),
        lambda made: made.fit(iter([([X, X], Y)]), verbose=0),
        lambda made: made.fit([*X], Y, verbose=0),
    ],
)
def test_several_arrays_are_several_inputs_and_refused_with_their_number(call):
    with pytest.raises(ValueError, match=r"is a list of \d+ arrays. That means \d+ inputs"):
        call(model())


def test_a_nested_list_of_numbers_stays_data():
    ours, expected = model(), model()
    assert ours.train_on_batch(X.tolist(), Y.tolist()) == expected.train_on_batch(X, Y)
    assert ours.predict([[1, 2, 3]]).shape == (1, 1)
    assert ours.predict([np.float32([[1, 2, 3]]).tolist()][0]).shape == (1, 1)


def named(names=("pixels", "price")):
    pixels = mg.layers.Input((3,), name=names[0])
    made = mg.Model(pixels, Dense(1, seed=0, name=names[1])(pixels), seed=0)
    made.compile("sgd", {"price": "mse"}, {"price": 2.0}, {"price": ["mae"]})
    return made


def test_a_dict_has_the_array_by_the_name_of_the_input_or_output():
    ours, expected = named(), named()
    history = expected.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y))
    other = ours.fit(
        {"pixels": X}, {"price": Y}, epochs=2, verbose=0,
        validation_data=({"pixels": X}, {"price": Y}),
    )  # fmt: skip
    assert other.history == history.history
    assert ours.evaluate({"pixels": X}, {"price": Y}) == expected.evaluate(X, Y)
    np.testing.assert_array_equal(ours.predict({"pixels": X}), ours.predict(X))
    np.testing.assert_array_equal(ours({"pixels": X}).numpy(), ours(X).numpy())
    by_batches = ours.fit(iter([({"pixels": X}, {"price": Y})]), verbose=0)
    assert by_batches.history["loss"] == expected.fit(iter([(X, Y)]), verbose=0).history["loss"]
    np.testing.assert_array_equal(ours.clone().predict({"pixels": X}).shape, (12, 1))
    for x, y in (({"image": X}, Y), ({"pixels": X, "more": X}, Y), (X, {"cost": Y})):
        with pytest.raises(ValueError, match=r"is a dict with .*, and the model has one, 'p"):
            ours.fit(x, y, verbose=0)


def test_an_axis_of_length_1_may_be_missing_or_too_much():
    made = mg.Sequential([mg.layers.Input((1,)), Dense(1)])
    made.compile("sgd", "mse")
    made.fit(X[:, 0], Y, epochs=5, verbose=0)
    np.testing.assert_array_equal(made.predict(X[:, 0]), made.predict(X[:, :1]))
    np.testing.assert_array_equal(made(X[:, :1, None]).numpy(), made(X[:, :1]).numpy())


def test_one_sample_alone_says_how_to_make_a_batch_of_it():
    made = model()
    with pytest.raises(ValueError, match=r"shape \(3,\). A single sample needs.*x\[None\]"):
        made.predict(X[0])
    assert made.predict(X[0][None]).shape == (1, 1)
    images = mg.Sequential([mg.layers.Input((6, 6, 1)), mg.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"x\[None\]"):
        images.predict(np.ones((6, 6, 1)))


def test_the_shape_of_all_samples_is_none_for_an_input():
    made = mg.Sequential([mg.layers.Input(X.shape), Dense(1)])
    made.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"shape \(None, 12, 3\).*X.shape\[1:\]"):
        made.fit(X, Y, verbose=0)


def test_a_drawn_model_checks_the_lengths_that_its_input_has():
    symbol = mg.layers.Input((None, 3))
    made = mg.Model(symbol, mg.layers.Flatten()(mg.layers.Activation("relu")(symbol)))
    assert made(np.ones((2, 5, 3))).shape == (2, 15)
    with pytest.raises(ValueError, match=r"\(None, None, 3\). Received: shape \(2, 5, 4\)"):
        made(np.ones((2, 5, 4)))


# ---- steps --------------------------------------------------------------------------------------


def seeded():
    mg.set_seed(0)
    return model()


def test_an_epoch_of_some_steps_goes_on_where_the_last_one_ended():
    by_steps, by_passes = seeded(), seeded()
    arguments = {"batch_size": 4, "verbose": 0}
    shorter = by_steps.fit(X, Y, steps_per_epoch=2, epochs=4, **arguments)  # 2 and 1, 2 and 1
    by_passes.fit(X, Y, epochs=2, **arguments)
    assert shorter.epoch == [0, 1, 2, 3]
    assert shorter.step == [2, 3, 5, 6]
    np.testing.assert_array_equal(by_steps.predict(X), by_passes.predict(X))
    assert shorter.params == {"epochs": 4, "verbose": 0, "steps": 2}


def test_steps_of_a_validation_evaluation_or_prediction_are_the_first_ones():
    made = model()
    history = made.fit(
        X, Y, validation_data=(X, Y), validation_steps=1, validation_batch_size=5, verbose=0,
        epochs=2,
    ).history  # fmt: skip
    assert history["val_loss"][-1] == pytest.approx(made.evaluate(X[:5], Y[:5]))
    assert made.evaluate(X, Y, batch_size=5, steps=1) == made.evaluate(X[:5], Y[:5])
    assert made.predict(X, batch_size=5, steps=2).shape == (10, 1)


def test_steps_without_a_batch_size_go_through_all_samples():
    made, x, y = model(), np.repeat(X, 6, 0), np.repeat(Y, 6, 0)
    assert made.fit(x, y, steps_per_epoch=10, epochs=2, verbose=0).step == [9, 18]  # of 8 samples
    assert made.predict(x, steps=1).shape == (72, 1)
    assert made.evaluate(x, y, steps=1) == pytest.approx(made.evaluate(x, y), rel=1e-6)
    held_out = {"validation_data": (x, y), "validation_steps": 1}
    found = made.fit(x, y, verbose=0, **held_out).history["val_loss"]
    assert found == pytest.approx([made.evaluate(x, y)], rel=1e-6)


def test_validation_data_come_before_a_split():
    split, usual = model(), model()
    found = split.fit(X, Y, validation_split=0.5, validation_data=(X, Y), verbose=0)
    assert found.history == usual.fit(X, Y, validation_data=(X, Y), verbose=0).history


def test_a_dataset_may_say_its_number_of_batches_or_have_no_end():
    class Endless(mg.utils.PyDataset):
        num_batches = None

        def __len__(self):
            raise NotImplementedError

        def __getitem__(self, index):
            return cut()[index % 3]

    made = model()
    made.fit(Endless(), steps_per_epoch=7, verbose=0)
    assert made.optimizer.iterations == 7
