"""What a message says of a name that is not there: what to write instead, or the nearest names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from opcode import opmap
from typing import Any

import numpy as np

# Where else a name may stand; plots would load matplotlib.
_NAMESPACES = (
    *("", ".layers", ".activations", ".losses", ".metrics", ".optimizers", ".optimizers.schedules"),
    *(".regularizers", ".initializers", ".constraints", ".callbacks", ".models", ".utils"),
    *(".datasets", ".saving", ".backend", ".testing"),
)
# What is here as NumPy's own functions.
_NUMPY_STANDS_IN = ("minigrad", "minigrad.ops", "minigrad.backend")


_IMPORT_FROM = opmap["IMPORT_FROM"]


def nearest(name: str, known: Iterable[str], number: int = 3, cutoff: float = 0.4) -> list[str]:
    """Return those of `known` that look most like `name`, whatever their case; each one once.

    Examples
    --------
    >>> nearest("rellu", ["elu", "relu", "ReLU", "tanh"], number=1)
    ['relu']
    """
    from difflib import get_close_matches  # only ever needed for an error

    spelt: dict[str, str] = {}
    for candidate in known:
        if candidate.lower() not in spelt or candidate.islower() == name.islower():
            spelt[candidate.lower()] = candidate
    return [spelt[near] for near in get_close_matches(name.lower(), spelt, n=number, cutoff=cutoff)]


def did_you_mean(name: str, known: Iterable[str], number: int = 3, cutoff: float = 0.4) -> str:
    """Return `` Did you mean …?``, or nothing where no known name looks alike."""
    near = nearest(name, known, number, cutoff)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def missing(owner: str, name: str, holder: Any, section: str) -> AttributeError:
    """Return the error for an attribute that `owner` has not; its names are those of `holder`."""
    text = f"{owner} has no attribute {name!r}{_advice(name, holder, section)}"
    return AttributeError(text, name=name)  # with a name, Python adds no guess of its own


def speak_up(module: str, find: Callable[[str], Any] = lambda name: None) -> None:
    """Let a module show its public names by ``dir``, and say more of a name that is not there.

    `find` may load what is loaded when it is first used; it returns None for what is not there.
    """
    namespace = vars(sys.modules[module])

    def __getattr__(name: str) -> Any:  # noqa: N807  (as PEP 562 calls it)
        if (found := find(name)) is not None:
            return found
        caller = sys._getframe(1)
        if caller.f_code.co_code[caller.f_lasti] == _IMPORT_FROM:
            # `from … import` would put words of its own in place of an AttributeError's.
            advice = _advice(name, sys.modules[module], module)
            raise ImportError(f"cannot import name {name!r} from {module!r}{advice}", name=module)
        raise missing(f"module {module!r}", name, sys.modules[module], module)

    namespace["__getattr__"] = __getattr__
    namespace["__dir__"] = lambda: sorted(namespace["__all__"])


def _advice(name: str, holder: Any, section: str) -> str:
    """Return what to write in place of a name that is not there, as the end of a sentence."""
    if name.startswith("_"):  # Python itself asks, when it copies, pickles or shows something
        return ""
    advice = _elsewhere().get(section, {}).get(name)
    if advice is None and section in _NUMPY_STANDS_IN and callable(getattr(np, name, None)):
        advice = f"NumPy's own functions take tensors: np.{name}(…)."
    if advice is None and section.startswith("minigrad"):
        modules = {place: import_module(f"minigrad{place}") for place in _NAMESPACES}
        places = [place for place, module in modules.items() if name in module.__all__]
        advice = f"It is minigrad{places[0]}.{name}." if places else None
    if advice is not None:
        return f". {advice}"
    public = [other for other in dir(holder) if not other.startswith("_")]
    hint = did_you_mean(name, public, cutoff=0.6)
    return f".{hint}" if hint else ""


@cache
def _elsewhere() -> dict[str, dict[str, str]]:
    """Return advice by section and name; the table has several names in a line."""
    import tomllib  # both are slow to load, and only needed for an error
    from pathlib import Path

    table = tomllib.loads(Path(__file__).with_name("elsewhere.toml").read_text(encoding="utf-8"))
    return {
        section: {name: advice for names, advice in lines.items() for name in names.split()}
        for section, lines in table.items()
    }
