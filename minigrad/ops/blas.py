"""BLAS, the library that NumPy's products come from, and how many threads it uses.

OpenBLAS, which NumPy's wheels bring, spreads each large product over threads of its own, and lets
one such product wait for the other. For some 20 ms after it, they wait for the next product by
spinning, and take the processors from whatever threads would run meanwhile. So where threads of
ours share work (`threads.py`), BLAS is told to compute on the thread that asks, for so long.

With a BLAS that cannot be told so, all works the same, only not as fast.
"""

from __future__ import annotations

from threading import Lock
from typing import Any


class _Alone:
    """A ``with`` block, for any number of threads at once, in which BLAS starts no thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._libraries: list[Any] | None = None
        self._before: list[int] = []
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._before:  # else an interrupt came before they were restored
                self._before = self._limits()
            if self._inside == 0:
                self._set([1] * len(self._before))
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._restore()

    @property
    def limit(self) -> int | None:
        """How many threads BLAS may use outside of such a block; None if it does not say."""
        with self._lock:
            return min(self._before or self._limits(), default=None)

    def release(self) -> None:
        """End all blocks: in a forked process, the threads that were inside are no more."""
        self._lock = Lock()
        self._inside = 0
        self._restore()

    def _restore(self) -> None:
        self._set(self._before)
        self._before = []

    def _limits(self) -> list[int]:
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

            found = ThreadpoolController().select(user_api="blas")
            self._libraries = list(found.lib_controllers)
        return [library.get_num_threads() or 1 for library in self._libraries]

    def _set(self, limits: list[int]) -> None:
        for library, limit in zip(self._libraries or (), limits, strict=False):
            library.set_num_threads(limit)
            # Otherwise threadpoolctl would let no other thread change the limit from now on.
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread()


ALONE = _Alone()
