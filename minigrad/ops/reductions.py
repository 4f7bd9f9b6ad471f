"""Ops that fold an axis: the rule stretches the upstream gradient back over what was folded."""

import math
from functools import lru_cache, partial
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.ops.elementwise import where
from minigrad.ops.shapes import axes_of, broadcast_to_, folded_last

Axis = int | tuple[int, ...] | None


def expand(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """Give `g` back the axes that a reduction of `x` dropped, with length 1."""
    if keepdims or axis is None:
        return g  # it has them still, or is a scalar
    axes = axes_of(x, axis, "axis")
    return g.reshape(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))


def stretch(g: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """Repeat `g` over the folded axes: the adjoint of a sum."""
    return broadcast_to_(expand(g, x, axis, keepdims), shape=x.shape)


def count(x: Any, axis: Axis) -> int:
    """How many elements each result of a reduction is made of."""
    if axis is None:
        return int(x.size)
    return math.prod(x.shape[a] for a in axes_of(x, axis, "axis"))


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
    return np.sum(x, axis=axis, keepdims=keepdims) / count(x, axis)


mean_ = Primitive(
    _mean,
    lambda g, z, x, axis, keepdims: stretch(g / count(x, axis), x, axis, keepdims),
    name="mean",
)


@implements(np.mean)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x / n over `axis`."""
    if count(x, axis) == 0:
        raise ValueError(f"the mean over axis {axis} of an empty tensor of shape {x.shape}")
    return mean_(x, axis=axis, keepdims=keepdims)


def _sum_of_squares(x: Any) -> Any:
    row = x.ravel()
    return np.dot(row, row)


def _prepared_sum_of_squares(x: Any, out: Any) -> Any:
    if not x.flags.c_contiguous:  # strided, BLAS would add up in another order than the forward
        return None
    row = x.reshape(-1)
    return partial(np.dot, row, row, out)


# Σ x² in one op, whose forward is one product, and whose rule takes one look at x.
sum_of_squares = Primitive(
    _sum_of_squares, lambda g, z, x: (2 * g) * x, prepare=_prepared_sum_of_squares
)


@lru_cache(maxsize=64)
def row_of(number: float, length: int, dtype: Any) -> Any:
    """Return a vector of the same number everywhere; who asks again gets the same one."""
    row = np.full(length, number, dtype)
    row.flags.writeable = False
    return row


# (N, M) → (M,): a product with ones, with which BLAS is several times faster than a sum is.
sum_rows = Primitive(
    lambda x: np.dot(row_of(1, len(x), x.dtype), x),
    lambda g, z, x: broadcast_to_(g, shape=x.shape),
    name="sum_rows",
    prepare=lambda x, out: partial(np.dot, row_of(1, len(x), x.dtype), x, out),
)


def _share_of_extreme(g: Any, z: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """The elements that are the extreme share its gradient equally."""
    chosen = x == expand(z, x, axis, keepdims)  # a plain boolean array
    ties = np.sum(chosen, axis=axis, keepdims=True).astype(x.dtype)
    return where(chosen, expand(g, x, axis, keepdims) / ties, 0.0)


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


@implements(np.var)
def var(
    x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False,
    *, mean: Any = None, correction: float | None = None,
) -> Any:  # fmt: skip
    """Σ (x − mean)² / (n − ddof) over `axis`."""
    ddof = ddof if correction is None else correction
    freedom = count(x, axis) - ddof
    if freedom <= 0:
        raise ValueError(f"the variance of {count(x, axis)} elements with ddof={ddof} is undefined")
    centred = x - (np.mean(x, axis=axis, keepdims=True) if mean is None else mean)
    return sum(np.square(centred), axis=axis, keepdims=keepdims) / freedom


@implements(np.std)
def std(x: Any, *args: Any, **options: Any) -> Any:
    """The square root of the variance; where that is 0 it has no derivative, and gets 0."""
    return safe_sqrt(var(x, *args, **options))


def safe_sqrt(squares: Any) -> Any:
    """√x with derivative 0 at 0, the subgradient of a length at its tip."""
    there = squares > 0
    return np.where(there, np.sqrt(np.where(there, squares, 1.0)), 0.0)


cumsum_: Primitive = Primitive(
    np.add.accumulate,
    lambda g, z, x, axis: np.flip(np.cumsum(np.flip(g, axis), axis), axis),
    name="cumsum",
)


@implements(np.cumsum, getattr(np, "cumulative_sum", None))  # the second: NumPy 2.1
def cumsum(x: Any, axis: int | None = None) -> Any:
    """Running sums; each element gets the gradient of all sums that hold it."""
    flat = axis is None or x.ndim == 0
    return cumsum_(x.reshape((-1,)), axis=axis or 0) if flat else cumsum_(x, axis=axis)


@implements(np.prod)
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Π x over `axis`, by multiplying halves: no division, so zeros need no special case."""
    rows, folded = folded_last(x, axis)
    product = np.moveaxis(rows, -1, 0)
    if len(product) == 0:
        product = np.sum(product, axis=0, keepdims=True) + 1.0
    while len(product) > 1:
        half = len(product) // 2
        front = product[:half] * product[half : 2 * half]
        odd = len(product) % 2
        product = np.concatenate([front, product[2 * half :]]) if odd else front
    shape = [1 if a in folded else n for a, n in enumerate(x.shape) if keepdims or a not in folded]
    return product.reshape(tuple(shape))


@implements(np.cumprod, getattr(np, "cumulative_prod", None))
def cumprod(x: Any, axis: int | None = None) -> Any:
    """Running products, by doubling steps: no division, so zeros need no special case."""
    if axis is None or x.ndim == 0:
        x, axis = x.reshape((-1,)), axis or 0
    products = np.moveaxis(x, axis, 0)
    shift = 1
    while shift < len(products):  # after each step, an element is a product of 2 · shift
        products = np.concatenate([products[:shift], products[shift:] * products[:-shift]])
        shift *= 2
    return np.moveaxis(products, 0, axis)


def _logsumexp(x: Any, axis: Axis, keepdims: bool) -> Any:
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)  # stable: no exponent above 0
    with np.errstate(divide="ignore"):  # ln 0 = −∞ is the answer for −∞ everywhere
        total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)[()]


logsumexp_ = Primitive(
    _logsumexp,
    lambda g, z, x, axis, keepdims: (
        expand(g, x, axis, keepdims) * np.exp(x - expand(z, x, axis, keepdims))
    ),
)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Ln Σ eˣ over `axis`, without overflow; its gradient is softmax(x)."""
    return logsumexp_(x, axis=axis, keepdims=keepdims)
