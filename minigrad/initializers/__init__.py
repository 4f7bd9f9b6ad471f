"""Initial values of weights: random numbers scaled so that signals neither fade nor explode.

All are called as ``initializer(shape, dtype, generator)``; those that need no randomness ignore
the generator, and one with a seed of its own uses that.
"""

from minigrad.initializers.constant import Constant, Identity, Ones, Zeros
from minigrad.initializers.initializer import Initializer, deserialize, get, serialize
from minigrad.initializers.orthogonal import Orthogonal
from minigrad.initializers.random import RandomNormal, RandomUniform, TruncatedNormal
from minigrad.initializers.variance_scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "fans",
    "get",
    "serialize",
]
