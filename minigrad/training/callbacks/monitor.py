"""Monitor: a value of the history that is to become smaller, or larger."""

from __future__ import annotations

import math
from functools import partial
from typing import Any
from warnings import warn

from minigrad.checks import not_negative, number, one_of
from minigrad.signatures import Setting
from minigrad.suggestions import did_you_mean
from minigrad.training.callbacks.callback import Callback, Logs

# Parts of names of which more is better.
_MORE_IS_BETTER = ("acc", "auc", "r2", "precision", "recall", "f1", "fbeta", "top_k", "cosine")


def _name(owner: str, argument: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{owner}: {argument} must be a name. Received: {value!r}")
    return value


def whole(owner: str, argument: str, value: Any) -> int:
    """Return a number, 0 or larger, without its fraction."""
    return int(not_negative(owner, argument, value))


class Monitor(Callback):
    """Base of callbacks that watch one value.

    Parameters
    ----------
    monitor
        Its name in the history: ``"val_loss"``, ``"data"``, ``"codings/activity"``, ….
    mode
        ``"min"``, ``"max"``, or ``"auto"``: by the name, ``"max"`` for accuracies and the like.
    min_delta
        By how much it must improve to count.

    Raises
    ------
    ValueError
        For another mode; or, at the end of the first epoch, for a name that is not there and does
        not say whether more is better. (If `mode` is given, or it is the loss, it warns.)
    """

    monitor = Setting(_name, "val_loss")
    mode = Setting(partial(one_of, known=("auto", "min", "max")), "auto")
    min_delta = Setting(lambda *given: abs(number(*given)), 0.0)
    best: float | None = None
    _kept: tuple[str, ...] = ("best",)
    _is_settled = False  # whether the value was there, or it has been said that it is not

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._mode_is_given = self.mode != "auto"
        if not self._mode_is_given:
            self.mode = "max" if any(part in self.monitor for part in _MORE_IS_BETTER) else "min"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._is_settled = False

    def value_in(self, logs: Logs | None) -> float | None:
        """Return the value; None if there is none, which is said once, or refused."""
        logs = {} if logs is None else logs
        if self.monitor in logs:
            self._is_settled = True
            return logs[self.monitor]
        name = self.monitor.removeprefix("val_")
        is_of_validation = name != self.monitor
        if self._is_settled or (is_of_validation and name in logs and self._validates()):
            return None
        lacks = is_of_validation and not self._validates()
        validation = " Pass validation_data or validation_split to fit." if lacks else ""
        message = (
            f"{type(self).__name__}: there is no value {self.monitor!r} to monitor.{validation}"
            f"{did_you_mean(self.monitor, list(logs))} There are: {', '.join(logs)}"
        )
        if not self._mode_is_given and name != "loss" and name not in logs:
            raise ValueError(f"{message}. (If it comes later on, say mode='min' or 'max'.)")
        self._is_settled = True
        warn(message, stacklevel=2)
        return None

    def _validates(self) -> bool:
        return self.loop is not None and self.loop.validates

    def improves(self, value: float, on: float | None) -> bool:
        """Whether `value` is better than `on` by more than `min_delta`; nan never is."""
        if math.isnan(value):
            return False
        if on is None:
            return True
        return value < on - self.min_delta if self.mode == "min" else value > on + self.min_delta
