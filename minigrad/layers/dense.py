"""Dense: every output is a weighted sum of every input."""

from __future__ import annotations

from typing import Any

from minigrad import activations, initializers, regularizers
from minigrad.engine import Tensor
from minigrad.layers.layer import Layer, Shape, positive_integer, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.ops.neural import dense


@registry.register()
class Dense(Layer):
    """``activation(x W + b)``, with W of shape (input_dim, units) and b of shape (units,).

    Parameters
    ----------
    units
        How many outputs.
    activation
        A name such as ``"relu"``, or a function; none by default.
    use_bias
        Whether b is there.
    kernel_initializer, bias_initializer
        A name, an Initializer, or a function of (shape, dtype, generator).
    kernel_regularizer, bias_regularizer, activity_regularizer
        Penalties on W, on b, and on the output after its activation, each a name, a Regularizer
        or a callable to a scalar. They can be assigned at any time.
    **layer_arguments
        ``name``, ``trainable``, ``dtype``, ``seed``, and ``input_dim`` or ``input_shape`` to
        build the weights at once rather than at the first call: see `Layer`.

    Raises
    ------
    ValueError
        For other units, unknown names, or, when called, an input whose last axis does not fit
        the kernel: the message names the layer and both shapes.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.regularizers import L1, L2
    >>> layer = Dense(5, kernel_initializer="ones", kernel_regularizer=L1(0.01),
    ...               activity_regularizer=L2(0.01), name="dense")
    >>> output = layer(2 * np.ones((5, 5)))
    >>> layer.loss_terms()
    LossTerms(dense/kernel=0.25, dense/activity=5; total=5.25)
    """

    kernel_regularizer = RegularizerSlot("kernel")
    bias_regularizer = RegularizerSlot("bias")

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.units = positive_integer("Dense", "units", units)
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        if self.input_shape is not None:
            self._build((None, *self.input_shape))

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias for inputs whose last axis has the length of `input_shape`'s."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"layer {self.name!r}: Dense needs an input of shape (batch, …, features). "
                f"Received: shape {input_shape}. A single sample is x[None, :]."
            )
        self.kernel = self.add_weight(
            "kernel", (input_shape[-1], self.units), self.kernel_initializer
        )
        self.bias = (
            self.add_weight("bias", (self.units,), self.bias_initializer) if self.use_bias else None
        )

    def call(self, x: Tensor) -> Tensor:
        """Compute ``activation(x W + b)``: (…, input_dim) → (…, units)."""
        if x.ndim < 2 or x.shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"layer {self.name!r}: expected an input of shape (batch, …, "
                f"{self.kernel.shape[0]}) for its kernel of shape {self.kernel.shape}. "
                f"Received: shape {x.shape}"
            )
        z = x @ self.kernel if self.bias is None else dense(x, self.kernel, self.bias)
        return self.activation(z)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Replace the last axis by the units."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again, without its weights."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
        }
