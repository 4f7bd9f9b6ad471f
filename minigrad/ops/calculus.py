"""Along a curve: differences, slopes, areas, interpolation, and sliding products."""

from typing import Any

import numpy as np

from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.elementwise import where
from minigrad.ops.formulas import shaped
from minigrad.ops.joining import _along, concatenate, together
from minigrad.ops.shapes import axes_of, axis_of


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each element minus the one before it, `n` times."""
    if n < 0:
        raise ValueError(f"np.diff needs a number of times from 0. Received: n={n}")
    axis = axis_of(x, axis, "diff")
    if n == 0:
        return x
    one = tuple(1 if a == axis else length for a, length in enumerate(np.shape(x)))
    parts = [
        np.broadcast_to(part, one) if np.ndim(part) == 0 else part
        for part in together(part for part in (prepend, x, append) if part is not None)
    ]
    x = concatenate(parts, axis=axis)
    for _ in range(n):
        x = _along(x, axis, slice(1, None)) - _along(x, axis, slice(None, -1))
    return x


@implements(np.ediff1d)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of the flattened tensor, between given ends."""
    parts = (to_begin, diff(np.ravel(x)), to_end)
    return concatenate((part for part in parts if part is not None), axis=None)


@implements(np.gradient)
def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Slopes along each axis, by central differences."""
    axes = axes_of(f, axis, "gradient")
    steps = spacing if len(spacing) > 1 else (spacing or (1.0,)) * len(axes)
    if any(isinstance(step, Tensor) for step in steps):
        raise TypeError("np.gradient takes spacings of plain numbers: use tensor.numpy()")
    slopes = tuple(_slope(f, s, a, edge_order) for s, a in zip(steps, axes, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, step: Any, axis: int, edge_order: Any) -> Any:
    f = np.moveaxis(f, axis, -1)
    at = step * np.arange(f.shape[-1]) if np.ndim(step) == 0 else step
    # Only neighbours count, so NumPy's own slopes of unit vectors are the weights of all.
    k = min(len(at), 3)
    start, end = (
        np.gradient(np.eye(k), p, axis=0, edge_order=edge_order) for p in (at[:k], at[-k:])
    )
    before, after = np.diff(at)[:-1], np.diff(at)[1:]
    left, right = after / (before * (before + after)), before / (after * (before + after))
    weights = [part.astype(f.dtype) for part in (start[0], left, right, end[-1])]
    if np.ndim(step) == 0:
        weights = [shaped(part, f) for part in weights]
    rise = f[..., 1:] - f[..., :-1]
    parts = (
        np.sum(f[..., :k] * weights[0], axis=-1, keepdims=True),
        rise[..., :-1] * weights[1] + rise[..., 1:] * weights[2],
        np.sum(f[..., -k:] * weights[3], axis=-1, keepdims=True),
    )
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, axis)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below a curve, in trapezoids: Σ (xᵢ₊₁ − xᵢ) (yᵢ + yᵢ₊₁) / 2."""
    axis = axis_of(y, axis, "trapezoid")
    if x is not None and np.ndim(x) == 1:
        dx = np.reshape(diff(x), (-1,) + (1,) * (np.ndim(y) - axis - 1))
    elif x is not None:
        dx = diff(x, axis=axis)
    (y,) = together((y,))
    heights = _along(y, axis, slice(1, None)) + _along(y, axis, slice(None, -1))
    return np.sum(dx * heights / 2.0, axis=axis)


@implements(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """The height at `x` of straight lines through the points (xp, fp)."""
    x, xp, fp = together((x, xp, fp))
    if len(xp) < 2:
        raise ValueError(f"np.interp of Tensors needs two points or more. Received: {len(xp)}")
    after = np.clip(np.searchsorted(plain(xp), plain(x), side="right"), 1, len(xp) - 1)
    share = (x - xp[after - 1]) / (xp[after] - xp[after - 1])
    inside = fp[after - 1] + share * (fp[after] - fp[after - 1])
    inside = where(x < xp[0], fp[0] if left is None else left, inside)
    return where(x > xp[-1], fp[-1] if right is None else right, inside)


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Sums of products of one sequence with the other, reversed, at each place: zₖ = Σ aᵢ vₖ₋ᵢ."""
    longer, shorter = map(np.ravel, together((a, v) if np.size(a) >= np.size(v) else (v, a)))
    size = np.size(shorter)
    around = {"full": (size - 1, size - 1), "same": (size // 2, (size - 1) // 2), "valid": (0, 0)}
    if mode not in around or size == 0:
        raise ValueError(
            f"np.convolve needs elements, and mode 'full', 'same' or 'valid': {mode!r}"
        )
    padded = np.pad(longer, (around[mode],))
    return np.lib.stride_tricks.sliding_window_view(padded, size) @ np.flip(shorter)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Sums of products of two sequences that slide along each other."""
    if np.size(a) < np.size(v):
        return np.flip(convolve(v, np.flip(a), mode))
    return convolve(a, np.flip(v), mode)
