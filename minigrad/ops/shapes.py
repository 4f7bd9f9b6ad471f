"""Ops that move elements about: linear maps, in adjoint pairs whose rules call each other.

``⟨A x, y⟩ = ⟨x, Aᵀ y⟩`` defines the adjoint Aᵀ; the rule of a linear map is its adjoint, so two
forwards and two one-line rules give derivatives of every order.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from minigrad.engine.backward import sum_to_shape
from minigrad.engine.dtypes import real_dtype
from minigrad.engine.operators import Operators
from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE, implements
from minigrad.engine.tensor import Tensor


def axes_of(x: Any, axis: Any, name: str) -> tuple[int, ...]:
    """Return the axes of `x` that `axis` means, as numbers from 0; all for None.

    A scalar has none, but as in NumPy it may be folded along 0 or -1.
    """
    if axis is None or (np.ndim(x) == 0 and not isinstance(axis, tuple) and axis in (0, -1)):
        return tuple(range(np.ndim(x)))
    axes: tuple[int, ...] = normalize_axis_tuple(axis, np.ndim(x), name)
    return axes


def axis_of(x: Any, axis: Any, name: str) -> int:
    """Return the single axis of `x` that `axis` means, as a number from 0."""
    return int(normalize_axis_index(axis, np.ndim(x), name))


def _broadcast_to(x: Any, shape: tuple[int, ...], out: Any = None) -> Any:
    # A real array, not NumPy's view of stride 0: matrix products would copy that one anyway.
    stretched = np.empty(shape, x.dtype) if out is None else out
    stretched[...] = x
    return stretched


broadcast_to_ = Primitive(
    _broadcast_to, lambda g, z, x, shape: sum_to_shape(g, x.shape), name="broadcast_to"
)


@implements(np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Any:
    """Stretch `x` to `shape`; the gradient is summed over what was stretched."""
    return broadcast_to_(x, shape=(shape,) if isinstance(shape, int) else tuple(shape))


reshape_ = Primitive(
    lambda x, shape: x.reshape(shape),
    lambda g, z, x, shape: g.reshape(x.shape),
    name="reshape",
)


@implements(np.reshape)
def reshape(x: Any, shape: Any) -> Any:
    """Same elements in another shape."""
    return reshape_(x, shape=shape)


transpose_ = Primitive(
    lambda x, axes: x.transpose(axes),
    lambda g, z, x, axes: np.transpose(g, None if axes is None else tuple(np.argsort(axes))),
    name="transpose",
)


@implements(np.transpose, np.permute_dims)
def transpose(x: Any, axes: Any = None) -> Any:
    """Axes in another order; reversed by default."""
    if axes is not None:
        axes = tuple(axis % x.ndim if -x.ndim <= axis < x.ndim else axis for axis in axes)
    return transpose_(x, axes=axes)


@implements(np.swapaxes)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    order = list(range(x.ndim))
    first, second = axis_of(x, axis1, "swapaxes"), axis_of(x, axis2, "swapaxes")
    order[first], order[second] = second, first
    return transpose_(x, axes=tuple(order))


@implements(np.moveaxis)
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the rest in order."""
    moved = axes_of(x, source, "moveaxis: source")
    places = axes_of(x, destination, "moveaxis: destination")
    axes = [axis for axis in range(x.ndim) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        axes.insert(place, axis)
    return transpose_(x, axes=tuple(axes))


def folded_last(x: Any, axis: Any) -> tuple[Any, set[int]]:
    """Lay the axes of a reduction out in one last axis; also return which they are."""
    folded = set(axes_of(x, axis, "axis"))
    kept = [a for a in range(x.ndim) if a not in folded]
    length = prod(x.shape[a] for a in folded)
    rows = np.transpose(x, (*kept, *sorted(folded)))
    return reshape(rows, (*(x.shape[a] for a in kept), length)), folded


cast = Primitive(
    lambda x, dtype: x.astype(dtype),
    lambda g, z, x, dtype: g,  # the engine gives each gradient its operand's dtype
    name="astype",
)


@implements(np.astype)
def astype(x: Any, dtype: Any) -> Any:
    """Elements of another type; whole numbers and booleans are constants, cut from the tape."""
    dtype = real_dtype(dtype)
    if dtype.kind == "f":
        return cast(x, dtype=dtype)
    return Tensor(x.detach(), dtype=dtype)


TABLE[Operators.astype] = astype
