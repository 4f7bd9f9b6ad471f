"""What often goes wrong, read off one batch: what a model was fed, its outputs and targets."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

import numpy as np

from minigrad import activations, losses
from minigrad.engine import Node, Tensor
from minigrad.tracing.diagnoses import Diagnosis

ROUNDING = 0.01  # by which a sum of probabilities may miss 1
SURE, MOSTLY = 0.999, 0.5  # a prediction above is sure; a fraction above is most of the batch
MUCH_WORSE = 2.0  # times the loss of guessing
UNSCALED = 10.0  # |input| above which one would scale it

_EXPECTED: dict[Any, str] = {
    losses.BinaryCrossentropy: "sigmoid",
    losses.binary_crossentropy: "sigmoid",
    losses.CategoricalCrossentropy: "softmax",
    losses.categorical_crossentropy: "softmax",
    losses.SparseCategoricalCrossentropy: "softmax",
    losses.sparse_categorical_crossentropy: "softmax",
}

_RANGES = {"sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "relu": (0, math.inf)}
NEAR = 0.05  # of the largest target: by so much it may lie beyond

Finding = tuple[str, str, dict[str, float]] | None


def is_regression(loss: Any) -> bool:
    """Whether a loss, of ours, is the smaller the nearer outputs are to their targets."""
    ours = getattr(loss, "__module__", "") == losses.MeanSquaredError.__module__
    return ours and "osine" not in getattr(loss, "__name__", type(loss).__name__)


def of_first_batch(loss: Any, x: Any, y: Any, prediction: Any, value: float) -> list[Diagnosis]:
    """Look at a batch, what a model predicted for it, and the value of its loss."""
    if not isinstance(prediction, Tensor) or not np.isfinite(prediction._value).all():
        return []
    node, outputs = prediction._node, np.asarray(prediction._value, np.float64)
    squashing, logits = getattr(prediction, "_logits", (None, None))
    last = _name(node) or getattr(squashing, "name", "")
    expected = _EXPECTED.get(loss if isinstance(loss, FunctionType) else type(loss))
    found: Finding = None
    if last == "softmax" and squashing is not None and outputs.shape[-1] == 1:
        found = (
            "softmax of one unit",
            "a softmax of 1 number is always 1, whatever is learnt. For two classes take "
            "Dense(1, 'sigmoid') and binary_crossentropy, or Dense(2, 'softmax').",
            {"units": 1.0},
        )
    elif last == "softmax" and _name(getattr(logits, "_node", None)) in ("softmax", "sigmoid"):
        found = _twice("a softmax is applied to the result of another", outputs)
    elif last in _RANGES and is_regression(loss):
        found = _out_of_reach(last, y)
    elif expected == "sigmoid" and last == "softmax" and outputs.shape[-1] > 2:
        found = (
            "binary cross-entropy of a softmax",
            f"a softmax shares 1 among {outputs.shape[-1]} classes, and this loss judges each by "
            "itself. Take categorical_crossentropy, or activation='sigmoid' for several at once.",
            {"classes": float(outputs.shape[-1])},
        )
    elif expected is not None:
        from_logits = getattr(loss, "from_logits", False)
        found = _of_outputs(expected, from_logits, outputs, last)
        if found is None:
            p = getattr(activations, expected)(outputs) if from_logits else outputs
            found = _sure_and_wrong(expected, p, x, value)
    where = (node.scope if isinstance(node, Node) else "") or "output"
    return [] if found is None else [Diagnosis(found[0], where, *found[1:])]


def _name(node: Any) -> str:
    return node.primitive.name if isinstance(node, Node) else ""


def _out_of_reach(last: str, y: Any) -> Finding:
    """Compare targets with what the last activation can return."""
    (low, high), least, most = _RANGES[last], float(np.min(y)), float(np.max(y))
    slack = NEAR * max(abs(least), abs(most))
    if least >= low - slack and most <= high + slack:
        return None
    return (
        "targets out of reach",
        f"the targets reach from {least:.3g} to {most:.3g}, and {last} from {low} to {high}. Scale "
        "the targets, images by 1/255, or let the last layer have no activation.",
        {"smallest": least, "largest": most},
    )


def _of_outputs(expected: str, from_logits: bool, outputs: Any, last: str) -> Finding:
    """Compare outputs with what a cross-entropy expects: probabilities, or logits."""
    low, high, sums = outputs.min(), outputs.max(), outputs.sum(axis=-1)
    off = float(np.abs(sums - 1).max()) if expected == "softmax" else 0.0
    remedy = f"Let the last layer have activation={expected!r}, or none and from_logits=True."
    if last == "relu":
        zeros = float(np.mean(outputs == 0))
        return (
            "relu before a cross-entropy",
            f"the last activation is relu, which cuts off all below 0 ({zeros:.0%} of the "
            f"outputs), and gives no gradient there. {remedy}",
            {"fraction of zeros": zeros},
        )
    if from_logits:
        sums_to_one = expected == "softmax" and low >= 0 and off < 1e-5 and outputs.shape[-1] > 1
        if last not in ("softmax", "sigmoid") and not sums_to_one:
            return None
        return _twice(f"a {last if last == 'sigmoid' else 'softmax'} and from_logits=True", outputs)
    if low >= 0 and high <= 1 and off <= ROUNDING:
        return None
    rows = f", in rows that add up to {sums.min():.3g} to {sums.max():.3g}" if off else ""
    return (
        "outputs that are no probabilities",
        f"a cross-entropy expects probabilities, and gets numbers from {low:.3g} to {high:.3g}"
        f"{rows}. {remedy}",
        {"smallest": float(low), "largest": float(high), "off": off},
    )


def _twice(what: str, outputs: Any) -> Finding:
    limit = math.e / (math.e + max(outputs.shape[-1], 2) - 1)  # of 1 beside zeros
    return (
        "softmax applied twice",
        f"{what}: of numbers between 0 and 1 it makes {limit:.2g} at most, however sure the model "
        "is, and its gradient is small. Leave one of the two out.",
        {"limit": limit},
    )


def _sure_and_wrong(expected: str, p: Any, x: Any, value: float) -> Finding:
    """Find outputs that are certain of what is not so."""
    surest = p.max(axis=-1) if expected == "softmax" else np.maximum(p, 1 - p)
    sure = float(np.mean(surest > SURE))
    guess = math.log(p.shape[-1] if expected == "softmax" else 2)
    if sure <= MOSTLY or value <= MUCH_WORSE * guess:
        return None
    size = float(np.abs(x).max())
    remedy = (
        f"is the input scaled? It reaches {size:.3g}: divide it, images by 255, or put a "
        "BatchNormalization in front."
        if size > UNSCALED
        else "smaller initial weights or a smaller learning rate help."
    )
    return (
        "saturated outputs",
        f"{sure:.0%} of the predictions are above {SURE:.1%} sure, and the loss is {value:.3g}, "
        f"where guessing gives {guess:.3g}: {remedy}",
        {"fraction": sure, "loss": value, "largest |input|": size},
    )
