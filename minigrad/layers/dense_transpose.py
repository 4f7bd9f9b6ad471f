"""DenseTranspose: a decoder with the weights of its encoder, transposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.engine.lines import label
from minigrad.layers.dense import Dense
from minigrad.layers.kernel_layer import BiasLayer
from minigrad.layers.layer import Layer, Shape, registry
from minigrad.ops.neural import dense


@registry.register()
class DenseTranspose(BiasLayer):
    """``activation(x Wᵀ + b)``, with the kernel W of another Dense layer: tied weights.

    There is one kernel, owned by the other layer: it pays one penalty, and its gradient is the sum
    of what comes from both places. The bias b is this layer's own.

    Parameters
    ----------
    tied_to
        The Dense layer whose kernel is shared, or its name (or path) in the model.
    activation, use_bias, **arguments
        See `BiasLayer`, and `Layer`.

    Raises
    ------
    TypeError
        If `tied_to` is no Dense layer.
    ValueError
        If the model has no layer of that name, or several; or if an input does not fit.

    References
    ----------
    P. Vincent et al., "Stacked Denoising Autoencoders", JMLR 11 (2010), section 2.2.

    Examples
    --------
    >>> encoder = Dense(3, kernel_initializer="ones", input_dim=5, name="encoder")
    >>> decoder = DenseTranspose(encoder, name="decoder")
    >>> decoder(encoder([[1.0, 0.0, 0.0, 0.0, 1.0]]))
    Tensor([[6., 6., 6., 6., 6.]], op=dense)
    >>> list(decoder.named_parameters())
    ['bias']
    """

    def __init__(
        self,
        tied_to: Dense | str,
        activation: Any = None,
        use_bias: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(activation, use_bias, **arguments)
        if not isinstance(tied_to, Dense | str):
            raise TypeError(
                f"DenseTranspose: tied_to must be a Dense layer or its name. Received: {tied_to!r}"
            )
        self._tied_to = tied_to

    def sublayers(self) -> list[Layer]:
        """Return none: the other layer belongs to the model, not to this one."""
        return []

    @property
    def knows_its_twin(self) -> bool:
        """Whether the other layer has been found, if only its name was given."""
        return not isinstance(self._tied_to, str)

    @property
    def tied_to(self) -> Dense:
        """The layer whose kernel is shared; an error if only its name is known as yet."""
        if isinstance(self._tied_to, str):
            raise RuntimeError(
                f"layer {self.name!r} is tied to {self._tied_to!r}, which must stand before it in "
                "the same model"
            )
        return self._tied_to

    def find_tied(self, known: Sequence[tuple[str, Layer]]) -> None:
        """Look the other layer up by its name, among layers with their paths."""
        wanted = self._tied_to
        if not isinstance(wanted, str):
            return
        found = {
            id(layer): layer
            for path, layer in known
            if path == wanted or path.endswith(f"/{wanted}")
        }
        if len(found) > 1:
            raise ValueError(f"layer {self.name!r}: several layers are named {wanted!r}")
        for layer in found.values():
            if not isinstance(layer, Dense):
                raise ValueError(
                    f"layer {self.name!r}: {wanted!r} must be a Dense layer. Received: {layer!r}"
                )
            self._tied_to = layer

    def build(self, input_shape: Shape) -> None:
        """Make the bias, as long as the other layer's input is wide."""
        if not self.tied_to.built:
            raise RuntimeError(
                f"layer {self.name!r}: {self.tied_to.name!r}, to which it is tied, has no kernel "
                "yet. Build that layer first, by input_dim= or by calling it."
            )
        self._add_bias(self.tied_to.kernel.shape[0])

    def call(self, x: Tensor) -> Tensor:
        """Compute ``activation(x Wᵀ + b)``: (…, units) → (…, input_dim)."""
        kernel = self.tied_to.kernel
        if x.ndim < 2 or x.shape[-1] != kernel.shape[1]:
            expected = f"expected an input of shape (batch, …, {kernel.shape[1]})"
            twin = f"for the transposed kernel of {self.tied_to.name!r}"
            raise self._unfit(f"{expected} {twin}", x.shape)
        turned: Any = np.transpose(kernel)
        z = x @ turned if self.bias is None else dense(x, turned, self.bias)
        return self.activation(label(z, "pre_activation"))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Replace the last axis by the width of the other layer's input."""
        return (*input_shape[:-1], self.tied_to.kernel.shape[0])

    def _setting(self, name: str) -> Any:
        if name != "tied_to":
            return super()._setting(name)
        return self._tied_to if isinstance(self._tied_to, str) else self._tied_to.name
