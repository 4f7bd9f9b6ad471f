"""Snapshot: is a model still the one that it was, or has somebody changed a setting?

Looking takes some microseconds, as it happens before every step: attributes are compared by
identity first, and only those that can change what a forward pass computes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from operator import attrgetter, itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE
from minigrad.optimizers import Optimizer

if TYPE_CHECKING:
    from minigrad.layers import Layer
    from minigrad.training.model import Model

# What a step itself changes, or what it does not look at. (Weights are watched one by one.)
_NOT_SETTINGS = {
    *("_addends", "_generator", "_replays", "_state_names", "_shapes", "_told"),
    *("optimizer", "history", "checked_config", "name_is_given"),
    *("stop_training", "stop_evaluating", "stop_predicting"),
    *(
        "compiled_metrics",
        "has_seen_a_batch",
        "unweighted_metrics",
        "_loss_tracker",
        "_noted",
        "_tolerates_nan",
        "_held",
    ),
    *("kernel_initializer", "bias_initializer"),
}
_METHODS = ("__call__", "call", "run", "match", "mean")  # of classes: what a pass consists of
_OURS = __name__.partition(".")[0]


class Snapshot:
    """The settings of a model: of its layers and their regularizers, its loss and its metrics."""

    def __init__(self, model: Model) -> None:
        self._watched = [_watch(settings) for settings in _all_settings(model)]
        self._watching = [m for m in model.compiled_metrics if getattr(m, "watches_layer", False)]
        self._layers = [metric.layer for metric in self._watching]
        self._methods = [_watch_methods(kind) for kind in {type(t) for t in _owners(model)}]

    def still_holds(self) -> bool:
        """Whether nothing has changed."""
        try:
            for settings, size, values_of, values in self._watched:
                if len(settings) != size or values_of(settings) != values:
                    return False
            for kind, methods_of, methods in self._methods:
                if methods_of(kind) != methods:
                    return False
            if self._watching and [metric.layer for metric in self._watching] != self._layers:
                return False
        except (KeyError, AttributeError, ValueError):  # gone, or an array in place of another one
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


def _watch_methods(kind: type) -> tuple[type, Callable[[Any], Any], Any]:
    """Return a class, what gets its methods, and those of now: somebody might replace them."""
    names = [name for name in _METHODS if hasattr(kind, name)] or ["__init__"]
    methods_of = attrgetter(*names)
    return kind, methods_of, methods_of(kind)


def _all_settings(model: Model) -> Iterator[Any]:
    """All dicts and lists in which something might be changed."""
    yield model.compiled_metrics
    for owner in _owners(model):
        if not hasattr(owner, "__dict__"):
            continue
        yield vars(owner)
        for name, value in vars(owner).items():
            if name not in _NOT_SETTINGS:
                yield from (held for held in _within(value) if isinstance(held, dict | list))


def _owners(model: Model) -> list[Any]:
    """Return all that has settings: the layers, their regularizers and the like, and the loss."""
    owners = [*all_layers(model), model.loss]
    known = set(map(id, owners))
    parts = {id(part): part for owner in owners for part in _parts(owner)}
    return owners + [
        part
        for key, part in parts.items()
        if key not in known and hasattr(part, "get_config") and not isinstance(part, type)
    ]


def all_layers(model: Model) -> list[Layer]:
    """Return a model and all layers inside of it."""
    return [model, *(layer for _, layer in model.paths())]


def forgets_gradients(optimizer: Any) -> bool:
    """Whether `zero_grad` is the usual one, as a program's gradients take the place of old ones."""
    usual = getattr(type(optimizer), "zero_grad", None) is Optimizer.zero_grad
    return usual and "zero_grad" not in vars(optimizer)


def is_all_ours(model: Model) -> bool:
    """Whether a model is made of this package's own parts alone.

    What a user has written may do anything: count its calls, look at a clock, decide by a value.
    """
    owners = _owners(model)
    return all(map(_is_ours, [*owners, *(part for owner in owners for part in _parts(owner))]))


def _parts(owner: Any) -> Iterator[Any]:
    """What an object holds in its attributes, and in lists and the like there."""
    for name, value in getattr(owner, "__dict__", {}).items():
        if name not in _NOT_SETTINGS:
            yield from _within(value)


def _within(value: Any) -> Iterator[Any]:
    """A value and, if it is a collection, all that it holds, and what that holds."""
    yield value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple | set | frozenset):
        return
    for held in value:
        yield from _within(held)


def _is_ours(thing: Any) -> bool:
    """Whether a thing is plain data, or of a function or class that this package defines."""
    if thing is None or isinstance(thing, bool | int | float | str | np.dtype):
        return True
    if isinstance(thing, np.random.Generator | dict | list | tuple | set | frozenset):
        return True
    if isinstance(thing, np.ufunc):  # somebody may have given it a rule of theirs
        return thing not in TABLE or _is_ours(TABLE[thing])
    if isinstance(thing, Primitive):
        # Anybody can make one; but its rules, at least, are then functions of theirs.
        rules = thing.rules if isinstance(thing.rules, tuple) else (thing.rules.each,)
        functions = [rule for rule in rules if rule is not None]
        if isinstance(thing.forward, FunctionType):
            functions.append(thing.forward)
        return all(map(_is_of_ours, functions))
    if isinstance(thing, FunctionType | type):
        return _is_of_ours(thing)
    kind = type(thing)
    return _is_of_ours(kind) and all(map(_has_methods_of_ours, kind.__mro__))


def _has_methods_of_ours(kind: type) -> bool:
    """Whether a class is Python's, or its methods are those that this package gave it."""
    if kind.__module__ in sys.stdlib_module_names:
        return True
    return all(_is_of_ours(value) for value in vars(kind).values() if type(value) is FunctionType)


def _is_of_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == _OURS
