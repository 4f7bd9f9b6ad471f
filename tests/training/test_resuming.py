"""An interrupted run ends bit for bit where an uninterrupted one does."""

import json
import os
import signal
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from minigrad.layers import BatchNormalization, Dense, Dropout, GaussianNoise
from minigrad.training import interrupt

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)


def model():
    mg.set_seed(3)
    made = mg.Sequential(
        GaussianNoise(0.1),
        Dense(6, "relu", kernel_regularizer="l2", activity_regularizer="l1", input_shape=(4,)),
        BatchNormalization(),
        Dropout(0.3),
        Dense(4),
    )
    metrics = ["mae", mg.metrics.ActiveUnits("dense"), mg.metrics.DeadUnits("dense")]
    made.compile(mg.optimizers.Adam(0.01), "mse", metrics=metrics)
    return made


class CrashError(RuntimeError):
    pass


class CrashAt(Callback):
    """Ends the process, so to speak, in the middle of a step."""

    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == self.step:
            raise CrashError


def callbacks(folder, save_freq="epoch"):
    return [
        BackupAndRestore(folder, save_freq),
        ReduceLROnPlateau("val_loss", patience=1, min_delta=10),
        EarlyStopping("loss", patience=50, restore_best_weights=True),
        CSVLogger(folder / "log.csv"),
    ]


def run(folder, save_freq="epoch", extra=(), **further):
    made = model()
    folder.mkdir(exist_ok=True)
    arguments = {"epochs": 6, "batch_size": 6, "validation_split": 0.2, "verbose": 0, **further}
    history = made.fit(X, X, callbacks=[*callbacks(folder, save_freq), *extra], **arguments)
    return made, history


@pytest.mark.parametrize("save_freq", ["epoch", 1])
@pytest.mark.parametrize("crash", [1, 2, 4, 6])
def test_so_it_does_in_the_midst_of_a_pass_of_several_epochs(tmp_path, save_freq, crash):
    further = {"steps_per_epoch": 2, "epochs": 5}
    expected, history = run(tmp_path / "whole", save_freq, [CrashAt(-1)], **further)
    with pytest.raises(CrashError):
        run(tmp_path / "broken", save_freq, [CrashAt(crash)], **further)
    found, other = run(tmp_path / "broken", save_freq, [CrashAt(-1)], **further)
    assert history.step == [2, 3, 5, 6, 8]
    assert other.record() == history.record()
    for ours, theirs in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("save_freq", ["epoch", 1, 2])
@pytest.mark.parametrize("crashes", [[1], [4], [7, 11], [17], [3, 5, 6]])
def test_a_run_that_crashed_goes_on_as_if_nothing_had_happened(tmp_path, save_freq, crashes):
    expected, history = run(tmp_path / "whole", save_freq, [CrashAt(-1)])
    for step in crashes:
        with pytest.raises(CrashError):
            run(tmp_path / "broken", save_freq, [CrashAt(step)])
    found, other = run(tmp_path / "broken", save_freq, [CrashAt(-1)])
    for name, weight in expected.named_weights().items():
        assert (weight.numpy() == found.named_weights()[name].numpy()).all(), name
    assert other.record() == history.record()
    assert found.optimizer.learning_rate == expected.optimizer.learning_rate
    log = (tmp_path / "whole" / "log.csv").read_text()
    assert (tmp_path / "broken" / "log.csv").read_text() == log
    assert found.predict(X).tolist() == expected.predict(X).tolist()
    assert sorted(p.name for p in (tmp_path / "broken").iterdir()) == ["log.csv"]


def test_a_saved_and_loaded_model_goes_on_training_bit_for_bit(tmp_path):
    whole = model()
    whole.fit(X, X, epochs=2, verbose=0)
    whole.save(tmp_path / "m.npz")
    twin = mg.load(tmp_path / "m.npz")
    for made in (whole, twin):
        made.fit(X, X, epochs=2, verbose=0)
    for one, other in zip(whole.get_weights(), twin.get_weights(), strict=True):
        assert (one == other).all()


def test_a_backup_of_another_model_is_refused(tmp_path):
    with pytest.raises(CrashError):
        run(tmp_path, "epoch", [CrashAt(5)])
    other = mg.Sequential(Dense(4, input_dim=4))
    other.compile("adam", "mse")
    with pytest.raises(mg.LoadError, match=r"other layers or settings\. Remove it"):
        other.fit(X, X, callbacks=callbacks(tmp_path), validation_split=0.2, verbose=0)
    (tmp_path / "backup.npz").write_bytes(b"nothing")
    with pytest.raises(mg.LoadError, match="no readable model file"):
        run(tmp_path)


@pytest.mark.parametrize("crash", [5, 7, 9])
def test_callbacks_after_the_backup_have_seen_its_batch_too(tmp_path, crash):
    def checkpoints(folder, crash):
        made = model()
        late = ModelCheckpoint(folder / "{epoch}.npz", save_freq=5)
        made.fit(
            X, X, batch_size=6, epochs=5, verbose=0,
            callbacks=[BackupAndRestore(folder, save_freq=2), late, CrashAt(crash)],
        )  # fmt: skip
        return {p.name: mg.load(p).optimizer.iterations for p in sorted(folder.iterdir())}

    expected = checkpoints(tmp_path / "whole", -1)
    with pytest.raises(CrashError):
        checkpoints(tmp_path / "broken", crash)
    assert checkpoints(tmp_path / "broken", -1) == expected


def damages(progress):
    """Records of a training, each wrong in one place."""
    for name, value in progress.items():
        yield name, None
        yield name, "x"
        yield name, [1]
        if isinstance(value, dict | list):
            yield name, type(value)()
    yield None, None


