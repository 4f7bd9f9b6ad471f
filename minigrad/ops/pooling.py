"""Pooling and upsampling: a window moves over the spatial axes, channel by channel.

Two adjoint pairs do all of it. ``window_sum`` adds up what each window meets, and ``window_spread``
gives each place of a window the same: average pooling is the first, upsampling the second.
``pick_largest`` takes from each window what stands where the input is largest, and ``unpick`` puts
it back there: the derivatives of max pooling.

All of them are loops over the places of the window, a few images of the batch at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.ops.geometry import (
    Pairs,
    Sizes,
    inside,
    output_sizes,
    padding_widths,
    per_axis,
    places_met,
)
from minigrad.ops.joining import take
from minigrad.ops.threads import shared

# Elements of a few images that fit into a processor's second-level cache.
TOGETHER = 2**16
# Elements below which threads cost more time than they save.
WORTH_THREADS = 2**18


def _each_few(images: int, elements: int, work: Callable[[slice], None]) -> None:
    """Call `work` on a few images at a time, by several threads if it is worth it.

    So what belongs to them stays in the cache from one place of the window to the next.
    """
    few = max(1, TOGETHER * images // max(elements, 1))

    def several(numbers: Iterable[int]) -> None:
        for number in numbers:
            work(slice(number * few, (number + 1) * few))

    count = -(-images // few)
    if elements > WORTH_THREADS:
        shared(several, count)
    else:
        several(range(count))


def _met(window: Sizes, output: Sizes, strides: Sizes) -> list[tuple[slice, ...]]:
    """Return what each place of the window meets."""
    return [met for _, met in places_met(window, output, strides, (1,) * len(window))]


def _framed(x: Any, padding: Pairs, filler: float = 0.0) -> Any:
    """Return images with `filler` around them."""
    if not any(map(any, padding)):
        return x
    lengths = (b + n + a for n, (b, a) in zip(x.shape[1:-1], padding, strict=True))
    frame = np.full((len(x), *lengths, x.shape[-1]), filler, x.dtype)
    frame[inside(x.shape[1:-1], padding)] = x
    return frame


def _over_windows(
    combine: np.ufunc, filler: float, x: Any, window: Sizes, strides: Sizes, padding: Pairs
) -> Any:
    """(N, *spatial, C) → (N, *output, C): what each window meets, added up or the like."""
    output = output_sizes(x.shape[1:-1], window, strides, (1,) * len(window), padding)
    z = np.empty((len(x), *output, x.shape[-1]), x.dtype)
    first, *places = _met(window, output, strides)

    def work(few: slice) -> None:
        frame, result = _framed(x[few], padding, filler), z[few]
        result[...] = frame[first]
        for met in places:
            combine(result, frame[met], out=result)

    _each_few(len(x), z.size * len(places), work)
    return z


# ---- sums and spreading --------------------------------------------------------------------------


def _window_spread(g: Any, spatial: Sizes, window: Sizes, strides: Sizes, padding: Pairs) -> Any:
    """(N, *output, C) → (N, *spatial, C)."""
    x = np.empty((len(g), *spatial, g.shape[-1]), g.dtype)
    places, middle = _met(window, g.shape[1:-1], strides), inside(spatial, padding)

    def work(few: slice) -> None:
        frame = _framed(np.zeros(x[few].shape, x.dtype), padding)
        for met in places:
            frame[met] += g[few]
        x[few] = frame[middle]

    _each_few(len(g), g.size * len(places), work)
    return x


window_sum_ = Primitive(
    partial(_over_windows, np.add, 0.0),
    lambda g, z, x, **o: window_spread_(g, spatial=x.shape[1:-1], **o),
    name="window_sum",
)
window_spread_: Primitive = Primitive(
    _window_spread,
    lambda g, z, y, spatial, **o: window_sum_(g, **o),
)


# ---- the largest ---------------------------------------------------------------------------------


def _chosen(x: Any, z: Any, places: list[tuple[slice, ...]]) -> tuple[list[Any], Any]:
    """Return where each place of the windows has the largest, and how many places have it."""
    chosen = [x[met] == z for met in places]
    ties = np.zeros(z.shape, np.int8 if len(places) < 128 else np.intp)
    for where in chosen:
        ties += where
    return chosen, np.maximum(ties, 1).astype(x.dtype)  # where there is nan, none is the largest


def _kept(values: Any, where: Any) -> Any:
    """Do what ``np.where(where, values, 0)`` does, in a third of the time, on the bits of numbers.

    A mask of all bits keeps a number as it is; a mask of none makes 0 of it, of infinity too.
    """
    bits = np.dtype(f"i{values.dtype.itemsize}")
    mask = -where.astype(bits)
    mask &= np.ascontiguousarray(values).view(bits)
    return mask.view(values.dtype)


def _unpick(g: Any, x: Any, z: Any, window: Sizes, strides: Sizes, padding: Pairs) -> Any:
    """(N, *output, C) → (N, *spatial, C): to the largest of each window; several share it."""
    out, places = np.empty(x.shape, g.dtype), _met(window, z.shape[1:-1], strides)
    middle = inside(x.shape[1:-1], padding)

    def work(few: slice) -> None:
        chosen, ties = _chosen(_framed(x[few], padding, -np.inf), z[few], places)
        share, frame = g[few] / ties, _framed(np.zeros(x[few].shape, g.dtype), padding)
        for met, where in zip(places, chosen, strict=True):
            frame[met] += _kept(share, where)
        out[few] = frame[middle]

    _each_few(len(x), z.size * len(places), work)
    return out


def _pick_largest(h: Any, x: Any, z: Any, window: Sizes, strides: Sizes, padding: Pairs) -> Any:
    """(N, *spatial, C) → (N, *output, C): what stands where x is largest; the mean of several."""
    out, places = np.empty(z.shape, h.dtype), _met(window, z.shape[1:-1], strides)

    def work(few: slice) -> None:
        chosen, ties = _chosen(_framed(x[few], padding, -np.inf), z[few], places)
        frame, sums = _framed(h[few], padding), np.zeros(z[few].shape, h.dtype)
        for met, where in zip(places, chosen, strict=True):
            sums += _kept(frame[met], where)
        out[few] = sums / ties

    _each_few(len(x), z.size * len(places), work)
    return out


max_pool_ = Primitive(
    partial(_over_windows, np.maximum, -np.inf),
    lambda g, z, x, **o: unpick_(g, x, z, **o),
    name="max_pool",
)
# Where the largest stands changes only in jumps: so with respect to x and z both have derivative 0.
unpick_: Primitive = Primitive(
    _unpick,
    lambda g, out, y, x, z, **o: pick_largest_(g, x, z, **o),
    lambda g, out, y, x, z, **o: np.zeros_like(x),
    lambda g, out, y, x, z, **o: np.zeros_like(z),
)
pick_largest_: Primitive = Primitive(
    _pick_largest,
    lambda g, out, y, x, z, **o: unpick_(g, x, z, **o),
    lambda g, out, y, x, z, **o: np.zeros_like(x),
    lambda g, out, y, x, z, **o: np.zeros_like(z),
)


# ---- what layers and users call ------------------------------------------------------------------


def _geometry(
    x: Any, size: int | Sequence[int], strides: int | Sequence[int] | None, padding: str
) -> dict[str, Any]:
    rank = np.ndim(x) - 2
    if not 1 <= rank <= 3:
        raise ValueError(
            f"pooling needs an input (N, *spatial, C) of 1 to 3 dimensions. Received: {np.shape(x)}"
        )
    window = per_axis("size", size, rank)
    steps = window if strides is None else per_axis("strides", strides, rank)
    widths = padding_widths(padding, x.shape[1:-1], window, steps, (1,) * rank)
    return {"window": window, "strides": steps, "padding": widths}


def max_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Any:
    """Largest element of each window; ties share the gradient equally.

    (N, *spatial, C) → (N, *output, C), with windows of `size`, `strides` apart (by default their
    own size), and ``"valid"`` or ``"same"`` padding.
    """
    return max_pool_(x, **_geometry(x, size, strides, padding))


def average_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
) -> Any:
    """Mean of each window, not counting padding; arguments as for `max_pool`."""
    geometry = _geometry(x, size, strides, padding)
    if padding == "valid":
        return window_sum_(x, **geometry) * (1 / prod(geometry["window"]))
    ones = np.ones_like(x[:1, ..., :1])
    return window_sum_(x, **geometry) / window_sum_(ones, **geometry)


def upsample(x: Any, size: int | Sequence[int] = 2, interpolation: str = "nearest") -> Any:
    """Stretch each spatial axis by a whole factor.

    ``"nearest"`` repeats elements; ``"linear"`` and ``"cubic"`` interpolate between the centres of
    two and of four, with the elements at the ends continued (half-pixel centres, and the cubic of
    PyTorch, which Keras has there too).
    """
    interpolation = interpolation.removeprefix("bi")
    if interpolation != "nearest" and interpolation not in _SHARES:
        raise ValueError(
            f"interpolation must be 'nearest', 'linear' or 'cubic'. Received: {interpolation!r}"
        )
    factors = per_axis("size", size, np.ndim(x) - 2)
    if interpolation == "nearest":
        longer = tuple(n * factor for n, factor in zip(x.shape[1:-1], factors, strict=True))
        none = ((0, 0),) * len(factors)
        return window_spread_(x, spatial=longer, window=factors, strides=factors, padding=none)
    for axis, factor in enumerate(factors, 1):
        if factor > 1:
            x = _interpolate(x, factor, axis, *_SHARES[interpolation])
    return x


def _interpolate(x: Any, factor: int, axis: int, reach: int, share: Any) -> Any:
    """Add up, for each new element, its shares in the elements within `reach` of its centre."""
    n = x.shape[axis]
    centres = (np.arange(n * factor) + 0.5) / factor - 0.5
    first = np.floor(centres) - reach + 1
    total = 0
    for places in (first + step for step in range(2 * reach)):
        shares = share(np.abs(centres - places)).astype(x.dtype)
        shares = shares.reshape((-1,) + (1,) * (x.ndim - axis - 1))
        total = total + take(x, np.clip(places, 0, n - 1).astype(np.intp), axis=axis) * shares
    return total


def _cubic(d: Any) -> Any:
    """Share of an element at distance d, up to 2: Keys' cubic, with the slope −¾ at distance 1."""
    near = (1.25 * d - 2.25) * d * d + 1
    return np.where(d <= 1, near, ((-0.75 * d + 3.75) * d - 6) * d + 3)


# How far an interpolation looks, and an element's share by its distance.
_SHARES: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "linear": (1, lambda d: 1 - d),
    "cubic": (2, _cubic),
}
