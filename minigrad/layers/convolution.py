"""Conv1D, Conv2D, Conv3D: filters that slide over the input, channels last."""

from __future__ import annotations

from typing import Any

from minigrad.checks import positive_integer
from minigrad.engine import Tensor
from minigrad.engine.lines import label
from minigrad.layers.kernel_layer import KernelLayer
from minigrad.layers.layer import Shape, registry
from minigrad.layers.window import SlidingWindow
from minigrad.ops.convolution import convolution


class Convolution(SlidingWindow, KernelLayer):
    """Base of the three: ``activation(x ⋆ kernel + bias)``, in `rank` dimensions.

    Each filter is a window of weights; at each place, a result is the sum of what the window
    meets, times the weights (a cross-correlation, as everywhere in deep learning).

    Parameters
    ----------
    filters
        How many of them: the channels of the output.
    kernel_size
        The window: an integer, or one for each dimension.
    strides
        By how many elements the window moves; not together with a dilation.
    padding
        ``"valid"`` (none), ``"same"`` (zeros, so that the output has ⌈n / stride⌉ elements), or
        ``"causal"`` (in one dimension: zeros in front, so that no output sees what comes later).
    data_format
        Only ``"channels_last"``: inputs are (batch, …, channels).
    dilation_rate
        The distance between the elements that the window meets.
    groups
        Into how many groups the channels are split, each with filters of its own.
    activation, use_bias, **arguments
        See `KernelLayer` and `Layer`.

    Raises
    ------
    ValueError
        For numbers that are not positive, filters that `groups` does not divide, another padding
        or layout; or, when called, an input of another rank or number of channels.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        kind = type(self).__name__
        self._set_window(kernel_size, strides, padding, dilation_rate, data_format)
        self.filters = positive_integer(kind, "filters", filters)
        self.groups = positive_integer(kind, "groups", groups)
        if self.filters % self.groups:
            raise ValueError(
                f"{kind}: filters must be a multiple of groups. Received: filters={filters}, "
                f"groups={groups}"
            )
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make the kernel, of shape (*kernel_size, channels / groups, filters), and the bias."""
        channels = self._channels(input_shape)
        if channels % self.groups:
            expected = "the input's channels must be a multiple of groups"
            raise self._unfit(expected, input_shape, f", groups={self.groups}")
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add_planned("kernel", shape)
        self._add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        """Slide the filters over the input: (batch, *spatial, C) → (batch, *output, filters)."""
        self._channels(x.shape, self.kernel.shape[-2] * self.groups)
        self._places(x.shape)  # says so if the window is larger than the input
        geometry = (self.strides, self.padding, self.dilation_rate, self.groups)
        z = convolution(x, self.kernel, *geometry, bias=self.bias)
        return self.activation(label(z, "pre_activation"))


@registry.register()
class Conv1D(Convolution):
    """Convolution over sequences, (batch, steps, channels): see `Convolution`.

    Examples
    --------
    >>> layer = Conv1D(1, kernel_size=2, kernel_initializer="ones", padding="causal")
    >>> layer([[[1.0], [2.0], [3.0]]]).tolist()
    [[[1.0], [3.0], [5.0]]]
    """

    rank = 1
    paddings = ("valid", "same", "causal")


@registry.register()
class Conv2D(Convolution):
    """Convolution over images, (batch, rows, columns, channels): see `Convolution`.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.regularizers import L1, L2
    >>> layer = Conv2D(2, kernel_size=2, kernel_initializer="ones", bias_initializer="ones",
    ...                kernel_regularizer=L1(0.01), bias_regularizer=L2(0.5),
    ...                activity_regularizer=L2(0.01), name="conv")
    >>> layer(np.ones((4, 3, 3, 1))).shape
    (4, 2, 2, 2)
    >>> layer.loss_terms()
    LossTerms(conv/kernel=0.08, conv/bias=1, conv/activity=2; total=3.08)
    """

    rank = 2


@registry.register()
class Conv3D(Convolution):
    """Convolution over volumes, (batch, depth, rows, columns, channels): see `Convolution`.

    Examples
    --------
    >>> Conv3D(4, 3, padding="same").compute_output_shape((None, 8, 8, 8, 1))
    (None, 8, 8, 8, 4)
    """

    rank = 3


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
