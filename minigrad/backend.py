"""The settings that Keras keeps in its backend, by their Keras names."""

from __future__ import annotations

import gc

from minigrad.checks import channels_last
from minigrad.engine import get_default_dtype, set_default_dtype
from minigrad.suggestions import speak_up

__all__ = [
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_floatx",
    "set_image_data_format",
]
set_floatx = set_default_dtype
speak_up(__name__)


def clear_session(free_memory: bool = True) -> None:
    """Collect Python's garbage; nothing else is kept, and each model generates its own names."""
    if free_memory:
        gc.collect()


def epsilon() -> float:
    """Return the small number that keeps a quotient finite: 1e-7."""
    return 1e-7


def floatx() -> str:
    """Return the name of the default dtype."""
    return get_default_dtype().name


def image_data_format() -> str:
    """Return where the channels stand: ``"channels_last"``."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Refuse any layout but ``"channels_last"``, saying how to move the axis."""
    channels_last("set_image_data_format", data_format)
