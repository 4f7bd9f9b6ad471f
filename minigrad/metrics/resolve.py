"""Names that stand for several metrics, until the shapes of targets and predictions are known."""

from __future__ import annotations

from typing import Any

from minigrad.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from minigrad.metrics.metric import Metric
from minigrad.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)

_ACCURACIES = ("accuracy", "acc")
_CROSSENTROPIES = ("crossentropy", "ce")

# As Keras takes them, in capitals too: "Accuracy", "ACC".
BY_SHAPE = tuple(
    spelt
    for name in (*_ACCURACIES, *_CROSSENTROPIES)
    for spelt in (name, name.capitalize(), name.upper())
)


def resolve(
    name: str, loss: Any, y_shape: tuple[int, ...], prediction_shape: tuple[int, ...]
) -> Metric:
    """Return the accuracy or cross-entropy that fits the shapes.

    One output a sample is binary; targets that have no axis of classes are labels; all others are
    one-hot. Predictions without a second axis, (batch,), are one output a sample too: Keras would
    take the samples for classes there.

    A cross-entropy expects logits if the model's loss does. The metric is called by `name`.

    Examples
    --------
    >>> resolve("accuracy", None, (32,), (32, 10))
    SparseCategoricalAccuracy(name='accuracy')
    """
    if name not in BY_SHAPE:
        raise ValueError(f"expected one of {', '.join(BY_SHAPE)}. Received: name={name!r}")
    if not prediction_shape or not y_shape:
        raise ValueError(
            f"metric {name!r}: expected targets and predictions with the samples along their first "
            f"axis. Received: targets {y_shape}, predictions {prediction_shape}"
        )
    is_binary = len(prediction_shape) == 1 or prediction_shape[-1] == 1
    is_label = len(y_shape) < len(prediction_shape) or y_shape[-1] == 1
    if name.lower() in _ACCURACIES:
        if is_binary:
            return BinaryAccuracy(name)
        return SparseCategoricalAccuracy(name) if is_label else CategoricalAccuracy(name)
    from_logits = _expects_logits(loss)
    if is_binary:
        return BinaryCrossentropy(name, from_logits=from_logits)
    if is_label:
        return SparseCategoricalCrossentropy(name, from_logits=from_logits)
    return CategoricalCrossentropy(name, from_logits=from_logits)


def _expects_logits(loss: Any) -> bool:
    """Whether a loss, or a partial of one, was made with ``from_logits=True``."""
    keywords = getattr(loss, "keywords", {})
    return bool(getattr(loss, "from_logits", False) or keywords.get("from_logits", False))
