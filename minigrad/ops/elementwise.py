"""Elementwise ops: each line is an op and, beside it, its derivatives from the calculus book.

In every rule `g` is the upstream gradient, `z` the result, `x` and `y` the operands. Operands that
were broadcast get their gradient summed back by the engine.
"""

import math
import operator
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.engine.watcher import constant

# ---- arithmetic ------------------------------------------------------------------------------
# The forwards are Python's operators: on arrays they are NumPy's functions, and on NumPy's scalars
# they are ten times faster.

add = Primitive(
    operator.add,
    lambda g, z, x, y: g,
    lambda g, z, x, y: g,
    of=np.add,
)
subtract = Primitive(
    operator.sub,
    lambda g, z, x, y: g,
    lambda g, z, x, y: -g,
    of=np.subtract,
)
multiply = Primitive(
    operator.mul,
    lambda g, z, x, y: g * y,
    lambda g, z, x, y: g * x,
    of=np.multiply,
)
divide = Primitive(
    operator.truediv,
    lambda g, z, x, y: g / y,
    lambda g, z, x, y: -g * z / y,
    of=np.divide,
)
negative = Primitive(operator.neg, lambda g, z, x: -g, of=np.negative)
positive = Primitive(np.positive, lambda g, z, x: g)
implements(np.conjugate)(positive)


def _power_base(g: Any, z: Any, x: Any, y: Any) -> Any:
    """∂(xʸ)/∂x = y xʸ⁻¹, and 0 for x = y = 0, where xʸ⁻¹ is infinite."""
    # An array's own ** squares for an exponent of 2, which np.power of NumPy 2.0 does not: a
    # repetition, which calls np.power, would get other last bits.
    if isinstance(y, int | float):
        return g * (y * np.power(x, y - 1)) if y != 0 else zeros_like(g)
    return g * y * np.power(np.where(np.logical_and(x == 0, y == 0), 1.0, x), y - 1)


def _power_exponent(g: Any, z: Any, x: Any, y: Any) -> Any:
    """∂(xʸ)/∂y = xʸ ln x; 0 at x = 0, and nan for a negative base, where there is none."""
    with np.errstate(invalid="ignore"):
        return g * z * np.log(np.where(x == 0, 1.0, x))


power = Primitive(np.power, _power_base, _power_exponent)
float_power = Primitive(np.float_power, _power_base, _power_exponent)
square = Primitive(np.square, lambda g, z, x: g * (2 * x))
sqrt = Primitive(np.sqrt, lambda g, z, x: g / (2 * z))
cbrt = Primitive(np.cbrt, lambda g, z, x: g / (3 * z * z))
reciprocal = Primitive(np.reciprocal, lambda g, z, x: -g * z * z)


def zeros_like(g: Any) -> Any:
    """Zeros of the shape and dtype of an array or Tensor: the gradient of a step function."""
    return constant(np.zeros(g.shape, g.dtype))


remainder = Primitive(
    np.remainder,  # x − y ⌊x / y⌋, with a constant floor almost everywhere
    lambda g, z, x, y: g,
    lambda g, z, x, y: -g * np.floor_divide(x, y),
)
fmod = Primitive(
    np.fmod,  # as remainder, but rounded towards zero
    lambda g, z, x, y: g,
    lambda g, z, x, y: -g * np.trunc(x / y),
)
floor_divide = Primitive(
    np.floor_divide, lambda g, z, x, y: zeros_like(g), lambda g, z, x, y: zeros_like(g)
)

# ---- exponentials and logarithms -------------------------------------------------------------
# math.log(2) rather than np.log(2): NumPy's float64 scalar would turn float32 into float64.

