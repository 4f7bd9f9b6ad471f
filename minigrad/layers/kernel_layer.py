"""BiasLayer and KernelLayer: what Dense and the convolutions share."""

from __future__ import annotations

from typing import Any

from minigrad import activations
from minigrad.checks import boolean
from minigrad.engine.lines import label
from minigrad.layers.layer import Layer
from minigrad.layers.slots import RegularizerSlot
from minigrad.parameter import Parameter


class BiasLayer(Layer):
    """Base of layers that compute ``activation(… + bias)``.

    Parameters
    ----------
    activation
        A name such as ``"relu"``, or a function; none by default.
    use_bias
        Whether a bias is added, one number for each output channel.
    bias_initializer
        A name, an Initializer, or a function of (shape, dtype, generator).
    bias_regularizer, activity_regularizer
        Penalties on the bias, and on the output after its activation, each a name, a Regularizer
        or a callable to a scalar. They can be assigned at any time.
    bias_constraint
        What the bias must satisfy after each step, such as ``"non_neg"``: see
        `minigrad.constraints`.
    **layer_arguments
        ``name``, ``trainable``, ``dtype``, ``seed``, and ``input_dim`` or ``input_shape`` to
        build the weights at once rather than at the first call: see `Layer`.
    """

    bias_regularizer = RegularizerSlot("bias")

    def __init__(
        self,
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        bias_regularizer: Any = None,
        bias_constraint: Any = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.activation = activation
        self.use_bias = boolean(type(self).__name__, "use_bias", use_bias)
        self._plan_weight("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.bias: Parameter | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, activations.get(value) if name == "activation" else value)

    def _add_bias(self, length: int) -> None:
        """Make the bias, if there is to be one."""
        if self.use_bias:
            self.bias = self._add_planned("bias", (length,))

    def _finish(self, z: Any) -> Any:
        """Return ``activation(z + bias)``; traces know its argument as the pre-activation."""
        return self.activation(label(z if self.bias is None else z + self.bias, "pre_activation"))


class KernelLayer(BiasLayer):
    """Base of layers that compute ``activation(f(x, kernel) + bias)``.

    Parameters
    ----------
    activation, use_bias, **arguments
        See `BiasLayer`.
    kernel_initializer, kernel_regularizer, kernel_constraint
        As those of the bias, for the kernel.
    """

    kernel_regularizer = RegularizerSlot("kernel")

    def __init__(
        self,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        self._plan_weight("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
