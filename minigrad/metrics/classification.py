"""Right and wrong positives, and what is made of them: precision, recall, F-score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.checks import above_zero, number, one_of, positive_integer
from minigrad.metrics.inputs import binary, matched, weights
from minigrad.metrics.metric import Array, Metric, divided, known_as


class _Positives(Metric):
    """What precision and recall have in common: they count positives beyond thresholds."""

    # How the wrong ones are called, and whether those are predicted positives or missed ones.
    _wrong: str

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        kind = type(self).__name__
        self.gathers: Mapping[str, int] = {"true_positives": 1, self._wrong: 1}
        self.thresholds: float | list[float] | None
        if isinstance(thresholds, list | tuple):
            if not thresholds:
                raise ValueError(f"{kind}: thresholds must hold a number. Received: {thresholds!r}")
            self.thresholds = [number(kind, "thresholds", value, 0, 1) for value in thresholds]
        else:
            is_given = thresholds is not None
            self.thresholds = number(kind, "thresholds", thresholds, 0, 1) if is_given else None
        self.top_k = None if top_k is None else positive_integer(kind, "top_k", top_k)
        is_class = isinstance(class_id, int) and not isinstance(class_id, bool) and class_id >= 0
        if class_id is not None and not is_class:
            raise ValueError(
                f"{kind}: class_id must be an integer, 0 or larger. Received: class_id={class_id!r}"
            )
        self.class_id = class_id

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        target, prediction = matched(self.owner, y_true, y_pred)
        is_true = binary(self.owner, target)
        each = np.ones(target.shape)
        if sample_weight is not None:
            each = weights(self.owner, sample_weight, target.shape)
        # (thresholds, batch, …)
        is_predicted = np.stack([prediction > limit for limit in self._limits()])
        if self.top_k is not None:
            is_predicted &= self._is_among_the_first(prediction)
        if self.class_id is not None:
            is_true, each, is_predicted = (
                self._of_one_class(array) for array in (is_true, each, is_predicted)
            )
        wrong = (
            is_predicted & ~is_true if self._wrong == "false_positives" else ~is_predicted & is_true
        )
        along = tuple(range(1, is_predicted.ndim))
        self.add("true_positives", (each * (is_predicted & is_true)).sum(axis=along))
        self.add(self._wrong, (each * wrong).sum(axis=along))

    def result(self) -> Any:
        """Return the share, or an array of one for each threshold of a list; 0 before a batch."""
        right = self.state.get("true_positives", np.zeros(len(self._limits())))
        shares = divided(right, right + self.state.get(self._wrong, 0.0))
        return shares if isinstance(self.thresholds, list) else float(shares[0])

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

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it again."""
        return {
            "thresholds": self.thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
            "name": self.name,
        }


@known_as()
class Precision(_Positives):
    """``true positives / (true + false positives)``: how many of those predicted are true.

    Parameters
    ----------
    thresholds
        Above it a prediction counts as positive, by default 0.5; for a list there is a result for
        each, in an array.
    top_k
        Count only the k largest predictions of a sample, without a threshold unless one is given.
    class_id
        Look at this class only, an index of the last axis.
    name
        What the history calls it.

    Raises
    ------
    ValueError
        For any other argument; at an update, for targets that are not 0 or 1, or shapes that
        differ.

    Examples
    --------
    >>> Precision()([0, 1, 1, 1], [0.9, 0.2, 0.7, 0.8])
    0.6666666666666666
    """

    _wrong = "false_positives"


@known_as()
class Recall(_Positives):
    """``true positives / (true positives + false negatives)``: how many of the true are found.

    Parameters and errors as `Precision`.

    Examples
    --------
    >>> Recall()([0, 1, 1, 1], [0.9, 0.2, 0.7, 0.1])
    0.3333333333333333
    """

    _wrong = "false_negatives"


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
    name
        What the history calls it.

    Raises
    ------
    ValueError
        For any other argument; at an update, for targets that are not 0 or 1, or are not of shape
        (batch, classes).

    Examples
    --------
    >>> metric = FBetaScore(average="macro", beta=2.0, threshold=0.5)
    >>> round(metric([[1, 1], [1, 0], [1, 1]], [[0.2, 0.6], [0.6, 0.8], [0.6, 0.8]]), 4)
    0.8117
    """

    default_name = "fbeta_score"
    _counts = ("true_positives", "false_positives", "false_negatives")

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        kind = type(self).__name__
        if average is not None:
            one_of(kind, "average", average, ("micro", "macro", "weighted"))
        self.average = average
        self.beta = above_zero(kind, "beta", beta)
        self.threshold = None if threshold is None else number(kind, "threshold", threshold, 0, 1)
        self.gathers: Mapping[str, int] = dict.fromkeys(
            self._counts, 0 if average == "micro" else 1
        )

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
        each = np.ones(target.shape)
        if sample_weight is not None:
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

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it again."""
        return {
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
            "name": self.name,
        }


@known_as()
class F1Score(FBetaScore):
    """``2 P R / (P + R)``: the harmonic mean of precision P and recall R.

    Parameters and errors as `FBetaScore`, whose β is 1 here.

    Examples
    --------
    >>> F1Score(average="micro", threshold=0.5)([[1, 0], [0, 1]], [[0.9, 0.8], [0.2, 0.7]])
    0.8
    """

    default_name = "f1_score"

    def __init__(
        self, average: str | None = None, threshold: float | None = None, name: str | None = None
    ) -> None:
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it again."""
        return {"average": self.average, "threshold": self.threshold, "name": self.name}
