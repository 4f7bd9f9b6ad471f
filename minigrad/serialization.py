"""Names for objects: from ``"l2"`` to ``L2()``, and from ``L2(0.1)`` to a config and back.

Each kind of object (regularizer, initializer, activation, loss, optimizer, layer) has a Registry.
Loading a config looks names up in it and never imports or runs anything that a file names.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from types import BuiltinFunctionType, FunctionType
from typing import Any, TypeVar

from minigrad.suggestions import did_you_mean

T = TypeVar("T", bound=Callable[..., Any])

Known = dict[str, Callable[..., Any]]

REGISTRIES: list[Registry] = []  # one for each kind of object

_custom: Known = {}
_in_scope: ContextVar[tuple[Any, ...]] = ContextVar("minigrad_custom_objects", default=())


def register_serializable(name: str | None = None) -> Callable[[T], T]:
    """Let a class or function of yours be saved with a model, and found again when loading.

    Parameters
    ----------
    name
        What files call it; by default its own name, but all lambdas share theirs, so that one needs
        another. A class should have `get_config`.

    Examples
    --------
    >>> from minigrad import regularizers
    >>> @register_serializable()
    ... def smooth_l1(kernel):
    ...     return 0.01 * (kernel * kernel + 1e-6).sqrt().sum()
    >>> config = regularizers.serialize(smooth_l1)
    >>> regularizers.deserialize(config) is smooth_l1
    True
    """
    if callable(name):
        raise TypeError("write @register_serializable(), with parentheses")

    def register(thing: T) -> T:
        if name is None and thing.__name__ == "<lambda>":
            raise ValueError(
                "a lambda has no name of its own that leads back to it. Define it with `def`, or "
                "give it one: register_serializable(name=…)"
            )
        _custom[name or thing.__name__] = thing
        return thing

    return register


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Register a class or function as ``package>name``, as Keras does.

    Parameters
    ----------
    package
        What stands in front of the name, so that two authors may call their classes alike.
    name
        As in `register_serializable`; here a class must have `get_config`.

    Examples
    --------
    >>> @register_keras_serializable(package="examples")
    ... def smallest(kernel):
    ...     return kernel.min()
    >>> from minigrad import regularizers
    >>> regularizers.serialize(smallest)
    {'class_name': 'examples>smallest', 'config': None}
    """
    if callable(package):
        raise TypeError("write @register_keras_serializable(), with parentheses")

    def register(thing: T) -> T:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"{thing.__name__} must define get_config() to be registered")
        return register_serializable(f"{package}>{name or thing.__name__}")(thing)

    return register


class NoIdentifierError(TypeError, ValueError):
    """Something of a type that stands for no object; for Keras it is a wrong value."""


def get_custom_objects() -> Known:
    """Return what is registered, by name: the dict itself, so that what is put there counts."""
    return _custom