exp = Primitive(np.exp, lambda g, z, x: g * z)
exp2 = Primitive(np.exp2, lambda g, z, x: g * z * math.log(2))
expm1 = Primitive(np.expm1, lambda g, z, x: g * (z + 1))
log = Primitive(np.log, lambda g, z, x: g / x)
log2 = Primitive(np.log2, lambda g, z, x: g / (x * math.log(2)))
log10 = Primitive(np.log10, lambda g, z, x: g / (x * math.log(10)))
log1p = Primitive(np.log1p, lambda g, z, x: g / (1 + x))
logaddexp = Primitive(
    np.logaddexp,
    lambda g, z, x, y: g * np.exp(x - z),  # stable: the exponent is never positive
    lambda g, z, x, y: g * np.exp(y - z),
)
logaddexp2 = Primitive(
    np.logaddexp2,
    lambda g, z, x, y: g * np.exp2(x - z),
    lambda g, z, x, y: g * np.exp2(y - z),
)

# ---- trigonometric and hyperbolic ------------------------------------------------------------

sin = Primitive(np.sin, lambda g, z, x: g * np.cos(x))
cos = Primitive(np.cos, lambda g, z, x: -g * np.sin(x))
tan = Primitive(np.tan, lambda g, z, x: g * (1 + z * z))
arcsin = Primitive(np.arcsin, lambda g, z, x: g / np.sqrt((1 - x) * (1 + x)))
arccos = Primitive(np.arccos, lambda g, z, x: -g / np.sqrt((1 - x) * (1 + x)))
arctan = Primitive(np.arctan, lambda g, z, x: g / (1 + x * x))
arctan2 = Primitive(
    np.arctan2,
    lambda g, z, x, y: g * y / (x * x + y * y),
    lambda g, z, x, y: -g * x / (x * x + y * y),
)
hypot = Primitive(
    np.hypot,
    lambda g, z, x, y: g * x / z,
    lambda g, z, x, y: g * y / z,
)
sinh = Primitive(np.sinh, lambda g, z, x: g * np.cosh(x))
cosh = Primitive(np.cosh, lambda g, z, x: g * np.sinh(x))
tanh = Primitive(np.tanh, lambda g, z, x: g * (1 - z * z))
arcsinh = Primitive(np.arcsinh, lambda g, z, x: g / np.sqrt(x * x + 1))
arccosh = Primitive(np.arccosh, lambda g, z, x: g / np.sqrt((x - 1) * (x + 1)))
arctanh = Primitive(np.arctanh, lambda g, z, x: g / ((1 - x) * (1 + x)))
deg2rad = Primitive(np.deg2rad, lambda g, z, x: g * (math.pi / 180))
rad2deg = Primitive(np.rad2deg, lambda g, z, x: g * (180 / math.pi))
implements(np.radians)(deg2rad)
implements(np.degrees)(rad2deg)

# ---- kinks and steps: which subgradient is taken ---------------------------------------------

# d|x|/dx = sign(x), so 0 at 0.
absolute = Primitive(np.absolute, lambda g, z, x: g * np.sign(x))
fabs = Primitive(np.fabs, lambda g, z, x: g * np.sign(x))


# Whole numbers of the same width, through which bits can be looked at.
_BITS = {np.dtype(f"f{width}"): np.dtype(f"i{width}") for width in (2, 4, 8)}


def _where(condition: Any, x: Any, y: Any) -> Any:
    # Where numbers are chosen one by one, the processor guesses wrong half of the time. To multiply
    # them by 0 or 1 is several times faster, and on their bits it is exact: ∞ · 0 would be nan.
    bits = _bits_to_keep(condition, x, y)
    return np.where(condition, x, y) if bits is None else (bits * condition).view(x.dtype)


def _bits_to_keep(condition: Any, x: Any, y: Any) -> Any:
    """Return `x` as whole numbers, if those where the condition does not hold become 0."""
    if type(y) is not float or y != 0.0 or getattr(condition, "dtype", None) != np.dtype(bool):
        return None
    bits = _BITS.get(np.asarray(x).dtype)
    return None if bits is None else x.view(bits)


def _prepared_where(condition: Any, x: Any, y: Any, out: Any) -> Any:
    bits = _bits_to_keep(condition, x, y)
    return None if bits is None else partial(np.multiply, bits, condition, out.view(bits.dtype))


where_: Primitive = Primitive(
    _where,
    None,
    lambda g, z, condition, x, y: where_(condition, g, 0.0),
    lambda g, z, condition, x, y: where_(condition, 0.0, g),
    of=np.where,
    prepare=_prepared_where,
)


