"""Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: convolutions run backwards, to enlarge."""

from __future__ import annotations

from typing import Any

from minigrad.checks import positive_integer, sizes, wrong
from minigrad.engine import Tensor
from minigrad.layers.kernel_layer import KernelLayer
from minigrad.layers.layer import Shape, registry
from minigrad.layers.window import SlidingWindow, check_rank
from minigrad.ops.convolution import transposed_convolution
from minigrad.ops.geometry import transposed_span


class TransposedConvolution(SlidingWindow, KernelLayer):
    """Base of the three: the adjoint of a convolution, ``activation(x ⋆ᵀ kernel + bias)``.

    Where a convolution sums over a window, this spreads each input over one; with strides it
    enlarges. Decoders of convolutional autoencoders are made of it.

    Parameters
    ----------
    filters
        The channels of the output.
    kernel_size, strides, dilation_rate
        Those of the convolution whose adjoint this is: an integer, or one for each dimension.
    padding
        ``"valid"``: (n − 1) · stride + max(window, stride) elements; ``"same"``: n · stride.
    output_padding
        Settles the length exactly: see `minigrad.ops.transposed_convolution`; below the stride.
    data_format, activation, use_bias, **arguments
        As in `Convolution`, whose errors it has, too.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        kind = type(self).__name__
        self.filters = positive_integer(kind, "filters", filters)
        self.output_padding: tuple[int, ...] | None = None
        if output_padding is not None:
            extras = sizes(kind, "output_padding", output_padding, self.rank, least=0)
            if any(extra >= stride for extra, stride in zip(extras, self.strides, strict=True)):
                expected = f"below the strides {self.strides}"
                raise wrong(kind, "output_padding", output_padding, expected)
            self.output_padding = extras
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make the kernel, of shape (*kernel_size, filters, channels), and the bias."""
        shape = (*self.kernel_size, self.filters, self._channels(input_shape))
        self.kernel = self._add_planned("kernel", shape)
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Spread the inputs: (batch, *spatial, C) → (batch, *output, filters)."""
        self._channels(x.shape, self.kernel.shape[-1])
        return self._finish(
            transposed_convolution(
                x,
                self.kernel,
                self.strides,
                self.padding,
                self.dilation_rate,
                output_padding=self.output_padding,
            )
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the enlarged lengths, and the filters."""
        check_rank(self, input_shape)
        extras = self.output_padding or (None,) * self.rank
        spatial = tuple(
            None if n is None else transposed_span(self.padding, n, (k - 1) * d + 1, s, extra)[1]
            for n, k, s, d, extra in zip(
                input_shape[1:-1],
                self.kernel_size,
                self.strides,
                self.dilation_rate,
                extras,
                strict=True,
            )
        )
        return (input_shape[0], *spatial, self.filters)


@registry.register()
class Conv1DTranspose(TransposedConvolution):
    """Transposed convolution over sequences; parameters and errors: `TransposedConvolution`.

    Examples
    --------
    >>> layer = Conv1DTranspose(1, kernel_size=2, strides=2, kernel_initializer="ones")
    >>> layer([[[1.0], [2.0]]]).tolist()
    [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1


@registry.register()
class Conv2DTranspose(TransposedConvolution):
    """Transposed convolution over images; parameters and errors: `TransposedConvolution`.

    Examples
    --------
    >>> layer = Conv2DTranspose(8, 3, strides=2, padding="same")
    >>> layer.compute_output_shape((None, 7, 7, 16))
    (None, 14, 14, 8)
    """

    rank = 2


@registry.register()
class Conv3DTranspose(TransposedConvolution):
    """Transposed convolution over volumes; parameters and errors: `TransposedConvolution`.

    Examples
    --------
    >>> Conv3DTranspose(2, 3).compute_output_shape((None, 4, 4, 4, 1))
    (None, 6, 6, 6, 2)
    """

    rank = 3


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
