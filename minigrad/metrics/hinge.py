"""How far a score is on the right side: hinges."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.metrics.inputs import matched_floats, one_hot
from minigrad.metrics.mean import MeanOverSamples
from minigrad.metrics.metric import Array, known_as


def _shortfall(owner: str, y_true: Any, y_pred: Any) -> Array:
    """Return ``max(1 − t y, 0)``; targets t are −1 and 1, or 0 and 1, which count as those.

    Raises
    ------
    ValueError
        For any other target, or shapes that differ.
    """
    target, prediction = matched_floats(owner, y_true, y_pred)
    wrong = ~np.isin(target, (-1, 0, 1))
    if wrong.any():
        raise ValueError(
            f"{owner}: targets must be -1 or 1 (or 0 or 1). Received: {target[wrong][0]}"
        )
    return np.maximum(1 - np.where(target > 0, 1, -1) * prediction, 0)


@known_as()
class Hinge(MeanOverSamples):
    """Mean of ``max(1 − t y, 0)``: 0 for scores y that are right by 1 or more.

    Targets t are −1 and 1, or 0 and 1.

    Examples
    --------
    >>> Hinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]])
    1.3
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return _shortfall(self.owner, y_true, y_pred)


@known_as()
class SquaredHinge(MeanOverSamples):
    """Mean of ``max(1 − t y, 0)²``; targets as `Hinge`.

    Examples
    --------
    >>> round(SquaredHinge()([[0, 1], [0, 0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    1.86
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return np.square(_shortfall(self.owner, y_true, y_pred))


@known_as()
class CategoricalHinge(MeanOverSamples):
    """Mean of ``max(largest wrong score − right score + 1, 0)``: for one-hot targets.

    Examples
    --------
    >>> round(CategoricalHinge()([[0, 1], [1, 0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    1.2
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = one_hot(self.owner, y_true, y_pred)
        right = (target * scores).sum(axis=-1)
        wrong = ((1.0 - target) * scores).max(axis=-1)
        return np.maximum(wrong - right + 1, 0)
