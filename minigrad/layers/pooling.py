"""MaxPooling and AveragePooling: one number for each window, channel by channel."""

from __future__ import annotations

from typing import Any

from minigrad.checks import sizes
from minigrad.engine import Tensor
from minigrad.layers.layer import Shape, registry
from minigrad.layers.spatial_layer import SpatialLayer
from minigrad.layers.window import SlidingWindow
from minigrad.ops.pooling import average_pool, max_pool


class Pooling(SpatialLayer, SlidingWindow):
    """Base of the poolings: a window moves over the input, and what it meets becomes one number.

    Parameters
    ----------
    pool_size
        The window: an integer, or one for each dimension.
    strides
        By how many elements it moves; by default its own size, so that windows do not overlap.
    padding
        ``"valid"`` (only whole windows; an input must hold one), or ``"same"``: they may reach over
        the borders, and the output has ⌈n / stride⌉ elements. What lies outside does not count.
    data_format
        Only ``"channels_last"``: inputs are (batch, …, channels).
    **layer_arguments
        See `Layer`.
    """

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.pool_size = sizes(type(self).__name__, "pool_size", pool_size, self.rank)
        steps = self.pool_size if strides is None else strides
        self._set_window(self.pool_size, steps, padding, 1, data_format)

    def _output_lengths(self, input_shape: Shape) -> Shape:
        return self._places(input_shape)


class MaxPooling(Pooling):
    """Base of pooling by the largest number; see `Pooling`.

    The gradient goes to the largest element alone. Where several are equally large they share it,
    which favours no place; Keras, on PyTorch and JAX, gives all of it to the first of them.
    """

    def call(self, x: Tensor) -> Any:
        """Take the largest: (batch, *spatial, C) → (batch, *places, C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return max_pool(x, self.pool_size, self.strides, self.padding)


class AveragePooling(Pooling):
    """Base of pooling by the mean; see `Pooling`.

    Each element of a window gets the same share of its gradient. With ``padding="same"``, the mean
    is over the elements that exist. (So it is in Keras on JAX; on PyTorch, Keras repeats the
    border's elements where one end has more padding than the other, and counts them.)
    """

    def call(self, x: Tensor) -> Any:
        """Take the mean: (batch, *spatial, C) → (batch, *places, C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return average_pool(x, self.pool_size, self.strides, self.padding)


@registry.register()
class MaxPooling1D(MaxPooling):
    """The largest in each window of a sequence, (batch, steps, channels): see `Pooling`.

    Examples
    --------
    >>> MaxPooling1D(2)([[[1.0], [4.0], [3.0], [2.0]]]).tolist()
    [[[4.0], [3.0]]]
    """

    rank = 1


@registry.register()
class MaxPooling2D(MaxPooling):
    """The largest in each window of an image, (batch, rows, columns, channels): see `Pooling`.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, ..., 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    >>> MaxPooling2D(3, strides=2, padding="same").compute_output_shape((None, 7, None, 4))
    (None, 4, None, 4)
    """

    rank = 2


@registry.register()
class MaxPooling3D(MaxPooling):
    """The largest in each window of a volume, (batch, depth, …, channels): see `Pooling`.

    Examples
    --------
    >>> MaxPooling3D((1, 2, 2)).compute_output_shape((None, 4, 4, 4, 3))
    (None, 4, 2, 2, 3)
    """

    rank = 3


@registry.register()
class AveragePooling1D(AveragePooling):
    """The mean of each window of a sequence, (batch, steps, channels): see `Pooling`.

    Examples
    --------
    >>> AveragePooling1D(2, padding="same")([[[1.0], [4.0], [3.0]]]).tolist()
    [[[2.5], [3.0]]]
    """

    rank = 1


@registry.register()
class AveragePooling2D(AveragePooling):
    """The mean of each window of an image, (batch, rows, columns, channels): see `Pooling`.

    Examples
    --------
    >>> import numpy as np
    >>> AveragePooling2D()(np.arange(16.0).reshape(1, 4, 4, 1))[0, ..., 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """

    rank = 2


@registry.register()
class AveragePooling3D(AveragePooling):
    """The mean of each window of a volume, (batch, depth, rows, columns, channels): see `Pooling`.

    Examples
    --------
    >>> AveragePooling3D(2, strides=1).compute_output_shape((None, 4, 4, 4, 3))
    (None, 3, 3, 3, 3)
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
