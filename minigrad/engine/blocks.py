"""Blocks: ops that work element by element, one after the other, on a part of the arrays at a time.

A call of NumPy goes through whole arrays. Where they are larger than the processor's cache, each of
several calls in a row waits for memory anew. So such calls are made block by block: what the first
has written is still in the cache when the last reads it. The results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]

BLOCK = 16_384  # numbers: a few arrays of so many fit into the second cache


def in_blocks(calls: Sequence[Call]) -> list[Call]:
    """Return calls that do the same, with runs of elementwise ones cut into blocks."""
    made: list[Call] = []
    for shape, run in groupby(calls, key=_shape_of_large):
        group: list[Any] = list(run)
        if shape is None or len(group) == 1:
            made += group
            continue
        for start in range(0, int(np.prod(shape)), BLOCK):
            made += [partial(c.func, *(_part(a, start) for a in c.args)) for c in group]
    return made


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
