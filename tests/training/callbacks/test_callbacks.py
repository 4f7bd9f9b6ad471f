import csv
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from minigrad.layers import Dense
from minigrad.training.objective import NonFiniteLossError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype(np.float32)
Y = X[:, :1] * 2


def model(rate=0.05, **arguments):
    made = mg.Sequential(Dense(1, input_dim=3, seed=0, kernel_regularizer="l2", **arguments))
    made.compile(mg.optimizers.SGD(rate), "mse")
    return made


def fit(made, callbacks, **arguments):
    arguments = {"epochs": 3, "batch_size": 6, "verbose": 0, **arguments}
    return made.fit(X, Y, callbacks=callbacks, **arguments)


class Recorder(Callback):
    """Notes what is called, in order."""

    def __init__(self):
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *arguments: self.calls.append((name, *arguments[:-1]))
        return super().__getattribute__(name)


def test_everything_is_called_in_order():
    class Noting(Recorder):
        on_train_batch_begin = on_train_batch_end = lambda *a: None  # so that they are called

    recorder = Noting()
    fit(model(), recorder, epochs=1, validation_split=0.5)
    names = [call[0] for call in recorder.calls]
    assert names == [
        "on_train_begin",
        "on_epoch_begin",
        "on_train_batch_begin",
        "on_train_batch_end",
        "on_test_begin",
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
    ]


def test_the_end_of_training_brings_the_values_of_its_last_epoch():
    found = []
    fit(made := model(), LambdaCallback(on_train_end=found.append), epochs=2)
    assert found == [{name: series[-1] for name, series in made.history.history.items()}]


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match="LambdaCallback"):
        fit(model(), [print])


def test_logs_hold_the_terms_of_the_batch_and_of_the_epoch():
    seen = []
    fit(
        model(),
        LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append((batch, sorted(logs))),
            on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
        ),
        epochs=1,
        validation_data=(X, Y),
    )
    terms = ["data", "dense/kernel", "loss"]
    assert seen == [(0, terms), (1, terms), (0, sorted([*terms, *(f"val_{t}" for t in terms)]))]


def test_a_misspelt_method_would_never_be_called_and_is_refused():
    class Hopeful(Callback):
        def on_epoch_ends(self, epoch, logs=None):
            pass

    with pytest.raises(TypeError, match=r"never called. Did you mean 'on_epoch_end'\?"):
        fit(model(), Hopeful())


class Complete(Callback):
    """Notes each call with its logs, as Keras' signatures have it."""

    def __init__(self):
        super().__init__()
        self.calls = []


def _noting(hook):
    def numbered(self, number, logs=None):
        self.calls.append((hook, number, logs))

    def plain(self, logs=None):
        self.calls.append((hook, logs))

    return numbered if "batch" in hook or "epoch" in hook else plain


for _hook in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(Complete, _hook, _noting(_hook))


def test_logs_are_a_dict_in_each_call():
    complete = Complete()
    fit(model(), complete, epochs=1, validation_data=(X, Y))
    assert len(complete.calls) >= 12
    assert all(isinstance(call[-1], dict) for call in complete.calls)
    assert complete.params["epochs"] == 1


def test_a_list_of_callbacks_is_driven_by_hand():
    made = model()
    complete = Complete()
    callbacks = CallbackList([complete], add_history=True, model=made, epochs=2)
    late = Complete()
    callbacks.append(late)
    assert complete.model is made
    assert complete.params == {"epochs": 2}
    callbacks.set_params({"epochs": 3})
    assert late.params == {"epochs": 3}
    callbacks.on_train_begin()
    for hook in ("train", "test", "predict"):
        getattr(callbacks, f"on_{hook}_batch_begin")(0)
        getattr(callbacks, f"on_{hook}_batch_end")(0, {"loss": 1.0})
    callbacks.on_epoch_end(0, logs={"loss": 2.0})
    assert late.calls[0] == ("on_train_begin", {})
    assert late.calls[-1] == complete.calls[-1] == ("on_epoch_end", 0, {"loss": 2.0})
    assert ("on_predict_batch_end", 0, {"loss": 1.0}) in complete.calls
    assert callbacks.callbacks[1].history == {"loss": [2.0]}
    with pytest.raises(TypeError, match="instances of Callback"):
        callbacks.append(print)


def test_the_other_name_of_a_batch_is_called_once():
    calls = []

    class Old(Callback):
        def on_batch_end(self, batch, logs=None):
            calls.append(batch)

    fit(model(), Old(), epochs=1)
    assert calls == [0, 1]
    Old().on_train_batch_end(7)
    assert calls == [0, 1, 7]


