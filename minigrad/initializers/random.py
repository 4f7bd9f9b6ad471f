"""Initial values drawn from a distribution that is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import not_negative, number
from minigrad.initializers.initializer import Array, Initializer, Shape, registry
from minigrad.signatures import Setting


@registry.register("random_normal", "normal")
class RandomNormal(Initializer):
    """Normally distributed with `mean` and `stddev`."""

    mean = Setting(number, 0.0)
    stddev = Setting(not_negative, 0.05)

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        return generator.normal(self.mean, self.stddev, shape)


@registry.register("truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normally distributed, without what is further than two `stddev` from the mean."""

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        return self.mean + self.stddev * truncated_normal(shape, generator)


@registry.register("random_uniform", "uniform")
class RandomUniform(Initializer):
    """Uniformly distributed between `minval` and `maxval`."""

    minval = Setting(number, -0.05)
    maxval = Setting(number, 0.05)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        number("RandomUniform", "maxval", self.maxval, least=self.minval)

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        return generator.uniform(self.minval, self.maxval, shape)


def truncated_normal(shape: Shape, generator: np.random.Generator) -> Array:
    """Standard normal numbers, drawn again where they fall outside of (−2, 2)."""
    values = generator.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values
