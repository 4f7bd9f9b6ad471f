"""The reverse walk: from an output back along the tape, youngest node first.

Birth order is a topological order, so a heap of birth numbers is all the bookkeeping: no
recursion, and a chain of a million ops is as good as one of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from minigrad.engine.dtypes import in_order
from minigrad.engine.node import RELEASED, Leaf, Node
from minigrad.engine.state import STATE, enable_grad
from minigrad.engine.tensor import Tensor, plain, read_only, titled
from minigrad.engine.watcher import constant

AnyNode = Node | Leaf

_PLAIN_NUMBERS = frozenset((bool, int, float))


def grad(
    output: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Any = None,
    create_graph: bool = False,
    keep_graph: bool | None = None,
) -> Any:
    """Gradient of `output` with respect to each of `inputs`; see `minigrad.grad`."""
    wanted = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    targets: list[AnyNode] = []
    for tensor in wanted:
        if tensor._node is None:
            raise RuntimeError(
                f"an input of shape {tensor.shape} does not require gradients, or was made inside "
                "no_grad(). Make it with Tensor(..., requires_grad=True) before the computation."
            )
        targets.append(tensor._node)
    seed = start(output, gradient, create_graph)
    keep = create_graph if keep_graph is None else keep_graph
    found = walk({output._node: seed}, targets, create_graph=create_graph, keep_graph=keep)
    results: list[Any] = []
    for tensor, node in zip(wanted, targets, strict=True):
        result: Any = found.get(node)
        if result is None:
            zeros = np.zeros(tensor.shape, tensor.dtype)
            result = Tensor._wrap(zeros) if create_graph else zeros
        # A rule may hand the same array or Tensor to several: each caller gets one of its own.
        results.append(result._twin() if create_graph else np.array(result))
    return results[0] if isinstance(inputs, Tensor) else results


def backward(output: Tensor, gradient: Any = None, keep_graph: bool = False) -> None:
    """Add the gradient of `output` to `.grad` of each leaf; see `Tensor.backward`."""
    seed = start(output, gradient, create_graph=False)
    for leaf, cotangent in walk({output._node: seed}, keep_graph=keep_graph).items():
        assert isinstance(leaf, Leaf)
        leaf.accumulate(cotangent)


def start(output: Tensor, gradient: Any, create_graph: bool) -> Any:
    """Return the upstream gradient with which a walk from `output` begins."""
    if not isinstance(output, Tensor):
        raise TypeError(f"expected a Tensor to differentiate. Received: {type(output).__name__}")
    if output._node is None:
        raise RuntimeError(
            f"this tensor of shape {output.shape} records nothing: it was computed inside "
            "no_grad(), was detached, or depends on no tensor with requires_grad=True."
        )
    if gradient is None:
        if output.size != 1:
            raise RuntimeError(
                f"backward needs a scalar. Received: shape {output.shape}. Reduce it first, for "
                "example with .sum() or .mean(), or pass gradient= of that shape."
            )
        seed = np.ones(output.shape, output.dtype)
    else:
        seed = in_order(plain(gradient), output.dtype)
        if seed.shape != output.shape:
            raise ValueError(
                f"gradient= must have the output's shape {output.shape}. Received: {seed.shape}"
            )
    if create_graph:  # the caller may write into the array later, so the new tape gets a copy
        if isinstance(gradient, Tensor):
            return gradient
        if gradient is None:
            constant(seed)
        return Tensor._wrap(seed)
    return seed if seed.ndim else seed[()]


def walk(
    seeds: dict[Any, Any],
    targets: Iterable[AnyNode] | None = None,
    create_graph: bool = False,
    keep_graph: bool = False,
) -> dict[AnyNode, Any]:
    """Carry the upstream gradients `seeds` back along the tape.

    Returns the total cotangent of each of `targets`; of each leaf where no targets are given.
    """
    wanted = None if targets is None else set(targets)
    on_the_way = None if wanted is None else leading_to(wanted, seeds)
    found: dict[AnyNode, Any] = {}
    cotangents = dict(seeds)
    pending = [(-node.birth, node) for node in seeds]
    heapify(pending)
    following: Any = None
    watcher = STATE.get().watcher
    with enable_grad():
        while pending or following is not None:
            # On a chain only one node waits at a time: it need not go through the heap.
            node = following if following is not None else heappop(pending)[1]
            following = None
            g = cotangents.pop(node)
            if node.hooks:
                g = run_hooks(node, g)
            if wanted is None:
                if node.primitive is None:
                    found[node] = g
                    continue
            else:
                if node in wanted:
                    found[node] = g
                if node.primitive is None:
                    continue
                if on_the_way is not None and on_the_way.isdisjoint(node.parents):
                    continue  # no rule of its own runs, so it is not consumed
            if watcher is not None:
                watcher.before(node)
            if node.values is RELEASED:
                raise consumed(node)
            # The parents are read before anything is released: releasing clears them.
            for index, parent in enumerate(node.parents):
                if parent is None or (on_the_way is not None and parent not in on_the_way):
                    continue
                if parent.changed > node.birth:
                    raise changed(node, parent)
                contribution = pull_back(node, index, g, create_graph)
                if watcher is not None:
                    watcher.after(node, index, g, contribution)
                if parent in cotangents:
                    # A new array: what a rule returned may be held by somebody else.
                    cotangents[parent] = cotangents[parent] + contribution
                    continue
                cotangents[parent] = contribution
                if following is None and not pending:
                    following = parent
                    continue
                if following is not None:
                    heappush(pending, (-following.birth, following))
                    following = None
                heappush(pending, (-parent.birth, parent))
            if not keep_graph:
                node.values, node.parents = RELEASED, ()  # node.release(), without the call
    return found


def pull_back(node: Node, index: int, g: Any, create_graph: bool = False) -> Any:
    """Return what operand `index` of `node` gets from the upstream gradient `g`.

    The one place where broadcasting is undone, and where the gradient gets its operand's dtype.
    """
    rule = node.primitive.rules[index]
    if rule is None:
        raise NotImplementedError(
            f"op {_place(node)} has no derivative with respect to its operand {index}. Detach "
            "that operand if its gradient is not wanted."
        )
    values = node.values
    operand = values[index + 1]
    if create_graph:
        values = tuple(
            value if parent is None else Tensor._wrap(value, parent)
            for value, parent in zip(values, (node, *node.parents), strict=True)
        )
    contribution = rule(g, *values, **node.options) if node.options else rule(g, *values)
    if type(contribution) is not np.ndarray:
        if type(contribution) is type(operand) and not create_graph:
            return contribution  # NumPy scalars of one type: nothing to undo
        if type(contribution) in _PLAIN_NUMBERS:
            contribution = np.asarray(contribution, operand.dtype)[()]
    if create_graph and not isinstance(contribution, Tensor):
        contribution = Tensor._wrap(contribution)  # a constant, such as a step's zero
    if contribution.shape != operand.shape:
        contribution = sum_to_shape(contribution, operand.shape)
    if contribution.dtype is not operand.dtype and contribution.dtype != operand.dtype:
        contribution = contribution.astype(operand.dtype)
    return contribution


def sum_to_shape(values: Any, shape: tuple[int, ...]) -> Any:
    """Sum an array or Tensor over the axes along which `shape` was broadcast to its shape."""
    added = values.ndim - len(shape)
    lengths = values.shape[max(added, 0) :]
    if added < 0 or any(n not in (1, m) for n, m in zip(shape, lengths, strict=True)):
        raise RuntimeError(
            f"a derivative rule returned shape {values.shape} for an operand of shape {shape}"
        )
    stretched = tuple(
        axis + added
        for axis, (n, m) in enumerate(zip(shape, lengths, strict=True))
        if n == 1 and m != 1
    )
    return np.sum(values, axis=tuple(range(added)) + stretched, keepdims=True).reshape(shape)


def check_alive(node: Node) -> tuple[AnyNode | None, ...]:
    """Return the node's parents, having made sure that its values are there, and unchanged."""
    if node.released:
        raise consumed(node)
    for parent in node.parents:
        if parent is not None and parent.changed > node.birth:
            raise changed(node, parent)
    return node.parents


