"""Losses of segmentation: how little the predicted area and the true one overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import number
from minigrad.engine import Tensor
from minigrad.losses.loss import SMALLEST, ShapedLoss, function_of, registry


@registry.register()
class Tversky(ShapedLoss):
    """``1 − S / (S + α F + β M)``: of what is found (S), wrongly found (F) and missed (M).

    ``S = Σ t p``, ``F = Σ (1 − t) p``, ``M = Σ t (1 − p)``.

    Parameters
    ----------
    alpha, beta
        What a wrong find and a missed one cost. At ½ and ½ it is the loss of Dice.
    reduction, name, dtype
        See `Loss`.
    axis
        The axes to sum over, by default all, the batch included; ``(1, 2, 3)`` gives a value for
        each image.

    References
    ----------
    S. S. M. Salehi, D. Erdogmus and A. Gholipour, "Tversky loss function for image segmentation
    using 3D fully convolutional deep networks", 2017.

    Examples
    --------
    >>> round(float(Tversky()([[1.0, 1.0, 0.0]], [[1.0, 0.0, 1.0]])), 4)
    0.5
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.alpha = number(type(self).__name__, "alpha", alpha, least=0)
        self.beta = number(type(self).__name__, "beta", beta, least=0)
        self.axis = tuple(axis) if isinstance(axis, list) else axis

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        found = np.sum(y_true * y_pred, axis=self.axis)
        wrong = np.sum((1 - y_true) * y_pred, axis=self.axis)
        missed = np.sum(y_true * (1 - y_pred), axis=self.axis)
        return 1 - found / (found + self.alpha * wrong + self.beta * missed + SMALLEST)

    def get_config(self) -> dict[str, Any]:
        settings = {"alpha": self.alpha, "beta": self.beta, "axis": self.axis}
        return {**super().get_config(), **settings}


@registry.register()
class Dice(Tversky):
    """``1 − 2 Σ t p / (Σ t + Σ p)``: 0 for areas that are the same, 1 for areas apart.

    Parameters are those of `Tversky` but for α and β, which are ½.

    References
    ----------
    L. R. Dice, "Measures of the Amount of Ecologic Association Between Species", Ecology 26 (1945).

    Examples
    --------
    >>> round(float(Dice()([[1.0, 1.0, 0.0]], [[0.5, 1.0, 0.5]])), 4)
    0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        axis: int | tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0.5, 0.5, reduction, name, axis, dtype)

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config().items() if k not in ("alpha", "beta")}


@function_of(Tversky)
def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Tensor:
    """``1 − S / (S + α F + β M)`` over `axis`, see `Tversky`."""
    return Tversky(alpha, beta, axis=axis).each(y_true, y_pred)


@function_of(Dice)
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Tensor:
    """``1 − 2 Σ t p / (Σ t + Σ p)`` over `axis`, see `Dice`."""
    return Dice(axis=axis).each(y_true, y_pred)
