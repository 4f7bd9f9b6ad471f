"""Add, Multiply, Concatenate, …: layers that make one of several, and functions that call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any

import numpy as np

from minigrad.checks import is_whole, wrong
from minigrad.layers.arguments import each, is_shape, shape_of
from minigrad.layers.layer import Layer, Shape, registry


class Merging(Layer):
    """Base of layers that are called on a list of at least two inputs.

    Their samples are broadcast: axes of length 1 are repeated, and missing ones put in front. A
    subclass says which ufunc joins two of them, or defines `merge`.
    """

    join: Callable[[Any, Any], Any]

    def build(self, input_shape: Any) -> None:
        """Check the shapes; there are no weights."""
        self._check(input_shape)

    def _check(self, shapes: Any) -> list[Shape]:
        """Return the shapes of several inputs that fit together."""
        if is_shape(shapes) or len(shapes) < 2:
            expected = f"{type(self).__name__} is called on a list of at least two inputs"
            raise self._unfit(expected, shapes)
        if not self._fit(shapes):
            raise ValueError(
                f"layer {self.name!r}: {type(self).__name__} needs inputs of shapes that fit. "
                f"Received: {', '.join(str(shape) for shape in shapes)}"
            )
        return list(shapes)

    def _fit(self, shapes: list[Shape]) -> bool:
        same = all(shape == shapes[0] for shape in shapes)
        return same or all(len(found - {None}) < 2 for found in _lengths(shapes))

    def _as_input(self, x: Any) -> Any:
        return each(super()._as_input, x) if isinstance(x, list | tuple) else super()._as_input(x)

    def call(self, x: Any) -> Any:
        """Merge the inputs."""
        self._check(shape_of(x))
        return self.merge(x)

    def merge(self, parts: Sequence[Any]) -> Any:
        """Return one Tensor for several."""
        rank = max(part.ndim for part in parts)
        gaps = [(*range(1, 1 + rank - part.ndim),) for part in parts]
        aligned = (np.expand_dims(x, gap) if gap else x for x, gap in zip(parts, gaps, strict=True))
        return reduce(self.join, aligned)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the longest length of each axis."""
        lengths = _lengths(self._check(input_shape))
        return tuple(next(iter(found - {None}), None) for found in lengths)


def _lengths(shapes: list[Shape]) -> list[set[int | None]]:
    """For each axis of the result, the lengths other than 1 there, or just 1."""
    samples = [*zip_longest(*(shape[:0:-1] for shape in shapes), fillvalue=1)]
    axes = [*zip(*(shape[:1] for shape in shapes), strict=False), *reversed(samples)]
    return [set(axis) - {1} or {1} for axis in axes]


@registry.register()
class Add(Merging):
    """The sum of all inputs.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> Add()([Tensor([[1.0]]), Tensor([[2.0]])]).tolist()
    [[3.0]]
    """

    join = np.add


@registry.register()
class Subtract(Merging):
    """The first input minus the second."""

    join = np.subtract

    def _check(self, shapes: Any) -> list[Shape]:
        if not is_shape(shapes) and len(shapes) != 2:
            raise ValueError(
                f"layer {self.name!r}: Subtract takes two inputs. Received: {len(shapes)}"
            )
        return super()._check(shapes)


@registry.register()
class Multiply(Merging):
    """The product of all inputs, element by element."""

    join = np.multiply


@registry.register()
class Average(Add):
    """The mean of all inputs."""

    def merge(self, parts: Sequence[Any]) -> Any:
        """Add them up and divide."""
        return super().merge(parts) / len(parts)


@registry.register()
class Maximum(Merging):
    """The largest of all inputs, element by element; ties share the gradient."""

    join = np.maximum


@registry.register()
class Minimum(Merging):
    """The smallest of all inputs, element by element; ties share the gradient."""

    join = np.minimum


@registry.register()
class Concatenate(Merging):
    """All inputs one after the other along `axis`, which is not the batch's.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> Concatenate()([Tensor([[1.0]]), Tensor([[2.0, 3.0]])]).tolist()
    [[1.0, 2.0, 3.0]]
    """

    def __init__(self, axis: int = -1, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        if not is_whole(axis) or axis == 0:
            raise wrong("Concatenate", "axis", axis, "an integer, not 0")
        self.axis = int(axis)

    def _fit(self, shapes: list[Shape]) -> bool:
        rank = len(shapes[0])
        if not -rank < self.axis < rank or any(len(shape) != rank for shape in shapes):
            return False
        place = self.axis % rank
        return len({(*shape[1:place], *shape[place + 1 :]) for shape in shapes}) == 1

    def merge(self, parts: Sequence[Any]) -> Any:
        """Lay them side by side."""
        return np.concatenate(list(parts), axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Add the lengths along the axis."""
        shapes = self._check(input_shape)
        place = self.axis % len(shapes[0])
        lengths = [shape[place] for shape in shapes]
        known = [n for n in lengths if n is not None]
        total = sum(known) if len(known) == len(lengths) else None
        return (*shapes[0][:place], total, *shapes[0][place + 1 :])


def _function(kind: type[Merging]) -> Callable[..., Any]:
    """Return ``kind()(inputs)`` as a function."""

    def merge(inputs: Sequence[Any], **layer_arguments: Any) -> Any:
        return kind(**layer_arguments)(inputs)

    merge.__name__ = merge.__qualname__ = kind.__name__.lower()
    merge.__doc__ = f"Return ``{kind.__name__}()(inputs)``."
    return merge


add, subtract, multiply = map(_function, (Add, Subtract, Multiply))
average, maximum, minimum = map(_function, (Average, Maximum, Minimum))


def concatenate(inputs: Sequence[Any], axis: int = -1, **layer_arguments: Any) -> Any:
    """Return ``Concatenate(axis)(inputs)``."""
    return Concatenate(axis, **layer_arguments)(inputs)
