"""Convolution and its two adjoints, block by block: what makes them fast.

Each is a loop over blocks that fit the processor's cache, one matrix product a block, and threads
that share the images. There are two ways to do a convolution:

- *gather*: copy what the windows meet side by side, then multiply by the kernel. It moves
  window · C numbers for each result.
- *scatter*: multiply by the kernel first, then add each product where it belongs. It moves
  window · F numbers, twice, as they are added.

The first is natural for a convolution, the second for its adjoint. With strides of 1 each can be
done the other way too, with the kernel turned around: ``convolution(x, w)`` in the manner of
``transposed(x, turned(w))``. So what has few channels is moved.

Each function has its plain form, a few lines long, in `convolution_by_position`.
"""

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

import numpy as np

from minigrad.ops.geometry import Pairs, Sizes, inside, output_sizes, places_met, turned_padding
from minigrad.ops.threads import shared
from minigrad.ops.windows import Buffer, Windows

# Bytes of a block of windows: large enough that the calls for a block take no time beside its
# arithmetic (threads wait for each other there), small enough that what was copied is still in a
# cache when it is multiplied.
BLOCK = 2**21
# The images are shared out in at most so many parts, whatever the number of threads: so the sums
# over them are made in the same order everywhere.
PARTS = 8
# Multiplications below which threads cost more time than they save, and there is but one part.
WORTH_THREADS = 2**24
# Channels in for each channel out from which products are scattered, not windows gathered.
SCATTER = 4
# Channels below which all places of the window are multiplied at once.
FEW_CHANNELS = 16


# ---- the three linear maps -----------------------------------------------------------------------


def convolution(x: Any, w: Any, bias: Any, strides: Sizes, dilation: Sizes, padding: Pairs) -> Any:
    """(N, *spatial, C), (*window, C, F), (F,) or None → (N, *output, F)."""
    output = output_sizes(x.shape[1:-1], w.shape[:-2], strides, dilation, padding)
    around = turned_padding(w.shape[:-2], strides, dilation, padding)
    if around is not None and x.size and SCATTER * w.shape[-1] <= w.shape[-2]:
        return _scatter(x, _turned(w), bias, output, strides, dilation, around)
    return _gather(x, w, bias, output, strides, dilation, padding)


def transposed(
    g: Any, w: Any, spatial: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs
) -> Any:
    """(N, *output, F), (*window, C, F) → (N, *spatial, C)."""
    around = turned_padding(w.shape[:-2], strides, dilation, padding)
    if around is not None and SCATTER * w.shape[-2] > w.shape[-1]:
        return _gather(g, _turned(w), None, spatial, strides, dilation, around)
    return _scatter(g, w, None, spatial, strides, dilation, padding)


def correlation(
    x: Any, g: Any, window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs
) -> Any:
    """(N, *spatial, C), (N, *output, F) → (*window, C, F)."""
    around = turned_padding(window, strides, dilation, padding)
    if around is not None and g.shape[-1] < x.shape[-1]:
        return _turned(_fold(g, x, window, strides, dilation, around))
    return _fold(x, g, window, strides, dilation, padding)


def _turned(w: Any) -> Any:
    """Turn the window around its middle, and exchange channels and filters."""
    return w[(slice(None, None, -1),) * (w.ndim - 2)].swapaxes(-1, -2)


# ---- blocks ------------------------------------------------------------------------------------


def _number_of_parts(images: int, multiplications: int) -> int:
    return max(1, min(PARTS, images)) if multiplications > WORTH_THREADS else 1


