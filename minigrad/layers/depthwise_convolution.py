"""DepthwiseConv1D, DepthwiseConv2D: each channel with filters of its own."""

from __future__ import annotations

from typing import Any

from minigrad.checks import positive_integer
from minigrad.engine import Tensor
from minigrad.layers.kernel_layer import BiasLayer
from minigrad.layers.layer import Shape, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.layers.window import SlidingWindow
from minigrad.ops.convolution import convolution


def depthwise(x: Any, kernel: Any, strides: Any, padding: Any, dilation: Any) -> Any:
    """Convolve each channel with its own filters: (…, C) with (*window, C, M) → (…, C · M).

    That is a convolution with as many groups as channels.
    """
    *window, channels, multiplier = kernel.shape
    by_group = kernel.reshape((*window, 1, channels * multiplier))
    return convolution(x, by_group, strides, padding, dilation, groups=channels)


class DepthwiseConvolution(SlidingWindow, BiasLayer):
    """Base of the two: ``activation(x ⋆ kernel + bias)``, channel by channel.

    Parameters
    ----------
    kernel_size, strides, padding, data_format, dilation_rate
        As in `Convolution`, with the same errors.
    depth_multiplier
        How many filters each channel has; channel c makes the outputs c · M to c · M + M − 1.
    depthwise_initializer, depthwise_regularizer, depthwise_constraint
        What concerns the kernel, named as in Keras; the penalty is the term ``<layer>/kernel``.
    activation, use_bias, **arguments
        See `BiasLayer` and `Layer`.
    """

    depthwise_regularizer = RegularizerSlot("kernel")

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.depth_multiplier = positive_integer(
            type(self).__name__, "depth_multiplier", depth_multiplier
        )
        self._plan_weight(
            "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make the kernel, of shape (*kernel_size, channels, multiplier), and the bias."""
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._add_planned("kernel", shape, "depthwise")
        self._add_bias(channels * self.depth_multiplier)

    def call(self, x: Tensor) -> Tensor:
        """Slide the filters: (batch, *spatial, C) → (batch, *output, C · multiplier)."""
        self._channels(x.shape, self.kernel.shape[-2])
        self._places(x.shape)
        return self._finish(
            depthwise(x, self.kernel, self.strides, self.padding, self.dilation_rate)
        )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Count the places of the window, and multiply the channels."""
        channels = self._channels(input_shape)
        return (input_shape[0], *self._places(input_shape), channels * self.depth_multiplier)


@registry.register()
class DepthwiseConv1D(DepthwiseConvolution):
    """Channel-wise convolution over sequences; see `DepthwiseConvolution`.

    Examples
    --------
    >>> DepthwiseConv1D(3, depth_multiplier=2).compute_output_shape((None, 10, 4))
    (None, 8, 8)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@registry.register()
class DepthwiseConv2D(DepthwiseConvolution):
    """Channel-wise convolution over images; see `DepthwiseConvolution`.

    Examples
    --------
    >>> DepthwiseConv2D(3, padding="same").compute_output_shape((None, 8, 8, 4))
    (None, 8, 8, 4)
    """

    rank = 2