def test_a_history_may_be_a_callback():
    record = History()
    history = fit(model(), record)
    assert record.history == history.history
    assert (record.epoch, record.step) == (history.epoch, history.step)


def test_lambda_callback_refuses_other_names():
    with pytest.raises(TypeError, match="Did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="must be a function"):
        LambdaCallback(on_epoch_end=3)


# ---- EarlyStopping -------------------------------------------------------------------------------


def falling_then_rising(values):
    """A callback that writes `values` into the logs, in front of the one under test."""

    class Fake(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["fake"] = values[epoch]

    return Fake()


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({"patience": 2}, [3, 2, 2.5, 2.4, 1], 4),
        ({"patience": 2, "mode": "max"}, [1, 2, 3, 2, 2, 2], 5),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 2], 2),
        ({"patience": 2, "baseline": 1.0}, [3, 2, 2.5, 1.2], 3),
        ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 4, 5], 4),
        ({"patience": 0}, [3, 2, 2, 2], 3),
        ({"patience": 9}, [3, 3, 3, 3], 4),
        ({"patience": 2}, [3, math.nan, math.nan, 1], 3),
    ],
)
def test_early_stopping_waits_as_long_as_it_was_told(arguments, values, epochs):
    stop = EarlyStopping("fake", **arguments)
    history = fit(model(), [falling_then_rising(values), stop], epochs=len(values))
    assert len(history.epoch) == epochs
    assert history.stopped_by == ("EarlyStopping" if epochs < len(values) else None)


def test_early_stopping_restores_the_best_weights(capsys):
    made = model()
    kept = []
    remember = LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()[0]))
    stop = EarlyStopping("fake", patience=2, restore_best_weights=True, verbose=1)
    fit(made, [remember, falling_then_rising([3, 1, 2, 2, 2]), stop], epochs=5)
    assert stop.best_epoch == 1
    assert (made.get_weights()[0] == kept[1]).all()
    assert (kept[1] != kept[-1]).any()
    assert "early stopping" in capsys.readouterr().out


@pytest.mark.parametrize(
    "make",
    [
        EarlyStopping,
        ReduceLROnPlateau,
        lambda *a, **k: ModelCheckpoint(k.pop("path"), *a, save_best_only=True, **k),
    ],
    ids=["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"],
)
def test_a_value_that_is_not_there_warns_once_and_training_goes_on(make, tmp_path):
    where = {} if make in (EarlyStopping, ReduceLROnPlateau) else {"path": tmp_path / "m.npz"}
    with pytest.warns(UserWarning, match=r"no value 'val_loss'.*Pass validation_data") as caught:
        history = fit(model(), make(**where))
    assert len(caught) == 1
    assert len(history.epoch) == 3
    if where:
        assert where["path"].exists()  # better any than none
    where = {} if make in (EarlyStopping, ReduceLROnPlateau) else {"path": tmp_path / "n.npz"}
    with pytest.warns(UserWarning, match="Did you mean 'dense/kernel'"):
        fit(model(), make("dense/kernal", mode="min", **where))


def test_a_name_that_does_not_say_whether_more_is_better_needs_a_mode():
    with pytest.raises(ValueError, match=r"Did you mean 'dense/kernel'.*mode='min' or 'max'"):
        fit(model(), EarlyStopping("dense/kernal"))
    with pytest.raises(ValueError, match=r"'val_acc' to monitor\. Did you mean 'val_"):
        fit(model(), EarlyStopping("val_acc"), validation_split=0.5)


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [("loss", "min"), ("val_mse", "min"), ("val_accuracy", "max"), ("f1_score", "max")],
)
def test_by_its_name_more_or_less_of_a_value_is_better(monitor, mode):
    assert EarlyStopping(monitor).mode == mode


def test_values_of_validation_may_be_missing_between():
    stop = EarlyStopping(patience=1)
    fit(model(), stop, validation_data=(X, Y), validation_freq=2, epochs=4)
    assert stop.best is not None


