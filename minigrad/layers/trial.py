"""A layer that has no formula for the shape of its output is tried on zeros."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import no_grad
from minigrad.layers import forward_pass
from minigrad.layers.arguments import each, is_shape

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

LARGEST_TRIAL = 10_000_000  # numbers in an input


def shape_by_trial(layer: Layer, input_shape: Any, further: dict[str, Any]) -> Any:
    """Return the shape of what comes out, or a list or dict of several."""
    batches: list[int | None] = []

    def zeros(shape: Any) -> Any:
        if not is_shape(shape):
            return each(zeros, shape)
        lengths = [n for n in shape[1:] if n is not None]
        if len(lengths) < len(shape[1:]) or math.prod(lengths) > LARGEST_TRIAL:
            raise ValueError(
                f"layer {layer.name!r} cannot be tried on an input of shape {shape} to find its "
                f"output's shape: let {type(layer).__name__} define compute_output_shape"
            )
        batches.append(shape[0] if shape else None)
        return np.zeros((1, *lengths) if shape else (), layer.dtype)

    def with_batch(output: Any) -> Any:
        if isinstance(output, list | tuple | dict):
            return each(with_batch, output)
        return (batches[0], *output.shape[1:])

    with no_grad(), forward_pass.apart():
        return with_batch(layer(zeros(input_shape), **further))
