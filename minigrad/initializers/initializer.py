"""Initializer: what a weight begins with."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import get_default_dtype
from minigrad.seeds import new_generator
from minigrad.serialization import Registry

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

registry = Registry("initializer")
get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

Shape = tuple[int, ...]
_BY_PLACE = inspect.Parameter.POSITIONAL_OR_KEYWORD
Array = np.ndarray[Any, Any]


def initial_values(
    initializer: Any, shape: Shape, dtype: np.dtype[Any], generator: np.random.Generator
) -> Any:
    """Return what an initializer makes; one of two arguments, as in Keras, gets no generator."""
    third = [*inspect.signature(initializer).parameters.values()][2:3]
    if any(p.name == "generator" or p.default is p.empty for p in third if p.kind is _BY_PLACE):
        return initializer(shape, dtype, generator)
    return initializer(shape, dtype)


class Initializer:
    """Base of all initializers; a subclass defines `values(shape, generator)`.

    Parameters
    ----------
    seed
        For the same numbers at every call; by default they come from the layer's generator.
    """

    def __init__(self, seed: int | None = None) -> None:
        is_whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if seed is not None and (not is_whole or seed < 0):
            raise ValueError(
                f"{type(self).__name__}: seed must be an integer ≥ 0 or None. "
                f"Received: seed={seed!r}"
            )
        self.seed = None if seed is None else int(seed)

    def __call__(
        self,
        shape: Shape,
        dtype: DTypeLike | None = None,
        generator: np.random.Generator | None = None,
    ) -> Array:
        """Return an array of `shape`, in the default dtype unless another is given."""
        if self.seed is not None or generator is None:
            generator = new_generator(self.seed)
        return self.values(tuple(shape), generator).astype(dtype or get_default_dtype())

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Return float64 values of `shape`."""
        raise NotImplementedError(f"{type(self).__name__} must define values(shape, generator)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this object again."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Make the object that `get_config` described."""
        return cls(**config)
