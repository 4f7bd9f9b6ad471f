import gc

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import Node
from minigrad.layers import Dense
from minigrad.optimizers import SGD, Adam
from minigrad.regularizers import L1

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (21, 4))
Y = RNG.uniform(0, 1, (21, 2))


def model(seed=0, **arguments):
    made = mg.Sequential(
        Dense(3, "relu", kernel_regularizer="l2", activity_regularizer=L1(0.1), input_dim=4,
              seed=seed, name="codings"),
        Dense(2, seed=seed + 1, name="outputs"),
        seed=seed,
        **arguments,
    )  # fmt: skip
    made.compile(Adam(0.01), "mse")
    return made


def weights(made):
    return [parameter.numpy() for parameter in made.parameters()]


def same(first, second):
    return all((left == right).all() for left, right in zip(first, second, strict=True))


def test_the_history_has_the_total_and_a_series_for_each_term():
    history = model().fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y))
    terms = ["data", "codings/kernel", "codings/activity"]
    names = ["loss", *terms, "val_loss", *(f"val_{term}" for term in terms)]
    assert list(history.history) == names
    assert history.epoch == [0, 1, 2]
    for epoch in range(3):
        assert history.history["loss"][epoch] == pytest.approx(
            sum(history.history[term][epoch] for term in terms)
        )
    assert "3 epochs" in repr(history)


def test_fit_is_the_hand_written_loop():
    by_fit, by_hand = model(), model()
    by_fit.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    optimizer = Adam(0.01, parameters=by_hand.parameters())
    for _ in range(2):
        for start in range(0, len(X), 8):
            batch, targets = X[start : start + 8], Y[start : start + 8]
            loss = mg.losses.mean_squared_error(targets, by_hand(batch)) + sum(by_hand.losses)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for left, right in zip(weights(by_fit), weights(by_hand), strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-7)


def test_an_epochs_value_is_the_mean_over_its_batches_weighted_by_their_sizes():
    made = model()
    made.compile(SGD(1e-12), "mse")
    history = made.fit(X, Y, batch_size=8, verbose=0)
    assert history.history["data"][0] == pytest.approx(
        made.evaluate(X, Y, batch_size=21, return_dict=True)["data"], rel=1e-5
    )


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    runs = [model(seed) for seed in (0, 0, 1)]
    for made in runs:
        made.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert same(weights(runs[0]), weights(runs[1]))
    assert not same(weights(runs[0]), weights(runs[2]))


def test_shuffling_draws_a_new_order_for_each_epoch():
    shuffled, ordered = model(), model()
    shuffled.fit(X, Y, batch_size=4, verbose=0)
    ordered.fit(X, Y, batch_size=4, verbose=0, shuffle=False)
    assert not same(weights(shuffled), weights(ordered))


def test_validation_split_takes_the_last_samples():
    by_split, by_data = model(), model()
    first = by_split.fit(X, Y, validation_split=1 / 3, verbose=0, shuffle=False)
    second = by_data.fit(X[:14], Y[:14], validation_data=(X[14:], Y[14:]), verbose=0, shuffle=False)
    assert first.history == second.history


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 0.99])
def test_a_validation_split_leaves_samples_on_both_sides(fraction):
    with pytest.raises(ValueError, match="validation_split"):
        model().fit(X, Y, validation_split=fraction, verbose=0)


def test_training_reduces_the_loss():
    made = model()
    history = made.fit(X, Y, epochs=60, verbose=0)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]


@pytest.mark.parametrize("verbose", [1, "auto", 2])
def test_progress_shows_each_term_by_name(verbose, capsys):
    model().fit(X, Y, epochs=2, verbose=verbose, validation_data=(X, Y))
    shown = capsys.readouterr().out
    assert "codings/activity" in shown
    assert "val_loss" in shown
    assert "2/2" in shown


def test_silence(capsys):
    model().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="verbose"):
        model().fit(X, Y, verbose=3)


def test_predict_gives_an_array_in_the_order_of_the_samples():
    made = model()
    predicted = made.predict(X, batch_size=4)
    assert type(predicted) is np.ndarray
    np.testing.assert_allclose(predicted, made(X).numpy(), rtol=1e-5)


def test_train_on_batch_returns_the_terms_before_the_step():
    made = model()
    before = made.loss_terms(X, Y).values_as_floats()
    values = made.train_on_batch(X, Y, return_dict=True)
    assert values.pop("loss") == pytest.approx(sum(before.values()))
    assert values == before


def test_without_a_loss_the_penalties_alone_are_minimised():
    made = model()
    made.compile(SGD(0.1))
    history = made.fit(X, epochs=5, verbose=0)
    assert "data" not in history.history
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_loss_of_ones_own_may_return_a_value_for_each_sample():
    made = model()
    made.compile("sgd", lambda y, prediction: np.square(prediction - y).mean(axis=-1))
    assert float(made.loss_terms(X, Y)["data"]) == pytest.approx(
        float(mg.losses.mean_squared_error(Y, made(X))), rel=1e-6
    )


