"""Values that leave the tape: a tensor that records is turned into a plain number or array.

Nothing is lost while it is only printed. But what is computed from the number has no gradient, and
where it comes back into the loss, a part of the gradient is missing without a word.
"""

from __future__ import annotations

import dis
import warnings
from itertools import pairwise
from opcode import opmap
from types import CodeType, FrameType
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.lines import INNER, PACKAGE, frame_outside
from minigrad.engine.state import STATE
from minigrad.engine.watcher import reveal

_DISCARD = opmap["POP_TOP"]
_GENERATOR = 0x20  # the flag of code that yields, and discards what is sent to it
# What leads to no number that a gradient could flow through, by the name that it is called by.
_DECIDING = (
    *("all", "any", "isfinite", "isinf", "isnan", "isclose", "allclose", "array_equal"),
    *("argmax", "argmin", "argsort", "int", "len", "shape", "size", "ndim", "dtype"),
)
_COMPARING = ("COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NOT")
_PATIENCE = 8  # so many ops are looked at, in case that a value comes back in one of them


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
    frame = frame or frame_outside(PACKAGE)
    file, names = frame.f_code.co_filename, frame.f_globals
    seen = names.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, file, frame.f_lineno, names.get("__name__"), seen)


def take_out(tensor: Any, value: Any, on_purpose: bool = False) -> Any:
    """Return a tensor's value, which goes to where no tape follows, having noted so."""
    reveal(tensor)
    state = STATE.get()
    if tensor._node is None or not state.recording:
        return value
    frame = frame_outside(INNER)
    code, line = frame.f_code, frame.f_lineno
    if code.co_filename.startswith(PACKAGE) or (code.co_filename, line) in (state.told or ()):
        return value  # we know what we do, and who has been told
    if state.told is not None:
        state.told.add((code.co_filename, line))
    if on_purpose:
        return value
    place = frame.f_lasti
    if state.told is None or _is_discarded(code, place) or _only_decides(code, place):
        STATE.set(state._replace(taken=Taken(value, code, frame.f_lasti, line)))
    else:
        state.told.add(state.scope)
        _warn_of_loss(f"values are taken off the tape in {state.scope or 'a model'!r}", frame)
    return value


def came_back(taken: Taken, operands: tuple[Any, ...]) -> None:
    """Warn if an op that is recorded is given a value that was taken out, or what came of it."""
    arrays = np.ndarray | np.generic
    constants = [
        x
        for x in operands
        if isinstance(x, float) or (isinstance(x, arrays) and x.dtype.kind == "f")
        if not any(x is literal for literal in taken.code.co_consts)
    ]
    is_back = any(x is taken.value for x in constants)
    frame = frame_outside(INNER)
    if constants and frame.f_code is taken.code and frame.f_lineno <= taken.line:
        spans = list(taken.code.co_positions())
        op = spans[frame.f_lasti // 2]
        is_back |= _contains(op, spans[taken.instruction // 2]) and not _only_decides(
            taken.code, taken.instruction, op
        )
    if is_back:
        _warn_of_loss("a value that was taken off the tape comes back", frame)
    rest = None if is_back or taken.left == 1 else taken._replace(left=taken.left - 1)
    STATE.set(STATE.get()._replace(taken=rest))


def _warn_of_loss(what: str, frame: FrameType) -> None:
    text = (
        f"{what}: as a constant, through which no gradient flows. Compute with tensors and NumPy's "
        "functions, such as np.exp(w) in place of math.exp(w); if a constant is meant, take it "
        "from tensor.detach(). See docs/errors.md."
    )
    warn(text, LostGradientWarning, frame)


def _is_discarded(code: CodeType, instruction: int) -> bool:
    """Whether nobody takes the result of the statement, such as ``print(…)``, that it is in."""
    spans = list(code.co_positions())
    return not code.co_flags & _GENERATOR and any(
        operation == _DISCARD and _contains(span, spans[instruction // 2])
        for operation, span in zip(code.co_code[::2], spans, strict=False)
    )


def _only_decides(code: CodeType, instruction: int, within: Any = None) -> bool:
    """Whether a value is taken, in an expression or anywhere, just to compare, ask or look up."""
    steps: list[Any] = list(dis.get_instructions(code))
    taking = list(code.co_positions())[instruction // 2]

    def is_around(span: Any) -> bool:
        return _contains(span, taking) and (within is None or _contains(within, span))

    calls = {s.positions[::2] for s in steps if s.opname[:4] == "CALL" and is_around(s.positions)}
    for before, step in pairwise(steps):
        name, span = step.opname, step.positions
        if name.startswith("POP_JUMP") or "SUBSCR" in name or step.argrepr == "[]":
            span = before.positions  # which made the condition, or the index
        elif step.argval not in _DECIDING and name not in _COMPARING:
            continue
        if is_around(span) or (step.argval in _DECIDING and span[::2] in calls):
            return True
    return False


def _contains(outer: Any, inner: Any) -> bool:
    """Whether an expression stands in another; each is (line, last line, column, last column)."""
    known = None not in (*outer, *inner)
    return known and outer[::2] <= inner[::2] and inner[1::2] <= outer[1::2]
