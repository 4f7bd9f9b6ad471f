"""Buffers: which memory holds which result of a program, so that it needs as little as possible.

A result's memory is free again after the last op that reads it, or a view of it. So a program of
many ops gets along with a few buffers, which are warm in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.recorder import RecordedOp, Slot

Array = np.ndarray[Any, Any]

ALIGNMENT = 64  # bytes: a line of the cache, so that no number lies in two of them


class Buffers:
    """Memory that is handed out to the results of ops and taken back; outputs keep theirs."""

    def __init__(self, ops: Sequence[RecordedOp], outputs: Sequence[Slot]) -> None:
        self._free: list[Array] = []
        self._memory: dict[Slot, Array] = {}  # of each result that has memory of its own
        self._last_use = _last_uses(ops, outputs)
        self._ending: dict[int, list[Slot]] = {}
        for slot, index in self._last_use.items():
            self._ending.setdefault(index, []).append(slot)

    def take(self, slot: Slot) -> Array:
        """Return an array for a result: in the smallest free memory that fits, or in new one."""
        size = max(slot.sample.nbytes, 1)
        fitting = [memory for memory in self._free if memory.size >= size]
        if fitting:
            memory = min(fitting, key=lambda memory: memory.size)
            self._free = [other for other in self._free if other is not memory]
        else:
            memory = _aligned(size)
        self._memory[slot] = memory
        return _like(slot.sample, memory)

    def reuse(self, index: int, op: RecordedOp, arrays: Mapping[Slot, Array]) -> Array | None:
        """Return the array of an operand that is not read after this op, to be written over.

        Only ops that work element by element can write where they read.
        """
        function, wanted = op.function, op.result.sample
        if not isinstance(function, np.ufunc) or function.signature is not None or not wanted.ndim:
            return None
        for place in op.operands:
            if not isinstance(place, Slot) or place not in self._memory:
                continue
            array = arrays[place]
            fits = array.strides == wanted.strides and array.dtype == wanted.dtype
            fits = fits and array.shape == wanted.shape
            if fits and self._last_use[place] == index:
                self._memory[op.result] = self._memory.pop(place)
                return array
        return None

    def free_after(self, index: int) -> None:
        """Take back the memory of what is not read after an op."""
        for slot in self._ending.get(index, ()):
            memory = self._memory.pop(slot, None)
            if memory is not None:
                self._free.append(memory)


def _last_uses(ops: Sequence[RecordedOp], outputs: Sequence[Slot]) -> dict[Slot, int]:
    """Return the number of the op after which each result, and all views of it, are not read."""
    last: dict[Slot, int] = {}
    seen_through: dict[Slot, Slot] = {}  # what a view was taken of

    def use(slot: Slot, index: int) -> None:
        last[slot] = index
        while slot in seen_through:
            slot = seen_through[slot]
            last[slot] = index

    for index, op in enumerate(ops):
        for place in op.operands:
            if isinstance(place, Slot):
                use(place, index)
                if op.result.is_view_of(place):
                    seen_through[op.result] = place
        use(op.result, index)
    for slot in outputs:
        use(slot, len(ops))
    return last


def _aligned(size: int) -> Array:
    """Return bytes that begin at the beginning of a line of the cache."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def _like(sample: Any, memory: Array) -> Array:
    """Return memory as an array like the sample, its axes in the same order in memory.

    The order decides in which order a sum over all of it adds up, and so its last bits.
    """
    values = memory[: sample.nbytes].view(sample.dtype)
    outer_first = sorted(range(sample.ndim), key=lambda axis: -abs(sample.strides[axis]))
    ordered = values.reshape([sample.shape[axis] for axis in outer_first])
    return ordered.transpose(np.argsort(outer_first)) if sample.ndim else ordered
