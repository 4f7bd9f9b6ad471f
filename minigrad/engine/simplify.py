"""What need not be computed again in each run of a program, or not at all.

Numbers that depend on shapes alone (the 1 with which a reverse walk begins, times the strength of a
penalty, divided by the batch size) are computed once. What is computed twice (an error, in the loss
and in its derivative) is computed once. What no output depends on is left out, unless it checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine.recorder import RecordedOp, Slot


def simplified(
    ops: Sequence[RecordedOp], outputs: Sequence[Slot]
) -> tuple[list[RecordedOp], list[Slot]]:
    """Return the ops that must run, in their order, and the places where outputs are then."""
    kept, same_as = _without_repetitions(_without_constants(ops))
    places = [same_as.get(slot, slot) for slot in outputs]
    return _needed(kept, places), places


def _without_constants(ops: Sequence[RecordedOp]) -> list[RecordedOp]:
    """Leave out ops on constants: their results are the samples that were recorded."""
    for op in ops:
        slots = [place for place in op.operands if isinstance(place, Slot)]
        op.result.constant = all(slot.constant for slot in slots)
    return [op for op in ops if not op.result.constant]


def _without_repetitions(
    ops: Sequence[RecordedOp],
) -> tuple[list[RecordedOp], dict[Slot, Slot]]:
    """Leave out what an earlier op has computed from the same operands; say where it is."""
    earlier: dict[Any, Slot] = {}
    same_as: dict[Slot, Slot] = {}
    kept = []
    for op in ops:
        op.operands = [same_as.get(p, p) if isinstance(p, Slot) else p for p in op.operands]
        key = (op.function, *map(_identity, op.operands), repr(op.options))
        if key in earlier:
            same_as[op.result] = earlier[key]
            earlier[key].samples += op.result.samples
        else:
            earlier[key] = op.result
            kept.append(op)
    return kept, same_as


def _identity(operand: Any) -> Any:
    # 0.0 and False are equal, and so are 0.0 and −0.0: but they are not the same.
    return operand if isinstance(operand, Slot) else (type(operand), repr(operand))


def _needed(ops: Sequence[RecordedOp], outputs: Sequence[Slot]) -> list[RecordedOp]:
    """Return the ops that the outputs depend on, and checks."""
    wanted = set(outputs)
    kept = []
    for op in reversed(ops):
        if op.result in wanted or op.is_check:
            wanted.update(place for place in op.operands if isinstance(place, Slot))
            kept.append(op)
    return kept[::-1]
