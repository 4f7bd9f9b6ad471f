"""Which samples pull a weight: a contribution taken apart by samples, without a loop.

The reverse walk adds the samples up where a batch meets a weight, or what is made of weights. So
each sample's part is what that op's rule gives without the sum: a product of what the sample
brought forward and what comes back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.engine.backward import pull_back
from minigrad.ops.convolution import correlation_
from minigrad.tracing.attribution import Step

if TYPE_CHECKING:
    from minigrad.tracing.trace import Trace

Array = np.ndarray[Any, Any]


def per_sample(trace: Trace, parameter: str, term: str) -> Array:
    """Return each sample's part in a contribution, (batch, *shape); see `Trace.per_sample`."""
    node = trace._node(parameter)
    shape, dtype = trace._shapes[parameter]
    samples = trace.samples or _batch_size(trace.steps)
    if node is None or not trace.has_path(parameter, term):
        if not samples:
            raise ValueError(
                f"per_sample: {term!r} does not reach {parameter!r}, and no other op on this tape "
                "tells how many samples there are"
            )
        return np.zeros((samples, *shape), dtype)
    search = _Search(trace, samples, term)
    try:
        return search.parts(node).astype(dtype, copy=False)
    except _NoSamples as error:
        raise ValueError(
            f"per_sample: {term!r} does not come to {parameter!r} by way of the samples, so there "
            f"is nothing to take apart: {error}"
        ) from None


class _NoSamples(Exception):  # noqa: N818  (it becomes an error where the names are known)
    pass


class _Search:
    """What comes to a weight, sample by sample.

    From the weight towards the loss, ops that do not depend on the input (a product of two
    factors, a normalization) pass on one gradient for each sample, by their own rules; the first
    op that does depend on it is where samples meet weights.
    """

    def __init__(self, trace: Trace, samples: int, term: str) -> None:
        self.steps = [step for step in trace.steps if term in step.upstream]
        self.samples = samples
        self.dependent, self.in_rows = _dependent(trace, self.steps, samples)
        self.term = term
        self.found: dict[Node | Leaf, Array] = {}

    def parts(self, node: Node | Leaf) -> Array:
        """Add up what comes by way of each op that uses a weight, or what is made of weights."""
        if node not in self.found:
            parts = [
                self._through(step, index)
                for step in self.steps
                for parent, index, _ in step.outgoing
                if parent is node
            ]
            if not parts:
                raise _NoSamples("it is a penalty on the weights themselves, or cut from the input")
            self.found[node] = np.asarray(sum(parts[1:], parts[0]))
        return self.found[node]

    def _through(self, step: Step, index: int) -> Array:
        """Return the samples' parts that come through one op."""
        if step.node not in self.dependent:
            parts = self.parts(step.node)
            return np.stack([np.asarray(pull_back(step.node, index, g)) for g in parts])
        taken_apart = _OPS.get((step.op, index)) or _OPS.get((step.op, None))
        if taken_apart is None:
            raise _NoSamples(
                f"the op {step.op!r}, in which they meet, cannot be taken apart. Known: "
                f"{', '.join(sorted({op for op, _ in _OPS}))}"
            )
        g = np.asarray(step.upstream[self.term])
        if step.node not in self.in_rows:
            raise _NoSamples(
                f"the op {step.op!r}, in which they meet, gives an array of shape {g.shape}, in "
                f"which the {self.samples} samples have no rows of their own"
            )
        return taken_apart(step, index, g)


def _dependent(
    trace: Trace, steps: list[Step], samples: int
) -> tuple[set[Node | Leaf | None], set[Node | Leaf | None]]:
    """Return what depends on the input, and what of it has a row for each sample.

    A model's trace knows the input, unless it holds indices. Otherwise, data are arrays that need
    no gradient and are as long as the batch; but a kernel, such as `A @ B` in ``x @ (A @ B)``, is
    not made of data.
    """
    entry = trace._interior.get("input", (None,))[0]
    if entry is not None and trace._attributed[entry]:
        found: set[Node | Leaf | None] = {entry}
        candidates: set[Node] = set()
    else:
        found, kernels = set(), set()
        for step in steps:  # from the loss back
            for parent, index, _ in step.outgoing:
                is_matrix = step.op != "matmul" or np.ndim(step.operands[1]) == 2
                if step.node in kernels or ((step.op, index) in _KERNELS and is_matrix):
                    kernels.add(parent)
        candidates = {step.node for step in steps} - kernels
    in_rows = found.copy()
    for step in reversed(steps):
        fits = np.shape(step.result)[:1] == (samples,)
        for index, (operand, source) in enumerate(
            zip(step.operands, step.node.parents, strict=True)
        ):
            is_data = source is None and np.shape(operand)[:1] == (samples,)
            is_data = is_data and step.node in candidates
            if source in found or is_data:
                found.add(step.node)
            if fits and (is_data or (source in in_rows and _keeps_rows(step, index))):
                in_rows.add(step.node)
    return found, in_rows


def _keeps_rows(step: Step, index: int) -> bool:
    """Whether a row of an op's result is made of the same row of an operand: by its rule."""
    g = np.zeros_like(step.result)
    g[-1] = np.random.default_rng(0).normal(size=g.shape[1:])
    return not np.asarray(pull_back(step.node, index, g))[:-1].any()


def _rows(x: Any, batch: int) -> Array:
    """(batch, …, n) → (batch, rows, n)."""
    array = np.asarray(x)
    return array.reshape(batch, -1, array.shape[-1])


def _kernel(step: Step, index: int, g: Array) -> Array:
    x, kernel = map(np.asarray, step.operands[:2])
    if kernel.ndim != 2:
        raise _NoSamples(f"a kernel of shape {kernel.shape} cannot be taken apart")
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
    if aligned[0] == 1:
        return kept.reshape(len(g), *shape)
    own = np.eye(len(g), dtype=kept.dtype).reshape(len(g), len(g), *(1,) * (g.ndim - 1))
    return own * kept  # each sample has a row of the weight to itself


def _batch_size(steps: list[Step]) -> int:
    """Return the length of what samples and weights give in the op that meets them last."""
    found = [len(step.result) for step in steps if np.ndim(step.result) > 1]
    meeting = [len(s.result) for s in steps if (s.op, 1) in _KERNELS and np.ndim(s.result) > 1]
    return next(iter([*meeting, *found]), 0)


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

_KERNELS = {key for key in _OPS if key[1] == 1}
