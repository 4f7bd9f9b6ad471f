"""The tape: one Node for each recorded op, one Leaf for each tensor that a gradient is wanted of.

Nodes point at their parents, which are always older. So the birth number is a topological order,
and nothing points back: when the loss goes out of scope, the whole tape is freed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.collector import INTERVAL, hide_long_tape

if TYPE_CHECKING:
    from minigrad.engine.primitive import Primitive

# One clock for births and changes; `next` on it is atomic, so threads may share it.
clock = count(1)

# What stands in a node's `values` after a walk has released it.
RELEASED: tuple[Any, ...] = ("released",)

# Shared by all ops that were called without options, to spare the collector a dict for each.
NO_OPTIONS: dict[str, Any] = {}


class Leaf:
    """The end of a path on the tape: a tensor that was made by the user, not by an op.

    It stands in for the tensor (a node that pointed at the tensor itself would keep it alive),
    and holds what the backward pass brings: the gradient.

    Attributes
    ----------
    birth : int
        When it was made, on the engine's clock.
    changed : int
        When its values were last changed in place; a node born earlier has used older values.
    gradient : ndarray or None
        The sum of what all backward passes since the last `zero_grad` have brought.
    buffer : ndarray or None
        Where an optimizer wants the gradient written (a view of its flat buffer).
    name : str
        What error messages and traces call it.
    """

    __slots__ = ("birth", "buffer", "changed", "gradient", "hooks", "name")

    primitive = None

    def __init__(self, name: str = "") -> None:
        self.birth = next(clock)
        self.changed = 0
        self.gradient: Any = None
        self.buffer: Any = None
        self.name = name
        self.hooks: dict[int, Callable[[Any], Any]] | None = None

    def accumulate(self, cotangent: Any) -> None:
        """Add `cotangent` to the gradient, in memory that nobody else holds."""
        if self.gradient is not None:
            self.gradient += cotangent
        elif self.buffer is not None:
            self.buffer[...] = cotangent
            self.gradient = self.buffer
        else:
            self.gradient = np.array(cotangent)  # a copy: a rule may have given it to others too


class Node:
    """One recorded op: a plain record, with no pointer to any tensor or closure.

    Attributes
    ----------
    primitive : Primitive
        The op, with its derivative rules.
    values : tuple
        The result, then the operands: what a rule is called with after the upstream gradient.
    options : dict
        The op's keyword arguments (``axis``, ``keepdims``, …).
    parents : tuple of (Node, Leaf or None)
        Where each operand came from; None where it needs no gradient.
    scope : str
        The layer and term in which it was born, such as ``"codings/activity"``.
    birth : int
        Its number on the engine's clock; always larger than its parents'.
    hooks : dict or None
        The user's functions that look at, or replace, the gradient arriving here.
    line, label
        Where in the program it was called, and what a layer calls its result; set only while
        somebody wants to know (see `minigrad.engine.lines`), and else not even there.
    hidden : bool
        Whether it is off the garbage collector's list; see `minigrad.engine.collector`.
    """

    __slots__ = (
        "__weakref__",
        "birth",
        "hidden",
        "hooks",
        "label",
        "line",
        "options",
        "parents",
        "primitive",
        "scope",
        "values",
    )

    line: Any
    label: str
    changed = 0  # results of ops are never changed in place

    def __init__(
        self,
        primitive: Primitive,
        values: tuple[Any, ...],
        options: dict[str, Any],
        parents: tuple[Node | Leaf | None, ...],
        scope: str,
    ) -> None:
        self.primitive = primitive
        self.values = values
        self.options = options
        self.parents = parents
        self.scope = scope
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.hidden = False
        self.birth = birth = next(clock)
        if not birth % INTERVAL:
            hide_long_tape(self)

    @property
    def result(self) -> Any:
        """What the op returned."""
        return self.values[0]

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the op was called with: arrays, and plain constants."""
        return self.values[1:]

    @property
    def released(self) -> bool:
        """Whether a backward pass has already consumed this node."""
        return self.values is RELEASED

    def release(self) -> None:
        """Forget the values, so that their memory is free as soon as nobody else needs them."""
        self.values = RELEASED
        self.parents = ()

    def __repr__(self) -> str:
        where = f" in {self.scope!r}" if self.scope else ""
        return f"Node({self.primitive.name}{where}, birth={self.birth})"
