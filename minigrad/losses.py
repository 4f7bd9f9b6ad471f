"""Losses: how far a prediction is from the target, as one number, the mean over everything.

Each is a function of ``(y_true, y_pred)`` that returns a scalar Tensor.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.engine.primitive import Primitive
from minigrad.engine.tensor import plain
from minigrad.ops.conversion import as_float_tensor
from minigrad.ops.neural import sigmoid
from minigrad.serialization import Registry

_registry = Registry("loss", returns_functions=True)
get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize


def _matched(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Return both as float Tensors of one shape.

    Raises
    ------
    ValueError
        If the shapes differ (broadcasting them would be silently wrong) or there are no samples.
    """
    prediction = as_float_tensor(y_pred)
    target = as_float_tensor(y_true, prediction.dtype)
    if target.ndim == prediction.ndim - 1 and prediction.shape == (*target.shape, 1):
        target = target.reshape(prediction.shape)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{name}: targets and predictions must have the same shape. "
            f"Received: targets {target.shape}, predictions {prediction.shape}"
        )
    if prediction.size == 0:
        raise ValueError(
            f"{name}: the batch is empty (shape {prediction.shape}); pass at least one sample"
        )
    return target, prediction


def weighted_mean(values: Any, sample_weight: Any) -> Tensor:
    """Mean over everything, each sample's values times its weight.

    Divided by the number of values and not by the sum of the weights, as in Keras: twice the weight
    is twice the pull.

    Raises
    ------
    ValueError
        If there is not a weight for each sample.
    """
    if sample_weight is None:
        return values.mean()
    weights = as_float_tensor(sample_weight, values.dtype)
    if weights.shape != values.shape[:1]:
        raise ValueError(
            f"sample_weight must hold a weight for each of {values.shape[0]} samples. "
            f"Received: shape {weights.shape}"
        )
    return (values * weights.reshape((-1,) + (1,) * (values.ndim - 1))).mean()


def takes_weights(loss: Any) -> bool:
    """Whether a loss has a ``sample_weight`` argument."""
    code = getattr(loss, "__code__", None) or getattr(type(loss).__call__, "__code__", None)
    return code is not None and "sample_weight" in code.co_varnames[: code.co_argcount]


@_registry.register("mse")
def mean_squared_error(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
    """Mean of ``(y_true − y_pred)²``.

    Its gradient for each prediction is ``2 (y_pred − y_true) / n``.

    Parameters
    ----------
    y_true, y_pred : array_like
        Of one shape, (batch, …); or (batch,) for predictions of shape (batch, 1).
    sample_weight : array_like, shape (batch,), optional
        Multiplies each sample's share.

    Raises
    ------
    ValueError
        If the shapes differ, or the batch is empty.

    Examples
    --------
    >>> float(mean_squared_error([[1.0], [0.0]], [[12.0], [0.0]]))
    60.5
    """
    target, prediction = _matched("mean_squared_error", y_true, y_pred)
    return weighted_mean(np.square(prediction - target), sample_weight)


@_registry.register("mae")
def mean_absolute_error(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
    """Mean of ``|y_true − y_pred|``; arguments and errors as `mean_squared_error`.

    Examples
    --------
    >>> float(mean_absolute_error([[1.0], [0.0]], [[12.0], [0.0]]))
    5.5
    """
    target, prediction = _matched("mean_absolute_error", y_true, y_pred)
    return weighted_mean(np.abs(prediction - target), sample_weight)


def _cross_entropy(logits: Any, target: Any) -> Any:
    # max(x, 0) − x t + ln(1 + e^−|x|): stable against the overflow of e^x and against ln 0.
    return np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))


# −t ln σ(x) − (1 − t) ln(1 − σ(x)) with its sigmoid inside: the gradient is just σ(x) − t.
sigmoid_cross_entropy = Primitive(
    _cross_entropy,
    lambda g, z, x, t: g * (sigmoid(x) - t),
    lambda g, z, x, t: -g * x,
    name="sigmoid_cross_entropy",
)


@_registry.register("bce")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, sample_weight: Any = None
) -> Tensor:
    """Mean of ``−t ln p − (1 − t) ln(1 − p)``.

    Parameters
    ----------
    y_true : array_like
        Targets t in [0, 1].
    y_pred : array_like
        Probabilities p, or with `from_logits` the numbers before the sigmoid, which is more
        accurate. Probabilities are clipped to (1e-7, 1 − 1e-7) for the logarithm, as in Keras;
        beyond that they get no gradient.
    from_logits : bool
        Whether `y_pred` are logits.
    sample_weight : array_like, shape (batch,), optional
        Multiplies each sample's share.

    Raises
    ------
    ValueError
        If the shapes differ, the batch is empty, or a target is outside of [0, 1].

    Examples
    --------
    >>> round(float(binary_crossentropy([[1.0, 0.0]], [[0.9, 0.2]])), 4)
    0.1643
    """
    target, prediction = _matched("binary_crossentropy", y_true, y_pred)
    values = plain(target)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            "binary_crossentropy: targets must be between 0 and 1. "
            f"Received: from {values.min()} to {values.max()}"
        )
    if from_logits:
        return weighted_mean(sigmoid_cross_entropy(prediction, target), sample_weight)
    p = np.clip(prediction, 1e-7, 1 - 1e-7)
    return weighted_mean(-(target * np.log(p) + (1 - target) * np.log(1 - p)), sample_weight)


_registry.add("binary_cross_entropy", binary_crossentropy)
binary_cross_entropy = binary_crossentropy