@pytest.mark.parametrize(
    ("x", "y", "kind", "message"),
    [
        (np.where(X > 0.99, np.nan, X) * [[1, 1, 1, np.nan]], Y, ValueError, r"x holds \d+ values"),
        (X, np.full(Y.shape, np.inf), ValueError, r"y holds 42 values .* first at index \(0, 0\)"),
        (X[:0], Y[:0], ValueError, r"at least one sample. Received: shape \(0, 4\)"),
        (X, Y[:5], ValueError, r"x of shape \(21, 4\), y of shape \(5, 2\)"),
        (X.astype(object), Y, TypeError, "x: expected an array of real numbers"),
        ([["a"] * 4], [[1, 2]], TypeError, "x: expected"),
        (3.0, Y, ValueError, "at least one sample"),
        (X, None, ValueError, "needs targets"),
        (X, Y[:, :1], ValueError, r"targets \(21, 1\), predictions \(21, 2\)"),
        (X[:, :3], Y, ValueError, r"'codings'.*\(21, 3\)"),
    ],
)
def test_data_that_do_not_fit_are_refused_and_nothing_is_trained(x, y, kind, message):
    made = model()
    before = weights(made)
    with pytest.raises(kind, match=message):
        made.fit(x, y, verbose=0)
    assert same(before, weights(made))


def test_a_model_must_be_compiled_before_fit():
    with pytest.raises(ValueError, match=r"compile\(optimizer"):
        mg.Sequential(Dense(1, input_dim=1)).fit(X, Y)
    with pytest.raises(ValueError, match="'adam'"):
        mg.Sequential(Dense(1)).compile("adamm")


@pytest.mark.parametrize("argument", ["epochs", "batch_size"])
def test_epochs_and_batch_size_are_positive_integers(argument):
    with pytest.raises(ValueError, match=argument):
        model().fit(X, Y, verbose=0, **{argument: -1})


def test_no_epochs_are_no_training_as_in_keras():
    made = model()
    history = made.fit(X, Y, epochs=0, verbose=0)
    assert (history.history, history.epoch) == ({}, [])
    assert made.optimizer.iterations == 0


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X[0], Y[0], r"Single samples lack the batch axis: x\[None\], y\[None\]"),
        (zip(X, Y, strict=True), None, "batch 1: .* lack the batch axis"),
        (X, None, r"an autoencoder's are its inputs: fit\(x, x\)"),
    ],
)
def test_what_is_missing_in_the_data_is_told(x, y, words):
    with pytest.raises(ValueError, match=words):
        model().fit(x, y, verbose=0)


def test_validation_without_targets_and_layers_without_flatten_are_told():
    with pytest.raises(ValueError, match=r"validation_data=\(x, y\)"):
        model().fit(X, Y, validation_data=X, verbose=0)
    images, labels = np.zeros((4, 6, 6, 1)), np.arange(4)
    for loss, y in (
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(4)),
    ):
        made = mg.Sequential(mg.layers.Conv2D(2, 3), Dense(4, "softmax"))
        made.compile("sgd", loss)
        with pytest.raises(ValueError, match=r"Is a Flatten\(\) missing"):
            made.fit(images, y, verbose=0)
    with pytest.raises(ValueError, match=r"Write x.reshape\(len\(x\), -1\)"):
        Dense(2, input_dim=36)(images)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("initial_epoch", -1),
        ("initial_epoch", 0.5),
        ("validation_freq", 0),
        ("validation_freq", "2"),
        ("validation_freq", [1, 0]),
        ("shuffle", "batch"),
        ("class_weight", {0: -1.0, 1: 2.0}),
        ("class_weight", {0: 1.0, 1: np.nan}),
        ("class_weight", [1.0, 2.0]),
    ],
)
def test_settings_that_mean_nothing_are_refused(argument, value):
    with pytest.raises(ValueError, match=argument):
        model().fit(X, Y, verbose=0, validation_split=0.5, **{argument: value})


@pytest.mark.parametrize("method", ["evaluate", "test_on_batch", "train_on_batch", "fit"])
def test_without_compile_there_is_no_loss_to_tell(method):
    with pytest.raises(ValueError, match="has not been compiled"):
        getattr(mg.Sequential(Dense(2, input_dim=4)), method)(X, Y)


def test_after_fit_no_tape_is_alive():
    def nodes():
        gc.collect()
        return {id(thing): thing for thing in gc.get_objects() if type(thing) is Node}

    made, before = model(), nodes()
    made.fit(X, Y, verbose=0)
    assert all(node.released for key, node in nodes().items() if key not in before)