@implements(np.where)
def where(condition: Any, *choices: Any) -> Any:
    """Elements of `x` where the condition holds, else of `y`; places where neither is given."""
    return where_(condition, *choices) if choices else np.nonzero(plain(condition))


def _share(g: Any, wins: Any, ties: Any) -> Any:
    """The winner gets the gradient; where both are equal, each gets half.

    By np.where, not by a product: an infinite gradient times 0 would be nan for the loser.
    """
    is_seen = not isinstance(ties, Tensor)  # else it is recorded, and others may tie next time
    if is_seen and np.count_nonzero(ties) == 0:  # as nearly always; to look is quicker
        return where(wins, g, 0.0)
    return where(wins, g, where(ties, g / 2, 0.0))


maximum = Primitive(
    np.maximum,
    lambda g, z, x, y: _share(g, x > y, x == y),
    lambda g, z, x, y: _share(g, y > x, x == y),
)
minimum = Primitive(
    np.minimum,
    lambda g, z, x, y: _share(g, x < y, x == y),
    lambda g, z, x, y: _share(g, y < x, x == y),
)
# fmax and fmin pass over nan: the number beside a nan wins.
fmax = Primitive(
    np.fmax,
    lambda g, z, x, y: _share(g, np.logical_or(x > y, np.isnan(y)), x == y),
    lambda g, z, x, y: _share(g, np.logical_or(y > x, np.isnan(x)), x == y),
)
fmin = Primitive(
    np.fmin,
    lambda g, z, x, y: _share(g, np.logical_or(x < y, np.isnan(y)), x == y),
    lambda g, z, x, y: _share(g, np.logical_or(y < x, np.isnan(x)), x == y),
)
copysign = Primitive(
    np.copysign,
    lambda g, z, x, y: g * np.sign(x) * np.sign(z),
    lambda g, z, x, y: zeros_like(g),
)
heaviside = Primitive(
    np.heaviside,
    lambda g, z, x, y: zeros_like(g),
    lambda g, z, x, y: where(x == 0, g, 0.0),
)


def _below(z: Any, x: Any, low: Any) -> Any:
    return np.logical_and(x < low, z == low) if low is not None else False


# Inside the limits, and on them, the gradient passes to x; outside to the limit that is taken.
clip_: Primitive = Primitive(
    lambda x, low, high: np.clip(x, low, high),
    lambda g, z, x, low, high: where(x == z, g, 0.0),
    lambda g, z, x, low, high: where(_below(z, x, low), g, 0.0),
    lambda g, z, x, low, high: where(
        np.logical_or(x == z, np.logical_or(_below(z, x, low), z != high)), 0.0, g
    ),
    name="clip",
)


@implements(np.clip)
def clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit each element to an interval."""
    return clip_(x, min if a_min is None else a_min, max if a_max is None else a_max)


nan_to_num_: Primitive = Primitive(
    np.nan_to_num, lambda g, z, x, **options: where(np.isfinite(x), g, 0.0)
)


@implements(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, **values: Any) -> Any:
    """Numbers in place of nan and infinities; there the gradient is 0."""
    if not copy:
        raise TypeError("np.nan_to_num of a Tensor takes no copy=False: results are new tensors")
    return nan_to_num_(x, **values)


# Steps are flat almost everywhere.
sign = Primitive(np.sign, lambda g, z, x: zeros_like(g))
floor = Primitive(np.floor, lambda g, z, x: zeros_like(g))
ceil = Primitive(np.ceil, lambda g, z, x: zeros_like(g))
trunc = Primitive(np.trunc, lambda g, z, x: zeros_like(g))
rint = Primitive(np.rint, lambda g, z, x: zeros_like(g))
round_ = Primitive(np.round, lambda g, z, x, decimals: zeros_like(g))


@implements(np.round, np.around)
def round(x: Any, decimals: int = 0) -> Any:
    """Rounded to a number of decimals."""
    return round_(x, decimals=decimals)
