"""UpSampling1D, 2D, 3D: each place drawn out over several, the way back from pooling."""

from __future__ import annotations

from typing import Any

from minigrad.checks import channels_last, one_of, positive_integer, sizes
from minigrad.engine import Tensor
from minigrad.layers.layer import Shape, registry
from minigrad.layers.spatial_layer import SpatialLayer
from minigrad.ops.pooling import upsample


class UpSampling(SpatialLayer):
    """Base of layers that stretch each spatial axis by a whole factor.

    An element's gradient is the sum over all that came from it. Together with a convolution it is
    what decoders use in place of a transposed one, whose windows may overlap unevenly.

    Parameters
    ----------
    size
        The factor: a positive integer, or one for each dimension.
    data_format
        Only ``"channels_last"``: inputs are (batch, …, channels).
    **layer_arguments
        See `Layer`.

    References
    ----------
    A. Odena et al., "Deconvolution and Checkerboard Artifacts", Distill (2016).
    """

    interpolation = "nearest"

    def __init__(self, size: Any = 2, data_format: str | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        channels_last(type(self).__name__, data_format)
        self.size = sizes(type(self).__name__, "size", size, self.rank)

    def call(self, x: Tensor) -> Any:
        """Stretch: (batch, *spatial, C) → (batch, *(size · spatial), C)."""
        self.compute_output_shape(x.shape)  # says so if the input does not fit
        return upsample(x, self.size, self.interpolation)

    def _output_lengths(self, input_shape: Shape) -> Shape:
        lengths = zip(input_shape[1:-1], self.size, strict=True)
        return tuple(None if n is None else n * factor for n, factor in lengths)


@registry.register()
class UpSampling1D(UpSampling):
    """Each step repeated: (batch, steps, channels) → (batch, size · steps, channels).

    `size` is an integer; errors are those of `UpSampling`.

    Examples
    --------
    >>> UpSampling1D(2)([[[1.0], [3.0]]]).tolist()
    [[[1.0], [1.0], [3.0], [3.0]]]
    """

    rank = 1

    def __init__(self, size: int = 2, **layer_arguments: Any) -> None:
        super().__init__(positive_integer("UpSampling1D", "size", size), **layer_arguments)

    def _setting(self, name: str) -> Any:
        return self.size[0] if name == "size" else super()._setting(name)


@registry.register()
class UpSampling2D(UpSampling):
    """Each row and column drawn out: (batch, rows, columns, channels) → (batch, …, channels).

    Parameters
    ----------
    size, data_format, **layer_arguments
        See `UpSampling`.
    interpolation
        ``"nearest"`` repeats pixels; ``"bilinear"`` passes in straight lines from the centre of
        one to that of the next, along rows and columns; ``"bicubic"`` in curves through four.

    Examples
    --------
    >>> image = [[[[0.0], [4.0]]]]
    >>> UpSampling2D((1, 2))(image)[0, 0, :, 0].tolist()
    [0.0, 0.0, 4.0, 4.0]
    >>> UpSampling2D((1, 2), interpolation="bilinear")(image)[0, 0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]
    """

    rank = 2

    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = "nearest",
        **layer_arguments: Any,
    ) -> None:
        super().__init__(size, data_format, **layer_arguments)
        known = ("nearest", "bilinear", "bicubic")
        self.interpolation = one_of("UpSampling2D", "interpolation", interpolation, known)


@registry.register()
class UpSampling3D(UpSampling):
    """Each place of a volume repeated, (batch, depth, rows, columns, channels): see `UpSampling`.

    Examples
    --------
    >>> UpSampling3D((1, 2, 3)).compute_output_shape((None, 4, 4, None, 1))
    (None, 4, 8, None, 1)
    """

    rank = 3
