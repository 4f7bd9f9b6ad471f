"""Ctrl-C while training: the step that is going on is finished first."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any, Self


class DeferredInterrupt:
    """A ``with`` block in which Ctrl-C sets `received`, and only a second one raises at once.

    So weights and running averages are never left in the middle of a step. Outside of the main
    thread, and where somebody else handles the signal, nothing changes.
    """

    def __init__(self) -> None:
        self.received = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True


def is_interactive() -> bool:
    """Whether a person sits in front: in Jupyter, IPython or Python's own prompt."""
    return hasattr(sys, "ps1") or "get_ipython" in vars(__import__("builtins"))
