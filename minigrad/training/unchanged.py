"""Snapshot: is a model still the one that it was, or has somebody changed a setting?

Looking takes some microseconds, as it happens before every step: attributes are compared by
identity first, and only those that can change what a forward pass computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from minigrad.layers import Layer
    from minigrad.training.model import Model

# What a step itself changes, or what it does not look at. (Weights are watched one by one.)
_NOT_SETTINGS = {
    *("_addends", "_generator", "_replays", "_weights", "_state_names", "_shapes"),
    *("optimizer", "history", "stop_training", "checked_config", "name_is_given"),
    *("compiled_metrics", "unweighted_metrics"),
    *("kernel_initializer", "bias_initializer"),
}
_OURS = __name__.partition(".")[0]


class Snapshot:
    """The settings of a model, of its layers, of their regularizers, and of its loss."""

    def __init__(self, model: Model) -> None:
        self._watched = [_watch(settings) for settings in _all_settings(model)]

    def still_holds(self) -> bool:
        """Whether nothing has changed."""
        try:
            for settings, size, values_of, values in self._watched:
                if len(settings) != size or values_of(settings) != values:
                    return False
        except (KeyError, IndexError, ValueError):  # gone, or an array in place of another one
            return False
        return True


def _watch(settings: Any) -> tuple[Any, int, Callable[[Any], Any], Any]:
    """Return a dict or list, its length, and what gets its values, with those of now."""
    if isinstance(settings, list):
        return settings, len(settings), tuple, tuple(settings)
    names = [name for name in settings if name not in _NOT_SETTINGS]
    if len(names) == 1:
        names *= 2  # of a single name, itemgetter would return the value alone, not a tuple
    values_of: Callable[[Any], Any] = itemgetter(*names) if names else len
    return settings, len(settings), values_of, values_of(settings)


def _all_settings(model: Model) -> Iterator[Any]:
    """All dicts and lists in which something might be changed."""
    for thing in [*all_layers(model), model.loss]:
        if not hasattr(thing, "__dict__"):
            continue
        yield vars(thing)
        for name, value in vars(thing).items():
            if name in _NOT_SETTINGS:
                continue
            if isinstance(value, dict | list):
                yield value
            for part in value.values() if isinstance(value, dict) else (value,):
                if hasattr(part, "get_config") and hasattr(part, "__dict__"):
                    yield vars(part)


def all_layers(model: Model) -> list[Layer]:
    """Return a model and all layers inside of it."""
    return [model, *(layer for _, layer in model.paths())]


def is_all_ours(model: Model) -> bool:
    """Whether a model is made of this package's own parts alone.

    What a user has written may do anything: count its calls, look at a clock, decide by a value.
    """
    settings = [model.loss]
    for layer in all_layers(model):
        settings.append(layer)
        for name, value in vars(layer).items():
            if name not in _NOT_SETTINGS:
                settings.extend(_parts(value))
    return all(map(_is_ours, settings))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else (value,)


def _is_ours(thing: Any) -> bool:
    """Whether a thing is plain data, a NumPy function, or of a class or module of this package."""
    if thing is None or isinstance(thing, bool | int | float | str | np.ufunc | np.dtype):
        return True
    if isinstance(thing, np.random.Generator | dict | list | tuple | set | frozenset):
        return True
    owner = thing if isinstance(thing, FunctionType | type) else type(thing)
    return str(owner.__module__).partition(".")[0] == _OURS
