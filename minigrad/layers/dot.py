"""Dot: products of two inputs, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.checks import boolean, is_whole
from minigrad.layers.layer import Shape, registry
from minigrad.layers.merging import Merging


@registry.register()
class Dot(Merging):
    """``Σᵢ xᵢ yᵢ`` along an axis of each of two inputs, for each sample.

    The axes that are left stand behind each other, those of the first input in front: shapes
    (batch, a, n) and (batch, b, n) become (batch, a, b), and two batches of vectors (batch, 1).

    Parameters
    ----------
    axes
        The axis that is summed over: an integer for both inputs, or one for each; not the batch's.
    normalize
        Whether both are divided by their lengths first, so that the result is a cosine.
    **layer_arguments
        See `Layer`.

    Raises
    ------
    ValueError
        For axes that are none; or, when called, for other than two inputs whose lengths fit.

    Examples
    --------
    >>> Dot(axes=1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
    [[11.0]]
    """

    def __init__(self, axes: Any, normalize: bool = False, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        pair = axes if isinstance(axes, tuple | list) else (axes, axes)
        if len(pair) != 2 or not all(is_whole(axis) and axis != 0 for axis in pair):
            raise ValueError(f"Dot: axes must be an integer, not 0, or two. Received: {axes!r}")
        self.axes = axes if is_whole(axes) else tuple(axes)
        self.normalize = boolean("Dot", "normalize", normalize)

    def _places(self, shapes: Sequence[Shape]) -> list[int]:
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        return [axis % len(shape) for axis, shape in zip(pair, shapes, strict=True)]

    def _fit(self, shapes: list[Shape]) -> bool:
        if len(shapes) != 2 or min(map(len, shapes)) < 2:
            return False
        places = self._places(shapes)
        lengths = {shape[place] for shape, place in zip(shapes, places, strict=True)} - {None}
        batches = {shape[0] for shape in shapes} - {None}
        return len(lengths) < 2 and len(batches) < 2 and min(places) > 0

    def merge(self, parts: Sequence[Any]) -> Any:
        """Multiply and sum: (batch, …, n), (batch, …, n) → (batch, …, …)."""
        places = self._places([part.shape for part in parts])
        if self.normalize:
            parts = [
                x / np.sqrt(np.maximum(np.sum(x * x, axis=place, keepdims=True), 1e-12))
                for x, place in zip(parts, places, strict=True)
            ]
        names = iter("abcdefghijklmnopqrstuvwxyABCDEFGHIJKLMNOPQRSTUVWXYZ")
        batch = next(names)
        left, right = (
            [batch, *("z" if axis == place else next(names) for axis in range(1, x.ndim))]
            for x, place in zip(parts, places, strict=True)
        )
        kept = "".join(name for name in [*left, *right[1:]] if name != "z")
        products: Any = np.einsum(f"{''.join(left)},{''.join(right)}->{kept}", *parts)
        return products if products.ndim > 1 else products.reshape((-1, 1))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the batch and what is left of both shapes."""
        shapes = self._check(input_shape)
        places = self._places(shapes)
        first, second = (
            shape[1:place] + shape[place + 1 :] for shape, place in zip(shapes, places, strict=True)
        )
        return (shapes[0][0], *((*first, *second) or (1,)))


def dot(inputs: Sequence[Any], axes: Any = -1, **layer_arguments: Any) -> Any:
    """Return ``Dot(axes)(inputs)``."""
    return Dot(axes, **layer_arguments)(inputs)
