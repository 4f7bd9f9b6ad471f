"""Random values scaled by the fans, so that signals neither fade nor explode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import above_zero, one_of
from minigrad.initializers.initializer import Array, Initializer, Shape, registry
from minigrad.initializers.random import truncated_normal


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


@registry.register("variance_scaling")
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
        kind = type(self).__name__
        self.scale = above_zero(kind, "scale", scale)
        self.mode = one_of(kind, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        self.distribution = one_of(
            kind,
            "distribution",
            distribution,
            ("truncated_normal", "untruncated_normal", "uniform"),
        )

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
        return math.sqrt(variance) / 0.87962566103423978 * truncated_normal(shape, generator)


class _Scaled(VarianceScaling):
    """A VarianceScaling with all but the seed settled."""

    settings: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.settings, seed=seed)

    def get_config(self) -> dict[str, Any]:
        """Return the seed."""
        return {"seed": self.seed}


@registry.register("glorot_uniform")
class GlorotUniform(_Scaled):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010): the default."""

    settings = (1.0, "fan_avg", "uniform")


@registry.register("glorot_normal")
class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    settings = (1.0, "fan_avg", "truncated_normal")


@registry.register("he_uniform")
class HeUniform(_Scaled):
    """Uniform within ±√(6 / fan_in) (He et al. 2015), for relu."""

    settings = (2.0, "fan_in", "uniform")


@registry.register("he_normal")
class HeNormal(_Scaled):
    """Truncated normal of variance 2 / fan_in (He et al. 2015), for relu."""

    settings = (2.0, "fan_in", "truncated_normal")


@registry.register("lecun_uniform")
class LecunUniform(_Scaled):
    """Uniform within ±√(3 / fan_in) (LeCun et al. 1998), for selu."""

    settings = (1.0, "fan_in", "uniform")


@registry.register("lecun_normal")
class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998), for selu."""

    settings = (1.0, "fan_in", "truncated_normal")
