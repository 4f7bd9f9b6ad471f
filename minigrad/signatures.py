"""The full signature of a constructor, as help and Jupyter's Shift-Tab show it."""

from __future__ import annotations

from typing import Any


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
