"""Along a curve: differences, slopes, areas, interpolation, and sliding products."""

from typing import Any

import numpy as np

from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.elementwise import where
from minigrad.ops.joining import _along, concatenate, together
from minigrad.ops.shapes import axes_of, axis_of


@implements(np.diff)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each element minus the one before it, `n` times."""
    if n < 0:
        raise ValueError(f"np.diff needs a number of times from 0. Received: n={n}")
    axis = axis_of(x, axis, "diff")
    if n and (prepend is not None or append is not None):
        one = tuple(1 if a == axis else length for a, length in enumerate(np.shape(x)))
        parts = together(part for part in (prepend, x, append) if part is not None)
        x = concatenate([p if np.ndim(p) else np.broadcast_to(p, one) for p in parts], axis)
    for _ in range(n):
        x = _along(x, axis, slice(1, None)) - _along(x, axis, slice(None, -1))
    return x


@implements(np.gradient)
def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Slopes along each axis, by central differences; the spacing is of plain numbers."""
    axes = axes_of(f, axis, "gradient")
    steps = spacing if len(spacing) > 1 else (spacing or (1.0,)) * len(axes)
    slopes = []
    for step, along in zip(steps, axes, strict=True):
        if isinstance(step, Tensor):
            raise TypeError("np.gradient takes plain numbers as its spacing: use tensor.numpy()")
        # Three neighbours decide each slope. A comb with every third element 1 is met by one of
        # them, so that NumPy's slopes of three combs are the weights.
        place, rest = np.arange(f.shape[along]), np.arange(3)
        weights = np.gradient(np.eye(3)[place % 3], step, axis=0, edge_order=edge_order)
        middle = np.clip(place, 1, max(len(place) - 2, 0))[:, None]
        index = np.clip(middle - 1 + (rest - middle + 1) % 3, 0, len(place) - 1)
        near = np.moveaxis(f, along, -1)[..., index]
        slopes.append(np.moveaxis(np.sum(near * weights.astype(f.dtype), axis=-1), -1, along))
    return slopes[0] if len(slopes) == 1 else tuple(slopes)


@implements(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area below a curve, in trapezoids: Σ (xᵢ₊₁ − xᵢ) (yᵢ + yᵢ₊₁) / 2."""
    y = np.moveaxis(together([y])[0], axis, -1)
    if x is not None:
        dx = diff(x if np.ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(dx * (y[..., 1:] + y[..., :-1]), axis=-1) / 2.0


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
        raise ValueError(f"np.convolve needs elements and a mode of {list(around)}: {mode!r}")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(longer, (around[mode],)), size)
    return windows @ np.flip(shorter)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Sums of products of two sequences that slide along each other."""
    if np.size(a) < np.size(v):
        return np.flip(convolve(v, np.flip(a), mode))
    return convolve(a, np.flip(v), mode)
