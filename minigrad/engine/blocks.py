"""Blocks: ops that work element by element, one after the other, on a part of the arrays at a time.

A call of NumPy goes through whole arrays. Where they are larger than the processor's cache, each of
several calls in a row waits for memory anew. So such calls are made block by block: what the first
has written is still in the cache when the last reads it. The results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

BLOCK = 16_384  # numbers: a few arrays of so many fit into the second cache
LONGEST = 100  # calls of a run, as each is compared with all before it


def in_blocks(calls: Sequence[Call]) -> list[Call]:
    """Return calls that do the same, with runs of elementwise ones cut into blocks."""
    made: list[Call] = []
    for shape, run in _runs(calls):
        if shape is None or len(run) == 1:
            made += run
            continue
        for start in range(0, int(np.prod(shape)), BLOCK):
            made += [partial(c.func, *(_part(a, start) for a in c.args)) for c in run]
    return made


def _runs(calls: Sequence[Call]) -> list[tuple[tuple[int, ...] | None, list[Any]]]:
    """Return calls that can be made block by block together, with the shape they work on."""
    runs: list[tuple[tuple[int, ...] | None, list[Any]]] = []
    for call in calls:
        shape = _shape_of_large(call)
        previous, run = runs[-1] if runs else (None, [])
        together = shape is not None and shape == previous and len(run) < LONGEST
        if together and not any(_crosses(call, other) for other in run):
            run.append(call)
        else:
            runs.append((shape, [call]))
    return runs


def _crosses(call: Any, other: Any) -> bool:
    """Whether a block of one call meets, in a buffer of both, another block of the other.

    So it is where the same memory holds numbers of another size later on, or held a single number.
    """
    return any(
        np.may_share_memory(a, b)
        and (a.ndim != b.ndim or a.itemsize != b.itemsize or a.ctypes.data != b.ctypes.data)
        for a, b in product(call.args, other.args)
        if a.ndim or b.ndim
    )


def _part(array: Array, start: int) -> Array:
    return array if array.ndim == 0 else array.reshape(-1)[start : start + BLOCK]


def _shape_of_large(call: Any) -> tuple[int, ...] | None:
    """The shape of what an elementwise call works on, if it is large and lies in one piece."""
    if not isinstance(call, partial) or not isinstance(call.func, np.ufunc) or call.keywords:
        return None
    target = call.args[-1]
    if call.func.signature is not None or target.size < 2 * BLOCK:
        return None
    whole = (a.ndim == 0 or (a.shape == target.shape and a.flags.c_contiguous) for a in call.args)
    shape: tuple[int, ...] = target.shape
    return shape if all(whole) else None
