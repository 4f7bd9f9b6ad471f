"""How far predictions are from numbers: errors squared, absolute, relative, logarithmic."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from minigrad import losses
from minigrad.checks import is_whole
from minigrad.metrics.mean import MeanOfLoss
from minigrad.metrics.metric import Array, Metric, checked_name, known_as
from minigrad.signatures import Setting


@known_as("mse", "MSE")
class MeanSquaredError(MeanOfLoss):
    """Mean of ``(y_true − y_pred)²``.

    Examples
    --------
    >>> MeanSquaredError()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]])
    0.5
    """

    loss = losses.MeanSquaredError


@known_as()
class RootMeanSquaredError(MeanSquaredError):
    """``√(mean of (y_true − y_pred)²)``: in the unit of the targets.

    The root is taken last, of the mean over the whole epoch.

    Examples
    --------
    >>> RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [4.0]])
    3.5355339059327378
    """

    def result(self) -> float:
        """Return the root of the mean; 0 before the first batch."""
        return math.sqrt(super().result())


@known_as("mae", "MAE")
class MeanAbsoluteError(MeanOfLoss):
    """Mean of ``|y_true − y_pred|``."""

    loss = losses.MeanAbsoluteError


@known_as("mape", "MAPE")
class MeanAbsolutePercentageError(MeanOfLoss):
    """Mean of ``100 · |y_true − y_pred| / |y_true|``; targets below 1e-7 count as that."""

    loss = losses.MeanAbsolutePercentageError


@known_as("msle", "MSLE")
class MeanSquaredLogarithmicError(MeanOfLoss):
    """Mean of ``(ln(1 + y_true) − ln(1 + y_pred))²``; what is below 1e-7 counts as that."""

    loss = losses.MeanSquaredLogarithmicError


@known_as("logcosh", "log_cosh")
class LogCoshError(MeanOfLoss):
    """Mean of ``ln cosh(y_pred − y_true)``: a square for small errors, absolute for large ones."""

    name = Setting(partial(checked_name, usual="logcosh"), None)
    loss = losses.LogCosh


def _axis(owner: str, argument: str, axis: Any) -> int:
    if not is_whole(axis) or axis == 0:
        raise ValueError(
            f"{owner}: axis must be an integer other than 0, the axis of the samples. "
            f"Received: axis={axis!r}"
        )
    return int(axis)


@known_as()
class CosineSimilarity(MeanOfLoss):
    """Mean of ``Σ y_true y_pred / (‖y_true‖ ‖y_pred‖)``: 1 where the directions agree.

    A vector of zeros has no direction; its similarity is 0. `axis` is that of the vectors, which is
    not the axis of the samples.

    Examples
    --------
    >>> CosineSimilarity()([[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [2.0, 0.0]])
    0.5
    """

    loss = losses.CosineSimilarity

    name, dtype = Metric.name, Metric.dtype  # which come first here
    axis = Setting(_axis, -1)

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, prediction = super().checked(y_true, y_pred)
        if not -target.ndim < self.axis < target.ndim:
            raise ValueError(
                f"{self.owner}: axis={self.axis} is no axis of one sample, in shape {target.shape}"
            )
        return target, prediction

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """Return the similarity of each pair of vectors, the negative of the loss."""
        return -super().values(y_true, y_pred)
