"""Steps: what a model does with one batch, in methods that a subclass may define anew, as in Keras.

`fit` makes a `train_step` of each batch, `evaluate` a `test_step`, and `predict` a `predict_step`.
What stands here is what these do. Where nobody has defined one anew, `Replays` does the same, and
quicker.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.engine import Tensor, enable_grad
from minigrad.engine.tensor import plain
from minigrad.layers import Layer
from minigrad.layers.forward_pass import Addend, Watched
from minigrad.metrics import Metric
from minigrad.optimizers import Optimizer
from minigrad.training.history import LossTracker
from minigrad.training.objective import NonFiniteLossError, Objective
from minigrad.training.sources import Batch
from minigrad.training.unchanged import all_layers
from minigrad.utils import unpack_x_y_sample_weight


class Steps(Objective):
    """A step of training, of evaluation and of prediction; a base of `Model`."""

    _loss_tracker: LossTracker
    _noted: Watched | None  # what metrics look at, while a step of one's own runs

    def _defines(self, step: str) -> bool:
        """Whether somebody has defined a step or its parts anew, for a class or for one model."""
        kind, own = type(self), vars(self)
        names = [step] if step == "predict_step" else [step, "compute_loss", "compute_metrics"]
        return any(getattr(kind, name) is not getattr(Steps, name) or name in own for name in names)

    # ---- what a subclass may define ------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn from a batch, and return what there is to report: numbers by name.

        `data` are arrays: ``x``, ``(x, y)`` or ``(x, y, sample_weight)``, as `fit` was given. The
        numbers are the logs of callbacks. The history takes those of an epoch's last batch; but if
        they have the names of `metrics`, the results of those; no terms of the loss.

        Examples
        --------
        >>> import minigrad as mg
        >>> class Explicit(mg.Sequential):
        ...     def train_step(self, data):
        ...         x, y = data
        ...         self.zero_grad()
        ...         loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        ...         loss.backward()
        ...         weights = self.trainable_weights
        ...         self.optimizer.apply([weight.grad for weight in weights], weights)
        ...         return {"loss": loss}
        >>> model = Explicit([mg.layers.Dense(1, kernel_initializer="zeros", input_dim=1)])
        >>> model.compile("sgd", "mse")
        >>> model.fit([[1.0]], [[3.0]], epochs=2, verbose=0).history["loss"]
        [9.0, 8.294400215148926]
        """
        y_pred, loss = self._forward_step(data, training=True)
        if math.isfinite(loss) and self._backward(loss):
            self.optimizer.step()
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate a batch; otherwise as `train_step`."""
        y_pred, _ = self._forward_step(data, training=False)
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the output for a batch, of which only the inputs are used."""
        return self.run(unpack_x_y_sample_weight(data)[0], False)[0]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the total loss of predictions: that of `compile`, and the penalties.

        Raises
        ------
        ValueError
            If there is neither.
        NonFiniteLossError
            If it is nan or infinite, while a train_step of one's own runs.
        """
        terms = self._terms(y, y_pred, sample_weight)
        total = terms.total()
        if training and self._noted is not None and not math.isfinite(total):
            self._refuse_non_finite(terms.values_as_floats())
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Let the metrics of `compile` take a batch in; return the results of all `metrics`."""
        if self.compiled_metrics:
            self._update_metrics(plain(y), y_pred, sample_weight, self._noted)
        return self.get_metrics_result()

    def _forward_step(self, data: Any, training: bool) -> tuple[Any, Any]:
        """Return the prediction and the loss, which is tracked."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        prediction = self.run(x, training)[0]
        asked = inspect.signature(self.compute_loss).parameters  # old programs lack the last
        further = {"training": training} if "training" in asked else {}
        loss = self.compute_loss(x, y, prediction, sample_weight, **further)
        if training and not math.isfinite(loss):
            self._refuse_non_finite({"loss": float(loss)})
        self._loss_tracker.update_state(loss, len(x))
        return prediction, loss

    # ---- metrics -------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The loss, the metrics of `compile`, and those that are attributes of it and its layers.

        All of them are reset when an epoch or an evaluation begins, and get into the history.
        """
        compiled = [
            ByShape(self, index) if isinstance(metric, str) else metric
            for index, metric in enumerate(self.compiled_metrics)
        ]
        held = [metric for metric in self._held_metrics() if metric not in compiled]
        if self._noted is not None:  # a step of one's own may hand weights to all of them
            count = self.unweighted_metrics
            compiled = [*map(Unweighted, compiled[:count]), *compiled[count:]]
        return [self._loss_tracker, *compiled, *held] if self.compiled else held

    def _held_metrics(self) -> list[Metric]:
        """The metrics that are attributes; looked for again when there are other attributes."""
        size = len(vars(self))
        if self._held is None or self._held[0] != size or not self.built:
            # A model inside of this one has metrics of its own, which are not shown here.
            inner = (layer for layer in all_layers(self)[1:] if not isinstance(layer, Steps))
            found = {id(m): m for owner in (self, *inner) for m in _metrics_of(owner)}
            self._held = size, list(found.values())
        metrics: list[Metric] = self._held[1]
        return metrics

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Let all `metrics` forget what they have gathered."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of all `metrics` by name; of the loss, each term too."""
        values: dict[str, float] = {}
        for metric in self.metrics:
            if metric is self._loss_tracker:
                values |= metric.means()
            elif not isinstance(getattr(metric, "metric", metric), ByShape):
                found = numbers_of({metric.name: metric.result()}, "metric")
                # A loss tracker of one's own need not know of an evaluation by the usual step.
                if metric.name not in values or any(map(np.any, metric.state_arrays().values())):
                    values |= found
        return values

    def _results_or(self, logs: dict[str, float], step: str) -> dict[str, float]:
        """Return the results of all metrics; or the logs of a step of one's own, if others."""
        results = self.get_metrics_result()
        is_usual = results.keys() == logs.keys() or not self._defines(step)
        return results if is_usual else dict(logs)

    def _in_order(self, values: dict[str, float]) -> Any:
        """Return the values without names, as Keras does: the loss, or a list with the metrics."""
        if values.keys() == self._loss_tracker.sums.keys():
            return values["loss"]
        terms = self._loss_tracker.sums.keys() - {"loss"}
        names = [metric.name for metric in self.metrics if metric.name in values]
        names += sorted(values.keys() - terms - set(names))
        numbers = [values[name] for name in dict.fromkeys(names)]
        return numbers[0] if len(numbers) == 1 else numbers

    @contextmanager
    def _metrics_kept(self) -> Iterator[None]:
        """A ``with`` block after which all metrics have gathered what they had before."""
        kept = [(metric, metric.state_arrays(), metric._attributes()) for metric in self.metrics]
        try:
            yield
        finally:
            for metric, state, attributes in kept:
                vars(metric).update(attributes)
                metric.load_state_arrays(state)

    # ---- around a step of one's own ------------------------------------------------------------

    def _by_own_step(self, step: str, batch: Batch) -> dict[str, float]:
        """Let a method of a subclass handle a batch, eagerly; return its logs."""
        x, y, weights = batch
        data = x if y is None else (x, y) if weights is None else (x, y, weights)
        for layer in all_layers(self):
            layer._addends = []  # so that `losses` are of this batch
        tolerated, learns = self._tolerates_nan, step == "train_step"
        self._noted, self._tolerates_nan = self._watched() or {}, tolerated or not learns
        owner = f"{step} of model {self.name!r}:"
        try:
            with enable_grad():
                logs = numbers_of(getattr(self, step)(data), owner)
        finally:
            self._noted, self._tolerates_nan = None, tolerated
        lost = [name for name, value in logs.items() if "loss" in name and not math.isfinite(value)]
        if lost and learns and not tolerated:
            raise NonFiniteLossError(
                f"{owner} {lost[0]!r} is {logs[lost[0]]}, and the step has been made, so the "
                "weights may be nan, too. A loss of self.compute_loss(…) is looked at before."
            )
        return logs

    def _other_optimizers(self) -> dict[str, Optimizer]:
        """The optimizers that are attributes of the model, beside that of `compile`."""
        own = vars(self).items()
        return {name: o for name, o in own if isinstance(o, Optimizer) and o is not self.optimizer}

    def penalties(self, addends: list[Addend] | None = None) -> list[tuple[str, Tensor]]:
        """Return all penalties with their names; see `Layer.penalties`.

        A step of one's own may call the parts of a model alone, and not the model.
        """
        if addends is None and self._noted is not None:
            each = {id(value): (path, value) for path, value in _addends_in(self)}
            addends = list(each.values())
        return super().penalties(addends)


