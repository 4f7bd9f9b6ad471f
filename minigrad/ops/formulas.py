"""A formulary: functions of NumPy that others express in a line or two, without a rule."""

import math
from functools import reduce
from typing import Any

import numpy as np

from minigrad.engine.table import TABLE
from minigrad.engine.tensor import Tensor, plain
from minigrad.engine.watcher import constant, sealed
from minigrad.ops.joining import concatenate, together
from minigrad.ops.reductions import safe_sqrt


def shaped(array: Any, like: Any) -> Any:
    """Return an array that depends on shapes alone, in the dtype of another."""
    return sealed(np.array(array, like.dtype if like.dtype.kind == "f" else np.float64))


def _filled(x: Any, instead: float) -> Any:
    return np.where(np.isnan(x), instead, x)


def _known(x: Any) -> Any:
    """1 where `x` is a number, 0 where it is nan."""
    return np.where(np.isnan(x), 0.0, shaped(np.ones(x.shape), x))


def _sinc(x: Any) -> Any:
    """Near 0 as ∫ cos(πxt) dt over t from 0 to 1, whose derivatives divide by nothing."""
    near = np.abs(x) < 1
    nodes, weights = np.polynomial.legendre.leggauss(32)
    curve = np.cos(np.where(near, x, 0.0)[..., None] * shaped((nodes + 1) * (math.pi / 2), x))
    far = np.where(near, 1.0, x) * math.pi
    return np.where(near, np.sum(curve * shaped(weights / 2, x), axis=-1), np.sin(far) / far)


def _i0(x: Any) -> Any:
    """∫ e^(x cos t) dt / π over t from 0 to π: for what is periodic, a mean over places will do."""
    cosines = np.cos((np.arange(128) + 0.5) * (math.pi / 128))
    return np.mean(np.exp(x[..., None] * shaped(cosines, x)), axis=-1)


def _shares(num: int, endpoint: bool, like: Any) -> Any:
    """From 0 to 1 along a new first axis."""
    return shaped(np.linspace(0.0, 1.0, num, endpoint).reshape((-1,) + (1,) * like.ndim), like)


def _linspace(a: Any, b: Any, num: int = 50, endpoint: bool = True, retstep: bool = False,
              *, axis: int = 0) -> Any:  # fmt: skip
    width = b - a
    share = _shares(num, endpoint, width)
    numbers = np.moveaxis(a * shaped(1.0 - share, share) + b * share, 0, axis)
    return (numbers, width / (num - 1 if endpoint else num)) if retstep else numbers


def _full_like(a: Any, fill_value: Any, *, shape: Any = None) -> Any:
    shape = np.shape(a) if shape is None else shape
    if isinstance(fill_value, Tensor):
        return np.broadcast_to(fill_value.astype(a.dtype), shape)
    array = np.full(shape, fill_value, a.dtype)
    return constant(array) if isinstance(fill_value, int | float) else array


def _cond(x: Any, p: Any = None) -> Any:
    if p not in (None, 2, -2):
        return np.linalg.matrix_norm(x, ord=p) * np.linalg.matrix_norm(np.linalg.inv(x), ord=p)
    s = np.linalg.svdvals(x)
    return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]


def _matrix_power(x: Any, n: int) -> Any:
    if n < 0:
        return _matrix_power(np.linalg.inv(x), -n)
    if n == 0:
        return x * 0.0 + shaped(np.eye(x.shape[-1]), x)
    half = _matrix_power(x @ x, n // 2) if n > 1 else x
    return half @ x if n % 2 and n > 1 else half


def _kron(x: Any, y: Any) -> Any:
    rank = max(np.ndim(x), np.ndim(y))
    x, y = (np.reshape(part, (1,) * (rank - np.ndim(part)) + np.shape(part)) for part in (x, y))
    blocks, within = range(0, 2 * rank, 2), range(1, 2 * rank, 2)
    product = np.expand_dims(x, tuple(within)) * np.expand_dims(y, tuple(blocks))
    return product.reshape(tuple(n * m for n, m in zip(x.shape, y.shape, strict=True)))


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1,
           axis: int | None = None) -> Any:  # fmt: skip
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if np.shape(x)[-1] != 3 or np.shape(y)[-1] != 3:
        raise ValueError(
            f"np.cross needs 3 components. Received: shapes {np.shape(a)}, {np.shape(b)}"
        )
    x1, x2, y1, y2 = (np.roll(part, turn, axis=-1) for part in (x, y) for turn in (-1, 1))
    return np.moveaxis(x1 * y2 - x2 * y1, -1, axisc)


def _tensorsolve(a: Any, b: Any, axes: Any = ()) -> Any:
    axes = axes or ()
    a = np.moveaxis(a, axes, range(np.ndim(a) - len(axes), np.ndim(a)))
    x = np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b))
    return x.reshape(np.shape(a)[np.ndim(b) :])


