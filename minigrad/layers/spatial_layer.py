"""What the output's shape of many layers is: the input's, or other lengths amid it."""

from __future__ import annotations

from typing import Any

from minigrad.layers.layer import Layer, Shape
from minigrad.layers.window import check_rank


class ElementwiseLayer(Layer):
    """Base of layers that change each number for itself, or along axes that stay."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the same shape."""
        return input_shape


class SpatialLayer(Layer):
    """Base of layers without weights that change the lengths between batch and channels.

    A subclass says which lengths come out, in `_output_lengths`; the channels stay.
    """

    rank: int

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return (batch, …, channels), with None for each length that is not known."""
        check_rank(self, input_shape)
        return (input_shape[0], *self._output_lengths(input_shape), input_shape[-1])

    def _output_lengths(self, input_shape: Shape) -> Shape:
        raise NotImplementedError(f"{type(self).__name__} must define _output_lengths")
