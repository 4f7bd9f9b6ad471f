"""Dot: products of two inputs, sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.checks import boolean, is_whole, wrong
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

    Examples
    --------
    >>> Dot(axes=1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
    [[11.0]]
    """

    def __init__(self, axes: Any, normalize: bool = False, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        pair = axes if isinstance(axes, tuple | list) else (axes, axes)
        if len(pair) != 2 or not all(is_whole(axis) and axis != 0 for axis in pair):
            raise wrong("Dot", "axes", axes, "an integer, not 0, or two")
        self.axes = axes if is_whole(axes) else tuple(axes)
        self.normalize = boolean("Dot", "normalize", normalize)

    def _places(self, shapes: Sequence[Shape]) -> list[int]:
        pair = self.axes if isinstance(self.axes, tuple) else (self.axes, self.axes)
        return [axis % len(shape) for axis, shape in zip(pair, shapes, strict=True)]

    def _fit(self, shapes: list[Shape]) -> bool:
        if len(shapes) != 2 or min(map(len, shapes)) < 2:
            return False
        places = self._places(shapes)
        summed = {shape[place] for shape, place in zip(shapes, places, strict=True)}
        batches = {shape[0] for shape in shapes}
        return min(places) > 0 and all(len(n - {None}) < 2 for n in (summed, batches))

    def merge(self, parts: Sequence[Any]) -> Any:
        """Multiply and sum: (batch, …, n), (batch, …, n) → (batch, …, …)."""
        # (B, …, n) → (B, a, n) and (B, n, b): then it is a product of matrices.
        shape: Any = self.compute_output_shape([part.shape for part in parts])
        x, y = (
            np.moveaxis(part, place, -1)
            for part, place in zip(parts, self._places([p.shape for p in parts]), strict=True)
        )
        x, y = (part.reshape((part.shape[0], -1, part.shape[-1])) for part in (x, y))
        if self.normalize:
            x, y = (
                part / np.sqrt(np.maximum(np.sum(part * part, axis=-1, keepdims=True), 1e-12))
                for part in (x, y)
            )
        return (x @ np.swapaxes(y, 1, 2)).reshape(shape)

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
