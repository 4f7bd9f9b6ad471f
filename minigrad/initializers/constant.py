"""Initial values that are no matter of chance: zeros, ones, a constant, the identity."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import number
from minigrad.initializers.initializer import Array, Initializer, Shape, registry
from minigrad.signatures import Setting


@registry.register("zeros", "zero")
class Zeros(Initializer):
    """All 0."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        return np.zeros(shape)


@registry.register("ones", "one")
class Ones(Initializer):
    """All 1."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        return np.ones(shape)


def _constant(owner: str, argument: str, value: Any) -> Any:
    if np.asarray(value).dtype.kind not in "iuf" or not np.isfinite(value).all():
        raise ValueError(
            "Constant: value must be a finite number, or an array of them. "
            f"Received: value={value!r}"
        )
    return np.asarray(value).tolist()


@registry.register("constant")
class Constant(Initializer):
    """All `value`: a number, or an array that fits the shape."""

    value = Setting(_constant, 0.0)
    seed = None

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        value = np.asarray(self.value, float)
        if value.ndim == len(shape) and value.shape != shape:
            raise ValueError(f"Constant: an array of {value.shape} is no value of shape {shape}")
        return np.broadcast_to(value, shape).copy()


@registry.register("identity", "eye", "IdentityInitializer")
class Identity(Initializer):
    """`gain` on the diagonal and 0 elsewhere, for kernels with two axes.

    Parameters
    ----------
    gain
        A number.

    Raises
    ------
    ValueError
        For a shape of more or fewer axes.

    Examples
    --------
    >>> Identity(2.0)((2, 3)).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]]
    """

    gain = Setting(number, 1.0)
    seed = None

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected a shape of two axes. Received: {shape}")
        return self.gain * np.eye(*shape)
