"""The area under a curve of counts, one point for each of many thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.checks import boolean, number, one_of, positive_integer
from minigrad.metrics.classification import Counts
from minigrad.metrics.inputs import binary, matched, weights
from minigrad.metrics.metric import divided, known_as


@known_as()
class AUC(Counts):
    """Area under the ROC curve: how often a positive is ranked above a negative; or under PR.

    The ROC curve is recall over the share of false positives; PR is precision over recall.

    Parameters
    ----------
    num_thresholds, thresholds
        How many points the curve has, or the thresholds between 0 and 1 to use.
    curve, summation_method
        ``"ROC"`` or ``"PR"``; ``"interpolation"`` between two points (for PR by J. Davis and M.
        Goadrich, ICML 2006), or the smaller of both, ``"minoring"``, or the larger, ``"majoring"``.
    from_logits
        Whether predictions are the numbers before the sigmoid.
    name, dtype
        See `Metric`.

    Raises
    ------
    ValueError
        For any other argument; at an update as `Counts` does.

    Examples
    --------
    >>> round(AUC()([0, 0, 1, 1], [0.1, 0.5, 0.3, 0.9]), 2)
    0.75
    """

    kinds = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    settings = ("num_thresholds", "curve", "summation_method", "thresholds", "from_logits")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if thresholds is None and positive_integer("AUC", "num_thresholds", num_thresholds) < 2:
            raise ValueError(f"AUC: num_thresholds must be above 1. Received: {num_thresholds}")
        given = None if thresholds is None else sorted(thresholds)
        inner = np.linspace(0, 1, num_thresholds)[1:-1] if given is None else given
        self._points = [-1e-7, *(number("AUC", "thresholds", t, 0, 1) for t in inner), 1 + 1e-7]
        super().__init__(given, name, dtype)
        self.num_thresholds = len(self._points)
        self.curve = one_of("AUC", "curve", str(curve).upper(), ("ROC", "PR"))
        methods = ("interpolation", "minoring", "majoring")
        self.summation_method = one_of("AUC", "summation_method", summation_method, methods)
        self.from_logits = boolean("AUC", "from_logits", from_logits)

    def _limits(self) -> list[float]:
        return self._points

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = matched(self.owner, y_true, y_pred)
        is_true = binary(self.owner, target)
        each = weights(self.owner, sample_weight, target.shape)
        if self.from_logits:
            prediction = 0.5 * (1 + np.tanh(0.5 * prediction))  # σ, which cannot overflow
        # The thresholds that a prediction exceeds are the first so many.
        exceeded = np.searchsorted(self._points, prediction.ravel().clip(0, 1))
        counted = dict(zip(self.kinds, self.variables, strict=True))
        for side, of in (("true_positives", is_true), ("false_positives", ~is_true)):
            weight = (each * of).ravel()
            each_point = np.bincount(exceeded, weight, minlength=self.num_thresholds + 1)
            predicted = each_point[::-1].cumsum()[-2::-1]
            missed = "false_negatives" if side == "true_positives" else "true_negatives"
            counted[side].assign_add(predicted)
            counted[missed].assign_add(weight.sum() - predicted)

    def result(self) -> float:
        """Return the area; 0 before the first batch."""
        right, wrong, rejected, missed = (variable.numpy() for variable in self.variables)
        recall = divided(right, right + missed)
        if self.curve == "PR" and self.summation_method == "interpolation":
            # Between two points both counts grow evenly: ∫ precision d(recall), in closed form.
            found, of = -np.diff(right), right + wrong
            slope = divided(found, -np.diff(of))
            rest = right[1:] - slope * of[1:]
            ratio = np.where((of[:-1] > 0) & (of[1:] > 0), divided(of[:-1], of[1:]), 1)
            return float(
                divided(slope * (found + rest * np.log(ratio)), (right + missed)[1:]).sum()
            )
        x, y = recall, divided(right, right + wrong)
        if self.curve == "ROC":
            x, y = divided(wrong, wrong + rejected), recall
        lower, upper = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
        share = {"minoring": 0.0, "interpolation": 0.5, "majoring": 1.0}[self.summation_method]
        return float((-np.diff(x) * (lower + share * (upper - lower))).sum())
