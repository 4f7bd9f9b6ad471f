"""TerminateOnNaN and LambdaCallback."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad.checks import boolean
from minigrad.signatures import Setting
from minigrad.suggestions import did_you_mean
from minigrad.training.callbacks.callback import HOOKS, Callback, Logs


class TerminateOnNaN(Callback):
    """End training, without an error, when the loss is nan or infinite.

    Without this callback, `fit` raises. In both cases the step is not made: the weights stay those
    of the step before.

    Parameters
    ----------
    raise_error
        Whether to raise a RuntimeError instead.
    """

    raise_error = Setting(boolean, False)
    _epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            where = f"Epoch {self._epoch + 1}, batch {batch + 1}: the loss is {loss}"
            if self.raise_error:
                raise RuntimeError(where)
            print(f"{where}; stopping")
            self._end_training()


class LambdaCallback(Callback):
    """Functions as a callback: ``LambdaCallback(on_epoch_end=lambda epoch, logs: …)``.

    Parameters
    ----------
    **functions
        By the name of the method of `Callback` that they stand for.

    Raises
    ------
    TypeError
        For another name, with the nearest, or what is not callable.

    Examples
    --------
    >>> LambdaCallback(on_epoch_begin=lambda epoch, logs: None).on_epoch_begin(0, {})
    """

    def __init__(self, **functions: Callable[..., Any]) -> None:
        for name, function in functions.items():
            if name not in HOOKS:
                raise TypeError(
                    f"LambdaCallback takes no {name!r}.{did_you_mean(name, HOOKS)} "
                    f"Known: {', '.join(HOOKS)}"
                )
            if function is None:
                continue
            if not callable(function):
                raise TypeError(
                    f"LambdaCallback: {name} must be a function. Received: {function!r}"
                )
            setattr(self, name, function)
