"""Initializer: what a weight begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import is_whole
from minigrad.engine import get_default_dtype
from minigrad.seeds import new_generator
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

registry = Registry("initializer")
get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]


def _checked_seed(owner: str, argument: str, seed: Any) -> int | None:
    if seed is not None and (not is_whole(seed) or seed < 0):
        raise ValueError(f"{owner}: seed must be an integer ≥ 0 or None. Received: seed={seed!r}")
    return None if seed is None else int(seed)


class Initializer(Configurable):
    """Base of all initializers; a subclass defines `values(shape, generator)`.

    Parameters
    ----------
    seed
        For the same numbers at every call; by default they come from the layer's generator.
    """

    seed = Setting(_checked_seed, None)

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
