"""Random values scaled by the fans, so that signals neither fade nor explode."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from minigrad.checks import above_zero, one_of
from minigrad.initializers.initializer import Array, Initializer, Shape, registry
from minigrad.initializers.random import truncated_normal
from minigrad.signatures import Setting


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

    scale = Setting(above_zero, 1.0)
    mode = Setting(partial(one_of, known=("fan_in", "fan_out", "fan_avg")), "fan_in")
    distribution = Setting(
        partial(one_of, known=("truncated_normal", "untruncated_normal", "uniform")),
        "truncated_normal",
    )

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
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


@registry.register("glorot_uniform")
class GlorotUniform(VarianceScaling):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010): the default."""

    scale, mode, distribution = 1.0, "fan_avg", "uniform"


@registry.register("glorot_normal")
class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


@registry.register("he_uniform")
class HeUniform(VarianceScaling):
    """Uniform within ±√(6 / fan_in) (He et al. 2015), for relu."""

    scale, mode, distribution = 2.0, "fan_in", "uniform"


@registry.register("he_normal")
class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in (He et al. 2015), for relu."""

    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


@registry.register("lecun_uniform")
class LecunUniform(VarianceScaling):
    """Uniform within ±√(3 / fan_in) (LeCun et al. 1998), for selu."""

    scale, mode, distribution = 1.0, "fan_in", "uniform"


@registry.register("lecun_normal")
class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / fan_in (LeCun et al. 1998), for selu."""

    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"
