"""Snapshot: is a model still the one that it was, or has somebody changed something?

Looking takes some microseconds, as it happens before every step. What can change what a pass
computes is compared by identity: attributes of layers and the like, and whatever the functions
that ran in the pass look up by name: in their modules, in classes, in NumPy, among the ops.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter, call, is_, itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE
from minigrad.optimizers import Optimizer
from minigrad.training.own_code import Function, is_known, is_ours

if TYPE_CHECKING:
    from minigrad.layers import Layer
    from minigrad.training.model import Model

# What a step itself changes, or what it does not look at. (Weights are watched one by one.)
_NOT_SETTINGS = {
    *("_addends", "_generator", "_replays", "_state_names", "_shapes"),
    *("optimizer", "history", "stop_training", "checked_config", "name_is_given"),
    *("compiled_metrics", "unweighted_metrics"),
    *("kernel_initializer", "bias_initializer"),
}
# Exactly these: what derives from a float may change its mind about how much it is.
_NUMBERS = {type(None), bool, int, float, str, *np.sctypeDict.values()}
_CONTAINERS = (dict, list, tuple, frozenset, np.random.Generator)
_OURS = __name__.partition(".")[0]
_PYTHONS = ("builtins", "abc", "typing")  # modules of classes that ours derive from
# Names in these are our machinery, which a pass goes through but does not depend on.
_MACHINERY = ("minigrad.engine", "minigrad.training", "minigrad.tracing")

Getter = Callable[[Any], Any]
Look = tuple[Any, Getter]  # where to look, and what it finds there, as a tuple


class Snapshot:
    """What a pass of a model depends on besides numbers: settings, classes, functions, ops."""

    def __init__(
        self, model: Model, ran: Iterable[Function] = (), primitives: Iterable[Primitive] = ()
    ) -> None:
        self._owners = _owners(model)
        self._kinds = list(map(type, self._owners))
        ours = [function for function in ran if is_ours(*function)]
        settings, classes = list(_settings(model, self._owners)), list(_classes(self._owners, ours))
        definitions = [*classes, *_modules(ours), *_ops(list(primitives), ours)]
        self._where, self._settings_of = zip(*settings, strict=True)
        self._settings = list(self._look())
        self._places, self._definitions_of = zip(*definitions, strict=True)
        self._definitions = list(map(call, self._definitions_of, self._places))
        sized = [source for source, _ in settings if isinstance(source, dict | list)]
        self._sized = [*sized, *(source for source, _ in classes)]
        self._sizes = list(map(len, self._sized))

    def still_holds(self) -> bool:
        """Whether nothing has changed."""
        try:
            if list(map(len, self._sized)) != self._sizes:
                return False
            if list(map(type, self._owners)) != self._kinds:
                return False
            if list(map(call, self._definitions_of, self._places)) != self._definitions:
                return False
            return all(map(is_, self._look(), self._settings)) or all(
                map(_is_the_same, self._look(), self._settings)
            )
        except (KeyError, AttributeError, ValueError):  # gone, or an array in place of another one
            return False

    def _look(self) -> Iterator[Any]:
        return chain.from_iterable(map(call, self._settings_of, self._where))


def _is_the_same(found: Any, expected: Any) -> bool:
    """Whether two values are one, or numbers or words of one kind that nobody can tell apart."""
    kind = type(expected)
    is_plain = type(found) is kind and kind in _NUMBERS
    return found is expected or (is_plain and repr(found) == repr(expected))


def _getter(names: Iterable[Any], of: Callable[..., Any] = itemgetter) -> Getter:
    """Return what gets the values of all `names`, as a tuple."""
    names = list(names)
    if not names:
        return lambda source: ()
    return of(*names, names[-1])  # type: ignore[no-any-return]  # of one it would be no tuple


def _settings(model: Model, owners: list[Any]) -> Iterator[Look]:
    """Where things are set: attributes, what is in collections there, and functions' own."""
    yield model.compiled_metrics, tuple
    for metric in model.compiled_metrics:
        if getattr(metric, "watches_layer", False):
            yield metric, _getter(["layer"], attrgetter)
    for owner in owners:
        settings = getattr(owner, "__dict__", {})
        yield settings, _getter(settings.keys() - _NOT_SETTINGS)
        for held in _parts(owner):
            if isinstance(held, list):
                yield held, tuple
            elif isinstance(held, dict):
                yield held, _getter(held)
            elif isinstance(held, FunctionType):
                yield held, attrgetter("__code__", "__defaults__", "__kwdefaults__")
                yield vars(held), _getter(vars(held))
                for cell in held.__closure__ or ():
                    yield cell, _getter(["cell_contents"], attrgetter)


def _classes(owners: list[Any], ours: list[Function]) -> Iterator[Look]:
    """What classes define of that which the functions that ran ask for."""
    asked = {
        word
        for code, _ in ours
        for word in (*code.co_names, *code.co_consts)
        if isinstance(word, str)
    }
    codes = {id(code) for code, _ in ours}
    kinds = [kind for owner in owners for kind in type(owner).__mro__]
    for code, names in ours:
        kind = names.get(code.co_qualname.partition(".")[0])
        if isinstance(kind, type) and not names["__name__"].startswith(_MACHINERY):
            kinds.append(kind)
    for kind in dict.fromkeys(kinds):
        if kind.__module__ not in _PYTHONS:
            yield vars(kind), _getter(
                name
                for name, value in vars(kind).items()
                if name in asked or id(getattr(value, "__code__", None)) in codes
            )


def _modules(ours: list[Function]) -> Iterator[Look]:
    """What the names in their modules, and those of NumPy, stand for."""
    asked: dict[str, set[str]] = {}
    for code, names in ours:
        if not names["__name__"].startswith(_MACHINERY):
            asked.setdefault(names["__name__"], set()).update(code.co_names)
    for module, looked_up in asked.items():
        names = vars(sys.modules[module])
        found = names.keys() & looked_up
        if found:
            yield names, _getter(found)
    yield vars(np), _getter(vars(np).keys() & set().union(*asked.values()))


def _ops(primitives: list[Primitive], ours: list[Function]) -> Iterator[Look]:
    """Which ops stand for NumPy's functions, and their rules."""
    used = {id(op) for op in primitives} | {id(code) for code, _ in ours}
    yield TABLE, _getter(
        key
        for key, op in TABLE.items()
        if id(op) in used or (id(getattr(op, "__code__", None)) in used and not op.__closure__)
    )
    computes = attrgetter("forward", "rules")
    yield primitives, lambda ops: list(map(computes, ops))


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
    if kind in _NUMBERS or kind in _CONTAINERS or isinstance(thing, np.dtype):
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
    if kind.__module__.partition(".")[0] != _OURS or getattr(module, kind.__qualname__, None) is not kind:
        return False
    return all(_is_ours(value) for value in vars(kind).values() if type(value) is FunctionType)
