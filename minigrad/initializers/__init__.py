"""Initial values of weights: random numbers scaled so that signals neither fade nor explode.

All are called as ``initializer(shape, dtype, generator)``; those that need no randomness ignore
the generator or do without, and one with a seed of its own uses that.
"""

from minigrad.initializers.constant import Constant, Identity, Ones, Zeros
from minigrad.initializers.initializer import (
    Initializer,
    deserialize,
    get,
    serialize,
)
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
from minigrad.suggestions import speak_up

# The same by their other Keras names.
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

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
    "constant",
    "deserialize",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]

speak_up(__name__)
