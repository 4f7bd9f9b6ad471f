"""What arguments there are: for help, for Jupyter's Shift-Tab, and for who misspells one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from minigrad.engine.suggestions import nearest

F = TypeVar("F", bound=Callable[..., Any])


class FullSignature:
    """A class attribute: what a constructor takes itself, then what it hands on to its bases.

    Without it, only the parameters of the layer itself would be seen, and ``**arguments``.
    """

    def __get__(self, instance: Any, owner: type) -> Any:
        import inspect  # slow to load, and only needed to look at a signature

        found: dict[str, inspect.Parameter] = {}
        constructors = [
            vars(kind)["__init__"] for kind in owner.__mro__[:-1] if "__init__" in vars(kind)
        ]
        for constructor in constructors:
            own = list(inspect.signature(constructor).parameters.values())[1:]
            hands_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in own)
            for parameter in own:
                if parameter.kind is not parameter.VAR_KEYWORD:
                    # Only the outermost constructor takes some by their place.
                    how = (
                        parameter.kind if constructor is constructors[0] else parameter.KEYWORD_ONLY
                    )
                    found.setdefault(parameter.name, parameter.replace(kind=how))
            if not hands_on:
                break
        return inspect.Signature(sorted(found.values(), key=lambda parameter: parameter.kind))


def says_what_was_meant(method: F) -> F:
    """Let a method refuse a keyword that it does not have, with the nearest of its own."""
    code = method.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]

    @wraps(method)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        for name in keywords.keys() - set(known):
            near = nearest(name, known, 1, cutoff=0.6)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}"
            raise TypeError(f"{method.__name__} takes no argument {name!r}.{hint}")
        return method(*arguments, **keywords)

    return checked  # type: ignore[return-value]
