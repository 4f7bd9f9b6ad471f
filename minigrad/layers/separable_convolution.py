"""SeparableConv1D, SeparableConv2D: first each channel for itself, then all of them at a point."""

from __future__ import annotations

from typing import Any

from minigrad.checks import positive_integer
from minigrad.engine import Tensor
from minigrad.layers.depthwise_convolution import depthwise
from minigrad.layers.kernel_layer import BiasLayer
from minigrad.layers.layer import Shape, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.layers.window import SlidingWindow
from minigrad.ops.convolution import convolution


class SeparableConvolution(SlidingWindow, BiasLayer):
    """Base of the two: a depthwise convolution, then one of window 1 that mixes the channels.

    It needs far fewer weights than a whole convolution: k² C M + C M F instead of k² C F.

    Parameters
    ----------
    filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias
        As in `Convolution`, with the same errors.
    depth_multiplier
        How many filters each channel has in the first step.
    depthwise_initializer, pointwise_initializer
        How the two kernels begin.
    depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer
        Penalties: the terms ``<layer>/depthwise_kernel``, ``<layer>/pointwise_kernel``, ….
    depthwise_constraint, pointwise_constraint
        What the two kernels must satisfy after each step.
    **arguments
        See `BiasLayer` and `Layer`.

    References
    ----------
    F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017).
    """

    depthwise_regularizer = RegularizerSlot("depthwise_kernel")
    pointwise_regularizer = RegularizerSlot("pointwise_kernel")

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        kind = type(self).__name__
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.filters = positive_integer(kind, "filters", filters)
        self.depth_multiplier = positive_integer(kind, "depth_multiplier", depth_multiplier)
        self._plan_weight(
            "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint
        )
        self._plan_weight(
            "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint
        )
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make both kernels: (*kernel_size, channels, multiplier), (1, …, C · M, filters)."""
        channels = self._channels(input_shape)
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add_planned("depthwise_kernel", shape, "depthwise")
        shape = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._add_planned("pointwise_kernel", shape, "pointwise")
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Slide, then mix: (batch, *spatial, C) → (batch, *output, filters)."""
        self._channels(x.shape, self.depthwise_kernel.shape[-2])
        self._places(x.shape)
        z = depthwise(x, self.depthwise_kernel, self.strides, self.padding, self.dilation_rate)
        return self._finish(convolution(z, self.pointwise_kernel))


@registry.register()
class SeparableConv1D(SeparableConvolution):
    """Separable convolution over sequences; see `SeparableConvolution`.

    Examples
    --------
    >>> SeparableConv1D(5, 3).compute_output_shape((None, 10, 4))
    (None, 8, 5)
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@registry.register()
class SeparableConv2D(SeparableConvolution):
    """Separable convolution over images; see `SeparableConvolution`.

    Examples
    --------
    >>> layer = SeparableConv2D(5, 3, input_shape=(8, 8, 4))
    >>> layer.count_params()  # 3·3·4 + 4·5 + 5
    61
    """

    rank = 2


SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
