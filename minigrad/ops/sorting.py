"""Ops that pick elements by their order."""

from typing import Any

import numpy as np

from minigrad.engine.dtypes import get_default_dtype
from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.plain import without_derivative
from minigrad.ops.shapes import reshape


@implements(np.sort)
def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order; each takes its gradient with it."""
    return np.take_along_axis(x, np.argsort(plain(x), axis=axis, kind="stable"), axis=axis)


@implements(np.unique)
def unique(x: Any, *args: Any, **options: Any) -> Any:
    """Each value once, in order: a plain array, unless a gradient flows through it."""
    if not (isinstance(x, Tensor) and x.requires_grad):
        return without_derivative(np.unique, x, *args, **options)
    if args or options:
        raise TypeError("np.unique of a Tensor that requires gradients takes no further arguments")
    flat = reshape(x, (-1,))
    return flat[np.unique(plain(flat), return_index=True)[1]]


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
