"""Monitor: a value of the history that is to become smaller, or larger."""

from __future__ import annotations

import math
from typing import Any

from minigrad.checks import number, one_of
from minigrad.suggestions import did_you_mean
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
        For another mode; or, at the end of the first epoch, for a name that is not there, with
        the nearest.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        kind = type(self).__name__
        if not isinstance(monitor, str):
            raise ValueError(f"{kind}: monitor must be a name. Received: {monitor!r}")
        self.monitor = monitor
        mode = one_of(kind, "mode", mode, ("auto", "min", "max"))
        if mode == "auto":
            mode = "max" if any(part in monitor for part in _MORE_IS_BETTER) else "min"
        self.mode = mode
        self.min_delta = abs(number(kind, "min_delta", min_delta))
        self.best: float | None = None

    def value_in(self, logs: Logs | None) -> float | None:
        """Return the value; None in epochs without validation, for a value of validation.

        Raises
        ------
        ValueError
            If there is no value of that name.
        """
        logs = logs or {}
        if self.monitor in logs:
            return logs[self.monitor]
        if self.monitor in self.loop.history.history or (
            self.monitor.startswith("val_") and self.loop.validates
        ):
            return None
        hint = did_you_mean(self.monitor, list(logs))
        validation = (
            " Pass validation_data or validation_split to fit."
            if self.monitor.startswith("val_")
            else ""
        )
        raise ValueError(
            f"{type(self).__name__}: there is no value {self.monitor!r} to monitor.{validation}"
            f"{hint} There are: {', '.join(logs)}"
        )

    def improves(self, value: float, on: float | None) -> bool:
        """Whether `value` is better than `on` by more than `min_delta`; nan never is."""
        if math.isnan(value):
            return False
        if on is None:
            return True
        return value < on - self.min_delta if self.mode == "min" else value > on + self.min_delta

    def state(self) -> dict[str, Any]:
        return {"best": self.best}
