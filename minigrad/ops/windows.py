"""The windows of images copied side by side, as the rows of a matrix: "im2col"."""

from math import prod
from typing import Any

import numpy as np

from minigrad.ops.geometry import Pairs, Sizes, inside

# Windows whose neighbours in memory are fewer than these are copied place by place.
SHORT_RUN = 16


class Buffer:
    """Memory of one thread during one call, lent out again and again."""

    def __init__(self, dtype: Any) -> None:
        self.memory = np.empty(0, dtype)

    def __call__(self, shape: Sizes) -> Any:
        """Return the memory in a shape, with anything in it."""
        if self.memory.size < prod(shape):
            self.memory = np.empty(prod(shape), self.memory.dtype)
        return self.memory[: prod(shape)].reshape(shape)


class Windows:
    """Copies windows of images (N, *spatial, C); belongs to one thread during one call.

    `output` is the number of places that the window has, `dtype` what the copies are made of.

    Examples
    --------
    >>> x = np.arange(4.0).reshape(1, 4, 1)
    >>> Windows(x, (2,), (3,), (1,), (1,), ((0, 0),), x.dtype)(slice(1), slice(3))
    array([[0., 1.],
           [1., 2.],
           [2., 3.]])
    """

    def __init__(
        self,
        x: Any,
        window: Sizes,
        output: Sizes,
        strides: Sizes,
        dilation: Sizes,
        padding: Pairs,
        dtype: Any,
    ) -> None:
        self.x, self.window, self.output, self.padding = x, window, output, padding
        self.strides, self.dilation, self.dtype = strides, dilation, np.dtype(dtype)
        self.size, self.channels = prod(window) * x.shape[-1], x.shape[-1]
        # With a dilation of 1, what a window meets along its last axis are neighbours.
        together = 1 if dilation[-1] == 1 else 0
        self.apart, self.run = window, self.channels
        if together:
            self.apart, self.run = window[:-1], window[-1] * self.channels
        self.by_place = self.run < min(SHORT_RUN, output[-1])
        self.images, self.frame = slice(0), np.empty((0,) * x.ndim, dtype)
        self.block = Buffer(dtype)

    def __call__(self, images: slice, rows: slice) -> Any:
        """Copy some: (places, window · C), in memory that the next call uses again."""
        frame = self._framed(images)
        block = self.block(
            (len(frame) * len(range(self.output[0])[rows]) * prod(self.output[1:]), self.size)
        )
        if self.by_place:
            return self._place_by_place(self._view(frame, self.window, self.dtype)[:, rows], block)
        # NumPy moves an item of any size in one go: so a run of neighbours is one item.
        item = np.dtype((np.void, self.run * self.dtype.itemsize))
        met = self._view(frame, self.apart, item)[:, rows]
        np.ndarray(met.shape, item, block)[...] = met
        return block

    def _view(self, frame: Any, window: Sizes, item: Any) -> Any:
        """View the frame as (N, *output, *window) of items, or (…, C) of numbers; copy nothing."""
        image, *steps, channel = frame.strides
        moves = [step * s for step, s in zip(steps, self.strides, strict=True)]
        within = [step * d for step, d in zip(steps, self.dilation, strict=True)][: len(window)]
        shape, strides = (len(frame), *self.output, *window), (image, *moves, *within)
        if item == self.dtype:
            shape, strides = (*shape, self.channels), (*strides, channel)
        return np.ndarray(shape, item, frame, 0, strides)

    def _place_by_place(self, met: Any, block: Any) -> Any:
        """Copy windows whose neighbours are few, as with one channel.

        The copy lies place by place in memory, so that whole rows of pixels are neighbours. For
        BLAS a matrix in this order is as good.
        """
        inner = len(self.output) + 1
        axes = (*range(inner, met.ndim), *range(inner))
        turned = met.transpose(axes)
        copy = block.reshape(turned.shape)
        copy[...] = turned
        return copy.reshape(self.size, -1).T

    def _framed(self, images: slice) -> Any:
        """Return some images with zeros around them, in one piece of memory."""
        if images == self.images:
            return self.frame
        inner = self.x[images]
        if any(map(any, self.padding)):
            sizes = [b + n + a for n, (b, a) in zip(inner.shape[1:-1], self.padding, strict=True)]
            shape = (len(inner), *sizes, self.channels)
            if self.frame.shape != shape:  # else its border is there already
                self.frame = np.zeros(shape, self.dtype)
            self.frame[inside(inner.shape[1:-1], self.padding)] = inner
        else:
            self.frame = np.ascontiguousarray(inner, self.dtype)
        self.images = images
        return self.frame
