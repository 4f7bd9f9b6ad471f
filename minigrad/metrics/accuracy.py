"""How often a prediction is right, by what counts as right: equal, beyond a threshold, first."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import number, positive_integer
from minigrad.metrics.inputs import labels, matched, one_hot
from minigrad.metrics.mean import MeanOverSamples
from minigrad.metrics.metric import Array, Metric, known_as
from minigrad.signatures import Setting


@known_as()
class Accuracy(MeanOverSamples):
    """Mean of ``y_true = y_pred``: for predictions that are labels already.

    By the name ``"accuracy"`` a model is given the one that fits its targets instead; see
    `minigrad.metrics.resolve`.

    Examples
    --------
    >>> Accuracy()([[1], [2], [3], [4]], [[0], [2], [3], [4]])
    0.75
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched(self.owner, y_true, y_pred)
        if target.dtype.kind == prediction.dtype.kind == "f":
            target = target.astype(prediction.dtype)  # 0.1 is another number in float64
        return target == prediction


@known_as()
class BinaryAccuracy(MeanOverSamples):
    """Mean of ``y_true = (y_pred > threshold)``, over all outputs of all samples.

    Parameters
    ----------
    name, dtype
        See `Metric`.
    threshold
        Above it a prediction counts as 1. Predictions that are logits need 0.

    Examples
    --------
    >>> BinaryAccuracy()([[1], [1], [0], [0]], [[0.98], [1.0], [0.0], [0.6]])
    0.75
    """

    name, dtype = Metric.name, Metric.dtype  # which come first here
    threshold = Setting(number, 0.5)

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, prediction = matched(self.owner, y_true, y_pred)
        return target == (prediction > self.threshold)


@known_as()
class CategoricalAccuracy(MeanOverSamples):
    """Mean of ``argmax y_true = argmax y_pred``: for one-hot targets, and probabilities or logits.

    Of equal scores the first wins.

    Examples
    --------
    >>> CategoricalAccuracy()([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.05, 0.95, 0]])
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = one_hot(self.owner, y_true, y_pred)
        return target.argmax(axis=-1) == scores.argmax(axis=-1)


@known_as()
class SparseCategoricalAccuracy(MeanOverSamples):
    """Mean of ``y_true = argmax y_pred``: for whole numbers as labels, (batch,) or (batch, 1).

    Examples
    --------
    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.6, 0.3], [0.05, 0.95, 0]])
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = labels(self.owner, y_true, y_pred)
        return target == scores.argmax(axis=-1)


class _TopK(MeanOverSamples):
    """What the two metrics of the first k have in common."""

    k = Setting(positive_integer, 5)

    def is_among_the_first(self, target: Array, scores: Array) -> Array:
        """Whether each label's score reaches the k-th largest; equal scores all count."""
        classes = scores.shape[-1]
        if self.k > classes:
            raise ValueError(
                f"{self.owner}: k={self.k} of {classes} classes would always be right "
                f"(predictions {scores.shape}); choose a smaller k"
            )
        least = np.partition(scores, classes - self.k, axis=-1)[..., classes - self.k]
        return np.take_along_axis(scores, target[..., None], axis=-1)[..., 0] >= least


@known_as()
class TopKCategoricalAccuracy(_TopK):
    """How often the class of a one-hot target is among the k with the largest scores.

    Parameters
    ----------
    k
        How many scores to look at; fewer than classes, or all.
    name, dtype
        See `Metric`.

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.5, 0.1, 0.4]])
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        target, scores = one_hot(self.owner, y_true, y_pred)
        return self.is_among_the_first(target.argmax(axis=-1), scores)


@known_as()
class SparseTopKCategoricalAccuracy(_TopK):
    """How often a label is among the k classes with the largest scores.

    Parameters as `TopKCategoricalAccuracy`; the targets are whole numbers.

    Examples
    --------
    >>> SparseTopKCategoricalAccuracy(k=2)([2, 1], [[0.1, 0.9, 0.8], [0.5, 0.1, 0.4]])
    0.5
    """

    def values(self, y_true: Any, y_pred: Any) -> Array:
        return self.is_among_the_first(*labels(self.owner, y_true, y_pred))
