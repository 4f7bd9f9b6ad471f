"""SlidingWindow: the geometry that all convolutions share."""

from __future__ import annotations

from typing import Any

from minigrad.checks import channels_last, one_of, sizes
from minigrad.layers.layer import Layer, Shape

LAYOUTS = {
    1: "(batch, steps, channels)",
    2: "(batch, rows, columns, channels)",
    3: "(batch, depth, rows, columns, channels)",
}


def check_rank(layer: Any, input_shape: Shape) -> None:
    """Refuse an input of another rank than that of a layer's dimensions, batch and channels."""
    if len(input_shape) != layer.rank + 2:
        needed = f"needs an input of rank {layer.rank + 2}, {LAYOUTS[layer.rank]}"
        hint = "A single sample is x[None], and a missing axis of channels is added by x[..., None]"
        raise layer._unfit(f"{type(layer).__name__} {needed}", input_shape, f". {hint}.")


class SlidingWindow(Layer):
    """Base of layers with a window that moves over `rank` dimensions, channels last.

    `kernel_size`, `strides` and `dilation_rate` are its size, by how much it moves, and the
    distance between the elements that it meets; `padding` is what is done at the borders.
    """

    rank: int
    filters: int
    paddings: tuple[str, ...] = ("valid", "same")

    def _set_window(
        self, kernel_size: Any, strides: Any, padding: Any, dilation_rate: Any, data_format: Any
    ) -> None:
        """Check and keep the geometry."""
        kind = type(self).__name__
        channels_last(kind, data_format)
        self.kernel_size = sizes(kind, "kernel_size", kernel_size, self.rank)
        self.strides = sizes(kind, "strides", strides, self.rank)
        padding = padding.lower() if isinstance(padding, str) else padding  # Keras takes "SAME"
        self.padding = one_of(kind, "padding", padding, self.paddings)
        self.dilation_rate = sizes(kind, "dilation_rate", dilation_rate, self.rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{kind}: strides and dilation_rate cannot both be above 1. Received: "
                f"strides={strides}, dilation_rate={dilation_rate}"
            )

    def _channels(self, input_shape: Shape, expected: int | None = None) -> int:
        """Return the number of channels of an input's shape."""
        check_rank(self, input_shape)
        if not input_shape[-1]:
            raise self._unfit("the number of channels must be known, and not 0", input_shape)
        if expected is not None and input_shape[-1] != expected:
            raise self._unfit(f"expected {expected} channels", input_shape)
        return input_shape[-1]

    def _places(self, input_shape: Shape) -> Shape:
        """Return how many places the window has along each axis; None where that is not known."""
        check_rank(self, input_shape)
        places: list[int | None] = []
        for length, window, stride, dilation in zip(
            input_shape[1:-1], self.kernel_size, self.strides, self.dilation_rate, strict=True
        ):
            reach = (window - 1) * dilation + 1
            if length is not None and length < (reach if self.padding == "valid" else 1):
                raise ValueError(
                    f"layer {self.name!r}: an input of shape {input_shape} is smaller than the "
                    f"window, which reaches over {reach} elements. Use padding='same' or a "
                    "smaller window."
                )
            cut = reach - 1 if self.padding == "valid" else 0
            places.append(None if length is None else -(-(length - cut) // stride))
        return tuple(places)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Count the places of the window in each dimension."""
        return (input_shape[0], *self._places(input_shape), self.filters)
