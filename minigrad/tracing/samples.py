"""Which samples pull a weight: a contribution taken apart by samples, without a loop.

The reverse walk adds the samples up in the very last op, where a batch meets a weight. So each
sample's part is what that op's rule gives without the sum: a product of what the sample brought
forward and what comes back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.ops.convolution import correlation_
from minigrad.tracing.attribution import Step

if TYPE_CHECKING:
    from minigrad.tracing.trace import Trace

Array = np.ndarray[Any, Any]


def per_sample(trace: Trace, parameter: str, term: str) -> Array:
    """Return each sample's part in a contribution, (batch, *shape); see `Trace.per_sample`."""
    node = trace._node(parameter)
    shape, dtype = trace._shapes[parameter]
    steps = [step for step in trace.steps if term in step.upstream]
    if node is None or not trace.has_path(parameter, term):
        batch = _batch_size(steps)
        return np.zeros((batch, *shape), dtype)
    parts = _parts(node, steps, term, parameter)
    return parts.astype(dtype, copy=False)


def _parts(node: Node | Leaf, steps: list[Step], term: str, parameter: str) -> Array:
    """Add up what comes by way of each op that uses a weight, sample by sample."""
    total: Any = None
    for step in steps:
        for parent, index, by_term in step.outgoing:
            if parent is node and term in by_term:
                found = _through(step, index, steps, term, parameter)
                total = found if total is None else total + found
    assert total is not None
    return np.asarray(total)


def _through(step: Step, index: int, steps: list[Step], term: str, parameter: str) -> Array:
    """Return the samples' parts that come through one op."""
    relay = _RELAYS.get(step.op)
    if relay is not None:  # the op only lays the weight out in another way
        return relay(_parts(step.node, steps, term, parameter), step)
    taken_apart = _OPS.get((step.op, index)) or _OPS.get((step.op, None))
    g = np.asarray(step.upstream[term])
    operand = np.asarray(step.operands[index])
    is_elementwise = taken_apart is _elementwise and g.shape == operand.shape
    if is_elementwise or np.ndim(step.result) == 0:
        raise ValueError(
            f"per_sample: {term!r} does not come to {parameter!r} by way of the samples (it is a "
            "penalty on the weights themselves), so there is nothing to take apart"
        )
    if taken_apart is None:
        raise ValueError(
            f"per_sample: the op {step.op!r}, through which {term!r} reaches {parameter!r}, cannot "
            f"be taken apart by samples. Known: {', '.join(sorted({op for op, _ in _OPS}))}"
        )
    return taken_apart(step, index, g)


def _rows(x: Any, batch: int) -> Array:
    """(batch, …, n) → (batch, rows, n)."""
    array = np.asarray(x)
    return array.reshape(batch, -1, array.shape[-1])


def _kernel(step: Step, index: int, g: Array) -> Array:
    x = np.asarray(step.operands[0])
    # (batch, rows, n) · (batch, rows, m) → (batch, n, m)
    return np.einsum("brn,brm->bnm", _rows(x, len(x)), _rows(g, len(g)))


def _bias(step: Step, index: int, g: Array) -> Array:
    return _rows(g, len(g)).sum(axis=1)


def _filters(x: Array, g: Array, step: Step, window: tuple[int, ...]) -> Array:
    """Each sample becomes a group of channels, so that one correlation serves all of them."""
    batch, filters = len(g), g.shape[-1]
    groups = step.node.options["groups"]

    def side_by_side(images: Array) -> Array:  # (batch, *spatial, c) → (1, *spatial, batch · c)
        return np.moveaxis(images, 0, -2).reshape(1, *images.shape[1:-1], -1)

    kernels = correlation_(
        side_by_side(x),
        side_by_side(g),
        window=window,
        strides=step.node.options["strides"],
        dilation=step.node.options["dilation"],
        padding=step.node.options["padding"],
        groups=batch * groups,
    )
    # (*window, c, batch · f) → (batch, *window, c, f)
    return np.moveaxis(kernels.reshape(*kernels.shape[:-1], batch, filters), -2, 0)


def _convolution(step: Step, index: int, g: Array) -> Array:
    x, kernel = step.operands[:2]
    return _filters(np.asarray(x), g, step, np.shape(kernel)[:-2])


def _transposed(step: Step, index: int, g: Array) -> Array:
    y, kernel = step.operands
    return _filters(g, np.asarray(y), step, np.shape(kernel)[:-2])


def _elementwise(step: Step, index: int, g: Array) -> Array:
    """The rule's result before broadcasting is undone, summed over all but the batch."""
    node = step.node
    full = np.asarray(node.primitive.rules[index](g, *node.values, **node.options))
    full = np.broadcast_to(full, g.shape)
    shape = np.shape(step.operands[index])
    aligned = (1,) * (g.ndim - len(shape)) + shape
    summed = tuple(a for a in range(1, g.ndim) if aligned[a] == 1 and g.shape[a] > 1)
    kept = full.sum(axis=summed, keepdims=True)
    return kept.reshape(len(g), *shape)


def _batch_size(steps: list[Step]) -> int:
    for step in steps:
        if np.ndim(step.result) > 1:
            return len(step.result)
    return 0


_OPS: dict[tuple[str, int | None], Callable[[Step, int, Array], Array]] = {
    ("dense", 1): _kernel,
    ("dense", 2): _bias,
    ("matmul", 1): _kernel,
    ("convolution", 1): _convolution,
    ("biased_convolution", 1): _convolution,
    ("biased_convolution", 2): _bias,
    ("transposed_convolution", 1): _transposed,
    ("add", None): _elementwise,
    ("subtract", None): _elementwise,
    ("multiply", None): _elementwise,
    ("divide", None): _elementwise,
    ("square", None): _elementwise,
    ("absolute", None): _elementwise,
}

_RELAYS: dict[str, Callable[[Array, Step], Array]] = {
    "reshape": lambda parts, step: parts.reshape(len(parts), *np.shape(step.operands[0])),
    "transpose": lambda parts, step: np.moveaxis(
        parts,
        range(1, parts.ndim),
        [1 + axis for axis in _axes(step)],
    ),
}


def _axes(step: Step) -> tuple[int, ...]:
    """The order in which a transpose laid out the axes."""
    axes = step.node.options.get("axes")
    rank = np.ndim(step.operands[0])
    return tuple(reversed(range(rank))) if axes is None else tuple(a % rank for a in axes)
