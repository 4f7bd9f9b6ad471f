"""ReduceLROnPlateau and LearningRateScheduler: change the learning rate while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.checks import fraction, not_negative
from minigrad.signatures import Setting
from minigrad.training.callbacks.callback import Callback, Logs
from minigrad.training.callbacks.monitor import Monitor, whole


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by `factor` after `patience` epochs without improvement.

    Parameters
    ----------
    monitor, mode, min_delta
        See `Monitor`.
    factor
        Below 1.
    patience
        How many epochs without improvement are borne.
    verbose
        1 prints each change.
    cooldown
        How many epochs to wait after a change.
    min_lr
        Below which the rate does not go.

    Raises
    ------
    ValueError
        For arguments out of range, or a value that is not there.
    """

    monitor = Monitor.monitor
    factor = Setting(fraction, 0.1)
    patience = Setting(whole, 10)
    verbose = Setting(None, 0)
    mode = Monitor.mode
    min_delta = Setting(Monitor.min_delta.check, 1e-4)
    cooldown = Setting(whole, 0)
    min_lr = Setting(not_negative, 0.0)

    wait = cooldown_counter = 0
    _kept = ("best", "wait", "cooldown_counter")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin(logs)
        self.best = None
        self.wait = self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether it waits after a change."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        _note_rate(self, logs)
        value = self.value_in(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        assert optimizer is not None
        old = float(optimizer.learning_rate)
        if old > self.min_lr:
            optimizer.learning_rate = max(old * self.factor, self.min_lr)
            if self.verbose:
                print(f"Epoch {epoch + 1}: learning rate {old:.3g} → {optimizer.learning_rate:.3g}")
            self.cooldown_counter = self.cooldown
            self.wait = 0


def _function_of_epochs(owner: str, argument: str, value: Any) -> Any:
    if not callable(value):
        raise TypeError(
            f"{owner}: expected a function of (epoch, rate). Received: {value!r}. A schedule by "
            "steps belongs in the optimizer's learning_rate."
        )
    return value


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch to ``schedule(epoch, rate)`` or ``schedule(epoch)``.

    Parameters
    ----------
    schedule
        From the epoch's number (from 0), and the present rate if it takes that, to the new one.
    verbose
        1 prints each rate.

    Raises
    ------
    TypeError
        If `schedule` is not callable.
    ValueError
        If it returns no number, or a negative one.

    Examples
    --------
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    >>> staircase = LearningRateScheduler(lambda epoch: 0.1 if epoch < 10 else 0.01)
    """

    schedule = Setting(_function_of_epochs)
    verbose = Setting(None, 0)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        assert optimizer is not None
        given = (epoch, float(optimizer.learning_rate))
        rate = self.schedule(*given if _takes_two(self.schedule) else given[:1])
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate:.3g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        _note_rate(self, logs)


def _takes_two(function: Callable[..., Any]) -> bool:
    """Whether a function takes two arguments by place; those of C do not always tell."""
    from inspect import signature

    try:
        signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _note_rate(callback: Callback, logs: Logs | None) -> None:
    """Put the learning rate of the epoch into its logs, and so into the history."""
    optimizer = callback.model.optimizer
    if logs is not None and optimizer is not None:
        logs["learning_rate"] = float(optimizer.learning_rate)
