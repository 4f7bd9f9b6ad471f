"""Initial values of weights: random numbers scaled so that signals neither fade nor explode.

All are called as ``initializer(shape, dtype, generator)``; those that need no randomness ignore
the generator, and one with a seed of its own uses that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import get_default_dtype
from minigrad.seeds import new_generator
from minigrad.serialization import Registry

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_registry = Registry("initializer")
get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize

Shape = tuple[int, ...]
Array = np.ndarray[Any, Any]


class Initializer:
    """Base of all initializers; a subclass defines `values(shape, generator)`.

    Parameters
    ----------
    seed
        For the same numbers at every call; by default they come from the layer's generator.
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None and (not isinstance(seed, int | np.integer) or seed < 0):
            raise ValueError(f"{type(self).__name__}: seed must be an integer ≥ 0, got {seed!r}")
        self.seed = seed

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


@_registry.register("zeros")
class Zeros(Initializer):
    """All 0."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Return zeros."""
        return np.zeros(shape)


@_registry.register("ones")
class Ones(Initializer):
    """All 1."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Return ones."""
        return np.ones(shape)


@_registry.register("constant")
class Constant(Initializer):
    """All `value`: a number, or an array that fits the shape."""

    def __init__(self, value: Any = 0.0) -> None:
        super().__init__()
        self.value = value

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Return the value, repeated."""
        return np.broadcast_to(np.asarray(self.value, float), shape).copy()

    def get_config(self) -> dict[str, Any]:
        """Return the value, as plain numbers."""
        return {"value": np.asarray(self.value).tolist()}


@_registry.register("random_normal", "normal")
class RandomNormal(Initializer):
    """Normally distributed with `mean` and `stddev`."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Draw from the normal distribution."""
        return generator.normal(self.mean, self.stddev, shape)


@_registry.register("truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normally distributed, without what is further than two `stddev` from the mean."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Draw from the truncated normal distribution."""
        return self.mean + self.stddev * _truncated_normal(shape, generator)


@_registry.register("random_uniform", "uniform")
class RandomUniform(Initializer):
    """Uniformly distributed between `minval` and `maxval`."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Draw from the uniform distribution."""
        return generator.uniform(self.minval, self.maxval, shape)


def fans(shape: Shape) -> tuple[float, float]:
    """Return how many inputs feed each output of a kernel, and how many outputs each input feeds.

    A kernel's last two axes are its input and output channels, all before them its window.

    Examples
    --------
    >>> fans((64, 100)), fans((3, 3, 16, 32))
    ((64, 100), (144, 288))
    """
    if len(shape) < 2:
        size = math.prod(shape)
        return size, size
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


class VarianceScaling(Initializer):
    """Random with variance ``scale / fan``, so that the signal's variance stays the same.

    Parameters
    ----------
    scale
        A positive number.
    mode
        Which fan: ``"fan_in"``, ``"fan_out"`` or their mean ``"fan_avg"``.
    distribution
        ``"truncated_normal"``, ``"untruncated_normal"`` or ``"uniform"``.
    seed
        For the same numbers at every call.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        if not scale > 0:
            raise ValueError(f"VarianceScaling: scale must be positive. Received: {scale!r}")
        for value, known in (
            (mode, ("fan_in", "fan_out", "fan_avg")),
            (distribution, ("truncated_normal", "untruncated_normal", "uniform")),
        ):
            if value not in known:
                raise ValueError(f"VarianceScaling: expected one of {known}. Received: {value!r}")
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Draw with the variance that the shape's fans ask for."""
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return generator.normal(0, math.sqrt(variance), shape)
        # Cutting the tails off lowers the standard deviation by this factor.
        return math.sqrt(variance) / 0.87962566103423978 * _truncated_normal(shape, generator)


_registry.register("variance_scaling")(VarianceScaling)


class _Scaled(VarianceScaling):
    """A VarianceScaling with all but the seed settled."""

    settings: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.settings, seed=seed)

    def get_config(self) -> dict[str, Any]:
        """Return the seed."""
        return {"seed": self.seed}


@_registry.register("glorot_uniform")
class GlorotUniform(_Scaled):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010): the default."""

    settings = (1.0, "fan_avg", "uniform")


@_registry.register("glorot_normal")
class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


@_registry.register("he_uniform")
class HeUniform(_Scaled):
    """Uniform within ±√(6 / fan_in) (He et al. 2015), for relu."""

    settings = (2.0, "fan_in", "uniform")


@_registry.register("he_normal")
class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al. 2015), for relu."""

    settings = (2.0, "fan_in", "truncated_normal")


@_registry.register("lecun_uniform")
class LecunUniform(_Scaled):
    """Uniform within ±√(3 / fan_in) (LeCun et al. 1998), for selu."""

    settings = (1.0, "fan_in", "uniform")


@_registry.register("lecun_normal")
class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998), for selu."""

    settings = (1.0, "fan_in", "truncated_normal")


def _truncated_normal(shape: Shape, generator: np.random.Generator) -> Array:
    """Standard normal numbers, drawn again where they fall outside of (−2, 2)."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values
