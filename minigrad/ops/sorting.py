"""Ops that pick elements by their order: sort, median, and taking along an axis."""

from typing import Any

import numpy as np

from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.indexing import getitem_
from minigrad.ops.joining import _along
from minigrad.ops.shapes import axes_of, axis_of, reshape


@implements(np.take_along_axis)
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """For each place, the element whose position along `axis` stands in `indices`."""
    index = np.array(plain(indices))
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = axis_of(x, axis, "take_along_axis")
    if index.ndim != x.ndim:
        raise ValueError(f"take_along_axis needs indices with {x.ndim} axes, got {index.ndim}")
    shape = [1 if a == axis else n for a, n in enumerate(x.shape)]
    index = np.broadcast_to(
        index,
        [
            n if a == axis else max(n, m)
            for a, (n, m) in enumerate(zip(index.shape, shape, strict=True))
        ],
    )
    grid = np.ogrid[tuple(slice(n) for n in index.shape)]
    return getitem_(
        x, index=tuple(index if a == axis else np.asarray(grid[a]) for a in range(x.ndim))
    )


@implements(np.sort)
def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order; each takes its gradient with it."""
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return take_along_axis(x, np.argsort(plain(x), axis=axis, kind="stable"), axis=axis)


@implements(np.median)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle element, or the mean of the two in the middle."""
    ordered, folded = folded_last(x, axis)
    ordered = sort(ordered)
    length = ordered.shape[-1]
    if length == 0:
        raise ValueError(f"the median over axis {axis} of an empty tensor of shape {x.shape}")
    low = _along(ordered, -1, (length - 1) // 2)
    result = low if length % 2 else (low + _along(ordered, -1, length // 2)) / 2
    last = plain(_along(ordered, -1, -1))
    result = np.where(np.isnan(last), last, result) if np.isnan(last).any() else result
    if keepdims:
        shape = tuple(1 if a in folded else n for a, n in enumerate(x.shape))
        result = reshape(result, shape)
    return result


def folded_last(x: Any, axis: Any) -> tuple[Any, set[int]]:
    """Lay the axes of a reduction out in one last axis; also return which they are."""
    folded = set(axes_of(x, axis, "axis"))
    kept = [a for a in range(x.ndim) if a not in folded]
    x = np.transpose(x, (*kept, *sorted(folded)))
    return reshape(x, (*x.shape[: len(kept)], -1)), folded


def one_hot(labels: Any, classes: int, dtype: Any = None) -> Tensor:
    """Rows of zeros with a 1 at each label: (…,) → (…, classes).

    Raises
    ------
    ValueError
        If a label is no whole number from 0 to classes − 1.

    Examples
    --------
    >>> one_hot([0, 2], 3)
    Tensor([[1., 0., 0.], [0., 0., 1.]])
    """
    values = np.asarray(plain(labels))
    wrong = values.dtype.kind not in "iub" or (values < 0).any() or (values >= classes).any()
    if values.size and wrong:
        raise ValueError(
            f"labels must be whole numbers from 0 to {classes - 1}. Received: {values}"
        )
    rows = np.eye(classes, dtype=dtype or get_default_dtype())
    return Tensor(rows[values.astype(np.intp)])
