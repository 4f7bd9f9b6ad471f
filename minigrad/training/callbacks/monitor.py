"""Monitor: a value of the history that is to become smaller, or larger."""

from __future__ import annotations

import math
from typing import Any
from warnings import warn

from minigrad.checks import number, one_of
from minigrad.engine.suggestions import did_you_mean
from minigrad.training.callbacks.callback import Callback, Logs

# Parts of names of which more is better.
_MORE_IS_BETTER = ("acc", "auc", "r2", "precision", "recall", "top_k", "cosine_similarity")


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

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", min_delta: float = 0.0
    ) -> None:
        kind = type(self).__name__
        if not isinstance(monitor, str):
            raise ValueError(f"{kind}: monitor must be a name. Received: {monitor!r}")
        self.monitor = monitor
        mode = one_of(kind, "mode", mode, ("auto", "min", "max"))
        self._mode_is_given = mode != "auto"
        if mode == "auto":
            mode = "max" if any(part in monitor for part in _MORE_IS_BETTER) else "min"
        self.mode = mode
        self.min_delta = abs(number(kind, "min_delta", min_delta))
        self.best: float | None = None
        self._has_warned = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._has_warned = False

    def value_in(self, logs: Logs | None) -> float | None:
        """Return the value, None if there is none, which is said once.

        Raises
        ------
        ValueError
            If there is no value of that name.
        """
        logs = {} if logs is None else logs
        if self.monitor in logs:
            self._has_warned = True  # what was there once may be missing between
            return logs[self.monitor]
        name = self.monitor.removeprefix("val_")
        is_of_validation = name != self.monitor
        if self._has_warned or (is_of_validation and name in logs and self._validates()):
            return None
        validation = " Pass validation_data or validation_split to fit." if is_of_validation else ""
        message = (
            f"{type(self).__name__}: there is no value {self.monitor!r} to monitor.{validation}"
            f"{did_you_mean(self.monitor, list(logs))} There are: {', '.join(logs)}"
        )
        if not self._mode_is_given and name != "loss" and name not in logs:
            raise ValueError(f"{message}. (If it comes later on, say mode='min' or 'max'.)")
        self._has_warned = True
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

    def state(self) -> dict[str, Any]:
        return {"best": self.best}
