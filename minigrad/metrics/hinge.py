"""How far a score is on the right side: hinges."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad import losses
from minigrad.metrics.inputs import one_hot
from minigrad.metrics.mean import MeanOfLoss
from minigrad.metrics.metric import Array, known_as


@known_as()
class Hinge(MeanOfLoss):
    """Mean of ``max(1 − t y, 0)``: 0 for scores y that are right by 1 or more.

    Targets t are −1 and 1, or 0 and 1.

    Examples
    --------
    >>> Hinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])
    1.3
    """

    loss: ClassVar[type[losses.Loss]] = losses.Hinge

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        target, prediction = super().checked(y_true, y_pred)
        wrong = ~np.isin(target, (-1, 0, 1))
        if wrong.any():
            raise ValueError(
                f"{self.owner}: targets must be -1 or 1 (or 0 or 1). Received: {target[wrong][0]}"
            )
        return np.where(target > 0, 1, -1), prediction


@known_as()
class SquaredHinge(Hinge):
    """Mean of ``max(1 − t y, 0)²``; targets as `Hinge`."""

    loss = losses.SquaredHinge


@known_as()
class CategoricalHinge(MeanOfLoss):
    """Mean of ``max(largest wrong score − right score + 1, 0)``: for one-hot targets."""

    loss = losses.CategoricalHinge

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        return one_hot(self.owner, y_true, y_pred)
