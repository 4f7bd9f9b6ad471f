"""Where a window meets what it slides over: sizes, places and padding, in any dimension."""

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np

Sizes = tuple[int, ...]
# How many elements are added before and after, for each dimension.
Pairs = tuple[tuple[int, int], ...]


def output_sizes(
    spatial: Sizes, window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs | None = None
) -> Sizes:
    """Return how many places a window has along each axis."""
    around = padding or ((0, 0),) * len(window)
    return tuple(
        max(0, (before + n + after - (k - 1) * d - 1) // s + 1)
        for n, k, s, d, (before, after) in zip(
            spatial, window, strides, dilation, around, strict=True
        )
    )


def places_met(
    window: Sizes,
    output: Sizes,
    strides: Sizes,
    dilation: Sizes,
    rows: slice = slice(None),
) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
    """Each place in the window, with the slices of the input that it meets.

    `rows` keeps to some of the results along their first axis.
    """
    first, end, _ = rows.indices(output[0])
    spans = [(first, end), *((0, n) for n in output[1:])]
    for place in np.ndindex(*window):
        met = tuple(
            slice(p * d + start * s, p * d + max(stop - 1, start) * s + (stop > start), s)
            for p, d, (start, stop), s in zip(place, dilation, spans, strides, strict=True)
        )
        yield place, (slice(None), *met)


def inside(spatial: Sizes, padding: Pairs) -> tuple[slice, ...]:
    """Return where images are in a frame of them with their padding."""
    cuts = (slice(b, b + n) for n, (b, _) in zip(spatial, padding, strict=True))
    return (slice(None), *cuts)


def turned_padding(window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs) -> Pairs | None:
    """Return the padding with which the turned window goes the way back; None if it cannot.

    With strides of 1, a convolution's adjoint is itself a convolution, of what came out.
    """
    reach = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
    around = tuple(
        (far - before, far - after) for far, (before, after) in zip(reach, padding, strict=True)
    )
    fits = max(strides) == 1 and min(map(min, around)) >= 0
    return around if fits else None


def transposed_span(
    padding: str, n: int, reach: int, stride: int, extra: int | None
) -> tuple[int, int]:
    """Return how much is cut off in front of a transposed convolution, and how much is kept.

    For `n` elements and a window that reaches over `reach`; `extra` is the output padding.
    """
    if padding == "valid":
        return 0, (n - 1) * stride + reach + (max(stride - reach, 0) if extra is None else extra)
    if padding != "same":
        raise ValueError(f"padding must be 'valid' or 'same'. Received: {padding!r}")
    if extra is None:
        return max(reach - stride, 0) // 2, n * stride
    # As Keras has it: an odd element of what is cut off comes off behind.
    around = reach + reach % 2 - 2 + extra
    return max(reach - 1 - (around + 1) // 2, 0), (n - 1) * stride + reach % 2 + extra


def per_axis(name: str, value: int | Sequence[int], rank: int, least: int = 1) -> Sizes:
    """Return a number, `least` or larger, for each dimension."""
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank or any(not isinstance(n, int) or n < least for n in numbers):
        raise ValueError(
            f"{name} must be {rank} integers, {least} or larger, or one. Received: {value!r}"
        )
    return numbers


def padding_widths(
    padding: str | Sequence[tuple[int, int]],
    spatial: Sizes,
    window: Sizes,
    strides: Sizes,
    dilation: Sizes,
) -> tuple[tuple[int, int], ...]:
    """Return how many elements to add before and after, for each dimension.

    ``"same"`` makes ⌈n / stride⌉ results; an odd element goes behind, as in TensorFlow and Keras.
    """
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding == "causal" and len(window) == 1:
        return ((reach[0] - 1, 0),)
    if padding == "same":
        totals = [
            max((ceil(n / s) - 1) * s + r - n, 0)
            for n, s, r in zip(spatial, strides, reach, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str) or len(padding) != len(window):
        raise ValueError(
            "padding must be 'valid', 'same', 'causal' (1 dimension), or a pair of numbers for "
            f"each of {len(window)} dimensions. Received: {padding!r}"
        )
    return tuple((int(before), int(after)) for before, after in padding)
