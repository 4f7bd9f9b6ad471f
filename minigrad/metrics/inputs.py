"""What a metric is given, checked once and for all: real numbers, of shapes that fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import is_whole
from minigrad.engine.tensor import plain
from minigrad.losses.loss import laid_along
from minigrad.metrics.metric import Array


def real_array(owner: str, argument: str, value: Any, least_axes: int = 1) -> Array:
    """Return an array, list or Tensor as an array of real numbers with at least one sample."""
    try:
        array = np.asarray(plain(value))
    except ValueError as error:
        raise ValueError(
            f"{owner}: {argument} must be an array; its rows are not equally long"
        ) from error
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"{owner}: {argument} must hold real numbers. Received: {value!r} ({array.dtype})"
        )
    if array.ndim < least_axes:
        raise ValueError(
            f"{owner}: {argument} must have the samples along its first axis. Received: {value!r}"
        )
    if array.size == 0:
        raise ValueError(
            f"{owner}: the batch is empty ({argument} has shape {array.shape}); "
            "pass at least one sample"
        )
    return array


def matched(owner: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """Return both in one shape with at least two axes; a column may miss its last axis, of 1."""
    target, prediction = real_array(owner, "y_true", y_true), real_array(owner, "y_pred", y_pred)
    if prediction.shape == (*target.shape, 1):
        target = target.reshape(prediction.shape)
    elif target.shape == (*prediction.shape, 1):
        prediction = prediction.reshape(target.shape)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{owner}: targets and predictions must have the same shape. "
            f"Received: targets {target.shape}, predictions {prediction.shape}"
        )
    if target.ndim == 1:
        return target[:, None], prediction[:, None]
    return target, prediction


def scores_of_classes(owner: str, y_pred: Any) -> Array:
    """Return predictions with one score for each of several classes along the last axis."""
    scores = real_array(owner, "y_pred", y_pred)
    if scores.ndim < 2 or scores.shape[-1] < 2:
        raise ValueError(
            f"{owner}: predictions must hold a score for each of two or more classes along the "
            f"last axis. Received: predictions {scores.shape}. For one probability a sample there "
            "are BinaryAccuracy and BinaryCrossentropy."
        )
    return scores


def one_hot(owner: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """Return targets and scores of the same shape, the classes along the last axis."""
    target, scores = real_array(owner, "y_true", y_true), scores_of_classes(owner, y_pred)
    if target.shape != scores.shape:
        raise ValueError(
            f"{owner}: targets must be one-hot, of the shape of the predictions. Received: targets "
            f"{target.shape}, predictions {scores.shape}. For whole numbers as labels use the "
            "metric whose name begins with Sparse."
        )
    return target, scores


def labels(owner: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """Return labels (batch, …) as integers, and scores (batch, …, classes)."""
    target, scores = real_array(owner, "y_true", y_true), scores_of_classes(owner, y_pred)
    if target.shape == (*scores.shape[:-1], 1):
        target = target[..., 0]
    if target.shape != scores.shape[:-1]:
        raise ValueError(
            f"{owner}: expected one label for each row of scores, shape {scores.shape[:-1]}. "
            f"Received: targets {target.shape}, predictions {scores.shape}"
        )
    classes = scores.shape[-1]
    wrong = ~((target >= 0) & (target < classes) & (target == np.floor(target)))
    if wrong.any():
        raise ValueError(
            f"{owner}: labels must be whole numbers from 0 to {classes - 1}, as the predictions "
            f"{scores.shape} have {classes} classes. Received: {target[wrong][0]}"
        )
    return target.astype(np.int64), scores


def binary(owner: str, target: Array) -> Array:
    """Return targets of 0 and 1 as booleans."""
    wrong = (target != 0) & (target != 1)
    if wrong.any():
        raise ValueError(f"{owner}: targets must be 0 or 1. Received: {target[wrong][0]}")
    return target.astype(bool)


def probabilities(owner: str, target: Array) -> Array:
    """Return targets that lie between 0 and 1."""
    if not (target.min() >= 0 and target.max() <= 1):
        raise ValueError(
            f"{owner}: targets must be between 0 and 1. "
            f"Received: from {target.min()} to {target.max()}"
        )
    return target


def weights(owner: str, sample_weight: Any, shape: tuple[int, ...]) -> Array:
    """Return a weight for each value of `shape`, from those of all, of samples or of parts."""
    if sample_weight is None:
        return np.ones(shape)
    given = real_array(owner, "sample_weight", sample_weight, least_axes=0).astype(np.float64)
    if not np.isfinite(given).all():
        raise ValueError(f"{owner}: weights must be finite. Received: {sample_weight!r}")
    return np.broadcast_to(laid_along(shape, given, owner), shape)


def whole(owner: str, argument: str, value: Any, least: int = 0) -> int:
    """Return an integer that is `least` or larger."""
    if not is_whole(value) or value < least:
        raise ValueError(
            f"{owner}: {argument} must be an integer, {least} or larger. "
            f"Received: {argument}={value!r}"
        )
    return int(value)
