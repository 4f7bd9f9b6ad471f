"""Cross-entropies: the losses of classifiers, from probabilities or from logits."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np

from minigrad.checks import boolean, number
from minigrad.engine import Tensor
from minigrad.engine.primitive import Primitive
from minigrad.losses.loss import (
    SMALLEST,
    Loss,
    ShapedLoss,
    mean_of_last_axis,
    not_flat,
    refuse_empty,
    registry,
    same_shape,
)
from minigrad.ops.conversion import as_float_tensor
from minigrad.ops.neural import log_softmax, sigmoid, softmax, softmax_
from minigrad.ops.plain import check, without_derivative
from minigrad.signatures import Setting


def _sigmoid_cross_entropy(logits: Any, target: Any) -> Any:
    # max(x, 0) − x t + ln(1 + e^−|x|): stable against the overflow of e^x and against ln 0.
    return np.maximum(logits, 0) - logits * target + np.log1p(np.exp(-np.abs(logits)))


# −t ln σ(x) − (1 − t) ln(1 − σ(x)) with its sigmoid inside: the gradient is just σ(x) − t.
sigmoid_cross_entropy = Primitive(
    _sigmoid_cross_entropy,
    lambda g, z, x, t: g * (sigmoid(x) - t),
    lambda g, z, x, t: -g * x,
    name="sigmoid_cross_entropy",
)


def _softmax_cross_entropy(logits: Any, target: Any) -> Any:
    shifted = logits - np.max(logits, axis=-1, keepdims=True)  # stable: no exponent above 0
    normalizer = np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))
    return np.sum(target * (normalizer - shifted), axis=-1)


# −Σ t ln softmax(x) with its softmax inside: the gradient is softmax(x) − t, for targets that add
# up to 1.
softmax_cross_entropy = Primitive(
    _softmax_cross_entropy,
    lambda g, z, x, t: g[..., None] * (softmax(x) * np.sum(t, axis=-1, keepdims=True) - t),
    lambda g, z, x, t: -g[..., None] * log_softmax(x),
    name="softmax_cross_entropy",
)


def _is_unclipped(p: Any) -> Any:
    smallest = max(SMALLEST, 8 / float(np.finfo(p.dtype).max))  # in float16, 1 / p overflows sooner
    return np.minimum(p, 1 - p) >= smallest


def _unclipped(p: Any, values: Any) -> Any:
    return np.where(_is_unclipped(p), values, 0.0)


def _clipped(p: Any, values: Any) -> Any:
    return np.where(_is_unclipped(p), 0.0, values)


def _not_zero(p: Any) -> Any:
    return np.maximum(p, SMALLEST)


def _sum(values: Any) -> Any:
    return np.sum(values, axis=-1, keepdims=True)


# The same two of p = σ(x) or p = softmax(x). The value is that of x; the gradient goes by way of p,
# as it always does, but where clipping p would end it, straight to x: together σ(x) − t again.
cross_entropy_of_sigmoid = Primitive(
    lambda x, p, t: _sigmoid_cross_entropy(x, t),
    lambda g, z, x, p, t: g * _clipped(p, p - t),
    lambda g, z, x, p, t: g * _unclipped(p, p - t) / _not_zero(p * (1 - p)),
    lambda g, z, x, p, t: -g * x,
    name="cross_entropy_of_sigmoid",
)
cross_entropy_of_softmax = Primitive(
    lambda x, p, t: _softmax_cross_entropy(x, t),
    lambda g, z, x, p, t: g[..., None] * (p * _sum(_clipped(p, t)) - _clipped(p, t)),
    lambda g, z, x, p, t: g[..., None] * (_sum(_unclipped(p, t)) - _unclipped(p, t) / _not_zero(p)),
    lambda g, z, x, p, t: -g[..., None] * log_softmax(x),
    name="cross_entropy_of_softmax",
)


def logits_of(prediction: Any, squashing: Primitive) -> Tensor | None:
    """Return what a prediction is the sigmoid or softmax of, if that is all, without a hook."""
    op, logits = getattr(prediction, "_logits", (None, None))
    is_bare = op is squashing and not getattr(prediction._node, "hooks", None)
    return logits if is_bare else None


class CrossEntropy(ShapedLoss):
    """Base of the cross-entropies.

    Parameters
    ----------
    from_logits
        Whether predictions are the numbers before the sigmoid or softmax: more accurate, and
        faster. Probabilities are clipped to (1e-7, 1 − 1e-7) for the logarithm, as in Keras;
        beyond that they get no gradient. But those that come straight from a sigmoid or softmax
        are not: the loss is that of their logits then, as in Keras on TensorFlow.
    label_smoothing
        Moves the targets towards equal probabilities by this fraction, in [0, 1].
    reduction, name, dtype
        See `Loss`.
    """

    from_logits = Setting(boolean, False)
    label_smoothing = Setting(partial(number, least=0, most=1), 0.0)

    def _smoothed(self, target: Tensor, classes: int) -> Tensor:
        if not self.label_smoothing:
            return target
        return target * (1 - self.label_smoothing) + self.label_smoothing / classes


def _refuse_improbable(targets: Any) -> None:
    if targets.min() < 0 or targets.max() > 1:
        raise ValueError(
            "BinaryCrossentropy: targets must be between 0 and 1. "
            f"Received: from {targets.min()} to {targets.max()}"
        )


@registry.register()
class BinaryCrossentropy(CrossEntropy):
    """Mean of ``−t ln p − (1 − t) ln(1 − p)``, for targets t in [0, 1].

    Parameters are those of `CrossEntropy`.

    Raises
    ------
    ValueError
        If the shapes differ, the batch is empty, or a target is outside of [0, 1].

    Examples
    --------
    >>> round(float(BinaryCrossentropy()([[1.0, 0.0]], [[0.9, 0.2]])), 4)
    0.1643
    """

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        target, prediction = same_shape("BinaryCrossentropy", y_true, y_pred)
        check(_refuse_improbable, target)
        return target, prediction

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        target = self._smoothed(y_true, classes=2)
        if self.from_logits:
            return mean_of_last_axis(sigmoid_cross_entropy(y_pred, target))
        logits = logits_of(y_pred, sigmoid)
        if logits is not None:
            return mean_of_last_axis(cross_entropy_of_sigmoid(logits, y_pred, target))
        p = np.clip(y_pred, SMALLEST, 1 - SMALLEST)
        return mean_of_last_axis(-(target * np.log(p) + (1 - target) * np.log(1 - p)))


def _of_probabilities(target: Tensor, prediction: Tensor) -> Any:
    logits = logits_of(prediction, softmax_)
    if logits is not None:
        return cross_entropy_of_softmax(logits, prediction, target)
    p = prediction / np.sum(prediction, axis=-1, keepdims=True)
    return -np.sum(target * np.log(np.clip(p, SMALLEST, 1 - SMALLEST)), axis=-1)


def check_classes(name: str, prediction: Tensor) -> None:
    """Raise where there is no axis of classes, and warn where there is one class only."""
    if prediction.ndim < 2:
        raise ValueError(
            f"{name}: expected predictions of shape (batch, …, classes). "
            f"Received: {prediction.shape}"
        )
    if prediction.shape[-1] == 1:
        warnings.warn(
            f"{name}: predictions of shape {prediction.shape} have a single class, whose loss is "
            "always 0. Use 'binary_crossentropy' on a sigmoid for two classes.",
            SyntaxWarning,
            stacklevel=4,
        )


@registry.register()
class CategoricalCrossentropy(CrossEntropy):
    """``−Σ t ln p`` over the classes, the last axis, for targets that are probabilities.

    One-hot rows, mostly; for integer labels there is `SparseCategoricalCrossentropy`.
    Probabilities are divided by their sum first, as in Keras.

    Parameters are those of `CrossEntropy`.

    Raises
    ------
    ValueError
        If the shapes differ, or the batch is empty.

    Examples
    --------
    >>> round(float(CategoricalCrossentropy()([[0, 1, 0]], [[0.05, 0.95, 0.0]])), 4)
    0.0513
    """

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        shape = np.shape(y_pred)
        is_label = (
            len(shape) > 1 and shape[-1] > 1 and np.shape(y_true) in (shape[:-1], (*shape[:-1], 1))
        )
        if is_label:
            raise ValueError(
                "CategoricalCrossentropy: targets and predictions must have the same shape. "
                f"Received: targets {np.shape(y_true)}, predictions {shape}. For integer labels "
                "use 'sparse_categorical_crossentropy'."
            )
        target, prediction = same_shape("CategoricalCrossentropy", y_true, y_pred)
        check_classes("CategoricalCrossentropy", prediction)
        return target, prediction

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        target = self._smoothed(y_true, classes=y_pred.shape[-1])
        if self.from_logits:
            return softmax_cross_entropy(y_pred, target)
        return _of_probabilities(target, y_pred)


def _rows_of_labels(labels: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return rows of zeros with a 1 at each label: (…) or (…, 1) → (…, classes)."""
    labels, classes = np.asarray(labels).reshape(shape[:-1]), shape[-1]
    is_number = labels.dtype.kind in "iufb"
    if (
        not is_number
        or not (labels == np.floor(labels)).all()
        or not (labels.min() >= 0 and labels.max() < classes)
    ):
        shown = f" from {labels.min()} to {labels.max()}" if is_number else ""
        raise ValueError(
            f"SparseCategoricalCrossentropy: labels must be integers from 0 to {classes - 1}, as "
            f"predictions have {classes} classes. Received: {labels.dtype}{shown}"
        )
    return np.eye(classes, dtype=dtype)[labels.astype(np.int64)]