def test_a_damaged_backup_changes_nothing_in_memory(tmp_path):
    """However far it was taken before that was noticed."""
    with pytest.raises(CrashError):
        run(tmp_path, 1, [CrashAt(7)])
    path = tmp_path / "backup.npz"
    with np.load(path) as file:
        good = {name: file[name] for name in file.files}
    config = json.loads(str(good["config"]))
    made = model()
    arguments = {"batch_size": 6, "validation_split": 0.2, "verbose": 0}
    made.fit(X, X, epochs=1, **arguments)
    optimizer = made.optimizer.state_arrays()
    refused = 0
    for name, value in damages(config["progress"]):
        progress = None if name is None else {**config["progress"], name: value}
        np.savez(path, **{**good, "config": np.array(json.dumps({**config, "progress": progress}))})
        weights, rate = made.get_weights(), made.optimizer.learning_rate
        drawn = made._generator.bit_generator.state
        try:
            made.fit(X, X, epochs=1, callbacks=[*callbacks(tmp_path, 1), CrashAt(-1)], **arguments)
        except mg.LoadError:
            refused += 1
            assert made.optimizer.learning_rate == rate
            assert made._generator.bit_generator.state == drawn
            for one, other in zip(made.get_weights(), weights, strict=True):
                assert (one == other).all()
            for key, array in made.optimizer.state_arrays().items():
                assert (array == optimizer[key]).all()
        else:
            path.unlink(missing_ok=True)
            made = model()
            made.fit(X, X, epochs=1, **arguments)
            optimizer = made.optimizer.state_arrays()
    assert refused > 15


# ---- Ctrl-C --------------------------------------------------------------------------------------


def press_at(step, times=1):
    def press(batch, logs):
        if made.optimizer.iterations == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    made = model()
    return made, LambdaCallback(on_train_batch_end=press)


def test_ctrl_c_finishes_the_step_and_keeps_the_best_weights(monkeypatch, capsys):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    made, press = press_at(9)
    best = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: best.append(made.get_weights()))
    stop = EarlyStopping("loss", mode="max", patience=9, restore_best_weights=True)
    history = made.fit(X, X, batch_size=5, epochs=9, verbose=2, callbacks=[keep, stop, press])
    assert history.stopped_by == "Ctrl-C"
    assert len(history.epoch) == 2
    assert made.optimizer.iterations == 9
    chosen = best[int(np.argmax(history.history["loss"]))]
    assert all((a == b).all() for a, b in zip(made.get_weights(), chosen, strict=True))
    assert "Stopped by Ctrl-C in epoch 3 of 9, after 1 steps" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_script_gets_its_keyboard_interrupt_after_everything_is_in_order(monkeypatch):
    monkeypatch.delattr(sys, "ps1", raising=False)
    assert not interrupt.is_interactive()
    made, press = press_at(3)
    ended = []
    end = LambdaCallback(on_train_end=lambda logs: ended.append(True))
    with pytest.raises(KeyboardInterrupt, match=r"see model\.history"):
        made.fit(X, X, batch_size=5, epochs=9, verbose=0, callbacks=[press, end])
    assert ended == [True]
    assert made.history.stopped_by == "Ctrl-C"
    made.fit(X, X, epochs=1, verbose=0)


def test_a_second_ctrl_c_does_not_wait():
    made, press = press_at(3, times=2)
    with pytest.raises(KeyboardInterrupt):
        made.fit(X, X, batch_size=5, epochs=9, verbose=0, callbacks=press)
    assert made.history.stopped_by == "Ctrl-C"


def test_an_interrupted_run_keeps_its_backup(tmp_path):
    made, press = press_at(9)
    with pytest.raises(KeyboardInterrupt):
        made.fit(
            X, X, batch_size=5, epochs=9, verbose=0, callbacks=[press, BackupAndRestore(tmp_path)]
        )
    assert os.listdir(tmp_path) == ["backup.npz"]


class Own(mg.Model):
    def __init__(self):
        super().__init__()
        self.dense = Dense(4)

    def call(self, x):
        return self.dense(x)


def own():
    mg.set_seed(3)
    made = Own()
    made.compile("adam", "mse")
    return made


def test_a_backup_of_a_class_that_is_not_registered_is_taken(tmp_path):
    whole = own().fit(X, X, epochs=4, batch_size=5, verbose=0).history
    backup = BackupAndRestore(tmp_path)
    with pytest.raises(CrashError):
        own().fit(X, X, epochs=4, batch_size=5, verbose=0, callbacks=[backup, CrashAt(10)])
    assert own().fit(X, X, epochs=4, batch_size=5, verbose=0, callbacks=backup).history == whole


def test_callbacks_without_a_state_may_come_and_go_but_not_others(tmp_path):
    watch = {"monitor": "loss", "patience": 50}
    with pytest.raises(CrashError):
        stopping = EarlyStopping(**watch)
        before = [CrashAt(10), stopping, BackupAndRestore(tmp_path, delete_checkpoint=False)]
        own().fit(X, X, epochs=4, batch_size=5, verbose=0, callbacks=before)
    for first, wrong in (
        ([], "'callback/EarlyStopping/0' is not here"),
        ([EarlyStopping(**watch), ReduceLROnPlateau(**watch)], "Plateau/0' was not there"),
    ):
        with pytest.raises(mg.training.saving.LoadError, match=wrong):
            own().fit(X, X, verbose=0, callbacks=[*first, BackupAndRestore(tmp_path)])
    after = [BackupAndRestore(tmp_path), LambdaCallback(), EarlyStopping(**watch)]
    assert len(own().fit(X, X, epochs=4, batch_size=5, verbose=0, callbacks=after).epoch) == 4
