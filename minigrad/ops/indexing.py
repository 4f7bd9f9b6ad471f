"""Reading and writing elements by index: the adjoint pair getitem | scatter."""

import operator
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain


def _scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape` with `x` added at `index`; an index that is repeated adds up."""
    target = np.zeros(shape, x.dtype)
    if _is_basic(index):
        target[index] = x
    else:
        np.add.at(target, index, x)
    return target


getitem_: Primitive = Primitive(
    lambda x, index: x[index],
    lambda g, z, x, index: scatter(g, index=index, shape=x.shape),
    name="getitem",
)
scatter: Primitive = Primitive(_scatter, lambda g, z, x, index, shape: getitem_(g, index=index))


@implements(operator.getitem)
def getitem(x: Any, index: Any) -> Any:
    """Elements at `index`: slices, integers, and integer or boolean arrays, as in NumPy."""
    return getitem_(x, index=_frozen(index))


def _frozen(index: Any) -> Any:
    """The index with arrays of its own, which the caller cannot write into afterwards."""
    if isinstance(index, tuple):
        return tuple(_frozen(part) for part in index)
    if isinstance(index, Tensor | np.ndarray | list):
        return (
            np.array(plain(index))
            if not isinstance(index, list)
            else np.array([plain(part) for part in index], dtype=None if index else np.intp)
        )
    return index


def _is_basic(index: Any) -> bool:
    """Whether an index names each element at most once: slices and single integers."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(part, np.ndarray) for part in parts)
