"""History: what happened during `fit`, epoch by epoch, each loss term as a series of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.tensor import plain
from minigrad.metrics import Metric
from minigrad.training.callbacks.callback import Callback, Logs


class LossTracker(Metric):
    """The metric ``"loss"``: means over the batches of an epoch, of the loss and of its terms."""

    def __init__(self) -> None:
        super().__init__("loss")
        self.sums: dict[str, float] = {}  # of each value times the size of its batch
        self.samples: float = 0
        self.is_in_epoch = False  # of `fit`, whose metrics an evaluation must leave as they are

    def add_batch(self, values: Mapping[str, float], samples: float) -> None:
        """Add the values of a batch, which weigh as much as it has samples."""
        self.samples += samples
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * samples

    def means(self) -> dict[str, float]:
        """Return the means so far."""
        return {name: total / self.samples for name, total in self.sums.items()}

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in the loss of a batch; `sample_weight` says how many samples it has."""
        self.add_batch({"loss": float(np.mean(plain(values)))}, sample_weight or 1)

    def result(self) -> float:
        """Return the mean loss; 0 before the first batch."""
        return self.means().get("loss", 0.0) if self.samples else 0.0

    def reset_state(self) -> None:
        """Forget all batches."""
        self.sums.clear()
        self.samples = 0

    def state_arrays(self) -> dict[str, Any]:
        """Return the sums by name, and the number of samples."""
        numbers = {**self.sums, "samples": self.samples} if self.samples else {}
        return {name: np.array(number) for name, number in numbers.items()}

    def load_state_arrays(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_arrays` returned."""
        numbers = {name: np.asarray(value, np.float64).item() for name, value in state.items()}
        self.samples = numbers.pop("samples", 0)
        self.sums = numbers


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
    params : dict
        ``epochs``, ``verbose`` and ``steps``, the batches of an epoch.
    """

    RECORD = ("epoch", "step", "history", "stopped_by")  # what is kept to go on after a crash

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.params = dict(params or {})
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
            number = value.item() if isinstance(value, np.generic) else value  # fit for JSON
            self.history.setdefault(name, []).append(number)

    def record(self) -> dict[str, Any]:
        """Return all but the params."""
        return {name: vars(self)[name] for name in self.RECORD}

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
