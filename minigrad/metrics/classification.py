"""Right and wrong positives, and what is made of them: counts, precision, recall, F-score."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minigrad.checks import above_zero, number, one_of, or_none, positive_integer
from minigrad.metrics.inputs import binary, matched, weights, whole
from minigrad.metrics.metric import Array, Metric, checked_name, divided, known_as
from minigrad.signatures import Setting


def _thresholds(owner: str, argument: str, given: Any) -> float | list[float] | None:
    if isinstance(given, list | tuple | np.ndarray):
        if len(given) == 0:
            raise ValueError(f"{owner}: thresholds must hold a number. Received: {given!r}")
        return [number(owner, argument, value, 0, 1) for value in given]
    return None if given is None else number(owner, argument, given, 0, 1)


class Counts(Metric):
    """Base of the metrics that count what is predicted positive and negative beyond thresholds.

    Parameters
    ----------
    thresholds
        Above it a prediction counts as positive, by default 0.5; for a list there is a result for
        each, in an array.
    name, dtype
        See `Metric`.
    top_k
        Of precision and recall: count only the k largest predictions of a sample, without a
        threshold unless one is given.
    class_id
        Of precision and recall: look at this class only, an index of the last axis.
    """

    # "true" or "false", and of which: "positives" or "negatives". A variable counts each.
    kinds: ClassVar[tuple[str, ...]]
    thresholds = Setting(_thresholds, None)
    top_k: int | None = None
    class_id: int | None = None

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        for name in self.kinds:
            setattr(self, name, self.add_weight((len(self._limits()),), "zeros", "float64", name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in one batch; `sample_weight` is one for all, for a sample, or for its parts."""
        if self.top_k is not None and np.ndim(y_pred) == 1:  # the scores of one sample
            y_true, y_pred = np.reshape(y_true, (1, -1)), np.reshape(y_pred, (1, -1))
        target, prediction = matched(self.owner, y_true, y_pred)
        is_true = binary(self.owner, target)
        each = weights(self.owner, sample_weight, target.shape)
        # (thresholds, batch, …)
        is_predicted = np.stack([prediction > limit for limit in self._limits()])
        if self.top_k is not None:
            is_predicted &= self._is_among_the_first(prediction)
        if self.class_id is not None:
            is_true, each, is_predicted = (
                self._of_one_class(array) for array in (is_true, each, is_predicted)
            )
        along = tuple(range(1, is_predicted.ndim))
        for variable in self.variables:
            verdict, side = variable.name.split("_")
            is_on_side = is_predicted == (side == "positives")
            is_right = is_predicted == is_true
            counts = is_on_side & (is_right == (verdict == "true"))
            variable.assign_add((each * counts).sum(axis=along))

    def result(self) -> Any:
        """Return what was counted, an array for several thresholds."""
        return self._for_each_threshold(self.variables[0].numpy())

    def _for_each_threshold(self, values: Array) -> Any:
        return values if len(values) > 1 else float(values[0])

    def _limits(self) -> list[float]:
        if self.thresholds is None:
            return [0.5 if self.top_k is None else -np.inf]
        return self.thresholds if isinstance(self.thresholds, list) else [self.thresholds]

    def _is_among_the_first(self, prediction: Array) -> Array:
        """Whether a score is one of the k largest of its sample; of equal ones the first count."""
        assert self.top_k is not None
        if self.top_k > prediction.shape[-1]:
            raise ValueError(
                f"{self.owner}: top_k={self.top_k} is more than the classes of the predictions "
                f"{prediction.shape}"
            )
        first = np.argsort(-prediction.astype(np.float64), axis=-1, kind="stable")
        is_first = np.zeros(prediction.shape, bool)
        np.put_along_axis(is_first, first[..., : self.top_k], True, axis=-1)
        return is_first

    def _of_one_class(self, array: Array) -> Array:
        assert self.class_id is not None
        if self.class_id >= array.shape[-1]:
            raise ValueError(
                f"{self.owner}: class_id={self.class_id}, but the predictions have "
                f"{array.shape[-1]} classes, 0 to {array.shape[-1] - 1}"
            )
        return array[..., self.class_id]


@known_as()
class TruePositives(Counts):
    """How many are predicted that are true."""

    kinds = ("true_positives",)


@known_as()
class FalsePositives(Counts):
    """How many are predicted that are not true."""

    kinds = ("false_positives",)


@known_as()
class TrueNegatives(Counts):
    """How many are not predicted that are not true."""

    kinds = ("true_negatives",)


@known_as()
class FalseNegatives(Counts):
    """How many are not predicted that are true."""

    kinds = ("false_negatives",)


