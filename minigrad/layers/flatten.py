"""Flatten: all axes but the batch laid out in one."""

from __future__ import annotations

import math
from typing import Any

from minigrad.checks import channels_last
from minigrad.engine import Tensor
from minigrad.layers.layer import Layer, Shape, registry


@registry.register()
class Flatten(Layer):
    """(batch, a, b, …) → (batch, a·b·…); a batch of scalars becomes (batch, 1).

    `data_format` is only ``"channels_last"``; for other arguments see `Layer`.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, data_format: str | None = None, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        channels_last("Flatten", data_format)

    def call(self, x: Tensor) -> Tensor:
        """Lay out each sample in one row."""
        if x.ndim == 0:
            raise ValueError(f"layer {self.name!r}: Flatten needs a batch. Received: a scalar")
        return x.reshape((x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Multiply the lengths of all axes but the batch."""
        rest = input_shape[1:]
        known = [n for n in rest if n is not None]
        return (input_shape[0], math.prod(known) if len(known) == len(rest) else None)