def consumed(node: Node) -> RuntimeError:
    """Return the error for a node whose values an earlier walk has freed."""
    return RuntimeError(
        "the tape was consumed by an earlier backward pass, which freed op "
        f"{_place(node)}. Pass keep_graph=True to that pass to walk the tape twice."
    )


def changed(node: Node, parent: AnyNode) -> RuntimeError:
    """Return the error for a node whose operand was changed in place after it was born."""
    return RuntimeError(
        f"the values of {titled(getattr(parent, 'name', ''))} were changed in "
        f"place after op {_place(node)} had used them, so its gradient would be wrong. "
        "Call backward before the optimizer's step, and run the forward pass again after."
    )


def run_hooks(node: AnyNode, g: Any) -> Any:
    """Show the gradient to each hook of the node; what a hook returns takes its place.

    A hook sees it read-only: the same array may be on its way to other nodes.
    """
    for hook in list((node.hooks or {}).values()):
        returned = hook(g if isinstance(g, Tensor) else read_only(g))
        if returned is None:
            continue
        replaced: Any = returned
        if not isinstance(g, Tensor):
            replaced = np.array(plain(returned))
        elif not isinstance(returned, Tensor):
            replaced = Tensor(returned, g.dtype)
        if replaced.shape != g.shape:
            raise ValueError(f"a gradient hook returned shape {replaced.shape}; expected {g.shape}")
        g = replaced if replaced.dtype == g.dtype else replaced.astype(g.dtype)
    return g


def leading_to(wanted: set[AnyNode], seeds: Iterable[AnyNode]) -> set[AnyNode]:
    """Return all nodes below `seeds` from which a path leads to one of `wanted`."""
    reachable: set[AnyNode] = set(seeds)
    stack = list(seeds)
    while stack:
        node = stack.pop()
        if node.primitive is not None:
            for parent in check_alive(node):
                if parent is not None and parent not in reachable:
                    reachable.add(parent)
                    stack.append(parent)
    leading = set(wanted)
    for node in sorted(reachable, key=lambda node: node.birth):  # parents first
        if node.primitive is not None and any(parent in leading for parent in node.parents):
            leading.add(node)
    return leading


def _place(node: Node) -> str:
    return f"{node.primitive.name!r}" + (f" in {node.scope!r}" if node.scope else "")
