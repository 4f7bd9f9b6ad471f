"""Watcher: whoever wants to see each op as it runs; stands in the engine's state while it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from minigrad.engine.state import STATE

if TYPE_CHECKING:
    from minigrad.engine.node import Node
    from minigrad.engine.tensor import Tensor

A = TypeVar("A")


class Watcher:
    """Takes no notice of anything; a subclass defines what it wants to see."""

    def watch(
        self,
        primitive: Any,
        operands: tuple[Any, ...],
        values: list[Any],
        options: dict[str, Any],
        result: Any,
        node: Node | None,
    ) -> None:
        """See an op that has just run forward: what it was given, the values in it, its result."""

    def watch_plain(
        self, function: Callable[..., Any], operands: tuple[Any, ...], options: Any, result: Any
    ) -> Any:
        """See a function without derivative, such as a comparison; return what the caller gets."""
        return result

    def watch_check(self, function: Callable[..., None], operands: tuple[Any, ...]) -> None:
        """See a function that has looked at operands, and would have raised an error."""

    def before(self, node: Node) -> None:
        """See an op whose rules are about to run."""

    def after(self, node: Node, index: int, upstream: Any, contribution: Any) -> None:
        """See what a rule returned."""

    def cut(self, result: Any) -> None:
        """See a copy of a tensor's values, without its place on the tape."""

    def reveal(self, tensor: Tensor) -> None:
        """See a tensor whose values are turned into Python's or NumPy's, out of our sight."""

    def constant(self, array: Any) -> None:
        """See an array that depends on shapes alone, such as zeros."""


def reveal(tensor: Any) -> None:
    """Tell whoever watches that a tensor's values are taken to where the engine cannot see them."""
    watcher = STATE.get().watcher
    if watcher is not None:
        watcher.reveal(tensor)


def sealed(array: Any) -> Any:
    """Return a `constant` that nobody can write into, so that ops may be given it as an operand."""
    array.flags.writeable = False
    return constant(array)


def constant(array: A) -> A:
    """Return an array, having told whoever watches that it depends on shapes alone."""
    watcher = STATE.get().watcher
    if watcher is not None:
        watcher.constant(array)
    return array
