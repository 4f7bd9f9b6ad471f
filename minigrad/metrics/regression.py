"""How far predictions are from numbers: errors squared, absolute, relative, logarithmic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.metrics.inputs import EPSILON, matched_floats
from minigrad.metrics.mean import Average, MeanOverSamples
from minigrad.metrics.metric import Array, known_as


@known_as("mse", "MSE")
class MeanSquaredError(MeanOverSamples):
    """Mean of ``(y_true − y_pred)²``.

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        return np.square(prediction - target)


@known_as()
class RootMeanSquaredError(Average):
    """``√(mean of (y_true − y_pred)²)``: in the unit of the targets.

    The root is taken last, of the mean over the whole epoch.

    Examples
    --------
    >>> RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [4.0]])
    3.5355339059327378
    """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        self.gather(np.square(prediction - target), sample_weight)

    def result(self) -> float:
        return math.sqrt(super().result())


@known_as("mae", "MAE")
class MeanAbsoluteError(MeanOverSamples):
    """Mean of ``|y_true − y_pred|``.

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0, 1.0], [0.0, 0.0]], [[3.0, 1.0], [1.0, 0.0]])
    1.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        return np.abs(prediction - target)


@known_as("mape", "MAPE")
class MeanAbsolutePercentageError(MeanOverSamples):
    """Mean of ``100 · |y_true − y_pred| / |y_true|``; targets below 1e-7 count as that.

    Examples
    --------
    >>> MeanAbsolutePercentageError()([[2.0], [10.0]], [[1.0], [10.0]])
    25.0
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        return 100 * np.abs((target - prediction) / np.maximum(np.abs(target), EPSILON))


@known_as("msle", "MSLE")
class MeanSquaredLogarithmicError(MeanOverSamples):
    """Mean of ``(ln(1 + y_true) − ln(1 + y_pred))²``; what is below 1e-7 counts as that.

    Examples
    --------
    >>> round(MeanSquaredLogarithmicError()([[0.0], [9.0]], [[0.0], [99.0]]), 4)
    2.6509
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        log_prediction = np.log1p(np.maximum(prediction, EPSILON))
        return np.square(log_prediction - np.log1p(np.maximum(target, EPSILON)))


@known_as("logcosh", "log_cosh")
class LogCoshError(MeanOverSamples):
    """Mean of ``ln cosh(y_pred − y_true)``: a square for small errors, absolute for large ones.

    Examples
    --------
    >>> round(LogCoshError()([[0.0], [0.0]], [[1.0], [1000.0]]), 4)
    499.8703
    """

    default_name = "logcosh"

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        distance = np.abs(prediction - target)
        # |d| + ln(1 + e^(−2|d|)) − ln 2: stable against the overflow of cosh.
        return distance + np.log1p(np.exp(-2 * distance)) - math.log(2)


@known_as()
class CosineSimilarity(MeanOverSamples):
    """Mean of ``Σ y_true y_pred / (‖y_true‖ ‖y_pred‖)``: 1 where the directions agree.

    A vector of zeros has no direction; its similarity is 0.

    Parameters
    ----------
    name
        What the history calls it.
    axis
        The axis of the vectors, which is not that of the samples.

    Raises
    ------
    ValueError
        At an update, if that axis does not exist or is the first, or the shapes differ.

    Examples
    --------
    >>> CosineSimilarity()([[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]])
    0.5
    """

    def __init__(self, name: str | None = None, axis: int = -1) -> None:
        super().__init__(name)
        if not isinstance(axis, int) or isinstance(axis, bool) or axis == 0:
            raise ValueError(
                "CosineSimilarity: axis must be an integer other than 0, the axis of the samples. "
                f"Received: axis={axis!r}"
            )
        self.axis = axis

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        axis = self.axis + target.ndim if self.axis < 0 else self.axis
        if not 1 <= axis < target.ndim:
            raise ValueError(
                f"{self.owner}: axis={self.axis} is no axis of one sample, in shape {target.shape}"
            )
        lengths = np.linalg.norm(target, axis=axis) * np.linalg.norm(prediction, axis=axis)
        product = np.sum(target * prediction, axis=axis)
        return np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)

    def get_config(self) -> dict[str, Any]:
        """Return the name and the axis."""
        return {"name": self.name, "axis": self.axis}
