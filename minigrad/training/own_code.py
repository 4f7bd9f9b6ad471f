"""Own code: whose is a function that runs in a pass, whatever it says of itself?

`functools.wraps` copies a function's name and module, and anybody can set them; so neither tells
whose it is. Its code does: the file that it was compiled from, and the module whose names it sees.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib.util import find_spec
from types import CodeType, FrameType
from typing import Any, Self

import numpy as np

from minigrad.engine.recorder import NotRepeatableError

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_PYTHON = os.path.dirname(os.__file__) + os.sep
_NUMPY = os.path.dirname(np.__file__) + os.sep
_INSTALLED = _PYTHON + "site-packages"
# Convolutions ask it how many threads BLAS may use; it computes nothing.
_THREADS = str(getattr(find_spec("threadpoolctl"), "origin", None))

Names = dict[str, Any]
Function = tuple[CodeType, Names]  # what it does, and where it looks names up


def is_ours(code: CodeType, names: Names) -> bool:
    """Whether code was compiled from a file of this package, and sees the names of its module."""
    module = sys.modules.get(names.get("__name__", ""))
    return code.co_filename.startswith(_OURS) and module is not None and vars(module) is names


def is_known(code: CodeType, names: Names) -> bool:
    """Whether code is ours, Python's or NumPy's, and no user's."""
    file = code.co_filename
    if file.startswith((_NUMPY, _THREADS, "<frozen ")) or is_ours(code, names):
        return True
    made_by_python = file == "<string>" and names.get("__name__", "").startswith("namedtuple_")
    return made_by_python or (file.startswith(_PYTHON) and not file.startswith(_INSTALLED))


class ran:  # noqa: N801  (a ``with`` block that reads well)
    """A ``with`` block that notes which functions run in it, and raises before a user's does."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int], Function] = {}  # by identity
        self._stranger = ""
        self._outside: FrameType | None = None

    def __enter__(self) -> Self:
        self._collects = gc.isenabled()
        gc.disable()  # it would call what has nothing to do with this
        self._outside = sys._getframe(1)
        sys.setprofile(self._note)
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        sys.setprofile(None)
        self._outside = None  # a frame holds its names, and so this block
        if self._collects:
            gc.enable()
        if self._stranger and kind is None:  # somebody has caught the error
            self._refuse()

    def _note(self, frame: FrameType, event: str, argument: Any) -> None:
        code, names = frame.f_code, frame.f_globals
        key = id(code), id(names)
        if event != "call" or key in self.seen:
            return
        if is_known(code, names):
            self.seen[key] = code, names
        elif not self._is_beside(frame):
            self._stranger = code.co_qualname
            self._refuse()

    def _is_beside(self, frame: FrameType | None) -> bool:
        """Whether Python itself calls a function: a hook of an import, or when something is freed.

        Garbage collection is off here, but another thread may switch it on.
        """
        hooks = [getattr(hook, "__code__", None) for hook in gc.callbacks]
        while frame is not None and frame is not self._outside:
            code = frame.f_code
            if code.co_filename.startswith("<frozen importlib") or code.co_name == "__del__":
                return True
            if code in hooks:
                return True
            frame = frame.f_back
        return False

    def _refuse(self) -> None:
        raise NotRepeatableError(f"{self._stranger} may look at anything")
