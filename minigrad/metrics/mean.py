"""Metrics that are means over samples: most of them are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minigrad.checks import snake_case
from minigrad.engine.tensor import plain
from minigrad.losses.loss import Loss
from minigrad.metrics.inputs import matched, real_array, weights
from minigrad.metrics.metric import Array, Metric, divided, known_as, registry


class Average(Metric):
    """``Σ w·v / Σ w``: over all samples of all batches, so that a short batch counts for less."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.total = self.add_weight(name="total", dtype="float64")
        self.count = self.add_weight(name="count", dtype="float64")

    def gather(self, values: Array, sample_weight: Any = None) -> None:
        """Take in values of shape (batch, …); a sample's value is the mean of its own."""
        samples = values.shape[0]
        count = float(samples)
        if sample_weight is not None:
            each = weights(self.owner, sample_weight, values.shape)
            values = values * each
            count = each.reshape(samples, -1).mean(axis=1).sum()
        if values.ndim > 1:  # (batch, …) → (batch,)
            values = values.reshape(samples, -1).mean(axis=1, dtype=np.float64)
        self.total.assign_add(values.sum(dtype=np.float64))
        self.count.assign_add(count)

    def result(self) -> float:
        """Return the mean; 0 before the first batch."""
        return float(divided(self.total, self.count))


@known_as()
class Mean(Average):
    """``Σ w·v / Σ w``: the mean of whatever it is given, such as the loss of each batch.

    Examples
    --------
    >>> mean = Mean("loss")
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state([6.0])
    >>> mean.result()
    3.0
    """

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values of shape (batch, …), or one number, which counts as one sample."""
        values = np.atleast_1d(plain(values))
        self.gather(real_array(self.owner, "values", values), sample_weight)


@known_as()
class Sum(Metric):
    """``Σ w·v``: the sum of whatever it is given.

    Examples
    --------
    >>> Sum()([1.0, 2.0], sample_weight=[1.0, 0.5])
    2.0
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.total = self.add_weight(name="total", dtype="float64")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values of any shape."""
        values = real_array(self.owner, "values", np.atleast_1d(plain(values)))
        each = weights(self.owner, sample_weight, values.shape)
        self.total.assign_add((values * each).sum())

    def result(self) -> float:
        """Return the sum."""
        return float(self.total)


class MeanOverSamples(Average):
    """Base of the metrics that have a value for each sample, and are the mean of those.

    A subclass defines `values`.
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """Return the values of one batch, the samples along the first axis."""
        raise NotImplementedError(f"{type(self).__name__} must define values(self, y_true, y_pred)")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch; `sample_weight` is one for all, for a sample, or for its parts."""
        self.gather(self.values(y_true, y_pred), sample_weight)


class MeanOfLoss(MeanOverSamples):
    """Base of the metrics that are the mean of a `loss`; its settings are theirs."""

    loss: ClassVar[type[Loss]]

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        names = self._settings().keys() - Metric._settings().keys()
        self._loss = self.loss(reduction="none", **{name: getattr(self, name) for name in names})

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Return targets and predictions as arrays of one shape."""
        return matched(self.owner, y_true, y_pred)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """Return the loss of each sample: losses are in NumPy's notation, so arrays will do."""
        both: Any = [np.asarray(array, np.float64) for array in self.checked(y_true, y_pred)]
        return np.asarray(self._loss.call(*both))


@known_as()
class MeanMetricWrapper(Average):
    """The mean of a function of one's own over all samples.

    `metrics.get` makes one from any function that it is given.

    Parameters
    ----------
    fn
        A function of two arrays, ``(y_true, y_pred)``, that returns a value for each sample, or
        one number for the batch, which then counts as often as there are samples in it.
    name
        What the history calls it; by default the function's own name.
    dtype
        See `Metric`.
    **keywords
        Further arguments of the function.

    Raises
    ------
    TypeError
        If `fn` cannot be called.

    Examples
    --------
    >>> def largest_error(y_true, y_pred):
    ...     return np.abs(y_true - y_pred).max(axis=-1)
    >>> metric = MeanMetricWrapper(largest_error)
    >>> metric.name, metric([[0.0, 0.0], [0.0, 0.0]], [[1.0, 3.0], [0.0, 1.0]])
    ('largest_error', 2.0)
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **keywords: Any
    ) -> None:
        if not callable(fn) or isinstance(fn, Metric):
            raise TypeError(f"MeanMetricWrapper: fn must be a function. Received: fn={fn!r}")
        super().__init__(name or name_of(fn), dtype)
        self.fn = fn
        self.keywords = keywords

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target = real_array(self.owner, "y_true", y_true)
        prediction = real_array(self.owner, "y_pred", y_pred)
        samples = prediction.shape[0]
        values = np.asarray(plain(self.fn(target, prediction, **self.keywords)))
        is_one_number = values.ndim == 0
        if values.dtype.kind not in "biuf" or not (is_one_number or len(values) == samples):
            raise ValueError(
                f"{self.owner}: its function must return a value for each of {samples} samples, "
                f"or one number. Received: {values!r} of shape {values.shape}"
            )
        if is_one_number and sample_weight is not None and np.ndim(plain(sample_weight)) > 0:
            raise ValueError(
                f"{self.owner}: its function returns one number for the whole batch, so sample "
                "weights cannot act on it. Return a value for each sample."
            )
        self.gather(np.broadcast_to(values, samples) if is_one_number else values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the registered name of the function, which must be no loss, and its arguments."""
        if str(getattr(self.fn, "__module__", "")).startswith("minigrad.losses"):
            raise ValueError(
                f"{self.owner}: a loss in the place of a metric cannot be saved with the model. "
                "Use the metric of that name, or a registered function of your own that calls it."
            )
        fn = registry.serialize(self.fn)
        return {"fn": fn, **super().get_config(), **self.keywords}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        """Make the metric that `get_config` described."""
        return cls(**{**config, "fn": registry.deserialize(config["fn"])})


def name_of(function: Any) -> str:
    """Return what to call a function's mean."""
    if isinstance(function, partial):
        return name_of(function.func)
    given = getattr(function, "name", None)
    if isinstance(given, str) and given:
        return given
    return snake_case(getattr(function, "__name__", None) or type(function).__name__)
