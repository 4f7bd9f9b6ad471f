"""How well predicted distributions fit: cross-entropies, divergence, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import number
from minigrad.metrics.inputs import EPSILON, labels, matched_floats, one_hot, probabilities
from minigrad.metrics.mean import MeanOverSamples
from minigrad.metrics.metric import Array, known_as


class _CrossEntropy(MeanOverSamples):
    """What the cross-entropies have in common: predictions that may be logits."""

    def __init__(self, name: str | None = None, from_logits: bool = False) -> None:
        super().__init__(name)
        if not isinstance(from_logits, bool):
            raise ValueError(
                f"{type(self).__name__}: from_logits must be True or False. "
                f"Received: from_logits={from_logits!r}"
            )
        self.from_logits = from_logits

    def log_probabilities(self, scores: Array) -> Array:
        """Return ln p of each class, along the last axis."""
        scores = scores.astype(np.float64)
        if self.from_logits:
            # x − max − ln Σ e^(x − max): stable against the overflow of e^x.
            scores = scores - scores.max(axis=-1, keepdims=True)
            return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        total = scores.sum(axis=-1, keepdims=True)
        shares = np.divide(scores, total, out=np.zeros_like(scores), where=total != 0)
        return np.log(np.clip(shares, EPSILON, 1 - EPSILON))

    def get_config(self) -> dict[str, Any]:
        """Return the name, and whether predictions are logits."""
        return {"name": self.name, "from_logits": self.from_logits}


class _SmoothedCrossEntropy(_CrossEntropy):
    """A cross-entropy whose targets are probabilities and can be smoothed."""

    def __init__(
        self, name: str | None = None, from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name, from_logits)
        self.label_smoothing = number(
            type(self).__name__, "label_smoothing", label_smoothing, least=0, most=1
        )

    def smoothed(self, target: Array, classes: int) -> Array:
        """Return targets a little nearer to all classes alike: (1 − s) t + s / classes."""
        target = probabilities(self.owner, target).astype(np.float64)
        return target * (1 - self.label_smoothing) + self.label_smoothing / classes

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make it again."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@known_as("bce", "BCE")
class BinaryCrossentropy(_SmoothedCrossEntropy):
    """Mean of ``−t ln p − (1 − t) ln(1 − p)``, over all outputs of all samples.

    Parameters
    ----------
    name
        What the history calls it.
    from_logits
        Whether predictions are the numbers before the sigmoid, which is more accurate.
        Probabilities are clipped to (1e-7, 1 − 1e-7) for the logarithm.
    label_smoothing
        s in [0, 1]: targets t become (1 − s) t + s / 2.

    Raises
    ------
    ValueError
        For any other argument; at an update, for targets outside of [0, 1], or shapes that differ.

    Examples
    --------
    >>> round(BinaryCrossentropy()([[1.0, 0.0]], [[0.9, 0.2]]), 4)
    0.1643
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        target = self.smoothed(target, 2)
        if self.from_logits:
            # max(x, 0) − x t + ln(1 + e^−|x|): stable against the overflow of e^x.
            positive_part = np.maximum(prediction, 0)
            return positive_part - prediction * target + np.log1p(np.exp(-np.abs(prediction)))
        p = np.clip(prediction, EPSILON, 1 - EPSILON)
        return -target * np.log(p) - (1 - target) * np.log1p(-p)


@known_as()
class CategoricalCrossentropy(_SmoothedCrossEntropy):
    """Mean of ``−Σ t ln p`` over the classes, the last axis: for one-hot targets.

    Parameters
    ----------
    name
        What the history calls it.
    from_logits
        Whether predictions are the numbers before the softmax, which is more accurate.
        Probabilities are divided by their sum and clipped to (1e-7, 1 − 1e-7).
    label_smoothing
        s in [0, 1]: targets t become (1 − s) t + s / classes.

    Raises
    ------
    ValueError
        For any other argument; at an update, for targets outside of [0, 1], or shapes that differ.

    Examples
    --------
    >>> metric = CategoricalCrossentropy()
    >>> round(metric([[0, 1, 0], [0, 0, 1]], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 4)
    1.1769
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = one_hot(self.owner, y_true, y_pred)
        target = self.smoothed(target, scores.shape[-1])
        # (batch, …, classes) → (batch, …)
        return -(target * self.log_probabilities(scores)).sum(axis=-1)


@known_as()
class SparseCategoricalCrossentropy(_CrossEntropy):
    """Mean of ``−ln p`` of the label's class: for whole numbers as labels.

    Parameters
    ----------
    name
        What the history calls it.
    from_logits
        As for `CategoricalCrossentropy`.

    Raises
    ------
    ValueError
        At an update, for a label that is none of the classes, or shapes that do not fit.

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1, 2], [[0.05, 0.95, 0], [0.1, 0.8, 0.1]]), 4)
    1.1769
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = labels(self.owner, y_true, y_pred)
        logarithms = self.log_probabilities(scores)
        return -np.take_along_axis(logarithms, target[..., None], axis=-1)[..., 0]


@known_as()
class KLDivergence(MeanOverSamples):
    """Mean of ``Σ t ln(t / p)`` over the last axis; both are clipped to [1e-7, 1].

    Examples
    --------
    >>> round(KLDivergence()([[0.0, 1.0], [0.0, 0.0]], [[0.6, 0.4], [0.4, 0.6]]), 4)
    0.4581
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        target = np.clip(target, EPSILON, 1)
        return (target * np.log(target / np.clip(prediction, EPSILON, 1))).sum(axis=-1)


@known_as()
class Poisson(MeanOverSamples):
    """Mean of ``p − t ln(p + 1e-7)``: for counts t and predicted rates p.

    Raises
    ------
    ValueError
        At an update, for a negative prediction, which is no rate, or shapes that differ.

    Examples
    --------
    >>> round(Poisson()([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]), 4)
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched_floats(self.owner, y_true, y_pred)
        if prediction.min() < 0:
            raise ValueError(
                f"{self.owner}: predictions are rates and must not be negative. "
                f"Received: down to {prediction.min()}"
            )
        return prediction - target * np.log(prediction + EPSILON)
