"""Joining and splitting, repeating and padding: mostly `concatenate`, and `getitem` by an index.

An index array says for each place of the result where it came from; so one rule, that of
`getitem`, serves for all of them: what was repeated adds up.
"""

from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.ops.indexing import getitem_
from minigrad.ops.shapes import axes_of, axis_of, reshape


def _piece(index: int, g: Any, z: Any, *xs: Any, axis: int) -> Any:
    """The part of `g` that came from operand `index`."""
    start = sum(x.shape[axis] for x in xs[:index])
    return _along(g, axis, slice(start, start + xs[index].shape[axis]))


def _along(x: Any, axis: int, index: Any) -> Any:
    """Index one axis, and take the others whole."""
    return getitem_(x, index=(slice(None),) * axis_of(x, axis, "axis") + (index,))


concatenate_ = Primitive(
    lambda *xs, axis: np.concatenate(xs, axis=axis), each=_piece, name="concatenate"
)


@implements(np.concatenate, np.concat)
def concatenate(arrays: Any, axis: int | None = 0) -> Any:
    """Arrays one after the other along `axis`; each gets its piece of the gradient."""
    arrays = together(arrays)
    if axis is None:
        arrays, axis = [reshape(x, (-1,)) for x in arrays], 0
    return concatenate_(*arrays, axis=axis)


def together(arrays: Any) -> list[Any]:
    """Make arrays of numbers and lists, which take on the dtype of the arrays beside them."""
    arrays = list(arrays)
    if all(hasattr(x, "dtype") for x in arrays):
        return arrays
    kinds = (x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype.type(0).item() for x in arrays)
    dtype = np.result_type(*kinds)
    return [x if hasattr(x, "dtype") else np.asarray(x, dtype) for x in arrays]


@implements(np.take)
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Elements at integer `indices` along `axis`, or of the flattened tensor."""
    index = np.array(indices)
    return getitem_(reshape(x, (-1,)), index=index) if axis is None else _along(x, axis, index)


@implements(np.repeat)
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each element repeated along `axis`, or of the flattened tensor."""
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = axis_of(x, axis, "repeat")
    if isinstance(repeats, int | np.integer) and repeats > 0:
        # A new axis that is stretched and folded in: its gradient is a sum, not a scatter.
        count, before, after = int(repeats), x.shape[: axis + 1], x.shape[axis + 1 :]
        stretched = np.broadcast_to(reshape(x, (*before, 1, *after)), (*before, count, *after))
        return reshape(stretched, (*before[:-1], before[-1] * count, *after))
    return take(x, np.repeat(np.arange(x.shape[axis]), repeats), axis=axis)


@implements(np.flip)
def flip(x: Any, axis: Any = None) -> Any:
    """Elements in reversed order along `axis`, or along all."""
    turned = axes_of(x, axis, "flip")
    return getitem_(
        x, index=tuple(slice(None, None, -1 if a in turned else 1) for a in range(x.ndim))
    )


# Zeros (or another constant) around a tensor; its adjoint cuts them off again.
pad_ = Primitive(
    lambda x, width, value: np.pad(x, width, constant_values=value),
    lambda g, z, x, width, value: getitem_(g, index=_inner(width, x.shape)),
    name="pad",
)


def _inner(width: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for (before, _), n in zip(width, shape, strict=True))


@implements(np.pad)
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    """Add elements at both ends of each axis.

    `mode` is ``"constant"``, or one in which they are copies of others: ``"edge"``,
    ``"reflect"``, ``"symmetric"`` or ``"wrap"``.
    """
    if isinstance(pad_width, dict):
        named = {axis_of(x, axis, "pad"): width for axis, width in pad_width.items()}
        pad_width = [named.get(axis, 0) for axis in range(x.ndim)]
        pad_width = [(w, w) if isinstance(w, int) else w for w in pad_width]
    width = tuple(map(tuple, np.broadcast_to(pad_width, (x.ndim, 2)).tolist()))
    if mode == "constant":
        return pad_(x, width=width, value=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise NotImplementedError(f"np.pad of a Tensor has no mode {mode!r}")
    for axis, (before, after) in enumerate(width):
        if before or after:
            origin: Any = np.pad(np.arange(x.shape[axis]), (before, after), mode=mode)  # type: ignore[call-overload]
            x = take(x, origin, axis=axis)
    return x
