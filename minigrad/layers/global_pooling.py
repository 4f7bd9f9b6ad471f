"""GlobalMaxPooling and GlobalAveragePooling: one number for each channel, whatever the size."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import boolean, channels_last
from minigrad.engine import Tensor
from minigrad.layers.layer import Shape, registry
from minigrad.layers.spatial_layer import SpatialLayer


class GlobalPooling(SpatialLayer):
    """Base of layers that pool over all places: (batch, …, channels) → (batch, channels).

    Behind convolutions, it makes a vector of features that does not depend on the images' size,
    as long as there is a place to pool over.

    Parameters
    ----------
    data_format
        Only ``"channels_last"``: inputs are (batch, …, channels).
    keepdims
        Whether the axes of the places stay, each with length 1.
    **layer_arguments
        See `Layer`.
    """

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **layer_arguments: Any
    ) -> None:
        super().__init__(**layer_arguments)
        kind = type(self).__name__
        channels_last(kind, data_format)
        self.keepdims = boolean(kind, "keepdims", keepdims)

    def call(self, x: Tensor) -> Any:
        """Pool over the places: (batch, *spatial, C) → (batch, C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return self.pool(x, tuple(range(1, self.rank + 1)))

    def pool(self, x: Tensor, axes: tuple[int, ...]) -> Any:
        """Return one number for all that lies along `axes`."""
        raise NotImplementedError(f"{type(self).__name__} must define pool(self, x, axes)")

    def _output_lengths(self, input_shape: Shape) -> Shape:
        if 0 in input_shape[1:-1]:
            expected = f"{type(self).__name__} needs at least one place to pool over"
            raise self._unfit(expected, input_shape)
        return (1,) * self.rank if self.keepdims else ()


class GlobalMaxPooling(GlobalPooling):
    """Base of pooling by the largest number; see `GlobalPooling`.

    Elements that are equally large share the gradient, as in `MaxPooling` and in PyTorch's amax.
    """

    def pool(self, x: Tensor, axes: tuple[int, ...]) -> Any:
        """Take the largest."""
        return np.max(x, axis=axes, keepdims=self.keepdims)


class GlobalAveragePooling(GlobalPooling):
    """Base of pooling by the mean; see `GlobalPooling`."""

    def pool(self, x: Tensor, axes: tuple[int, ...]) -> Any:
        """Take the mean."""
        return np.mean(x, axis=axes, keepdims=self.keepdims)


@registry.register()
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest of each channel of a sequence, (batch, steps, channels): see `GlobalPooling`.

    Examples
    --------
    >>> GlobalMaxPooling1D()([[[1.0, 6.0], [5.0, 2.0]]]).tolist()
    [[5.0, 6.0]]
    """

    rank = 1


@registry.register()
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest of each channel of an image, (batch, rows, …, channels): see `GlobalPooling`.

    Examples
    --------
    >>> GlobalMaxPooling2D(keepdims=True).compute_output_shape((None, None, None, 8))
    (None, 1, 1, 8)
    """

    rank = 2


@registry.register()
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest of each channel of a volume, (batch, depth, …, channels): see `GlobalPooling`.

    Examples
    --------
    >>> GlobalMaxPooling3D().compute_output_shape((None, 4, 4, 4, 8))
    (None, 8)
    """

    rank = 3


@registry.register()
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel of a sequence, (batch, steps, channels): see `GlobalPooling`.

    Examples
    --------
    >>> GlobalAveragePooling1D()([[[1.0, 6.0], [5.0, 2.0]]]).tolist()
    [[3.0, 4.0]]
    """

    rank = 1


@registry.register()
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of an image, (batch, rows, …, channels): see `GlobalPooling`.

    Examples
    --------
    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.arange(8.0).reshape(1, 2, 2, 2)).tolist()
    [[3.0, 4.0]]
    """

    rank = 2


@registry.register()
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of a volume, (batch, depth, …, channels): see `GlobalPooling`.

    Examples
    --------
    >>> GlobalAveragePooling3D(keepdims=True).compute_output_shape((None, 4, 4, 4, 8))
    (None, 1, 1, 1, 8)
    """

    rank = 3


GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
