"""Disks that are full and folders that cannot be written: a clear error, and nothing is lost."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.callbacks import BackupAndRestore, CSVLogger, ModelCheckpoint
from minigrad.layers import Dense
from minigrad.search.store import Store

X = np.random.default_rng(0).uniform(0, 1, (20, 40)).astype(np.float32)


def model():
    made = mg.Sequential(Dense(30, "relu", input_dim=40, seed=0), Dense(40, seed=1), seed=0)
    made.compile("adam", "mse")
    return made


WRITERS = {
    "save": lambda folder: model().save(folder / "m.npz"),
    "save_weights": lambda folder: model().save_weights(folder / "m.npz"),
    "a checkpoint": lambda folder: fit(ModelCheckpoint(folder / "m.npz")),
    "weights alone": lambda folder: fit(ModelCheckpoint(folder / "m.npz", save_weights_only=True)),
    "a backup": lambda folder: fit(BackupAndRestore(folder)),
}


def fit(*callbacks):
    model().fit(X, X, epochs=3, verbose=0, callbacks=callbacks)


def old_files(folder):
    """A model and a backup of the same training that stand there already."""
    fit(ModelCheckpoint(folder / "m.npz"), BackupAndRestore(folder, delete_checkpoint=False))
    (folder / "backup.npz").rename(folder / "kept.npz")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_unchanged(folder, before):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert mg.load(folder / "m.npz").predict(X).shape == (20, 40)


@pytest.mark.parametrize("moment", ["fsync", "replace", "fdopen"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_disk_that_is_full_leaves_the_old_file(tmp_path, monkeypatch, writer, moment):
    before = old_files(tmp_path)

    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, moment, full)
        with pytest.raises(OSError, match=r"No space left on device: '.*(m|backup)\.npz'") as e:
            WRITERS[writer](tmp_path)
    assert "what stood there before is unchanged" in e.value.__notes__[0]
    assert_unchanged(tmp_path, before)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_cannot_be_written_is_named_and_left_as_it_was(tmp_path, monkeypatch, writer):
    before = old_files(tmp_path)
    opened = os.open

    def read_only(path, flags, *arguments, **keywords):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, flags, *arguments, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(PermissionError, match=r"Permission denied: '.*(m|backup)\.npz'"):
            WRITERS[writer](tmp_path)
    assert_unchanged(tmp_path, before)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are those of POSIX")
def test_a_file_that_is_too_large_for_the_system_leaves_the_old_one(tmp_path):
    """The system itself refuses, in the middle of the file: no pretence."""
    path = tmp_path / "m.npz"
    script = f"""
import resource, signal
import minigrad as mg
model = mg.Sequential(mg.layers.Dense(100, input_dim=100, seed=0))
model.save({str(path)!r})
before = open({str(path)!r}, "rb").read()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    model.save({str(path)!r})
except OSError as error:
    print(error)
print(open({str(path)!r}, "rb").read() == before)
"""
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == [f"[Errno 27] File too large: '{path}'", "True"]
    assert os.listdir(tmp_path) == ["m.npz"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is full")
def test_a_log_on_a_full_disk_is_named():
    with pytest.raises(OSError, match="No space left on device: '/dev/full'") as e:
        fit(CSVLogger("/dev/full"))
    assert "rows of the epochs before" in e.value.__notes__[0]


OTHER_WRITERS = {
    "figure.png": lambda path: history().plot().savefig(path),
    "trace.html": lambda path: model().trace(X, X).save(path),
    "log.csv": lambda path: fit(CSVLogger(path)),
}


def history():
    return model().fit(X, X, verbose=0)


@pytest.mark.parametrize("name", OTHER_WRITERS)
def test_a_full_disk_leaves_the_old_figure_page_or_log(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(b"old")

    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=f"No space left on device: '.*{name}'"):
            OTHER_WRITERS[name](tmp_path / name)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"old")]
    OTHER_WRITERS[name](tmp_path / name)
    assert (tmp_path / name).read_bytes() != b"old"


def test_a_log_that_cannot_be_written_is_found_out_before_training(tmp_path):
    made = model()
    before = made.get_weights()
    with pytest.raises(IsADirectoryError):
        made.fit(X, X, verbose=0, callbacks=[CSVLogger(tmp_path)])
    assert all((a == b).all() for a, b in zip(made.get_weights(), before, strict=True))


def test_a_search_finds_out_before_its_runs_whether_they_can_be_kept(tmp_path, monkeypatch):
    def refuse(*arguments, **keywords):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        Store(tmp_path)


def test_training_can_go_on_once_there_is_space_again(tmp_path, monkeypatch):
    made = model()

    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            made.fit(X, X, epochs=3, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.npz")])
    assert made.history.epoch == [0]
    made.fit(X, X, epochs=3, initial_epoch=1, verbose=0)
    expected = model()
    expected.fit(X, X, epochs=3, verbose=0)
    for one, other in zip(made.get_weights(), expected.get_weights(), strict=True):
        assert (one == other).all()