@registry.register()
class SparseCategoricalCrossentropy(Loss):
    """``−ln p[label]``, for integer labels, of shape (batch, …) or (batch, …, 1).

    Parameters
    ----------
    from_logits
        See `CrossEntropy`.
    reduction, name, dtype
        See `Loss`.

    Raises
    ------
    ValueError
        If the shapes do not fit, the batch is empty, or a label is none of 0 … classes − 1.

    Examples
    --------
    >>> round(float(SparseCategoricalCrossentropy()([1], [[0.05, 0.95, 0.0]])), 4)
    0.0513
    """

    from_logits = Setting(boolean, False)

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        kind = type(self).__name__
        prediction = as_float_tensor(y_pred)
        check_classes(kind, prediction)
        refuse_empty(kind, prediction)
        shape, wanted = np.shape(y_true), prediction.shape[:-1]
        if shape not in (wanted, (*wanted, 1)):
            hint = ". For one-hot targets use 'categorical_crossentropy'."
            raise ValueError(
                f"{kind}: expected a label for each of {wanted} predictions. "
                f"Received: targets {shape}, predictions {prediction.shape}"
                f"{hint if shape == prediction.shape else not_flat(shape, prediction.shape)}"
            )
        target = without_derivative(
            _rows_of_labels, y_true, shape=prediction.shape, dtype=prediction.dtype
        )
        return as_float_tensor(target), prediction

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        if self.from_logits:
            return softmax_cross_entropy(y_pred, y_true)
        return _of_probabilities(y_true, y_pred)


# ---- as functions ------------------------------------------------------------------------------


@registry.register("bce", "BCE", "binary_cross_entropy")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    sample_weight: Any = None,
) -> Tensor:
    """Mean of ``−t ln p − (1 − t) ln(1 − p)``, see `BinaryCrossentropy`.

    Examples
    --------
    >>> round(float(binary_crossentropy([[1.0, 0.0]], [[0.9, 0.2]])), 4)
    0.1643
    """
    return BinaryCrossentropy(from_logits, label_smoothing)(y_true, y_pred, sample_weight)


@registry.register()
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    sample_weight: Any = None,
) -> Tensor:
    """Mean of ``−Σ t ln p``, see `CategoricalCrossentropy`."""
    return CategoricalCrossentropy(from_logits, label_smoothing)(y_true, y_pred, sample_weight)


@registry.register()
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, sample_weight: Any = None
) -> Tensor:
    """Mean of ``−ln p[label]``, see `SparseCategoricalCrossentropy`."""
    return SparseCategoricalCrossentropy(from_logits)(y_true, y_pred, sample_weight)


binary_cross_entropy = binary_crossentropy
