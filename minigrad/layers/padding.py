"""ZeroPadding and Cropping: places added around the input, and cut off again."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import channels_last, is_whole, wrong
from minigrad.engine import Tensor
from minigrad.layers.layer import Shape, registry
from minigrad.layers.spatial_layer import SpatialLayer

# How many places at the front and at the back.
Ends = tuple[int, int]


def ends(owner: str, argument: str, value: Any, rank: int) -> tuple[Ends, ...]:
    """Return how many places at both ends of each of `rank` axes.

    From one number for all ends, one number or a pair for each axis, or, in one dimension, a pair.

    Examples
    --------
    >>> ends("ZeroPadding2D", "padding", 1, rank=2)
    ((1, 1), (1, 1))
    >>> ends("ZeroPadding2D", "padding", (1, (0, 2)), rank=2)
    ((1, 1), (0, 2))
    """
    each = (value,) * rank if rank == 1 or is_whole(value) else value
    if isinstance(each, tuple | list) and len(each) == rank:
        pairs = [tuple(one) if isinstance(one, tuple | list) else (one, one) for one in each]
        if all(len(pair) == 2 and all(is_whole(n) and n >= 0 for n in pair) for pair in pairs):
            return tuple((int(front), int(back)) for front, back in pairs)
    many = "a pair of them" if rank == 1 else f"{rank} of them, or {rank} pairs (front, back)"
    raise wrong(owner, argument, value, f"an integer from 0, or {many}")


class ZeroPadding(SpatialLayer):
    """Base of layers that put zeros around each channel. Their gradient is cut off.

    Parameters
    ----------
    padding
        How many zeros: an integer from 0 for all ends, one for each dimension, or a pair
        (front, back) for each.
    data_format
        Only ``"channels_last"``: inputs are (batch, …, channels).
    **layer_arguments
        See `Layer`.
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        channels_last(type(self).__name__, data_format)
        self._ends = ends(type(self).__name__, "padding", padding, self.rank)

    @property
    def padding(self) -> Any:
        """A pair (front, back) for each dimension; the pair itself if there is but one."""
        return self._ends[0] if self.rank == 1 else self._ends

    def call(self, x: Tensor) -> Any:
        """Put zeros around: (batch, *spatial, C) → (batch, *(front + spatial + back), C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return np.pad(x, ((0, 0), *self._ends, (0, 0)))

    def _output_lengths(self, input_shape: Shape) -> Shape:
        lengths = zip(input_shape[1:-1], self._ends, strict=True)
        return tuple(None if n is None else front + n + back for n, (front, back) in lengths)


class Cropping(SpatialLayer):
    """Base of layers that cut places off at the ends. What is cut off gets gradient 0.

    Parameters
    ----------
    cropping, data_format, **layer_arguments
        How many places are cut off, and the others: as in `ZeroPadding`. Something must be left.
    """

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        channels_last(type(self).__name__, data_format)
        self._ends = ends(type(self).__name__, "cropping", cropping, self.rank)

    @property
    def cropping(self) -> Any:
        """A pair (front, back) for each dimension; the pair itself if there is but one."""
        return self._ends[0] if self.rank == 1 else self._ends

    def call(self, x: Tensor) -> Any:
        """Cut off the ends: (batch, *(front + spatial + back), C) → (batch, *spatial, C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        kept = (
            slice(front, length - back)
            for length, (front, back) in zip(x.shape[1:-1], self._ends, strict=True)
        )
        return x[(slice(None), *kept)]

    def _output_lengths(self, input_shape: Shape) -> Shape:
        lengths = zip(input_shape[1:-1], self._ends, strict=True)
        left = tuple(None if n is None else n - front - back for n, (front, back) in lengths)
        if any(n is not None and n <= 0 for n in left):
            raise ValueError(
                f"layer {self.name!r}: cropping={self.cropping} leaves nothing of an input of "
                f"shape {input_shape}. Expected smaller numbers or a larger input."
            )
        return left


@registry.register()
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence, (batch, steps, channels): see `ZeroPadding`.

    Examples
    --------
    >>> ZeroPadding1D((2, 1))([[[5.0]]]).tolist()
    [[[0.0], [0.0], [5.0], [0.0]]]
    """

    rank = 1


@registry.register()
class ZeroPadding2D(ZeroPadding):
    """A margin of zeros around an image, (batch, rows, columns, channels): see `ZeroPadding`.

    Examples
    --------
    >>> ZeroPadding2D((0, 1))([[[[5.0], [6.0]]]])[0, ..., 0].tolist()
    [[0.0, 5.0, 6.0, 0.0]]
    """

    rank = 2


@registry.register()
class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume, (batch, depth, rows, columns, channels): see `ZeroPadding`.

    Examples
    --------
    >>> ZeroPadding3D((0, 1, (0, 2))).compute_output_shape((None, 4, 4, 4, 1))
    (None, 4, 6, 6, 1)
    """

    rank = 3


@registry.register()
class Cropping1D(Cropping):
    """A sequence without its ends, (batch, steps, channels): see `Cropping`.

    Examples
    --------
    >>> Cropping1D((2, 1))([[[1.0], [2.0], [3.0], [4.0]]]).tolist()
    [[[3.0]]]
    """

    rank = 1


@registry.register()
class Cropping2D(Cropping):
    """An image without its margin, (batch, rows, columns, channels): see `Cropping`.

    By default the margin is 0 wide, as in Keras, and nothing is cut off.

    Examples
    --------
    >>> Cropping2D((0, 1))([[[[5.0], [6.0], [7.0]]]])[0, ..., 0].tolist()
    [[6.0]]
    """

    rank = 2

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **arguments: Any) -> None:
        super().__init__(cropping, data_format, **arguments)


@registry.register()
class Cropping3D(Cropping):
    """A volume without its margin, (batch, depth, rows, columns, channels): see `Cropping`.

    Examples
    --------
    >>> Cropping3D((0, 1, (0, 2))).compute_output_shape((None, 4, 4, 4, 1))
    (None, 4, 2, 2, 1)
    """

    rank = 3
