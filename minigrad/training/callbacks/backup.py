"""BackupAndRestore: go on after a crash as if nothing had happened."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from minigrad.checks import boolean
from minigrad.signatures import Setting
from minigrad.training.callbacks.callback import Callback, Logs
from minigrad.training.callbacks.model_checkpoint import checked_place, save_frequency


def _folder(owner: str, argument: str, value: Any) -> str:
    if not os.fspath(value):
        raise ValueError(f"{owner}: {argument} must name a folder. Received: ''")
    return checked_place(owner, argument, value)


class BackupAndRestore(Callback):
    """Back up all that training needs, and go on from there when the same script runs again.

    In the file are the weights, the optimizer, the random generators, the history and the states of
    the other callbacks: the interrupted run ends bit for bit where an uninterrupted one does. (With
    a source of batches other than arrays, it must yield the same batches again.)

    Parameters
    ----------
    backup_dir
        A folder, which is made if it is not there.
    save_freq
        ``"epoch"``, or after how many batches.
    delete_checkpoint
        Whether to remove the file when training has ended.

    Raises
    ------
    ValueError
        For no folder, or a `save_freq` that is neither.
    LoadError
        If the backup is of another model, or damaged.
    OSError
        If the folder cannot be written.
    """

    backup_dir = Setting(_folder)
    save_freq = Setting(save_frequency, "epoch")
    delete_checkpoint = Setting(boolean, True)

    _batches = 0

    @property
    def path(self) -> Path:
        """The file in it."""
        return Path(self.backup_dir) / "backup.npz"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.loop.load(self.path)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self.loop.save(self.path)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._batches = 0
        self.loop.save(self.path)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete_checkpoint and not self.loop.interrupted:
            with suppress(FileNotFoundError):
                self.path.unlink()
