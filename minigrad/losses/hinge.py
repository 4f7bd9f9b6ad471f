"""Hinge losses: a margin between right and wrong, and nothing beyond it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.losses.loss import ShapedLoss, as_function, mean_of_last_axis, registry


def _as_signs(target: Tensor) -> Any:
    """Return targets as −1 and 1; those that are all 0 or 1 are taken for classes."""
    are_classes = np.all(np.logical_or(target == 0, target == 1))
    return np.where(are_classes, 2 * target - 1, target)


@registry.register()
class Hinge(ShapedLoss):
    """Mean of ``max(1 − t p, 0)``, for targets of −1 and 1 (0 and 1 are turned into them).

    Parameters, shapes and errors are those of `Loss`.

    Examples
    --------
    >>> float(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.25
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(np.maximum(1 - _as_signs(y_true) * y_pred, 0))


@registry.register()
class SquaredHinge(ShapedLoss):
    """Mean of ``max(1 − t p, 0)²``, for targets as `Hinge` has them.

    Examples
    --------
    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.125
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(np.square(np.maximum(1 - _as_signs(y_true) * y_pred, 0)))


@registry.register()
class CategoricalHinge(ShapedLoss):
    """``max(1 + max((1 − t) p) − Σ t p, 0)`` over the last axis, for one-hot targets.

    Examples
    --------
    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        right = np.sum(y_true * y_pred, axis=-1)
        wrong = np.max((1 - y_true) * y_pred, axis=-1)
        return np.maximum(wrong - right + 1, 0)


hinge = as_function(Hinge)
squared_hinge = as_function(SquaredHinge)
categorical_hinge = as_function(CategoricalHinge)
