"""The share of the targets' variance that predictions explain."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from minigrad.checks import one_of, or_none
from minigrad.metrics.inputs import matched, weights, whole
from minigrad.metrics.metric import Array, Metric, divided, known_as
from minigrad.signatures import Setting

_AGGREGATIONS = ("uniform_average", "variance_weighted_average")


@known_as()
class R2Score(Metric):
    """``R² = 1 − Σ (y_true − y_pred)² / Σ (y_true − mean)²``, over the whole epoch.

    1 is perfect; 0 is as good as always predicting the mean; there is no lower limit. Where the
    targets of an output are all equal there is nothing to explain: the score is then 1 if they are
    met exactly, and 0 if not, as in scikit-learn.

    Parameters
    ----------
    class_aggregation
        What to make of the scores of several outputs: ``"uniform_average"``, their mean;
        ``"variance_weighted_average"``, weighted by how much each target varies; None, an array.
    num_regressors
        The number of inputs p, for the adjusted score ``1 − (1 − R²) (n − 1) / (n − p − 1)`` of
        n samples; 0 for the plain one.
    name, dtype
        See `Metric`.

    Examples
    --------
    >>> R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]])
    0.5714285714285714
    """

    gathers: Mapping[str, int] = {
        "origin": 1, "sum": 1, "squared_sum": 1, "residual": 1, "count": 1, "samples": 0,
    }  # fmt: skip
    class_aggregation = Setting(or_none(partial(one_of, known=_AGGREGATIONS)), "uniform_average")
    num_regressors = Setting(whole, 0)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = (
            array.astype(np.float64) for array in matched(self.owner, y_true, y_pred)
        )
        if target.ndim != 2 or target.shape[1:] != self.state.get("sum", target[0]).shape:
            outputs = len(self.state["sum"]) if self.state else "outputs"
            raise ValueError(
                f"{self.owner}: expected targets and predictions of shape (batch, {outputs}). "
                f"Received: shape {target.shape}"
            )
        each = weights(self.owner, sample_weight, target.shape)
        # Counted from the first target of all: squares of large numbers would cancel, and targets
        # that never change would seem to.
        shifted = target - self.state.setdefault("origin", target[0].copy())
        self.add("sum", (each * shifted).sum(axis=0))
        self.add("squared_sum", (each * shifted**2).sum(axis=0))
        self.add("residual", (each * (target - prediction) ** 2).sum(axis=0))
        self.add("count", each.sum(axis=0))
        self.add("samples", np.any(each != 0, axis=1).sum())  # a weight of 0 leaves one out

    def result(self) -> Any:
        """Return the score, or one for each output; 0 before the first batch."""
        if not self.state:
            return 0.0
        state = self.state
        # Σ (y − mean)² = Σ y² − (Σ y)² / n
        variation = state["squared_sum"] - divided(state["sum"] ** 2, state["count"])
        unexplained = divided(state["residual"], variation)
        is_constant = variation == 0
        scores = np.where(is_constant, np.where(state["residual"] == 0, 1.0, 0.0), 1 - unexplained)
        if self.class_aggregation == "variance_weighted_average" and not is_constant.all():
            scores = np.asarray((scores * variation).sum() / variation.sum())
        elif self.class_aggregation is not None:
            scores = scores.mean()
        adjusted = self._adjusted(scores)
        return float(adjusted) if np.ndim(adjusted) == 0 else adjusted

    def _adjusted(self, scores: Array) -> Array:
        freedom = float(self.state["samples"]) - self.num_regressors - 1
        if self.num_regressors and freedom <= 0:
            warnings.warn(
                f"{self.owner}: the score cannot be adjusted for {self.num_regressors} regressors "
                f"by {int(self.state['samples'])} samples; the plain one is shown",
                stacklevel=3,
            )
        elif self.num_regressors:
            return 1 - (1 - scores) * (float(self.state["samples"]) - 1) / freedom
        return scores