def test_early_stopping_can_be_driven_by_hand():
    class Model:
        stop_training = False
        weights = None

        def get_weights(self):
            return self.weights

        def set_weights(self, weights):
            self.weights = weights

    stop = EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    stop.set_model(Model())
    for _ in range(2):  # it can be used again
        stop.model.stop_training = False
        stop.on_train_begin()
        assert (stop.best, stop.wait, stop.best_epoch, stop.stopped_epoch) == (None, 0, 0, 0)
        for epoch, loss in enumerate([0.3, 0.1, 0.2, 0.15, 0.0]):
            stop.model.weights = epoch
            stop.on_epoch_end(epoch, {"val_loss": loss})
            if stop.model.stop_training:
                break
        stop.on_train_end()
        assert (stop.stopped_epoch, stop.best_epoch, stop.best) == (3, 1, 0.1)
        assert stop.model.weights == 1


def test_misspelt_arguments_of_callbacks_are_errors_with_the_nearest():
    with pytest.raises(TypeError, match=r"EarlyStopping takes no argument 'patients'.*'patience'"):
        EarlyStopping(patients=3)
    with pytest.raises(TypeError, match="ModelCheckpoint needs filepath"):
        ModelCheckpoint()
    with pytest.raises(ValueError, match="restore_best_weights must be True or False"):
        EarlyStopping(restore_best_weights="no")
    assert "patience=3" in repr(EarlyStopping("loss", patience=3))


# ---- learning rates ------------------------------------------------------------------------------


def test_reduce_on_plateau_multiplies_the_rate_down_to_its_minimum():
    made = model()
    rates = []
    fit(
        made,
        [
            falling_then_rising([1] * 6),
            ReduceLROnPlateau("fake", factor=0.1, patience=2, min_lr=1e-3),
            LambdaCallback(on_epoch_end=lambda e, logs: rates.append(made.optimizer.learning_rate)),
        ],
        epochs=6,
    )
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.005, 0.001, 0.001])


def test_reduce_on_plateau_cools_down():
    made = model()
    plateau = ReduceLROnPlateau("fake", factor=0.5, patience=1, cooldown=2)
    fit(made, [falling_then_rising([1] * 5), plateau], epochs=5)
    assert made.optimizer.learning_rate == pytest.approx(0.05 * 0.25)


def test_a_scheduler_sets_the_rate_of_each_epoch():
    made = model()
    seen = []
    fit(
        made,
        [
            LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate),
            LambdaCallback(on_epoch_end=lambda e, logs: seen.append(made.optimizer.learning_rate)),
        ],
    )
    assert seen == pytest.approx([0.05, 0.025, 0.0125])
    with pytest.raises(TypeError, match=r"a function of \(epoch, rate\)"):
        LearningRateScheduler(0.1)


def test_a_scheduler_may_look_at_the_epoch_alone_and_stop_learning():
    made = model()
    history = fit(made, LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch)))
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.05, 0.1 / 3])
    before = made.get_weights()[0]
    fit(made, LearningRateScheduler(lambda epoch, rate: 0.0))
    assert (made.get_weights()[0] == before).all()

    def broken(epoch, rate):
        raise TypeError("of its own")

    with pytest.raises(TypeError, match="of its own"):
        fit(made, LearningRateScheduler(broken))
    with pytest.raises(ValueError, match="learning_rate must be a finite number"):
        fit(made, LearningRateScheduler(lambda epoch: "fast"))


def test_what_changes_the_rate_puts_it_into_the_history():
    for callback in (LearningRateScheduler(lambda e, r: r / 2), ReduceLROnPlateau("loss")):
        history = fit(model(), callback)
        rates = history.history["learning_rate"]
        assert [type(rate) for rate in rates] == [float] * 3
    assert "learning_rate" not in fit(model(), []).history


def test_what_a_callback_adds_to_the_logs_is_in_the_history_and_reaches_those_behind_it():
    seen = []
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["fake"]))
    history = fit(model(), [falling_then_rising([3, 2, 1]), look])
    assert history.history["fake"] == seen == [3, 2, 1]


# ---- files ---------------------------------------------------------------------------------------


def test_the_csv_log_has_a_column_for_each_term(tmp_path):
    path = tmp_path / "log.csv"
    history = fit(model(), CSVLogger(path), validation_data=(X, Y))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for name, values in history.history.items():
        assert [float(row[name]) for row in rows] == values
    fit(model(), CSVLogger(path, append=True), validation_data=(X, Y))
    assert len(path.read_text().splitlines()) == 7
    with pytest.raises(ValueError, match="has no column for other"):
        other = [falling_then_rising([1])]
        other[0].on_epoch_end = lambda epoch, logs: logs.update(other=1)
        fit(model(), [*other, CSVLogger(path, append=True)], validation_data=(X, Y), epochs=1)


