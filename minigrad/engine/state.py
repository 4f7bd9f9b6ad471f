"""What the engine remembers between two calls: is it recording, and inside which scope?

Both live in one context variable, so that each thread has its own and a failed call leaves
nothing behind.
"""

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from copy import copy
from typing import Any, NamedTuple, Self


class State(NamedTuple):
    """The recording switch, the current scope, and who watches each op (see `detect_anomaly`).

    And what is known of values that were taken off the tape (see `minigrad.engine.taken`): outside
    of all layers the last one, inside of a layer the places that it has been warned of.
    """

    recording: bool = True
    scope: str = ""
    watcher: Any = None
    taken: Any = None
    told: set[Any] | None = None


STATE: ContextVar[State] = ContextVar("minigrad_state", default=State())  # noqa: B039  (a NamedTuple is immutable)


class override(ContextDecorator):
    """Change some fields of the state inside a ``with`` block or a decorated function."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes
        self._tokens: list[Token[State]] = []  # a stack: the same block may be entered twice

    def _recreate_cm(self) -> Self:
        """Return what a decorated function enters on a call: threads may run it at once."""
        twin = copy(self)
        twin._changes, twin._tokens = dict(self._changes), []
        return twin

    def __enter__(self) -> Self:
        self._tokens.append(STATE.set(STATE.get()._replace(**self._changes)))
        return self

    def __exit__(self, *exception: object) -> None:
        STATE.reset(self._tokens.pop())


class scope(override):
    """Label everything that is computed inside: scopes nest, joined by ``/``.

    Layers open one with their name, so that every op on the tape remembers where it was born.

    Examples
    --------
    >>> with scope("encoder"), scope("dense"):
    ...     print(current_scope())
    encoder/dense
    """

    def __init__(self, name: str, told: set[Any] | None = None) -> None:
        super().__init__()
        if told is not None:
            self._changes |= {"told": told, "taken": None}
        self._name = name

    def __enter__(self) -> Self:
        outer = STATE.get().scope
        self._changes["scope"] = f"{outer}/{self._name}" if outer else self._name
        return super().__enter__()


def no_grad() -> override:
    """Switch recording off: results inside carry no gradient, and cost no memory.

    Works as a context manager and as a decorator (``@no_grad()``).

    Examples
    --------
    >>> import minigrad as mg
    >>> weight = mg.Tensor([1.0, 2.0], requires_grad=True)
    >>> with mg.no_grad():
    ...     doubled = weight * 2
    >>> doubled.requires_grad
    False
    """
    return override(recording=False)


def enable_grad() -> override:
    """Switch recording on again inside a `no_grad` block."""
    return override(recording=True)


def is_recording() -> bool:
    """Whether ops are recorded at this point."""
    return STATE.get().recording


def current_scope() -> str:
    """Return the path of the scopes that are open at this point; empty outside all of them."""
    return STATE.get().scope
