"""Which samples pull a weight: a contribution taken apart by samples.

The reverse walk adds the samples up where a batch meets a weight, or what is made of weights. A
rule is linear in the upstream gradient, so each sample's part is what that op's rule makes of the
sample's own row, with zeros in place of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.engine.backward import pull_back
from minigrad.tracing.attribution import Step
from minigrad.tracing.hand_written import MEETING

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
        each = self._own_rows(step) if step.node in self.dependent else self.parts(step.node)
        return np.stack([np.asarray(pull_back(step.node, index, g)) for g in each])

    def _own_rows(self, step: Step) -> Iterator[Array]:
        """For each sample, what comes back to an op by way of its row, with zeros elsewhere."""
        g = np.asarray(step.upstream[self.term])
        if step.node not in self.in_rows:
            raise _NoSamples(
                f"the op {step.op!r}, in which they meet, cannot be taken apart: it gives an array "
                f"of shape {g.shape}, in which the {self.samples} samples have no rows of their own"
            )
        for sample in range(len(g)):
            own = np.zeros_like(g)
            own[sample] = g[sample]
            yield own


def _dependent(
    trace: Trace, steps: list[Step], samples: int
) -> tuple[set[Node | Leaf | None], set[Node | Leaf | None]]:
    """Return what depends on the input, and what of it has a row for each sample.

    A model's trace knows the input, unless it holds indices. Otherwise, data are arrays that need
    no gradient and are as long as the batch, be they operands or the indices of an Embedding; but
    a kernel, such as `A @ B` in ``x @ (A @ B)``, is not made of data.
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
                if step.node in kernels or (step.op in MEETING and index == 1 and is_matrix):
                    kernels.add(parent)
        candidates = {step.node for step in steps} - kernels
    in_rows = found.copy()
    for step in reversed(steps):
        fits = np.shape(step.result)[:1] == (samples,)
        rows: Any = step.node.options.get("index")
        rows = rows[0] if isinstance(rows, tuple) and rows else rows
        for index, (operand, source) in enumerate(
            zip(step.operands, step.node.parents, strict=True)
        ):
            data = operand if source is None else rows
            is_data = np.shape(data)[:1] == (samples,) and step.node in candidates
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


def _batch_size(steps: list[Step]) -> int:
    """Return the length of what samples and weights give in the op that meets them last."""
    found = [len(step.result) for step in steps if np.ndim(step.result) > 1]
    meeting = [len(s.result) for s in steps if s.op in MEETING and np.ndim(s.result) > 1]
    return next(iter([*meeting, *found]), 0)