def blocks(
    parts: Iterable[int], number: int, images: int, output: Sizes, row: int
) -> Iterator[tuple[slice, slice]]:
    """Each block of some parts of `number`: several images, or one image and some of its rows.

    `row` is how many bytes a row of results takes in a block.
    """
    together = max(1, BLOCK // max(row * output[0], 1))
    height = max(1, min(output[0], BLOCK // max(row, 1)))
    for part in parts:
        start, stop = part * images // number, (part + 1) * images // number
        for first in range(start, stop, together):
            for top in range(0, output[0], height):
                rows = slice(top, min(top + height, output[0]))
                yield slice(first, min(first + together, stop)), rows


# ---- the two ways --------------------------------------------------------------------------------


def _gather(
    x: Any, w: Any, bias: Any, output: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs
) -> Any:
    """Copy the windows side by side, then multiply."""
    dtype, (*window, _, filters) = np.result_type(x, w), w.shape
    z = np.empty((len(x), *output, filters), dtype)
    kernel = np.ascontiguousarray(w.reshape(-1, filters), dtype)
    number = _number_of_parts(len(x), z.size * len(kernel))
    row = prod(output[1:]) * len(kernel) * dtype.itemsize

    def work(parts: Iterable[int]) -> None:
        windows = Windows(x, tuple(window), output, strides, dilation, padding, dtype)
        for images, rows in blocks(parts, number, len(x), output, row):
            # (places, window · C) · (window · C, F) → (places, F)
            result = z[images, rows].reshape(-1, filters)
            np.matmul(windows(images, rows), kernel, out=result)
            if bias is not None:
                result += bias

    shared(work, number)
    return z


def _scatter(
    g: Any, w: Any, bias: Any, spatial: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs
) -> Any:
    """Multiply, then add each place of the window where it belongs."""
    dtype, (*window, channels, _) = np.result_type(g, w), w.shape
    output = g.shape[1:-1]
    lengths = [before + n + after for n, (before, after) in zip(spatial, padding, strict=True)]
    middle = inside(spatial, padding)
    x = np.zeros((len(g), *spatial, channels), dtype)
    kernels = w.reshape(-1, *w.shape[-2:]).astype(dtype, copy=False)
    number = _number_of_parts(len(g), prod(g.shape[:-1]) * w.size)
    row = prod(output[1:]) * len(kernels) * channels * dtype.itemsize

    def work(parts: Iterable[int]) -> None:
        block, frame = Buffer(dtype), Buffer(dtype)
        for images, rows in blocks(parts, number, len(x), output, row):
            full = frame((len(x[images]), *lengths, channels))
            if rows.start == 0:
                full[...] = 0
            slabs = _products(g[images, rows], kernels, block)
            places = places_met(tuple(window), output, strides, dilation, rows)
            for slab, (_, met) in zip(slabs, places, strict=True):
                full[met] += slab
            if rows.stop == output[0]:
                x[images] = full[middle]
                if bias is not None:
                    x[images] += bias

    shared(work, number)
    return x


def _products(g: Any, kernels: Any, block: Buffer) -> Iterator[Any]:
    """(n, *rows, F) · (C, F)ᵀ → (n, *rows, C), for each of the kernels.

    With few channels all kernels are multiplied at once, into one long row for each channel.
    """
    places, channels, filters = kernels.shape
    shape, values = g.shape[:-1], g.reshape(-1, filters).astype(kernels.dtype, copy=False)
    if channels < FEW_CHANNELS:
        together = block((places * channels, len(values)))
        np.matmul(values, kernels.reshape(-1, filters).T, out=together.T)
        yield from np.moveaxis(together.reshape(places, channels, *shape), 1, -1)
        return
    slab = block((len(values), channels))
    for kernel in kernels:
        np.matmul(values, kernel.T, out=slab)
        yield slab.reshape(*shape, channels)


def _fold(x: Any, g: Any, window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs) -> Any:
    """Copy the windows side by side, then multiply by `g`, summing over the places."""
    dtype, channels, filters = np.result_type(x, g), x.shape[-1], g.shape[-1]
    output, size = g.shape[1:-1], prod(window) * channels
    number = _number_of_parts(len(x), g.size * size)
    row = prod(output[1:]) * size * dtype.itemsize
    sums = np.zeros((number, size, filters), dtype)

    def work(parts: Iterable[int]) -> None:
        windows = Windows(x, window, output, strides, dilation, padding, dtype)
        for part in parts:
            for images, rows in blocks((part,), number, len(x), output, row):
                upstream = g[images, rows].reshape(-1, filters).astype(dtype, copy=False)
                # (places, window · C)ᵀ · (places, F) → (window · C, F)
                sums[part] += windows(images, rows).T @ upstream

    shared(work, number)
    return sums.sum(axis=0).reshape(*window, channels, filters)
