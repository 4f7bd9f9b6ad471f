"""Does a penalty that was written by hand depend on the batch size? Read off the tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.engine.lines import Line, line_of

if TYPE_CHECKING:
    from minigrad.tracing.attribution import Step
    from minigrad.tracing.trace import Trace


def undivided_sums(trace: Trace) -> dict[str, tuple[int, Line | None]]:
    """Return the terms that sum over a batch without dividing, with its size and the line.

    From the scalar back, the ops with scalar results are followed down to a sum over something
    that holds a batch. In between, a division by a multiple of the batch size is looked for, also
    one that is hidden in a factor, such as 1e-3 / 32.
    """
    found = {}
    for term in trace.terms:
        chain = [step for step in trace.steps if set(step.upstream) == {term}]
        if term == "data" or not chain:
            continue
        constants: list[tuple[float, bool]] = []
        for step in chain:
            if step.op == "sum" and np.ndim(step.result) == 0:
                batch = _batch_of(step.node)
                if batch is not None and not any(_divides(*each, batch) for each in constants):
                    found[term] = (batch, line_of(step.node))
                break
            if np.ndim(step.result):
                break
            constants += _constants(step)
    return found


def _constants(step: Step) -> list[tuple[float, bool]]:
    """The constants of a scalar product or quotient, and whether each is the divisor."""
    if step.op not in ("multiply", "divide"):
        return []
    return [
        (float(value), step.op == "divide" and index == 1)
        for index, (value, parent) in enumerate(zip(step.operands, step.node.parents, strict=True))
        if parent is None and np.ndim(value) == 0
    ]


def _divides(constant: float, is_divisor: bool, batch: int) -> bool:
    """Whether a constant divides by the batch size, openly or hidden in a factor."""
    if is_divisor:
        return constant % batch == 0
    return batch > 1 and _digits(constant * batch) < _digits(constant)


def _digits(number: float) -> int:
    return len(f"{number:.6g}".replace(".", "").lstrip("-0").split("e")[0].rstrip("0"))


def _batch_of(node: Node) -> int | None:
    """Return the length of the batch axis of what a sum adds up; None for weights alone."""
    first = node if np.ndim(node.operands[0]) > 1 else _first_sum(node)
    if first is None:
        return None
    length = len(first.operands[0])
    waiting: list[Node | Leaf | None] = [first.parents[0]]
    seen: set[Node] = set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, Node) or current in seen:
            continue
        seen.add(current)
        for value, parent in zip(current.operands, current.parents, strict=True):
            # Data come in as arrays that need no gradient, with the batch in front; or, in a
            # trace, as the input itself.
            is_batch = np.ndim(value) >= 2 and len(value) == length
            is_first = parent is None or parent is current.parents[0]
            if is_batch and is_first and current.primitive.name in MEETING:
                return length
            waiting.append(parent)
    return None


def _first_sum(node: Node) -> Node | None:
    """Return the op that a sum in two stages began with, if the batch is summed in either.

    Where the first stage leaves a number for each sample, the second adds these up. Where it goes
    over the first axis, which holds the batch, it must be a sum itself, and no mean.
    """
    shape = np.shape(node.operands[0])
    while len(shape) == 1:
        for operand, parent in zip(node.operands, node.parents, strict=True):
            if isinstance(parent, Node) and np.shape(operand) == shape:
                node = parent
                break
        else:
            return None
        operand = node.operands[0]
        if np.ndim(operand) > 1:
            axis = node.options.get("axis")
            axes = axis if isinstance(axis, tuple) else (axis,)
            over_batch = any(each is None or each % np.ndim(operand) == 0 for each in axes)
            return None if over_batch and node.primitive.name != "sum" else node
    return None


# Ops in which a batch meets weights.
MEETING = {"dense", "matmul", "convolution", "biased_convolution", "transposed_convolution"}