def test_evaluate_prints_its_values_if_it_is_told_to(capsys):
    made = model()
    made.evaluate(X, Y)
    made.evaluate(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    made.evaluate(X, Y, verbose=1)
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("loss", "data", "codings/kernel", "codings/activity"))
    with pytest.raises(ValueError, match="verbose"):
        made.evaluate(X, Y, verbose=3)


def test_steps_on_a_batch_return_what_evaluate_does_if_wanted():
    made = model()
    made.compile(SGD(0.1), "mse", metrics=["mae"])
    expected = made.evaluate(X, Y, batch_size=len(X))
    assert made.test_on_batch(X, Y, return_dict=False) == expected
    assert made.train_on_batch(X, Y, return_dict=False) == pytest.approx(expected)
    assert made.evaluate(X, Y)[0] < expected[0]


def test_a_summary_goes_to_any_function():
    lines = []
    model().summary(print_fn=lines.append)
    assert "activity: L1(l1=0.1), kernel: L2(l2=0.01)" in lines[0]


def test_a_summary_takes_the_words_of_keras(capsys):
    inner = mg.Sequential([Dense(2, name="first"), Dense(2, name="second")], name="inner")
    made = mg.Sequential([mg.layers.Input((4,)), inner, Dense(1, name="last", trainable=False)])
    made.summary(line_length=90, positions=[0.3, 0.6, 0.8, 1.0], show_trainable=True)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) == 90
    assert "inner/first (Dense)" in shown
    assert [line.split()[-1] for line in shown.splitlines()[4:7]] == ["yes", "yes", "no"]
    made.summary(expand_nested=False)
    shown = capsys.readouterr().out
    assert next(line for line in shown.splitlines() if "inner" in line).split()[-2] == "16"
    assert "Trainable weights: 16" in shown
    assert "inner/first" not in shown


def test_a_summary_of_a_model_that_is_not_built_says_so():
    lines = []
    mg.Sequential([Dense(1)]).summary(print_fn=lines.append)
    assert "It is not built: call it on a batch" in lines[0]


class Hears(mg.callbacks.Callback):
    def __init__(self):
        self.heard = []

    def on_test_begin(self, logs=None):
        self.heard.append(("test begins", sorted(self.params)))

    def on_test_batch_end(self, batch, logs=None):
        self.heard.append((batch, sorted(logs)))

    def on_test_end(self, logs=None):
        self.heard.append(("test ends", sorted(logs)))

    def on_predict_begin(self, logs=None):
        self.heard.append("prediction begins")

    def on_predict_batch_begin(self, batch, logs=None):
        self.heard.append(batch)

    def on_predict_batch_end(self, batch, logs=None):
        self.heard.append(logs["outputs"].shape)

    def on_predict_end(self, logs=None):
        self.heard.append(self.model.name)


def test_callbacks_hear_of_evaluations_and_predictions():
    made, hears = model(), Hears()
    made.compile("sgd", "mse", metrics=["mae"])
    expected = made.evaluate(X, Y, batch_size=11, return_dict=True)
    assert made.evaluate(X, Y, 11, callbacks=[hears], return_dict=True) == expected
    names = sorted(expected)
    begin = ("test begins", ["steps", "verbose"])
    assert hears.heard == [begin, (0, names), (1, names), ("test ends", names)]
    hears.heard.clear()
    assert (made.predict(X, batch_size=11, callbacks=hears) == made.predict(X, 11)).all()
    assert hears.heard == ["prediction begins", 0, (11, 2), 1, (10, 2), "sequential"]


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_a_callback_may_stop_an_evaluation_or_prediction(method):
    class Stops(Hears):
        def on_test_batch_end(self, batch, logs=None):
            self.heard.append(batch)
            self.model.stop_evaluating = True

        def on_predict_batch_end(self, batch, logs=None):
            self.heard.append(batch)
            self.model.stop_predicting = True

        def on_predict_batch_begin(self, batch, logs=None):
            pass

    made, stops = model(), Stops()
    arguments = (X, Y) if method == "evaluate" else (X,)
    for _ in range(2):
        getattr(made, method)(*arguments, batch_size=5, callbacks=[stops])
    assert [entry for entry in stops.heard if isinstance(entry, int)] == [0, 0]


def test_callbacks_see_metrics_of_the_epoch_so_far_and_may_add_to_the_history():
    class Adds(mg.callbacks.Callback):
        def __init__(self):
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(logs["mae"])

        def on_epoch_end(self, epoch, logs=None):
            logs["learning_rate"] = self.model.optimizer.learning_rate

    made, adds = model(), Adds()
    made.compile(SGD(0.1), "mse", metrics=["mae"])
    history = made.fit(X, Y, epochs=2, batch_size=11, callbacks=[adds], verbose=0).history
    assert history["learning_rate"] == [0.1, 0.1]
    assert adds.seen[1::2] == history["mae"]
