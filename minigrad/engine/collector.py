"""Long tapes and Python's garbage collector.

The collector looks for cycles, and to find them it visits every object that could be part of one,
again and again as their number grows: on a tape of a million ops that takes twice as long as the
ops themselves. But a tape has no cycles (nodes point at older nodes only), and is freed by counting
references. So the nodes of a long tape are taken off the collector's list. This is the one place
where the engine reaches into CPython; elsewhere it does nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.engine.node import Node

INTERVAL = 2048  # how many births apart a tape is looked at: rarely enough to cost nothing
LONG = 1000  # a tape with fewer tracked nodes is left alone: the collector is quick with it


def _python_api(name: str) -> Callable[[Any], None]:
    try:
        from ctypes import py_object, pythonapi
    except ImportError:  # not CPython
        return lambda thing: None
    function = getattr(pythonapi, name)
    function.argtypes, function.restype = (py_object,), None
    return function


_untrack: Callable[[Any], None] | None = None


def hide_long_tape(newest: Node) -> None:
    """Take the tape below `newest` off the collector's list, if it is long."""
    global _untrack
    found = [newest]
    for node in found:  # grows while it is walked; hidden nodes end the search
        for parent in node.parents:
            if parent is not None and parent.primitive is not None and not parent.hidden:
                parent.hidden = True
                found.append(parent)
    if len(found) < LONG:
        for node in found:
            node.hidden = False
        return
    if _untrack is None:
        _untrack = _python_api("PyObject_GC_UnTrack")
    newest.hidden = True
    for node in found:
        if not node.hooks:  # a hook may point back at the tape: a cycle, for the collector to find
            _untrack(node.parents)
            _untrack(node)


def show(node: Node) -> None:
    """Put a node back on the collector's list: a hook makes it point at who knows what."""
    if node.hidden and not gc.is_tracked(node):
        _python_api("PyObject_GC_Track")(node)
