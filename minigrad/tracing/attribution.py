"""Attribution: one reverse walk that carries a cotangent for each loss term.

The gradient of a sum is the sum of the gradients. So instead of one upstream gradient, each node
gets one for every term that reaches it; the derivative rules are those of the ordinary walk.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from minigrad.engine import Leaf, Node, Tensor
from minigrad.engine.backward import check_alive, leading_to, pull_back, start
from minigrad.engine.lines import Line, line_of

Array = Any
ByTerm = dict[str, Array]


class Step(NamedTuple):
    """What the walk did at one op.

    Attributes
    ----------
    node : Node
        The op.
    upstream : dict of str to ndarray
        The gradient that arrived, by term.
    outgoing : tuple of (parent, operand's index, dict of str to ndarray)
        What the rules made of it, for each operand that needs a gradient.
    """

    node: Node
    upstream: ByTerm
    outgoing: tuple[tuple[Node | Leaf, int, ByTerm], ...]

    @property
    def op(self) -> str:
        """The name of the op."""
        return self.node.primitive.name

    @property
    def layer(self) -> str:
        """The layer or term in which the op ran forward, such as ``"codings/activity"``."""
        return self.node.scope

    @property
    def line(self) -> Line | None:
        """The line of the program that it was called at; None if it was not remembered."""
        return line_of(self.node)

    @property
    def operands(self) -> tuple[Array, ...]:
        """What the op was called with."""
        return self.node.operands

    @property
    def result(self) -> Array:
        """What it returned."""
        return self.node.result

    def rule(self, index: int) -> str:
        """Return the source of the rule for the operand `index`."""
        from minigrad.tracing.rule_source import rule_source  # needs slow modules

        return rule_source(self.node.primitive.rules[index])

    def formula(self, index: int) -> str:
        """Return that rule in mathematical notation; its first words, if it is a function."""
        from minigrad.tracing.rule_source import rule_formula

        return rule_formula(self.node.primitive.rules[index])


def attribute(
    terms: Mapping[str, Tensor],
    on_step: Callable[[Step], None] | None = None,
    targets: Collection[Node | Leaf] | None = None,
    create_graph: bool = False,
) -> dict[Node | Leaf, ByTerm]:
    """Return the gradient of each term with respect to every node and leaf on the tape.

    Terms that record nothing (plain numbers, frozen layers) contribute nothing. The tape is kept.
    If only `targets` are wanted, what is known of others is forgotten as soon as it is used, and
    rules that lead to none of them are not run.
    """
    cotangents: dict[Node | Leaf, ByTerm] = {}
    for name, tensor in terms.items():
        if tensor._node is not None:
            _add(cotangents.setdefault(tensor._node, {}), name, start(tensor, None, create_graph))
    leading = None if targets is None else leading_to(set(targets), cotangents)
    pending = [(-node.birth, node) for node in cotangents]
    heapify(pending)
    while pending:
        node = heappop(pending)[1]
        if not isinstance(node, Node):
            continue
        upstream = cotangents[node]
        outgoing = []
        for index, parent in enumerate(check_alive(node)):
            if parent is None or (leading is not None and parent not in leading):
                continue
            contribution = {
                term: pull_back(node, index, g, create_graph) for term, g in upstream.items()
            }
            outgoing.append((parent, index, contribution))
            if parent not in cotangents:
                cotangents[parent] = {}
                heappush(pending, (-parent.birth, parent))
            for term, g in contribution.items():
                _add(cotangents[parent], term, g)
        if on_step is not None:
            on_step(Step(node, upstream, tuple(outgoing)))
        if targets is not None and node not in targets:
            del cotangents[node]
    return cotangents


def _add(by_term: ByTerm, term: str, g: Array) -> None:
    by_term[term] = by_term[term] + g if term in by_term else g


def chain(steps: Iterable[Step], target: Node | Leaf, term: str) -> list[Step]:
    """Return the steps through which `term` reaches `target`, in the order of the walk."""
    leading: set[Node | Leaf] = {target}
    kept = []
    for step in reversed(list(steps)):  # parents first, so that each step knows where it leads
        if term in step.upstream and any(parent in leading for parent, _, _ in step.outgoing):
            leading.add(step.node)
            kept.append(step)
    return kept[::-1]


def scaled(step: Step, factors: Mapping[str, float]) -> Step:
    """Return a step as it would be if each term were multiplied by its factor."""

    def by(values: ByTerm) -> ByTerm:
        return {term: g * factors.get(term, 1.0) for term, g in values.items()}

    outgoing = tuple((parent, index, by(values)) for parent, index, values in step.outgoing)
    return Step(step.node, by(step.upstream), outgoing)
