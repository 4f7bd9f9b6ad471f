"""Snapshot: is a model still the one that it was, or has somebody changed something?

Looking takes some microseconds, as it happens before every step. What can change what a pass
computes is compared by identity: attributes of layers and the like, and whatever the functions
that ran in the pass find by a name, in classes, in their modules, in NumPy, among the ops.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from inspect import getattr_static
from itertools import chain, compress
from operator import attrgetter, call, is_, itemgetter, not_
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE
from minigrad.optimizers import Optimizer
from minigrad.training.own_code import Function, is_known, is_ours

if TYPE_CHECKING:
    from minigrad.layers import Layer
    from minigrad.training.objective import Objective

# What a step itself changes, or what it does not look at. (Weights are watched one by one.)
_NOT_SETTINGS = {
    *("_addends", "_generator", "_replays", "_state_names", "_shapes", "_told"),
    *("_optimizer", "history", "checked_config", "name_is_given", "has_seen_a_batch"),
    *("stop_training", "stop_evaluating", "stop_predicting", "_noted", "_tolerates_nan"),
    *("compiled_metrics", "unweighted_metrics", "_loss_tracker", "_held"),
    *("kernel_initializer", "bias_initializer"),
}
# Exactly these: what derives from a float may change its mind about how much it is.
_NUMBERS = {int, float, *np.sctypeDict.values()}
_PLAIN = {*_NUMBERS, bool, str}
_CONTAINERS = {type(None), dict, list, tuple, frozenset, np.random.Generator}
_OURS = __name__.partition(".")[0]
_PYTHONS = ("builtins", "abc", "typing")  # modules of classes that ours derive from
_ENGINE = f"{_OURS}.engine."
_OF_WEIGHTS = f"{_OURS}.layers.weights"  # its methods look for weights and names, all day long

Getter = Callable[[Any], Any]
Look = tuple[Any, Getter]  # where to look, and what finds it there, as a tuple


class Snapshot:
    """What a pass depends on besides numbers: settings, and the functions and ops that ran."""

    def __init__(
        self, model: Objective, ran: Iterable[Function] = (), primitives: Collection[Primitive] = ()
    ) -> None:
        codes = [function for function in ran if is_ours(*function)]
        asked = {word for code, _ in codes for word in (*code.co_names, *code.co_consts)}
        owners = _owners(model)
        settings = list(_settings(model, owners, asked))
        used = [function for function, op in TABLE.items() if op in primitives]
        definitions = [*_definitions(owners, codes, asked), (TABLE, _getter(used))]
        self._sized = [source for source, _ in settings if isinstance(source, dict | list)]
        self._sizes = list(map(len, self._sized))
        looks = [(getter, source) for source, getter in (*settings, *definitions) if getter(source)]
        # What equals a number need not be that number, so these are compared by identity.
        exact = [not _NUMBERS.isdisjoint(map(type, getter(source))) for getter, source in looks]
        self._exact = list(zip(*compress(looks, exact), strict=True)) or ((), ())
        self._others = list(zip(*compress(looks, map(not_, exact)), strict=True)) or ((), ())
        self._found = list(map(call, *self._others))
        self._numbers = list(self._look())

    def still_holds(self) -> bool:
        """Whether nothing has changed."""
        try:
            if list(map(len, self._sized)) != self._sizes:
                return False
            if list(map(call, *self._others)) != self._found:
                return False
            return all(map(is_, self._look(), self._numbers))
        except (KeyError, AttributeError, ValueError):  # gone, or an array in place of another one
            return False

    def _look(self) -> Iterator[Any]:
        return chain.from_iterable(map(call, *self._exact))


def _getter(names: Iterable[Any], of: Callable[..., Any] = itemgetter) -> Getter:
    """Return what gets the values of all `names`, as a tuple."""
    names = list(names)
    # Of a single name it would get the value alone.
    return of(*names, names[-1]) if names else lambda source: ()


def _settings(model: Objective, owners: list[Any], asked: set[Any]) -> Iterator[Look]:
    """Where things are set: attributes, what is in collections there, and functions' own."""
    yield owners, lambda owners: tuple(map(type, owners))
    yield model.compiled_metrics, tuple
    for metric in model.compiled_metrics:
        if getattr(metric, "watches_layer", False):
            yield metric, _getter(["layer"], attrgetter)
    for owner in owners:
        settings = getattr(owner, "__dict__", {})
        names = settings.keys() - _NOT_SETTINGS
        yield settings, _getter(names & asked if asked else names)
    for held in _parts_of(owners):
        if isinstance(held, list):
            yield held, tuple
        elif isinstance(held, dict):
            yield held, _getter(held)
        elif isinstance(held, FunctionType):
            yield held, attrgetter("__code__", "__defaults__", "__kwdefaults__")
            yield vars(held), _getter(vars(held))
            for cell in held.__closure__ or ():
                yield cell, _getter(["cell_contents"], attrgetter)