def test_the_csv_log_has_columns_for_values_that_come_later(tmp_path):
    path = tmp_path / "log.csv"
    fit(model(), CSVLogger(path), validation_data=(X, Y), validation_freq=2)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["val_loss"] == "NA" for row in rows] == [True, False, True]


def test_checkpoints_carry_values_in_their_names(tmp_path):
    path = tmp_path / "deep" / "{epoch:02d}-{data:.3f}.npz"
    made = model()
    history = fit(made, ModelCheckpoint(path))
    names = sorted(file.name for file in (tmp_path / "deep").iterdir())
    assert names == [f"{i + 1:02d}-{v:.3f}.npz" for i, v in enumerate(history.history["data"])]
    assert (mg.load(tmp_path / "deep" / names[-1]).predict(X) == made.predict(X)).all()
    with pytest.raises(KeyError, match=r"asks for what is not there"):
        fit(model(), ModelCheckpoint(tmp_path / "{val_loss}.npz"))
    fit(made, ModelCheckpoint(tmp_path / "{epoch}-{batch}.npz", save_freq=2), batch_size=3)
    assert {f.name for f in tmp_path.glob("*-*.npz")} == {
        f"{e}-{b}.npz" for e in (1, 2, 3) for b in (2, 4)
    }


def test_only_the_best_is_kept(tmp_path):
    path = tmp_path / "best.npz"
    made = model()
    kept = []
    callbacks = [
        LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(made.get_weights()[0])),
        falling_then_rising([3, 1, 2]),
        ModelCheckpoint(path, "fake", save_best_only=True, save_weights_only=True),
    ]
    fit(made, callbacks)
    made.load_weights(path)
    assert (made.get_weights()[0] == kept[1]).all()


def test_checkpoints_after_batches(tmp_path):
    made = model()
    fit(made, ModelCheckpoint(tmp_path / "m.npz", save_freq=3), batch_size=2, epochs=1)
    assert mg.load(tmp_path / "m.npz").optimizer.iterations == 6


def test_a_folder_that_cannot_be_written_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    made = model()
    fit(made, ModelCheckpoint(path), epochs=1)
    before = path.read_bytes()

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        fit(made, ModelCheckpoint(path), epochs=1)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["m.npz"]


# ---- nan -----------------------------------------------------------------------------------------


def exploding():
    return model(rate=1e30)


def test_a_loss_that_explodes_is_an_error_that_leaves_the_last_weights():
    made = exploding()
    with pytest.raises(
        NonFiniteLossError, match=r"no longer finite: .* The step was not made"
    ) as e:
        with np.errstate(all="ignore"):
            fit(made, None, epochs=50, shuffle=False)
    assert "in epoch 1, batch" in e.value.__notes__[0]
    assert np.isfinite(made.get_weights()[0]).all()
    assert "clipnorm" in str(e.value)


def test_terminate_on_nan_can_raise():
    with (
        np.errstate(all="ignore"),
        pytest.raises(RuntimeError, match=r"Epoch 1, batch .* loss is"),
    ):
        fit(exploding(), TerminateOnNaN(raise_error=True), epochs=50)


def test_terminate_on_nan_ends_quietly(capsys):
    with np.errstate(all="ignore"):
        history = fit(exploding(), TerminateOnNaN(), epochs=50)
    assert history.stopped_by == "TerminateOnNaN"
    assert len(history.epoch) == 1
    assert "stopping" in capsys.readouterr().out


def test_weights_that_the_last_step_made_nan_are_noticed():
    @mg.custom_gradient(lambda g, z, x: g * np.nan)
    def trap(x):
        return x * 1.0

    class Trap(mg.layers.Layer):
        def call(self, x):
            return trap(x)

    made = mg.Sequential(Dense(1, input_dim=3), Trap())
    made.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match=r"'dense/kernel'.*after epoch 1.*detect_anomaly"):
        made.fit(X, Y, batch_size=12, verbose=0)


def test_initial_epoch_goes_on_counting():
    made = model()
    history = fit(made, None, epochs=5, initial_epoch=3)
    assert history.epoch == [3, 4]
    assert history.step == [2, 4]


def test_validation_frequency():
    history = fit(model(), None, epochs=4, validation_data=(X, Y), validation_freq=2)
    assert len(history.history["val_loss"]) == 2
    history = fit(model(), None, epochs=4, validation_data=(X, Y), validation_freq=[1, 2, 4])
    assert len(history.history["val_loss"]) == 3
