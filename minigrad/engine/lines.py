"""remember_lines: which line of the program each op on the tape comes from, and where paths end."""

from __future__ import annotations

import linecache
import os
import sys
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.node import Node
from minigrad.engine.state import STATE, override
from minigrad.engine.watcher import Watcher

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
INNER = (f"{PACKAGE}engine{os.sep}", f"{PACKAGE}ops{os.sep}")


class Line(NamedTuple):
    """A line of a program, of a notebook's cell, or of a layer.

    Attributes
    ----------
    file, function, text : str
        Its file's name without the folders, the function that it stands in, and what it says.
    number : int
        Of the line, from 1.
    """

    file: str
    number: int
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number} in {self.function}"


class LineRecorder(Watcher):
    """Notes the line of each op that runs forward."""

    def __init__(self) -> None:
        # What was cut off the tape, by the identity of its array, which is kept alive with it.
        self.cuts: dict[int, tuple[Any, str]] = {}

    def watch(
        self, primitive: Any, operands: Any, values: Any, options: Any, result: Any, node: Any
    ) -> None:
        """Note the line of an op that has just run forward."""
        if node is not None:
            node.line = forward_line()

    def cut(self, result: Any) -> None:
        """Note that `result` is a copy of a tensor, without its place on the tape."""
        where = STATE.get().scope
        self.cuts[id(result)] = (result, f"{forward_line()}{f' (in {where!r})' if where else ''}")


class remember_lines(override):  # noqa: N801  (used like a function, as no_grad)
    """A ``with`` block in which each op remembers the line that it was called at, for a trace.

    `Model.trace` does it by itself; for a loss that is written by hand, do the forward pass inside.
    Ops get slower by some microseconds.

    Examples
    --------
    >>> import minigrad as mg
    >>> x = mg.Tensor([1.0, 2.0], requires_grad=True)
    >>> with mg.remember_lines():
    ...     loss = (x * x).sum()
    >>> mg.trace({"data": loss}, {"x": x}).steps[-1].line.text
    'loss = (x * x).sum()'
    """

    def __init__(self) -> None:
        self.recorder = LineRecorder()
        super().__init__(watcher=self.recorder)

    def __enter__(self) -> remember_lines:
        if STATE.get().watcher is not None:  # detect_anomaly goes on looking
            self._changes.pop("watcher", None)
        super().__enter__()
        return self


def forward_line() -> Line:
    """Return the innermost line of code outside of this package's engine and ops."""
    frame = frame_outside(INNER)
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number, frame.f_globals).strip()
    return Line(os.path.basename(name), number, frame.f_code.co_name, text)


def frame_outside(folders: str | tuple[str, ...]) -> FrameType:
    """Return the innermost call of a function outside of some folders."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(folders):
        frame = frame.f_back
    return frame


def line_of(node: Node) -> Line | None:
    """Return the line that an op was called at, if it was remembered."""
    return getattr(node, "line", None)


def note_cut(result: np.ndarray[Any, Any]) -> None:
    """Tell whoever watches that a tensor's values go on without their place on the tape."""
    watcher = STATE.get().watcher
    if watcher is not None:
        watcher.cut(result)


def label(tensor: Any, name: str) -> Any:
    """Give the result of an op a name for traces, such as ``"pre_activation"``; return it."""
    node = getattr(tensor, "_node", None)  # layers also compute on plain arrays
    if isinstance(node, Node):
        node.label = name
    return tensor