def _definitions(owners: list[Any], codes: list[Function], asked: set[Any]) -> Iterator[Look]:
    """What functions that ran find by a name in classes, in their modules and in NumPy."""
    ran = {id(code) for code, names in codes if names["__name__"] != _OF_WEIGHTS}
    makers = {names.get(code.co_qualname.partition(".")[0]) for code, names in codes}
    kinds: set[Any] = {type(owner) for owner in owners} | makers  # `mse` makes its loss in the pass
    kinds = {kind for kind in kinds if hasattr(kind, "get_config")}
    ancestors = {ancestor for kind in kinds for ancestor in kind.__mro__[1:]}
    for kind in kinds - ancestors:
        values = [(name, getattr_static(kind, name)) for name in dir(kind)]
        methods = [name for name, value in values if id(_code_of(value)) in ran]
        numbers = [name for name, value in values if name in asked and type(value) in _PLAIN]
        yield kind, _getter([*methods, *numbers], attrgetter)
    asked_in: dict[str, set[str]] = {kind.__module__: set() for kind in kinds}
    for code, names in codes:
        if names["__name__"] in asked_in:
            asked_in[names["__name__"]].update(code.co_names)
    for module, words in asked_in.items():
        yield (names := vars(sys.modules[module])), _getter(names.keys() & words)
    computing = [code for code, names in codes if not names["__name__"].startswith(_ENGINE)]
    called = set().union(*(code.co_names for code in computing if "np" in code.co_names))
    yield vars(np), _getter(name for name in called if callable(vars(np).get(name)))


def _code_of(value: Any) -> Any:
    """Return the code of a function, or of a property's."""
    return getattr(getattr(value, "fget", value), "__code__", None)


def _owners(model: Objective) -> list[Any]:
    """Return all that has settings: the layers, their regularizers and the like, and the loss."""
    owners = [*all_layers(model), model.loss]
    known = set(map(id, owners))
    return owners + [
        part
        for part in _parts_of(owners)
        if id(part) not in known and hasattr(part, "get_config") and not isinstance(part, type)
    ]


def _parts_of(owners: list[Any]) -> list[Any]:
    """Return what objects are or hold, each once."""
    return list({id(p): p for o in owners for p in (*_within(o), *_parts(o))}.values())


def all_layers(model: Layer) -> list[Layer]:
    """Return a model and all layers inside of it."""
    return [model, *(layer for _, layer in model.paths())]


def forgets_gradients(optimizer: Any) -> bool:
    """Whether `zero_grad` is the usual one, as a program's gradients take the place of old ones."""
    usual = getattr(type(optimizer), "zero_grad", None) is Optimizer.zero_grad
    return usual and "zero_grad" not in vars(optimizer)


def is_all_ours(model: Objective) -> bool:
    """Whether a model is made of this package's own parts alone.

    What a user has written may do anything: count its calls, look at a clock, decide by a value.
    """
    owners = _owners(model)
    return all(map(_is_ours, _parts_of(owners)))


def _parts(owner: Any) -> Iterator[Any]:
    """What an object holds in its attributes, and in lists and the like there."""
    for name, value in getattr(owner, "__dict__", {}).items():
        if name not in _NOT_SETTINGS:
            yield from _within(value)


def _within(value: Any) -> Iterator[Any]:
    """A value and, if it holds others, all of them, and what those hold."""
    yield value
    if isinstance(value, dict):
        value = value.values()
    elif isinstance(value, FunctionType) and is_ours(value.__code__, value.__globals__):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        value = [*cells, *defaults, *vars(value).values()]
    elif not isinstance(value, list | tuple | set | frozenset):
        return
    for held in value:
        yield from _within(held)


def _is_ours(thing: Any) -> bool:
    """Whether a thing is plain data, or of a function or class that this package defines."""
    kind = type(thing)
    if kind in _PLAIN or kind in _CONTAINERS or isinstance(thing, np.dtype):
        return True
    if isinstance(thing, np.ufunc):  # somebody may have given it a rule of theirs
        return thing not in TABLE or _is_ours(TABLE[thing])
    if isinstance(thing, FunctionType):
        return is_known(thing.__code__, thing.__globals__)
    if isinstance(thing, Primitive):
        # Anybody can make one; but its rules, at least, are then functions of theirs.
        rules = thing.rules if isinstance(thing.rules, tuple) else (thing.rules.each,)
        return all(_is_ours(f) for f in (*rules, thing.forward) if isinstance(f, FunctionType))
    ancestors = [a for a in kind.__mro__ if a.__module__ not in _PYTHONS]
    return kind in ancestors and all(map(_is_class_of_ours, ancestors))


def _is_class_of_ours(kind: type) -> bool:
    """Whether a class is what this package defines by its name, with the methods that it gave."""
    module = sys.modules.get(kind.__module__)
    if (
        kind.__module__.partition(".")[0] != _OURS
        or getattr(module, kind.__qualname__, None) is not kind
    ):
        return False
    return all(_is_ours(value) for value in vars(kind).values() if type(value) is FunctionType)
