"""Ops that pick elements by their order: sort, and taking along an axis."""

from typing import Any

import numpy as np

from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.indexing import getitem_
from minigrad.ops.plain import without_derivative
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
    # Along the other axes each place takes its own: they broadcast, against `x` as well.
    grid: Any = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[axis] = index
    return getitem_(x, index=tuple(grid))


@implements(np.sort)
def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order; each takes its gradient with it."""
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return take_along_axis(x, np.argsort(plain(x), axis=axis, kind="stable"), axis=axis)


@implements(np.unique)
def unique(x: Any, *args: Any, **options: Any) -> Any:
    """Each value once, in order: a plain array, unless a gradient flows through it."""
    if not (isinstance(x, Tensor) and x.requires_grad):
        return without_derivative(np.unique, x, *args, **options)
    if args or options:
        raise TypeError("np.unique of a Tensor that requires gradients takes no further arguments")
    flat = reshape(x, (-1,))
    return flat[np.unique(plain(flat), return_index=True)[1]]


def folded_last(x: Any, axis: Any) -> tuple[Any, set[int]]:
    """Lay the axes of a reduction out in one last axis; also return which they are."""
    folded = set(axes_of(x, axis, "axis"))
    kept = [a for a in range(x.ndim) if a not in folded]
    x = np.transpose(x, (*kept, *sorted(folded)))
    return reshape(x, (*x.shape[: len(kept)], -1)), folded


def one_hot(labels: Any, classes: int, dtype: Any = None) -> Tensor:
    """Rows of zeros with a 1 at each label: (…,) → (…, classes).

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
