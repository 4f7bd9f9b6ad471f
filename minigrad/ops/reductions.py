"""Ops that fold an axis: the rule stretches the upstream gradient back over what was folded."""

from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.ops.shapes import broadcast_to_

Axis = int | tuple[int, ...] | None


def expand(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """Give `g` back the axes that a reduction of `x` dropped, with length 1."""
    if keepdims or axis is None or g.ndim == x.ndim:
        return g if g.ndim in (0, x.ndim) else g.reshape((1,) * x.ndim)
    axes = {a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)}
    return g.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


def stretch(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """Repeat `g` over the folded axes: the adjoint of a sum."""
    return broadcast_to_(expand(g, x, axis, keepdims), shape=x.shape)


def count(x: Any, axis: Axis) -> int:
    """How many elements each result of a reduction is made of."""
    if axis is None:
        return int(x.size)
    axes = (axis,) if isinstance(axis, int) else axis
    return int(np.prod([x.shape[a] for a in axes]))


sum_ = Primitive(
    np.add.reduce,
    lambda g, z, x, axis, keepdims: stretch(g, x, axis, keepdims),
    name="sum",
)


@implements(np.sum)
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x over `axis`."""
    return sum_(x, axis=axis, keepdims=keepdims)


def _mean(x: Any, axis: Axis, keepdims: bool) -> Any:
    total: Any = np.add.reduce
    return total(x, axis=axis, keepdims=keepdims) / count(x, axis)


mean_ = Primitive(
    _mean,
    lambda g, z, x, axis, keepdims: stretch(g / count(x, axis), x, axis, keepdims),
    name="mean",
)


@implements(np.mean)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x / n over `axis`.

    Raises
    ------
    ValueError
        If there is nothing to take the mean of.
    """
    if count(x, axis) == 0:
        raise ValueError(f"the mean over axis {axis} of an empty tensor of shape {x.shape}")
    return mean_(x, axis=axis, keepdims=keepdims)


def _share_of_extreme(g: Any, z: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The elements that are the extreme share its gradient equally."""
    chosen = x == expand(z, x, axis, keepdims)  # a plain boolean array
    ties = np.sum(chosen, axis=axis, keepdims=True).astype(x.dtype)
    return np.where(chosen, expand(g, x, axis, keepdims) / ties, 0.0)


max_ = Primitive(np.maximum.reduce, _share_of_extreme, name="max")
min_ = Primitive(np.minimum.reduce, _share_of_extreme, name="min")


@implements(np.max, np.amax)
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element over `axis`; ties share the gradient equally."""
    return max_(x, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin)
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element over `axis`; ties share the gradient equally."""
    return min_(x, axis=axis, keepdims=keepdims)
