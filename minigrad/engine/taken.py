"""Values that leave the tape: a tensor that records is turned into a plain number or array.

Nothing is lost while it is only printed. But what is computed from the number has no gradient, and
where it comes back into the loss, a part of the gradient is missing without a word.
"""

from __future__ import annotations

import os
import sys
import warnings
from opcode import opmap
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.node import Leaf, Node
from minigrad.engine.state import STATE

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_INNER = (f"{_PACKAGE}engine{os.sep}", f"{_PACKAGE}ops{os.sep}")
_DISCARD = opmap["POP_TOP"]
_GENERATOR = 0x20
_PATIENCE = 8  # so many ops are looked at, in case that a number comes back in one of them

_WAY_OUT = (
    "Compute with tensors and NumPy's functions, such as np.exp(w) in place of math.exp(w); if a "
    "constant is meant, take it from tensor.detach(). See docs/errors.md."
)


class LostGradientWarning(UserWarning):
    """A number that a gradient should flow through was taken off the tape."""


class Taken(NamedTuple):
    """A value that was taken out, and where: the code, and the instruction in it."""

    value: Any
    code: CodeType
    instruction: int
    line: int
    left: int = _PATIENCE


def warn(message: str, category: type[Warning], frame: FrameType | None = None) -> None:
    """Warn at a line of the user's program; by default the innermost one outside of minigrad."""
    frame = frame or _frame_outside(_PACKAGE)
    where, names = frame.f_code.co_filename, frame.f_globals
    seen = names.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, where, frame.f_lineno, names.get("__name__"), seen)


def take_out(node: Node | Leaf | None, value: Any) -> Any:
    """Return a value that goes to where no tape follows, having noted so."""
    state = STATE.get()
    if node is None or not state.recording:
        return value
    frame = _frame_outside(_INNER)
    code, line = frame.f_code, frame.f_lineno
    if code.co_filename.startswith(_PACKAGE):
        return value  # we know what we do
    if state.told is None:
        STATE.set(state._replace(taken=Taken(value, code, frame.f_lasti, line)))
    elif (code.co_filename, line) not in state.told:
        state.told.add((code.co_filename, line))
        where = f" in {state.scope!r}" if state.scope else ""
        if not _is_discarded(code, frame.f_lasti):
            _warn_of_loss(f"a tensor's values are taken off the tape{where}", frame)
    return value


def came_back(taken: Taken, operands: tuple[Any, ...]) -> None:
    """Warn if an op that is recorded is given a value that was taken out, or what came of it."""
    left = taken.left - 1
    constants = [x for x in operands if _is_floating(x)]
    is_back = any(x is taken.value for x in constants)
    if constants and not is_back:
        frame = _frame_outside(_INNER)
        if frame.f_code is taken.code and frame.f_lineno <= taken.line:  # it may begin earlier
            spans = _spans(taken.code)
            is_back = _contains(spans[frame.f_lasti // 2], spans[taken.instruction // 2])
    if is_back:
        left = 0
        _warn_of_loss("a value that was taken off the tape comes back", _frame_outside(_INNER))
    STATE.set(STATE.get()._replace(taken=taken._replace(left=left) if left else None))


def _warn_of_loss(what: str, frame: FrameType) -> None:
    text = f"{what}, as a constant, through which no gradient flows. {_WAY_OUT}"
    warn(text, LostGradientWarning, frame)


def _frame_outside(folders: str | tuple[str, ...]) -> FrameType:
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(folders):
        frame = frame.f_back
    return frame


def _is_floating(operand: Any) -> bool:
    return isinstance(operand, float) or (
        isinstance(operand, np.ndarray | np.generic) and operand.dtype.kind == "f"
    )


def _contains(outer: Any, inner: Any) -> bool:
    """Whether an expression stands inside of another; each as `_spans` gives it."""
    known = None not in (*outer, *inner)
    return known and outer[::2] <= inner[::2] and inner[1::2] <= outer[1::2]


def _spans(code: CodeType) -> list[tuple[int | None, ...]]:
    """Return where each instruction's expression begins and ends: lines, then columns."""
    return list(code.co_positions())


def _is_discarded(code: CodeType, instruction: int) -> bool:
    """Whether nobody takes the result of the statement, such as ``print(…)``, that it is in."""
    if code.co_flags & _GENERATOR:  # whose code drops what is sent to it
        return False
    spans = _spans(code)
    return any(
        operation == _DISCARD and _contains(span, spans[instruction // 2])
        for operation, span in zip(code.co_code[::2], spans, strict=False)
    )
