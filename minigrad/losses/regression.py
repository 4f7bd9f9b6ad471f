"""Losses for numbers: squared and absolute errors, and what lies between them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import above_zero, is_whole
from minigrad.engine import Tensor
from minigrad.engine.primitive import Primitive
from minigrad.losses.loss import SMALLEST, ShapedLoss, as_function, mean_of_last_axis, registry
from minigrad.ops.reductions import sum_of_squares
from minigrad.signatures import Setting


def _mean_square(prediction: Any, target: Any) -> Any:
    return sum_of_squares(prediction - target) / prediction.size


# mean((p − t)²) in one op: three fewer arrays, and three fewer steps on the tape.
mean_square = Primitive(
    _mean_square,
    lambda g, z, p, t: g * (2 / p.size) * (p - t),
    lambda g, z, p, t: g * (2 / p.size) * (t - p),
    name="mean_square",
)


@registry.register()
class MeanSquaredError(ShapedLoss):
    """Mean of ``(y_true − y_pred)²``.

    Its gradient for each prediction is ``2 (y_pred − y_true) / n``.

    Parameters, shapes and errors are those of `Loss`.

    Examples
    --------
    >>> float(MeanSquaredError()([[1.0], [0.0]], [[12.0], [0.0]]))
    60.5
    """

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_square(y_pred, y_true)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(np.square(y_pred - y_true))


@registry.register()
class MeanAbsoluteError(ShapedLoss):
    """Mean of ``|y_true − y_pred|``.

    Examples
    --------
    >>> float(MeanAbsoluteError()([[1.0], [0.0]], [[12.0], [0.0]]))
    5.5
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(np.abs(y_pred - y_true))


@registry.register()
class MeanAbsolutePercentageError(ShapedLoss):
    """Mean of ``100 · |y_true − y_pred| / max(|y_true|, 1e-7)``.

    Examples
    --------
    >>> float(MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
    25.0
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        relative = (y_true - y_pred) / np.maximum(np.abs(y_true), SMALLEST)
        return 100.0 * mean_of_last_axis(np.abs(relative))


@registry.register()
class MeanSquaredLogarithmicError(ShapedLoss):
    """Mean of ``(ln(1 + y_true) − ln(1 + y_pred))²``, for numbers that are not negative.

    Numbers below 1e-7 count as that.

    Examples
    --------
    >>> round(float(MeanSquaredLogarithmicError()([[0.0]], [[1.0]])), 4)
    0.4805
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        first = np.log(np.maximum(y_pred, SMALLEST) + 1)
        second = np.log(np.maximum(y_true, SMALLEST) + 1)
        return mean_of_last_axis(np.square(first - second))


@registry.register()
class Huber(ShapedLoss):
    """Mean of ``½ e²`` where ``|e| ≤ δ``, else ``δ |e| − ½ δ²``, with ``e = y_pred − y_true``.

    Quadratic near 0, linear far away: its gradient is never larger than δ, so that outliers do
    not rule.

    Parameters
    ----------
    delta
        Where the one passes into the other; above 0.
    reduction, name, dtype
        See `Loss`.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics
    35 (1964).

    Examples
    --------
    >>> float(Huber()([[0.0, 0.0]], [[0.5, 3.0]]))
    1.3125
    """

    delta = Setting(above_zero, 1.0)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        error = y_pred - y_true
        size = np.abs(error)
        quadratic = 0.5 * np.square(error)
        linear = self.delta * size - 0.5 * self.delta * self.delta
        return mean_of_last_axis(np.where(size <= self.delta, quadratic, linear))


# |x| + ln(1 + e^−2|x|) − ln 2: no e^x that could overflow.
log_cosh_ = Primitive(
    lambda x: np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - math.log(2),
    lambda g, z, x: g * np.tanh(x),
    name="log_cosh",
)


@registry.register()
class LogCosh(ShapedLoss):
    """Mean of ``ln cosh(y_pred − y_true)``: like ½ e² near 0, like |e| − ln 2 far away.

    Examples
    --------
    >>> round(float(LogCosh()([[0.0, 0.0]], [[1.0, 0.0]])), 4)
    0.2169
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(log_cosh_(y_pred - y_true))


def _axis(owner: str, argument: str, axis: Any) -> Any:
    if not is_whole(axis):
        raise ValueError(f"{owner}: axis must be an integer. Received: axis={axis!r}")
    return axis


@registry.register()
class CosineSimilarity(ShapedLoss):
    """``−Σ t p / (‖t‖ ‖p‖)``: −1 for the same direction, 0 for a right angle, 1 for the opposite.

    Norms below 1e-7 count as that, so that a vector of zeros is similar to nothing.

    Parameters
    ----------
    axis
        Along which the vectors lie.
    reduction, name, dtype
        See `Loss`.

    Examples
    --------
    >>> float(CosineSimilarity()([[0.0, 1.0], [1.0, 0.0]], [[0.0, 5.0], [0.0, 5.0]]))
    -0.5
    """

    axis = Setting(_axis, -1)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return -np.sum(self._direction(y_true) * self._direction(y_pred), axis=self.axis)

    def _direction(self, x: Tensor) -> Tensor:
        square = np.sum(np.square(x), axis=self.axis, keepdims=True)
        return x / np.sqrt(np.maximum(square, SMALLEST * SMALLEST))


# ---- as functions ------------------------------------------------------------------------------


mean_squared_error = as_function(MeanSquaredError, "mse", "MSE")
mean_absolute_error = as_function(MeanAbsoluteError, "mae", "MAE")
mean_absolute_percentage_error = as_function(MeanAbsolutePercentageError, "mape", "MAPE")
mean_squared_logarithmic_error = as_function(MeanSquaredLogarithmicError, "msle", "MSLE")
log_cosh = as_function(LogCosh, "logcosh")


@registry.register()
def huber(y_true: Any, y_pred: Any, delta: float = 1.0, sample_weight: Any = None) -> Tensor:
    """Squared error near 0 and absolute error far away, see `Huber`."""
    return Huber(delta)(y_true, y_pred, sample_weight)


@registry.register()
def cosine_similarity(
    y_true: Any, y_pred: Any, axis: int = -1, sample_weight: Any = None
) -> Tensor:
    """``−cos ∠(y_true, y_pred)``, see `CosineSimilarity`."""
    return CosineSimilarity(axis)(y_true, y_pred, sample_weight)
