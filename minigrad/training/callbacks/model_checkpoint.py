"""ModelCheckpoint: save the model while it trains."""

from __future__ import annotations

import os
from typing import Any

from minigrad.checks import number, positive_integer
from minigrad.training.callbacks.callback import Logs
from minigrad.training.callbacks.monitor import Monitor
from minigrad.training.foreign_formats import require_place


class ModelCheckpoint(Monitor):
    """Save after each epoch, or after some number of batches.

    Parameters
    ----------
    filepath
        A path, in which names of the history may stand: ``"{epoch:02d}-{val_loss:.3f}.npz"``;
        epochs are numbered from 1 there, as in Keras.
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
        For arguments out of range, a name in the path that is not there, or a model that could
        not be loaded again.
    OSError
        If the folder cannot be written; what was saved before stays.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        self.filepath = os.fspath(filepath)
        require_place(self.filepath, "ModelCheckpoint")
        self.verbose = verbose
        self.save_best_only = bool(save_best_only)
        self.save_weights_only = bool(save_weights_only)
        if save_freq != "epoch":
            positive_integer("ModelCheckpoint", "save_freq", save_freq)
        self.save_freq = save_freq
        if initial_value_threshold is not None:
            self.best = number(
                "ModelCheckpoint", "initial_value_threshold", initial_value_threshold
            )
        self._batches = 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self.loop.epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, logs)

    def _save(self, epoch: int, logs: Logs | None) -> None:
        if self.save_best_only:
            value = self.value_in(logs)
            if value is None or not self.improves(value, self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(**{"epoch": epoch + 1, **(logs or {})})
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"ModelCheckpoint: the path {self.filepath!r} asks for what is not there "
                f"({error}). There are: epoch, {', '.join(logs or ())}"
            ) from error
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}")

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "_batches": self._batches}
