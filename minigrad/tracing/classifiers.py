"""What often goes wrong with a classifier, read off one batch: what it was fed, and its outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad import activations, losses
from minigrad.engine import Node, Tensor
from minigrad.tracing.diagnoses import Diagnosis

ROUNDING = 0.01  # by which a sum of probabilities may miss 1
SURE, MOSTLY = 0.999, 0.5  # a prediction above is sure; a fraction above is most of the batch
MUCH_WORSE = 2.0  # times the loss of guessing
UNSCALED = 10.0  # |input| above which one would scale it

_SQUASHING: dict[Any, str] = {
    losses.BinaryCrossentropy: "sigmoid",
    losses.binary_crossentropy: "sigmoid",
    losses.CategoricalCrossentropy: "softmax",
    losses.categorical_crossentropy: "softmax",
    losses.SparseCategoricalCrossentropy: "softmax",
    losses.sparse_categorical_crossentropy: "softmax",
}


def of_classifier(loss: Any, x: Any, prediction: Any, value: float) -> Iterator[Diagnosis]:
    """Look at a batch `x`, what a model predicted for it, and the value of its loss."""
    if not isinstance(prediction, Tensor) or not np.isfinite(prediction._value).all():
        return
    outputs = np.asarray(prediction._value, np.float64)
    node, (squashing, logits) = prediction._node, getattr(prediction, "_logits", (None, None))
    op = node.primitive if isinstance(node, Node) else squashing
    last = getattr(op, "name", "")
    where = (node.scope if isinstance(node, Node) else "") or "the output"
    if squashing is not None and last == "softmax" and outputs.shape[-1] == 1:
        yield Diagnosis(
            "softmax of one unit",
            where,
            "a softmax of a single number is always 1, whatever is learnt. For two classes take "
            "Dense(1, 'sigmoid') and binary_crossentropy, or Dense(2, 'softmax').",
            {"units": 1.0},
        )
        return
    wanted = _SQUASHING.get(loss if callable(loss) and loss in _SQUASHING else type(loss))
    below = getattr(getattr(logits, "_node", None), "primitive", None)
    if last == "softmax" and getattr(below, "name", "") in ("softmax", "sigmoid"):
        yield _twice(where, f"a softmax is applied to the result of a {below.name}", outputs)
    elif wanted is not None:
        yield from _of_cross_entropy(wanted, loss, x, outputs, value, last, where)


def _of_cross_entropy(
    wanted: str, loss: Any, x: Any, outputs: Any, value: float, last: str, where: str
) -> Iterator[Diagnosis]:
    """Compare the outputs with what a cross-entropy expects: probabilities, or logits."""
    from_logits = getattr(loss, "from_logits", False)
    low, high, sums = outputs.min(), outputs.max(), outputs.sum(axis=-1)
    off = float(np.abs(sums - 1).max()) if wanted == "softmax" else 0.0
    remedy = f"Let the last layer have activation={wanted!r}, or none and from_logits=True."
    if last == "relu":
        yield Diagnosis(
            "relu before a cross-entropy",
            where,
            f"the last activation is relu, which cuts off all below 0 ({np.mean(outputs == 0):.0%} "
            f"of the outputs), and gives no gradient there. {remedy}",
            {"fraction of zeros": float(np.mean(outputs == 0))},
        )
    elif from_logits and (
        last in ("softmax", "sigmoid")
        or (wanted == "softmax" and low >= 0 and off < 1e-5 and outputs.shape[-1] > 1)
    ):
        name = last if last in ("softmax", "sigmoid") else "softmax"
        yield _twice(where, f"the outputs come from a {name}, and from_logits=True", outputs)
    elif not from_logits and (low < 0 or high > 1 or off > ROUNDING):
        rows = f", and rows that add up to {sums.min():.3g} to {sums.max():.3g}" if off else ""
        yield Diagnosis(
            "outputs that are no probabilities",
            where,
            f"a cross-entropy expects probabilities, and gets numbers from {low:.3g} to {high:.3g}"
            f"{rows}. {remedy}",
            {"smallest": float(low), "largest": float(high), "off": off},
        )
    else:
        p = getattr(activations, wanted)(outputs) if from_logits else outputs
        yield from _sure_and_wrong(wanted, p, x, value, where)


def _twice(where: str, what: str, outputs: Any) -> Diagnosis:
    limit = math.e / (math.e + max(outputs.shape[-1], 2) - 1)  # of 1 beside zeros
    return Diagnosis(
        "softmax applied twice",
        where,
        f"{what}. Of numbers between 0 and 1 it makes {limit:.2g} at most, however sure the model "
        "is, and its gradient is small. Leave one of them out.",
        {"limit": limit},
    )


def _sure_and_wrong(wanted: str, p: Any, x: Any, value: float, where: str) -> Iterator[Diagnosis]:
    """Find outputs that are certain of what is not so."""
    surest = p.max(axis=-1) if wanted == "softmax" else np.maximum(p, 1 - p)
    sure, guess = float(np.mean(surest > SURE)), math.log(p.shape[-1] if wanted == "softmax" else 2)
    if sure > MOSTLY and value > MUCH_WORSE * guess:
        low, high = float(np.min(x)), float(np.max(x))
        why = (
            f"is the input scaled? It goes from {low:.3g} to {high:.3g}: divide it, by 255 for "
            "images, or put a BatchNormalization in front."
            if max(-low, high) > UNSCALED
            else "smaller initial weights or a smaller learning rate help."
        )
        yield Diagnosis(
            "saturated outputs",
            where,
            f"{sure:.0%} of the predictions are above {SURE:.1%} sure, and the loss is "
            f"{value:.3g}, where guessing gives {guess:.3g}: {why}",
            {"fraction": sure, "loss": value, "largest |input|": max(-low, high)},
        )
