"""Initializer: what a weight begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import is_whole
from minigrad.engine import Tensor, get_default_dtype
from minigrad.engine.tensor import plain
from minigrad.seeds import new_generator
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

registry = Registry("initializer")
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


def get(identifier: Any) -> Any:
    """Return the initializer that a name, config, class or function stands for, or an array.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known ones.
    TypeError
        For anything that is none of these.

    Examples
    --------
    >>> get(np.array([[1.0, 2.0]]))((1, 2))
    array([[1., 2.]], dtype=float32)
    """
    if isinstance(identifier, np.ndarray | Tensor):
        return registry.deserialize(
            {"class_name": "Constant", "config": {"value": plain(identifier)}}
        )
    return registry.get(identifier)


def initial_values(
    initializer: Any,
    shape: Shape,
    dtype: DTypeLike | None,
    generator: np.random.Generator | None = None,
) -> Array:
    """Return what an initializer makes of a shape.

    One of a user's own may take ``(shape, dtype)``, as in Keras, or a generator as a third.
    """
    make = get(initializer)
    if type(make).__call__ is Initializer.__call__ or _takes_three(make):
        return plain(make(shape, dtype, new_generator(None) if generator is None else generator))
    return plain(make(shape, dtype=dtype))


def _takes_three(make: Any) -> bool:
    import inspect  # slow to load, and only needed for a user's own

    third = [*inspect.signature(make).parameters.values()][2:3]
    return any(
        p.name == "generator" or (p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD)
        for p in third
    )
