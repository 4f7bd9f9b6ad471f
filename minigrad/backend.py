"""The settings that Keras keeps in its backend, by their Keras names."""

from __future__ import annotations

import gc

from minigrad.checks import channels_last
from minigrad.engine import get_default_dtype, set_default_dtype
from minigrad.suggestions import speak_up

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_floatx",
    "set_image_data_format",
]


def backend() -> str:
    """Return what computes: ``"numpy"``."""
    return "numpy"


def clear_session(free_memory: bool = True) -> None:
    """Let go of what models have left behind.

    Names are generated in each model anew, and nothing is kept between models: there is nothing to
    reset, and only Python's garbage is collected, if `free_memory`.
    """
    if free_memory:
        gc.collect()


def epsilon() -> float:
    """Return the small number that keeps a quotient finite: 1e-7."""
    return 1e-7


def floatx() -> str:
    """Return the name of the default dtype.

    Examples
    --------
    >>> floatx()
    'float32'
    """
    return get_default_dtype().name


def set_floatx(value: str) -> None:
    """Set the default dtype; see `minigrad.set_default_dtype`."""
    set_default_dtype(value)


def image_data_format() -> str:
    """Return where the channels stand: ``"channels_last"``."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Refuse any layout but ``"channels_last"``.

    Raises
    ------
    ValueError
        For another one, saying how to move the axis.
    """
    channels_last("set_image_data_format", data_format)


speak_up(__name__)
