"""Fingerprints: the same for things that give the same numbers, different once one changes.

A function's is that of its code, and of what it uses: defaults, variables around it, and global
ones, those of other modules of its author included. Libraries are known by name only.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

_PYTHON = str(Path(functools.__file__).parent)
_MINIGRAD = str(Path(__file__).parents[1])


def fingerprint(*values: Any) -> str:
    """Return 64 hexadecimal digits that stand for some values.

    Examples
    --------
    >>> fingerprint({"l1": 0.5}) == fingerprint({"l1": 0.5}) != fingerprint({"l1": 0.25})
    True
    >>> def scaled(factor):
    ...     return lambda x: factor * x
    >>> fingerprint(scaled(2)) == fingerprint(scaled(2)) != fingerprint(scaled(3))
    True
    """
    digest = hashlib.sha256()
    for part in _parts(values, ()):
        digest.update(part + b"\0")
    return digest.hexdigest()


def _parts(value: Any, around: tuple[int, ...]) -> Iterator[bytes]:
    """Yield what makes a value different from others; `around` are the ids of what it is in."""
    yield type(value).__name__.encode()
    if value is None or isinstance(value, bool | int | float | complex | str | np.generic):
        yield repr(value).encode()
    elif isinstance(value, bytes):
        yield value
    elif id(value) in around:  # a circle: a function that calls itself, say
        yield str(len(around) - around.index(id(value))).encode()
    else:
        yield from _parts_of_object(value, (*around, id(value)))
        yield b"end"


def _parts_of_object(value: Any, around: tuple[int, ...]) -> Iterator[bytes]:
    inside: Any
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
        return
    if isinstance(value, set | frozenset):  # their order changes from process to process
        inside = sorted(fingerprint(item) for item in value)
    elif isinstance(value, list | tuple):
        inside = value
    elif isinstance(value, dict):
        inside = [part for item in value.items() for part in item]
    elif isinstance(value, types.CodeType):
        inside = (value.co_code, value.co_names, value.co_varnames, value.co_consts)
    elif isinstance(value, functools.partial):
        inside = (value.func, value.args, value.keywords)
    elif isinstance(value, types.MethodType):
        inside = (value.__func__, value.__self__)
    elif _is_from_library(value):
        # A ufunc has only a name before NumPy 2.1.
        name = getattr(value, "__qualname__", value.__name__)
        inside = (getattr(value, "__module__", ""), name)
    elif isinstance(value, types.FunctionType):
        inside = _of_function(value)
    elif isinstance(value, type):
        inside = (value.__qualname__, value.__bases__, _members(value))
    else:
        inside = (type(value), getattr(value, "__dict__", {}))
    for part in inside:
        yield from _parts(part, around)


def _is_from_library(value: Any) -> bool:
    """Whether a module, function or class is minigrad's, of an installed package, or Python's."""
    if isinstance(value, types.FunctionType):
        file = value.__code__.co_filename
    elif isinstance(value, types.ModuleType):
        file = getattr(value, "__file__", None) or next(
            iter(getattr(value, "__path__", [])), _PYTHON
        )
    elif isinstance(value, type | types.BuiltinFunctionType):
        if value.__module__ == "__main__":
            return False
        file = getattr(sys.modules.get(value.__module__ or ""), "__file__", None) or _PYTHON
    else:
        return isinstance(value, np.ufunc)
    return file.startswith((_PYTHON, _MINIGRAD)) or "site-packages" in file


def _of_function(function: types.FunctionType) -> tuple[Any, ...]:
    """Return what a function's results depend on."""
    around = []
    for cell in function.__closure__ or ():
        try:
            around.append(cell.cell_contents)
        except ValueError:  # a variable that has no value yet
            around.append(None)
    used = _used(function.__globals__, set(_names(function.__code__)))
    return function.__code__, function.__defaults__, function.__kwdefaults__, around, used


def _used(variables: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """Return the variables that code with such names may use; for ``module.name``, look inside."""
    used = {}
    for name in sorted(names & set(variables)):
        value = variables[name]
        if isinstance(value, types.ModuleType) and not _is_from_library(value):
            value = _used(vars(value), names - {name})
        used[name] = value
    return used


def _names(code: types.CodeType) -> Iterator[str]:
    """Yield the names of variables around code, and of attributes, in it or in functions inside."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _members(kind: type) -> dict[str, Any]:
    """Return a class's own methods and values, without what Python adds to every class."""
    return {
        name: value
        for name, value in vars(kind).items()
        if not (name.startswith("__") and name.endswith("__")) or name in ("__init__", "__call__")
    }
