"""Windows over the spatial axes, and what is made of them: pooling and upsampling.

``windows`` and ``overlap_add`` are an adjoint pair: one copies every window out, the other adds
every window back to where it came from.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.ops.geometry import Sizes, output_sizes, padding_widths, per_axis, places_met
from minigrad.ops.joining import pad, repeat, take


def _windows(x: Any, window: Sizes, strides: Sizes) -> Any:
    """(N, *spatial, C) → (N, *output, places in the window, C)."""
    ones = (1,) * len(window)
    output = output_sizes(x.shape[1:-1], window, strides, ones)
    copies = np.empty((x.shape[0], *output, int(np.prod(window)), x.shape[-1]), x.dtype)
    for number, (_, met) in enumerate(places_met(window, output, strides, ones)):
        copies[..., number, :] = x[met]
    return copies


def _overlap_add(y: Any, spatial: Sizes, window: Sizes, strides: Sizes) -> Any:
    """(N, *output, places in the window, C) → (N, *spatial, C)."""
    x = np.zeros((y.shape[0], *spatial, y.shape[-1]), y.dtype)
    ones = (1,) * len(window)
    for number, (_, met) in enumerate(places_met(window, y.shape[1:-2], strides, ones)):
        x[met] += y[..., number, :]
    return x


windows_ = Primitive(
    _windows,
    lambda g, z, x, window, strides: overlap_add_(
        g, spatial=x.shape[1:-1], window=window, strides=strides
    ),
)
overlap_add_: Primitive = Primitive(
    _overlap_add,
    lambda g, z, y, spatial, window, strides: windows_(g, window=window, strides=strides),
)


def _pool_windows(
    x: Any,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    filler: float,
) -> tuple[Any, Any]:
    rank = np.ndim(x) - 2
    if not 1 <= rank <= 3:
        raise ValueError(
            f"pooling needs an input (N, *spatial, C) of 1 to 3 dimensions. Received: {np.shape(x)}"
        )
    window = per_axis("size", size, rank)
    steps = window if strides is None else per_axis("strides", strides, rank)
    widths = padding_widths(padding, x.shape[1:-1], window, steps, (1,) * rank)
    around = ((0, 0), *widths, (0, 0))
    padded = pad(x, around, constant_values=filler)
    inside = np.pad(np.ones((1, *x.shape[1:-1], 1), x.dtype), around)
    return (
        windows_(padded, window=window, strides=steps),
        windows_(inside, window=window, strides=steps),
    )


def max_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Any:
    """Largest element of each window; ties share the gradient equally.

    (N, *spatial, C) → (N, *output, C), with windows of `size`, `strides` apart (by default their
    own size), and ``"valid"`` or ``"same"`` padding.

    Raises
    ------
    ValueError
        If the input has not 1 to 3 dimensions, or sizes are not positive.
    """
    return np.max(_pool_windows(x, size, strides, padding, -np.inf)[0], axis=-2)


def average_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Any:
    """Mean of each window, not counting padding; arguments and errors as `max_pool`."""
    values, inside = _pool_windows(x, size, strides, padding, 0.0)
    return np.sum(values, axis=-2) / np.sum(inside, axis=-2)


def upsample(x: Any, size: int | Sequence[int] = 2, interpolation: str = "nearest") -> Any:
    """Stretch each spatial axis by a whole factor.

    ``"nearest"`` repeats elements; ``"linear"`` interpolates between their centres, with the
    elements at the ends continued (half-pixel centres, as Keras and PyTorch do).

    Raises
    ------
    ValueError
        For another interpolation, or factors that are not positive.
    """
    if interpolation not in ("nearest", "linear", "bilinear"):
        raise ValueError(
            f"interpolation must be 'nearest' or 'linear'. Received: {interpolation!r}"
        )
    for axis, factor in enumerate(per_axis("size", size, np.ndim(x) - 2), 1):
        if interpolation == "nearest":
            x = repeat(x, factor, axis=axis)
        elif factor > 1:
            x = _interpolate(x, factor, axis)
    return x


def _interpolate(x: Any, factor: int, axis: int) -> Any:
    n = x.shape[axis]
    centres = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    left = np.floor(centres).astype(np.intp)
    weight = (centres - left).astype(x.dtype)
    weight = weight.reshape((-1,) + (1,) * (x.ndim - axis - 1))
    right = np.minimum(left + 1, n - 1)
    return take(x, left, axis=axis) * (1 - weight) + take(x, right, axis=axis) * weight
