"""Activation: an activation function as a layer of its own."""

from __future__ import annotations

from typing import Any

from minigrad import activations
from minigrad.engine import Tensor
from minigrad.layers.layer import Layer, Shape, registry


@registry.register()
class Activation(Layer):
    """Applies `activation` to each element: ``Activation("relu")``.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known ones.

    Examples
    --------
    >>> Activation("relu")([[-1.0, 2.0]])
    Tensor([[0., 2.]])
    """

    def __init__(self, activation: Any, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.activation = activations.get(activation)

    def call(self, x: Tensor) -> Tensor:
        """Apply the activation."""
        return self.activation(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the same shape."""
        return input_shape
