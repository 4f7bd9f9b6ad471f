"""The area under a curve of counts, one point for each of many thresholds."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minigrad.checks import boolean, one_of
from minigrad.metrics.classification import Counts
from minigrad.metrics.inputs import binary, matched, weights, whole
from minigrad.metrics.metric import divided, known_as
from minigrad.signatures import Setting

_CURVES = ("ROC", "PR")
# Of the step from the smaller of two neighbours to the larger.
_SHARES = {"minoring": 0.0, "interpolation": 0.5, "majoring": 1.0}


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

    Examples
    --------
    >>> round(AUC()([0, 0, 1, 1], [0.1, 0.5, 0.3, 0.9]), 2)
    0.75
    """

    kinds = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    num_thresholds = Setting(partial(whole, least=2), 200)
    curve = Setting(lambda kind, name, word: one_of(kind, name, str(word).upper(), _CURVES), "ROC")
    summation_method = Setting(partial(one_of, known=tuple(_SHARES)), "interpolation")
    name, dtype, thresholds = Counts.name, Counts.dtype, Counts.thresholds
    from_logits = Setting(boolean, False)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.num_thresholds = len(self._limits())

    def _limits(self) -> list[float]:
        if self.thresholds is None:
            inner = np.linspace(0, 1, self.num_thresholds)[1:-1].tolist()
        else:
            inner = sorted(super()._limits())
        return [-1e-7, *inner, 1 + 1e-7]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = matched(self.owner, y_true, y_pred)
        is_true = binary(self.owner, target)
        each = weights(self.owner, sample_weight, target.shape)
        if self.from_logits:
            prediction = 0.5 * (1 + np.tanh(0.5 * prediction))  # σ, which cannot overflow
        # The thresholds that a prediction exceeds are the first so many.
        exceeded = np.searchsorted(self._limits(), prediction.ravel().clip(0, 1))
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
        share = _SHARES[self.summation_method]
        return float((-np.diff(x) * (lower + share * (upper - lower))).sum())