_FORMULAS: dict[Any, Any] = {
    # ---- shapes --------------------------------------------------------------------------------
    np.ravel: lambda x: np.reshape(x, (-1,)),
    np.squeeze: lambda x, axis=None: np.reshape(x, np.squeeze(np.empty(x.shape, bool), axis).shape),
    np.expand_dims: lambda x, axis: np.reshape(
        x, np.expand_dims(np.empty(np.shape(x), bool), axis).shape
    ),
    np.stack: lambda arrays, axis=0: concatenate(
        [np.expand_dims(x, axis) for x in together(arrays)], axis
    ),
    np.vstack: lambda arrays: concatenate(
        [np.reshape(x, (1, -1)) if x.ndim < 2 else x for x in together(arrays)]
    ),
    np.hstack: lambda arrays: concatenate(
        parts := [np.reshape(x, (1,)) if x.ndim == 0 else x for x in together(arrays)],
        axis=0 if parts[0].ndim == 1 else 1,
    ),
    np.full: lambda shape, x: np.broadcast_to(x, shape),  # np.full(3, tensor, like=tensor)
    np.full_like: _full_like,
    np.select: lambda conditions, choices, default=0.0: reduce(
        lambda rest, pair: np.where(pair[0], pair[1], rest),
        list(zip(conditions, choices, strict=True))[::-1], default,
    ),
    # ---- elements ------------------------------------------------------------------------------
    np.divmod: lambda x, y: (x // y, x % y),
    np.modf: lambda x: (x - np.trunc(x), np.trunc(x)),
    np.fix: lambda x: np.trunc(x),
    np.copy: lambda x: np.positive(x),
    np.real: lambda x: np.positive(x),
    np.imag: lambda x: x * 0,
    np.angle: lambda x, deg=False: np.where(
        np.signbit(x), 180.0 if deg else math.pi, np.sign(x) * 0.0
    ),
    np.ldexp: lambda x, y: x * np.ldexp(np.ones((), plain(x).dtype), plain(y)),  # y is whole
    np.frexp: lambda x: (np.ldexp(x, -np.frexp(plain(x))[1]), np.frexp(plain(x))[1]),
    np.sinc: _sinc,
    np.i0: _i0,
    np.polyval: lambda p, x: reduce(lambda z, coefficient: z * x + coefficient, p, 0.0 * x),
    np.vander: lambda x, N=None, increasing=False: x[:, None] ** shaped(
        np.arange(len(x) if N is None else N)[:: 1 if increasing else -1], x
    ),
    # ---- rows of numbers -----------------------------------------------------------------------
    np.linspace: _linspace,
    np.logspace: lambda a, b, num=50, endpoint=True, base=10.0: (
        base ** np.linspace(a, b, num, endpoint)
    ),
    # ---- sums ----------------------------------------------------------------------------------
    np.ptp: lambda x, axis=None, keepdims=False: (
        np.max(x, axis, keepdims=keepdims) - np.min(x, axis, keepdims=keepdims)
    ),
    np.nansum: lambda x, *axis, **keepdims: np.sum(_filled(x, 0.0), *axis, **keepdims),
    np.nanmax: lambda x, *axis, **options: np.where(
        np.all(np.isnan(x), *axis, **options), np.nan, np.max(_filled(x, -np.inf), *axis, **options)
    ),
    np.nanmin: lambda x, *axis, **keepdims: -np.nanmax(-x, *axis, **keepdims),
    np.nanmean: lambda x, *axis, **keepdims: (
        np.nansum(x, *axis, **keepdims) / np.sum(_known(x), *axis, **keepdims)
    ),
    np.nanvar: lambda x, axis=None, ddof=0, keepdims=False: np.sum(
        np.square(_filled(x, 0.0) - np.nanmean(x, axis, keepdims=True)) * _known(x),
        axis, keepdims=keepdims,
    ) / (np.sum(_known(x), axis, keepdims=keepdims) - ddof),
    np.nanstd: lambda x, *args, **options: safe_sqrt(np.nanvar(x, *args, **options)),
    # ---- products ------------------------------------------------------------------------------
    np.vdot: lambda x, y: np.dot(np.ravel(x), np.ravel(y)),
    np.outer: lambda x, y: np.reshape(x, (-1, 1)) * np.reshape(y, (1, -1)),
    np.linalg.outer: lambda x, y: np.outer(x, y),
    np.vecdot: lambda x, y: np.sum(x * y, axis=-1),
    np.linalg.vecdot: lambda x, y, *, axis=-1: np.sum(x * y, axis=axis),
    getattr(np, "matvec", None): lambda x, y: np.matmul(x, np.expand_dims(y, -1))[..., 0],
    getattr(np, "vecmat", None): lambda x, y: np.matmul(np.expand_dims(x, -2), y)[..., 0, :],
    np.kron: _kron,
    np.cross: _cross,
    np.linalg.cross: lambda x, y, *, axis=-1: _cross(x, y, axis=axis),
    np.linalg.matmul: lambda x, y: np.matmul(x, y),
    np.linalg.tensordot: lambda x, y, *, axes=2: np.tensordot(x, y, axes),
    np.linalg.multi_dot: lambda arrays: reduce(np.matmul, arrays),
    np.linalg.matrix_power: _matrix_power,
    np.trace: lambda x, *where, **axes: np.sum(np.diagonal(x, *where, **axes), -1),
    np.linalg.trace: lambda x, *, offset=0: np.trace(x, offset, -2, -1),
    # ---- matrices ------------------------------------------------------------------------------
    np.matrix_transpose: lambda x: np.swapaxes(x, -1, -2),
    np.linalg.matrix_transpose: lambda x: np.swapaxes(x, -1, -2),
    np.linalg.cond: _cond,
    np.linalg.tensorinv: lambda x, ind=2: np.linalg.inv(
        np.reshape(x, (math.prod(x.shape[:ind]), -1))
    ).reshape(x.shape[ind:] + x.shape[:ind]),
    np.linalg.tensorsolve: _tensorsolve,
}  # fmt: skip

for _function, _formula in _FORMULAS.items():
    if _function is not None:  # an older NumPy lacks it
        _formula.__qualname__ = f"np.{_function.__name__}"  # for messages about its arguments
        TABLE[_function] = _formula
