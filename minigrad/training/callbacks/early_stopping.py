"""EarlyStopping: end when a value no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.checks import boolean, number, or_none
from minigrad.signatures import Setting
from minigrad.training.callbacks.callback import Logs
from minigrad.training.callbacks.monitor import Monitor, whole


class EarlyStopping(Monitor):
    """Stop after `patience` epochs without improvement.

    Parameters
    ----------
    monitor, min_delta, mode
        See `Monitor`.
    patience
        How many epochs without improvement are borne.
    verbose
        1 prints when and why.
    baseline
        A value that must be improved on, too.
    restore_best_weights
        Whether training ends with the weights of the best epoch (also after Ctrl-C).
    start_from_epoch
        How many epochs to wait before the first look.

    Attributes
    ----------
    best_epoch, stopped_epoch : int
        Numbered from 0; stopped_epoch is 0 if training went on to its end.

    Raises
    ------
    ValueError
        For arguments out of range, or a value that is not there.

    Examples
    --------
    >>> stop = EarlyStopping("val_data", patience=5, restore_best_weights=True)
    """

    monitor = Monitor.monitor
    min_delta = Monitor.min_delta
    patience = Setting(whole, 0)
    verbose = Setting(None, 0)
    mode = Monitor.mode
    baseline = Setting(or_none(number), None)
    restore_best_weights = Setting(boolean, False)
    start_from_epoch = Setting(whole, 0)

    best_weights: list[Any] | None = None
    best_epoch = stopped_epoch = wait = 0
    _kept = ("best", "best_epoch", "stopped_epoch", "wait")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin(logs)
        self.best = self.best_weights = None
        self.best_epoch = self.stopped_epoch = self.wait = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.value_in(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self._end_training()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(
                f"Epoch {self.stopped_epoch + 1}: early stopping, as {self.monitor} stays away "
                f"from {self.best:.4g} of epoch {self.best_epoch + 1}"
            )
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    def state(self) -> dict[str, Any]:
        weights = enumerate(self.best_weights or ())
        return {**super().state(), **{f"best_weights/{i}": array for i, array in weights}}

    def restore(self, state: Mapping[str, Any]) -> None:
        arrays = [state[name] for name in state if name.startswith("best_weights/")]
        super().restore({name: state[name] for name in self._kept})
        self.best_weights = arrays or None
