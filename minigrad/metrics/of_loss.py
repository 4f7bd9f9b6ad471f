"""Metrics that are the mean of a loss over all samples: the loss itself computes them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minigrad.losses.loss import Loss
from minigrad.metrics.inputs import matched
from minigrad.metrics.mean import MeanOverSamples
from minigrad.metrics.metric import Array


class MeanOfLoss(MeanOverSamples):
    """The mean of a `loss` over all samples since the last reset, in float64.

    Parameters
    ----------
    name, dtype
        See `Metric`.
    **settings
        Those of the loss.

    Raises
    ------
    ValueError
        At an update, if the shapes differ, there are no samples, or the targets do not suit.
    """

    loss: ClassVar[type[Loss]]

    def __init__(self, name: str | None = None, dtype: Any = None, **settings: Any) -> None:
        super().__init__(name, dtype)
        self._loss = self.loss(reduction="none", **settings)
        self._settings = settings
        vars(self).update(settings)

    def checked(self, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
        """Return targets and predictions as arrays of one shape."""
        return matched(self.owner, y_true, y_pred)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        """Return the loss of each sample: losses are in NumPy's notation, so arrays will do."""
        both: Any = [np.asarray(array, np.float64) for array in self.checked(y_true, y_pred)]
        return np.asarray(self._loss.call(*both))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it again."""
        return {**super().get_config(), **self._settings}
