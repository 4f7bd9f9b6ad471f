"""Reading and writing elements by index: the adjoint pair getitem | scatter."""

import operator
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.engine.tensor import plain


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
    """The index of nothing but integers, slices, None, ``...``, and arrays of its own.

    So the caller cannot write into it afterwards, and `_is_basic` can tell which kind it is.
    """
    return tuple(map(_frozen_part, index)) if isinstance(index, tuple) else _frozen_part(index)


def _frozen_part(part: Any) -> Any:
    if part is None or part is Ellipsis or isinstance(part, int | np.integer):
        return part
    if isinstance(part, slice):
        bounds = (part.start, part.stop, part.step)
        return slice(*(None if bound is None else operator.index(bound) for bound in bounds))
    array = np.array(
        [plain(one) for one in part] if isinstance(part, list | tuple) else plain(part)
    )
    return array if array.size or isinstance(part, np.ndarray) else array.astype(np.intp)


def _is_basic(index: Any) -> bool:
    """Whether an index names each element at most once: slices and single integers."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(isinstance(part, np.ndarray) for part in parts)
