"""Dense: every output is a weighted sum of every input."""

from __future__ import annotations

import math
from typing import Any

from minigrad.checks import is_whole, positive_integer
from minigrad.engine import Tensor
from minigrad.engine.lines import label
from minigrad.layers.kernel_layer import KernelLayer
from minigrad.layers.layer import Shape, registry
from minigrad.ops.neural import dense


@registry.register()
class Dense(KernelLayer):
    """``activation(x W + b)``, with W of shape (input_dim, units) and b of shape (units,).

    Parameters
    ----------
    units
        How many outputs.
    activation
        A name such as ``"relu"``, or a function; none by default.
    use_bias
        Whether b is there.
    **arguments
        Initializers, regularizers and constraints of W (``kernel_…``) and b (``bias_…``), and
        ``activity_regularizer`` on the output after its activation: see `KernelLayer`. ``name``,
        ``input_dim`` and what else every layer takes: see `Layer`.

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

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True, **arguments: Any
    ) -> None:
        if is_whole(activation):  # as PyTorch's Linear has it
            raise TypeError(
                f"Dense finds out the number of its inputs: write Dense({activation}), or give the "
                f"name of an activation. Received: Dense({units}, {activation})"
            )
        super().__init__(activation, use_bias, **arguments)
        self.units = positive_integer("Dense", "units", units)
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make kernel and bias for inputs whose last axis has the length of `input_shape`'s."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            expected = "Dense needs an input of shape (batch, …, features)"
            raise self._unfit(expected, input_shape, ". A single sample is x[None, :].")
        self.kernel = self._add_planned("kernel", (input_shape[-1], self.units))
        self._add_bias(self.units)

    def call(self, x: Tensor) -> Tensor:
        """Compute ``activation(x W + b)``: (…, input_dim) → (…, units)."""
        self._check_shape(x.shape)
        z = x @ self.kernel if self.bias is None else dense(x, self.kernel, self.bias)
        return self.activation(label(z, "pre_activation"))

    def _check_shape(self, shape: Shape) -> None:
        if len(shape) < 2 or shape[-1] != self.kernel.shape[0]:
            expected = f"expected an input of shape (batch, …, {self.kernel.shape[0]})"
            is_flat = math.prod(n or 0 for n in shape[1:]) == self.kernel.shape[0]
            hint = ". Write x.reshape(len(x), -1), or put a Flatten() in front." if is_flat else ""
            expected = f"{expected} for its kernel of shape {self.kernel.shape}"
            raise self._unfit(expected, shape, hint)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Replace the last axis by the units."""
        if self.built:
            self._check_shape(input_shape)
        return (*input_shape[:-1], self.units)