class Unregistered(Known):
    """Custom objects among which everything is taken, by its own name, that is to be saved."""


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Know classes and functions of yours inside the block, by the names that files call them.

    Examples
    --------
    >>> from minigrad import regularizers
    >>> def halved(kernel):
    ...     return 0.5 * (kernel * kernel).sum()
    >>> with custom_object_scope({"halved": halved}):
    ...     regularizers.get("halved") is halved
    True
    """
    inner = {} if custom_objects is None else custom_objects
    token = _in_scope.set((inner, *_in_scope.get()))
    try:
        yield
    finally:
        _in_scope.reset(token)


@contextmanager
def by_own_names() -> Iterator[None]:
    """A block, or a function, in which what is not registered is described by its own name."""
    is_so = isinstance(next(iter(_in_scope.get()), None), Unregistered)
    with nullcontext() if is_so else custom_object_scope(Unregistered()):
        yield


def _known_custom() -> Mapping[str, Any]:
    return ChainMap(*_in_scope.get(), _custom)


class Registry:
    """The known objects of one kind, by name.

    Messages call one of them a `kind`, such as ``"regularizer"``; `is_valid` tells them from other
    things. With `returns_functions`, plain functions are the objects, and not makers of them.
    """

    def __init__(
        self,
        kind: str,
        returns_functions: bool = False,
        is_valid: Callable[[Any], bool] = callable,
    ) -> None:
        self.kind = kind
        self._a_kind = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        self._returns_functions = returns_functions
        self._is_valid = is_valid
        self.plural = f"{kind}es" if kind.endswith("s") else f"{kind}s"
        self._classes: dict[str, Callable[..., Any]] = {}
        self._by_identifier: dict[str, Callable[[], Any]] = {}
        self._aliases: dict[str, Callable[..., Any]] = {}
        REGISTRIES.append(self)

    def knows(self, kind: Any) -> bool:
        """Whether a class or function is one of minigrad's own, none that a user made."""
        return any(known is kind for known in self._classes.values())

    def knows_name(self, name: str) -> bool:
        """Whether a config may call an object of this kind so."""
        return name in self._classes or name in _known_custom()

    def register(
        self, *identifiers: str, default: Callable[[], Any] | None = None
    ) -> Callable[[T], T]:
        """Make a class or function known by its own name and by `identifiers`.

        `default` makes the object that an identifier stands for; the class without arguments does
        where it is not given.
        """

        def register(thing: T) -> T:
            self._classes[thing.__name__] = thing
            is_ready = self._returns_functions and not isinstance(thing, type)
            make = default or ((lambda: thing) if is_ready else thing)
            for identifier in (thing.__name__, *identifiers):
                self._by_identifier[identifier] = make
                self._aliases[identifier] = thing
            return thing

        return register

    def add(self, name: str, thing: Callable[..., Any]) -> None:
        """Make an object that is ready for use known by `name`."""
        self._classes.setdefault(name, thing)
        self._by_identifier[name] = lambda: thing

    def get(self, identifier: Any) -> Any:
        """Return the object that a name, config, class, callable or object stands for.

        For an unknown name a ValueError has the nearest known ones; other things are TypeErrors.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return self._from_name(identifier)()
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, type):
            made = identifier()
            if not self._is_valid(made):
                raise TypeError(f"{identifier.__name__} is no {self.kind}")
            return made
        if self._is_valid(identifier):
            return identifier
        raise NoIdentifierError(
            f"expected {self._a_kind}: a name, a callable, a config or None. "
            f"Received: {identifier!r} of type {type(identifier).__name__}"
        )

    def serialize(self, thing: Any) -> Any:
        """Return the config of an object: its registered name and what makes it again.

        A ValueError tells the way out for what has no name that would lead back to it.
        """
        if thing is None:
            return None
        name, found = self._name_of(thing)
        if found is thing:  # a function, or an object that is ready for use
            return {"class_name": name, "config": None}
        if not hasattr(thing, "get_config"):
            raise ValueError(
                f"{self.kind} {name!r} must define get_config() to be saved, returning "
                "a dict of its constructor's arguments"
            )
        return {"class_name": name, "config": thing.get_config()}

    def _name_of(self, thing: Any) -> tuple[str, Any]:
        """Return the name that leads to an object or to its class, and which of them it is."""
        is_function = isinstance(thing, FunctionType | BuiltinFunctionType)
        maker = thing if is_function else type(thing)
        for name, candidate in self._classes.items():
            if candidate is maker or candidate is thing:
                return name, candidate
        for name, candidate in _known_custom().items():
            if candidate is maker or candidate is thing:
                return self._not_taken(name), candidate
        name = getattr(thing, "__name__", None) or type(thing).__name__
        if name == "<lambda>":
            raise ValueError(
                f"a lambda cannot be saved as {self.kind}: no name leads back to it. Define it "
                "with `def` and decorate it with @mg.register_serializable()."
            )
        scope = next(iter(_in_scope.get()), None)
        if not isinstance(scope, Unregistered) or not (is_function or hasattr(thing, "get_config")):
            raise ValueError(
                f"{self.kind} {name!r} is not registered, so a saved model could not be loaded "
                "again. Decorate its definition with @mg.register_serializable()."
            )
        if scope.setdefault(name, maker) is not maker:
            raise ValueError(f"two things to be saved share the name {name!r}: register them")
        return self._not_taken(name), maker

    def _not_taken(self, name: str) -> str:
        if name in self._classes:
            raise ValueError(
                f"{name!r} is the name of a known {self.kind}, which would be loaded in place of "
                "yours. Register yours by another name: @mg.register_serializable(name=…)"
            )
        return name

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return the object that a config describes; `custom_objects` are known by their names.

        A ValueError for an unknown class says how to register it.
        """
        if config is None:
            return None
        if custom_objects:
            with custom_object_scope(custom_objects):
                return self.deserialize(config)
        if isinstance(config, str):
            return self.get(config)
        if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
            raise ValueError(
                f"expected {self._a_kind} config with a 'class_name'. Received: {config!r}"
            )
        name = config["class_name"]
        custom = _known_custom()
        maker = self._classes.get(name) or custom.get(name) or self._aliases.get(name.lower())
        if maker is None:
            raise ValueError(
                f"unknown {self.kind} {name!r} in a config."
                f"{did_you_mean(name, [*self._classes, *custom])} If it is your own, "
                "decorate its definition with @mg.register_serializable() and run that first, or "
                f"pass it: custom_objects={{{name!r}: …}}."
            )
        settings = config.get("config")
        if settings is None:
            return maker() if isinstance(maker, type) else maker
        if not isinstance(settings, dict):
            raise ValueError(f"the config of {self.kind} {name!r} must be a dict: {settings!r}")
        from_config = getattr(maker, "from_config", None)
        return from_config(settings) if from_config else maker(**settings)

    def _from_name(self, name: str) -> Callable[[], Any]:
        for known in (name, name.lower()):
            if known in self._by_identifier:
                return self._by_identifier[known]
        custom = _known_custom()
        if name in custom:
            thing = custom[name]
            return thing if isinstance(thing, type) else (lambda: thing)
        own = {make: own for own, make in reversed(self._by_identifier.items())}.values()
        raise ValueError(
            f"unknown {self.kind} {name!r}.{did_you_mean(name, [*self._by_identifier, *custom])} "
            f"Known: {', '.join(sorted(own))}"
        )
