"""Checks of the arguments that constructors take: one wording for all of them.

Each returns the value as it is to be kept, or raises a ValueError that names the owner, the
argument, what was expected and what came.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache, partial
from numbers import Real
from typing import Any

import numpy as np

from minigrad.engine import get_default_dtype

# With the batch in front; None is a length that is not known.
Shape = tuple[int | None, ...]


@cache  # a loss that is called as a function is made for each call
def snake_case(name: str) -> str:
    """Return a class's name in small letters, word by word, as Keras makes names of classes.

    Examples
    --------
    >>> snake_case("ActivityRegularization"), snake_case("Conv2D"), snake_case("KLDivergence")
    ('activity_regularization', 'conv2d', 'kl_divergence')
    """
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def is_whole(value: Any) -> bool:
    """Whether a value is an integer, of Python or NumPy, and no bool."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def wrong(owner: str, argument: str, value: Any, expected: str) -> ValueError:
    """Return the error for a value that an argument cannot have."""
    return ValueError(f"{owner}: {argument} must be {expected}. Received: {argument}={value!r}")


def boolean(owner: str, argument: str, value: Any) -> bool:
    """Return True or False; a word such as ``"no"`` would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise wrong(owner, argument, value, "True or False")
    return bool(value)


def checked_dtype(owner: str, value: Any, kinds: str = "f") -> np.dtype[Any]:
    """Return a floating dtype, or one of other `kinds`; None stands for the default one."""
    try:
        dtype = get_default_dtype() if value is None else np.dtype(value)
    except TypeError:  # a word that NumPy does not know
        dtype = np.dtype(object)
    if dtype.kind not in kinds:
        kind = "a floating dtype" if kinds == "f" else "a dtype of real numbers"
        raise wrong(owner, "dtype", value, f"{kind}, such as 'float32'")
    return dtype


def sample_shape(
    owner: str, value: Any, argument: str = "input_shape", least: int = 0
) -> Shape | None:
    """Return one sample's shape as a tuple; None stays None."""
    if value is None:
        return None
    is_sequence = isinstance(value, tuple | list)
    if not is_sequence or not all(n is None or (is_whole(n) and n >= least) for n in value):
        of = ", one sample's without the batch" if argument == "input_shape" else ""
        raise wrong(owner, argument, value, f"a tuple of lengths{of}")
    return tuple(None if n is None else int(n) for n in value)


def positive_integer(owner: str, argument: str, value: Any) -> int:
    """Return a positive integer."""
    if not is_whole(value) or value < 1:
        raise wrong(owner, argument, value, "a positive integer")
    return int(value)


def sizes(owner: str, argument: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """Return `rank` integers, `least` or larger, from that many or from one for all.

    Examples
    --------
    >>> sizes("Conv2D", "kernel_size", 3, rank=2)
    (3, 3)
    """
    many = tuple(value) if isinstance(value, tuple | list) else (value,) * rank
    if len(many) != rank or not all(is_whole(n) and n >= least for n in many):
        kind = "a positive integer" if least == 1 else f"an integer ≥ {least}"
        several = f" or a tuple of {rank}" if rank > 1 else ""
        raise wrong(owner, argument, value, kind + several)
    return tuple(int(n) for n in many)


def _real(
    owner: str, argument: str, value: Any, expected: str, fits: Callable[[Any], bool]
) -> float:
    """Return a finite number that `fits`; a bool is none."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not is_number or not math.isfinite(value) or not fits(value):
        raise wrong(owner, argument, value, expected)
    return float(value)


def number(
    owner: str, argument: str, value: Any, least: float = -math.inf, most: float = math.inf
) -> float:
    """Return a finite number from `least` to `most`, both included."""
    low = f" ≥ {least:g}" if least > -math.inf else ""
    high = f" and ≤ {most:g}" if most < math.inf else ""
    expected = f"a finite number{low}{high}"
    return _real(owner, argument, value, expected, lambda n: least <= n <= most)


not_negative = partial(number, least=0)
above_zero = partial(_real, expected="a number above 0", fits=lambda n: n > 0)
fraction = partial(_real, expected="a number in [0, 1)", fits=lambda n: 0 <= n < 1)


def or_none(check: Callable[[str, str, Any], Any]) -> Callable[[str, str, Any], Any]:
    """Return a check that lets None pass, and anything that `check` does."""
    return lambda owner, argument, value: None if value is None else check(owner, argument, value)


def one_of(owner: str, argument: str, value: Any, known: tuple[str, ...]) -> str:
    """Return `value` if it is one of the `known` words."""
    if not isinstance(value, str) or value not in known:
        raise wrong(owner, argument, value, f"one of {', '.join(map(repr, known))}")
    return value


def channels_last(owner: str, data_format: Any) -> None:
    """Refuse any other layout than the one that minigrad has."""
    if data_format not in (None, "channels_last"):
        raise ValueError(
            f"{owner}: minigrad keeps the channels last, in shape (batch, …, channels). Received: "
            f"data_format={data_format!r}. Move the axis first: np.moveaxis(x, 1, -1)."
        )