class _Share(Counts):
    """Base of precision and recall: a share of true positives; parameters as `Counts`."""

    thresholds = Counts.thresholds  # the first of them
    top_k = Setting(or_none(positive_integer), None)
    class_id = Setting(or_none(whole), None)

    def result(self) -> Any:
        """Return the share, or an array of one for each threshold; 0 before a batch."""
        right, wrong = (variable.numpy() for variable in self.variables)
        return self._for_each_threshold(divided(right, right + wrong))


@known_as()
class Precision(_Share):
    """``true positives / (true + false positives)``: how many of those predicted are true.

    Parameters are those of `Counts`.

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [0.9, 0.2, 0.7, 0.8])
    0.6666666666666666
    """

    kinds = ("true_positives", "false_positives")


@known_as()
class Recall(_Share):
    """``true positives / (true positives + false negatives)``: how many of the true are found.

    Parameters are those of `Counts`.

    Examples
    --------
    >>> Recall()([0, 1, 1, 1], [0.9, 0.2, 0.7, 0.1])
    0.3333333333333333
    """

    kinds = ("true_positives", "false_negatives")


@known_as("fbeta_score")
class FBetaScore(Metric):
    """``(1 + β²) P R / (β² P + R)``: precision P and recall R in one, R weighing β times as much.

    Parameters
    ----------
    average
        What to make of the scores of several classes: None, an array of them; ``"macro"``, their
        mean; ``"weighted"``, weighted by how often each class is true; ``"micro"``, one score of
        all counts together.
    beta
        β, above 0.
    threshold
        Above it a prediction counts as positive; None counts the largest of each sample.
    name, dtype
        See `Metric`.

    Examples
    --------
    >>> metric = FBetaScore(average="macro", beta=2.0, threshold=0.5)
    >>> round(metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.8], [0.6, 0.8]]), 4)
    0.8117
    """

    average = Setting(or_none(partial(one_of, known=("micro", "macro", "weighted"))), None)
    beta = Setting(above_zero, 1.0)
    threshold = Setting(or_none(partial(number, least=0, most=1)), None)
    name = Setting(partial(checked_name, usual="fbeta_score"), None)
    _counts = ("true_positives", "false_positives", "false_negatives")

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        axes = 0 if self.average == "micro" else 1
        self.gathers: Mapping[str, int] = dict.fromkeys(self._counts, axes)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = matched(self.owner, y_true, y_pred)
        known = self.state.get("true_positives", target)
        if target.ndim != 2 or (known.ndim and known.shape[-1] != target.shape[-1]):
            raise ValueError(
                f"{self.owner}: expected targets and predictions of shape (batch, classes), of as "
                f"many classes in each batch. Received: shape {target.shape}"
            )
        is_true = binary(self.owner, target)
        if self.threshold is None:
            # A sample without any score has no largest: zeros are never positive.
            is_largest = prediction >= prediction.max(axis=-1, keepdims=True)
            is_predicted = is_largest & (np.abs(prediction) > 1e-9)
        else:
            is_predicted = prediction > self.threshold
        each = weights(self.owner, sample_weight, target.shape)
        axis = None if self.average == "micro" else 0
        self.add("true_positives", (each * (is_predicted & is_true)).sum(axis=axis))
        self.add("false_positives", (each * (is_predicted & ~is_true)).sum(axis=axis))
        self.add("false_negatives", (each * (~is_predicted & is_true)).sum(axis=axis))

    def result(self) -> Any:
        """Return the score, or one for each class; 0 before the first batch."""
        right, wrong, missed = (self.state.get(name, np.array(0.0)) for name in self._counts)
        square = self.beta**2
        # The formula of P and R with their common factor taken out.
        scores = divided((1 + square) * right, (1 + square) * right + square * missed + wrong)
        if self.average == "weighted":
            frequency = right + missed
            return float(divided((scores * frequency).sum(), frequency.sum()))
        if self.average is not None:
            return float(scores.mean())
        return scores if scores.ndim else float(scores)


@known_as()
class F1Score(FBetaScore):
    """``2 P R / (P + R)``: the harmonic mean of precision P and recall R.

    Parameters as `FBetaScore`, whose β is 1 here.

    Examples
    --------
    >>> F1Score(average="micro", threshold=0.5)([[1, 0], [0, 1]], [[0.9, 0.8], [0.2, 0.7]])
    0.8
    """

    average, threshold = FBetaScore.average, FBetaScore.threshold
    name = Setting(partial(checked_name, usual="f1_score"), None)
    beta = 1.0
