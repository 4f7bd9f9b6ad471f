"""History: what happened during `fit`, epoch by epoch, each loss term as a series of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.training.callbacks.callback import Callback, Logs


class Averages:
    """Means over the batches of an epoch, weighted by their sizes."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = {}
        self.samples = 0

    def add(self, values: Mapping[str, float], samples: int) -> None:
        """Add the values of a batch."""
        self.samples += samples
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * samples

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: total / self.samples for name, total in self.sums.items()}


class History(Callback):
    """The record of a training run.

    Attributes
    ----------
    epoch : list of int
        The numbers of the epochs, from 0.
    step : list of int
        The number of optimizer steps made by the end of each epoch: what joins this record with
        that of a TraceCallback.
    history : dict of str to list of float
        A value for each epoch: ``loss`` (the total), each loss term under its own name, metrics,
        and the same of the validation data as ``val_loss``, ``val_data``, ….
    stopped_by : str or None
        Why training ended before its last epoch: ``"EarlyStopping"``, ``"Ctrl-C"``, ….
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.step: list[int] = []
        self.history: dict[str, list[float]] = {}
        self.stopped_by: str | None = None

    def append(self, epoch: int, values: Mapping[str, float], step: int = 0) -> None:
        """Add the values of an epoch.

        What is missing in it (a validation that is not made at each epoch) stays missing, so a
        series may be shorter than `epoch`.
        """
        self.epoch.append(epoch)
        self.step.append(int(step))
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.append(epoch, logs or {}, getattr(self.model.optimizer, "iterations", 0))

    def plot(self) -> Any:
        """Draw the learning curves, stacked by term; returns a matplotlib figure."""
        from minigrad import plots  # matplotlib is loaded only when something is drawn

        return plots.learning_curves(self.history)

    def __repr__(self) -> str:
        if not self.epoch:
            return "History(no epochs)"
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.history.items())
        stopped = f"; stopped by {self.stopped_by}" if self.stopped_by else ""
        return f"History({len(self.epoch)} epochs; last: {last}{stopped})"