class ByShape(Metric):
    """A metric of `compile` such as ``"accuracy"``, until a batch tells which one is meant."""

    def __init__(self, model: Steps, index: int) -> None:
        super().__init__(model._name_of(index))
        self._model, self._index = model, index

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Put the metric that fits the shapes in its place, and hand it the batch."""
        metric = self._model._resolved(self._index, y_true, y_pred)
        metric.update_state(plain(y_true), plain(y_pred), sample_weight)

    def result(self) -> float:
        """There has been no batch."""
        return 0.0


class Unweighted(Metric):
    """One of the `metrics` of `compile`, which know no weights, as a step of one's own sees it."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric.name)
        self.metric = metric

    def update_state(self, *batch: Any, sample_weight: Any = None, **named: Any) -> None:
        """Hand the batch on without weights."""
        self.metric.update_state(*batch[:2], **named)

    def result(self) -> Any:
        """Return what the metric does."""
        return self.metric.result()


def numbers_of(logs: Any, owner: str) -> dict[str, float]:
    """Return what a step or a metric reports as plain numbers; a dict in it is taken apart."""
    if not isinstance(logs, dict):
        raise TypeError(
            f"{owner} expected a dict of numbers, such as {{m.name: m.result() for m in "
            f"self.metrics}}. Received: {logs!r}"
        )
    numbers: dict[str, float] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            numbers |= numbers_of(value, owner)
            continue
        array = np.asarray(plain(value))
        if array.size != 1 or array.dtype.kind not in "biuf":
            raise ValueError(
                f"{owner} {name!r} gives {array.size} numbers, and the history takes one for each "
                "epoch. Choose one class or threshold, or an average over them, such as "
                "average='macro'."
            )
        numbers[name] = float(array.item())
    return numbers


def _metrics_of(layer: Layer) -> Iterator[Metric]:
    """The metrics that are attributes of a layer, also in lists and dicts."""
    for name, value in vars(layer).items():
        if name not in ("_loss_tracker", "compiled_metrics"):
            several = value.values() if isinstance(value, dict) else value
            for item in several if isinstance(value, list | tuple | dict) else [value]:
                if isinstance(item, Metric):
                    yield item


def _addends_in(layer: Layer) -> list[Addend]:
    """The penalties of a layer's last call; without one, those of the layers inside of it."""
    return layer._addends or [
        ((inner.name, *path), value)
        for inner in layer.sublayers()
        for path, value in _addends_in(inner)
    ]
