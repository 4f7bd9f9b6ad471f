"""Reshape, Permute and RepeatVector: the same numbers, laid out in another way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import is_whole, positive_integer, wrong
from minigrad.engine import Tensor
from minigrad.layers.layer import Layer, Shape, registry


@registry.register()
class Reshape(Layer):
    """Each sample in another shape: (batch, a, b, …) → (batch, target shape).

    Parameters
    ----------
    target_shape
        One sample's shape of the output, with as many elements as the input's. A single -1 stands
        for what is left over.
    **layer_arguments
        See `Layer`.

    Examples
    --------
    >>> Reshape((2, -1))([[1.0, 2.0, 3.0, 4.0]]).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    >>> Reshape((8, 8, 1)).compute_output_shape((None, 64))
    (None, 8, 8, 1)
    """

    def __init__(self, target_shape: tuple[int, ...], **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        shape: Any = target_shape if isinstance(target_shape, tuple | list) else [None]
        are_lengths = all(is_whole(n) and (n >= 1 or n == -1) for n in shape)
        if not are_lengths or list(shape).count(-1) > 1:
            expected = "a tuple of integers from 1, one of which may be -1"
            raise wrong("Reshape", "target_shape", target_shape, expected)
        self.target_shape = tuple(int(n) for n in shape)

    def call(self, x: Tensor) -> Any:
        """Lay out each sample anew."""
        return np.reshape(x, self.compute_output_shape(x.shape))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, target shape), with -1 worked out; None where that is not known."""
        if not input_shape:
            raise ValueError(f"layer {self.name!r}: Reshape needs a batch. Received: a scalar")
        lengths = [n for n in input_shape[1:] if n is not None]
        if len(lengths) < len(input_shape) - 1:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        elements = math.prod(lengths)
        others = math.prod(n for n in self.target_shape if n != -1)
        rest = elements // others if -1 in self.target_shape else 1
        if others * rest != elements:
            expected = f"expected samples that fit target_shape={self.target_shape}"
            raise self._unfit(expected, input_shape, f", {elements} elements a sample")
        return (input_shape[0], *(rest if n == -1 else n for n in self.target_shape))


@registry.register()
class Permute(Layer):
    """The axes of each sample in another order: ``Permute((2, 1))`` transposes matrices.

    Parameters
    ----------
    dims
        For each axis of the output, which one of the input it is, each once; counted from 1, as 0
        is the batch, which stays in front.
    **layer_arguments
        See `Layer`.

    Examples
    --------
    >>> Permute((2, 1))([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
    [[[1.0, 3.0], [2.0, 4.0]]]
    """

    def __init__(self, dims: tuple[int, ...], **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        order: Any = dims if isinstance(dims, tuple | list) else [None]
        if not all(map(is_whole, order)) or sorted(order) != list(range(1, len(order) + 1)):
            expected = "the numbers of all axes from 1, in some order, without the batch"
            raise wrong("Permute", "dims", dims, expected)
        self.dims = tuple(int(axis) for axis in order)

    def call(self, x: Tensor) -> Any:
        """Put the axes in order."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return np.transpose(x, (0, *self.dims))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the lengths in the new order."""
        if len(input_shape) != len(self.dims) + 1:
            rank = len(self.dims) + 1
            expected = f"Permute with dims={self.dims} needs an input of rank {rank}"
            raise self._unfit(expected, input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


@registry.register()
class RepeatVector(Layer):
    """Each vector `n` times: (batch, features) → (batch, n, features).

    So a decoder of sequences gets the coding at each step; the steps' gradients add up.

    Examples
    --------
    >>> RepeatVector(3)([[1.0, 2.0]]).tolist()
    [[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]]
    """

    def __init__(self, n: int, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.n = positive_integer("RepeatVector", "n", n)

    def call(self, x: Tensor) -> Any:
        """Repeat each vector."""
        shape: Any = self.compute_output_shape(x.shape)
        return np.broadcast_to(np.expand_dims(x, 1), shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Put `n` between batch and features."""
        if len(input_shape) != 2:
            raise self._unfit("RepeatVector needs an input of shape (batch, features)", input_shape)
        return (input_shape[0], self.n, input_shape[1])
