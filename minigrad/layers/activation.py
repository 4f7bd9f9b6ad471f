"""Activation, an activation function as a layer of its own; and Identity, none at all."""

from __future__ import annotations

from typing import Any

from minigrad import activations
from minigrad.engine import Tensor
from minigrad.layers.layer import registry
from minigrad.layers.spatial_layer import ElementwiseLayer


@registry.register()
class Identity(ElementwiseLayer):
    """``x`` itself."""

    def call(self, x: Any) -> Any:
        """Return the input, or all of them."""
        return x


@registry.register()
class Activation(ElementwiseLayer):
    """Applies `activation` to each element: ``Activation("relu")``.

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
