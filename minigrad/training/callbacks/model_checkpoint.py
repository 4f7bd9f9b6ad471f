"""ModelCheckpoint: save the model while it trains."""

from __future__ import annotations

import os
from typing import Any

from minigrad.checks import boolean, number, or_none, positive_integer
from minigrad.signatures import Setting
from minigrad.training.callbacks.callback import Logs
from minigrad.training.callbacks.monitor import Monitor
from minigrad.training.foreign_formats import require_place


def checked_place(owner: str, argument: str, value: Any) -> str:
    """Return a path that no other library's format claims."""
    path = os.fspath(value)
    require_place(path, owner)
    return path


def save_frequency(owner: str, argument: str, value: Any) -> Any:
    """Return ``"epoch"`` or a number of batches."""
    return value if value == "epoch" else positive_integer(owner, argument, value)


class ModelCheckpoint(Monitor):
    """Save after each epoch, or after some number of batches.

    Parameters
    ----------
    filepath
        A path, in which names of the history may stand: ``"{epoch:02d}-{val_loss:.3f}.npz"``;
        epochs (and with a `save_freq` ``batch``) are numbered from 1 there, as in Keras.
    monitor, mode
        See `Monitor`; only needed with `save_best_only`.
    verbose
        1 prints what is saved.
    save_best_only
        Whether to save only when the monitored value is better than ever.
    save_weights_only
        Whether to leave architecture and optimizer out.
    save_freq
        ``"epoch"``, or after how many batches.
    initial_value_threshold
        What the first value must improve on.

    Raises
    ------
    ValueError
        For arguments out of range, or a model that could not be loaded again.
    KeyError
        For a name in the path that is not there.
    OSError
        If the folder cannot be written; what was saved before stays.
    """

    filepath = Setting(checked_place)
    monitor = Monitor.monitor
    verbose = Setting(None, 0)
    save_best_only = Setting(boolean, False)
    save_weights_only = Setting(boolean, False)
    mode = Monitor.mode
    save_freq = Setting(save_frequency, "epoch")
    initial_value_threshold = Setting(or_none(number), None)

    _batches = _epoch = 0
    _kept = ("best", "_batches")

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.best = self.initial_value_threshold

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, {"batch": batch + 1, **(logs or {})})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: Logs | None) -> None:
        if self.save_best_only:
            value = self.value_in(logs)
            if value is None and self._validates():
                return
            if value is not None and not self.improves(value, self.best):
                return
            self.best = value  # if it is not known at all, each is saved
        known = {"epoch": epoch + 1, **(logs or {})}
        try:
            path = self.filepath.format(**known)
        except (KeyError, IndexError, ValueError) as error:
            raise KeyError(
                f"ModelCheckpoint: the path {self.filepath!r} asks for what is not there "
                f"({error}). There are: {', '.join(known)}"
            ) from error
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}")
