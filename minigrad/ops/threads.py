"""Threads that share a loop: NumPy lets the others run while it copies, adds and multiplies.

One pool serves the whole process. It is made when it is first needed, holds no data, and ends with
the interpreter; a forked process makes its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar, copy_context
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from minigrad.ops.blas import ALONE

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# A user who gives BLAS fewer threads, as those do who run several processes, means these too.
LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
MOST = 8


def _number_of_threads() -> int:
    """Return how many threads may work: one for each processor that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    numbers = [len(affinity(0)) if affinity else os.cpu_count() or 1, MOST]
    numbers += [int(os.environ[name]) for name in LIMITS if os.environ.get(name, "").isdigit()]
    return max(1, min(numbers))


class _Pool:
    """The threads beside the one that asks, made at the first request."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the threads: those of a parent do not live on in a forked process."""
        self.lock = Lock()
        self.threads = _number_of_threads()
        self.executor: ThreadPoolExecutor | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Start a call on another thread, with this thread's context: `np.errstate` is there."""
        from concurrent.futures import ThreadPoolExecutor  # a tenth of `import minigrad`

        with self.lock:
            if self.executor is None:
                self.executor = ThreadPoolExecutor(self.threads - 1, "minigrad")
        return self.executor.submit(copy_context().run, function, *arguments)


POOL = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.reset)
    os.register_at_fork(after_in_child=ALONE.release)


def number_of_threads() -> int:
    """Return how many threads may share a loop: no more than BLAS may use now."""
    limit = ALONE.limit
    return POOL.threads if limit is None else min(POOL.threads, limit)


# Whether a shared loop is going on: a loop within it is not shared again, as other threads have
# enough to do.
_SHARING = ContextVar("sharing", default=False)


def shared(work: Callable[[Iterable[int]], None], count: int) -> None:
    """Call `work` on parts of ``range(count)``, each on a thread of its own; wait for all.

    Thread t of T does t, t + T, t + 2 T, …: which numbers go together depends on no timing. Each
    call may make buffers for itself. What it writes must lie apart for different numbers. BLAS
    computes on the threads that ask meanwhile.

    Examples
    --------
    >>> squares = [0] * 5
    >>> def work(numbers):
    ...     for n in numbers:
    ...         squares[n] = n * n
    >>> shared(work, 5)
    >>> squares
    [0, 1, 4, 9, 16]
    """
    if _SHARING.get():
        work(range(count))
        return
    threads = min(number_of_threads(), count)
    with ALONE:
        if threads <= 1:
            work(range(count))
            return
        token = _SHARING.set(True)
        try:
            _share(work, count, threads)
        finally:
            _SHARING.reset(token)


class _Part:
    """A part of a shared loop, done by whichever thread takes it first."""

    def __init__(self, work: Callable[[Iterable[int]], None], numbers: range) -> None:
        self._work, self._numbers = work, numbers
        self._taken, self._done = Lock(), Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do it, unless another thread has begun."""
        if self._taken.acquire(blocking=False):
            try:
                self._work(self._numbers)
            except BaseException as error:
                self.error = error
            finally:
                self._done.set()

    def end(self) -> None:
        """Wait for its end; if nobody has begun, nobody will."""
        if not self._taken.acquire(blocking=False):
            self._done.wait()


def _share(work: Callable[[Iterable[int]], None], count: int, threads: int) -> None:
    parts = [_Part(work, range(t, count, threads)) for t in range(threads)]
    with suppress(RuntimeError):  # the system starts no more threads: then this one does the rest
        for part in parts[1:]:
            POOL.submit(part.run)
    for part in parts:  # also what others have not begun, as they may be busy elsewhere
        part.run()
        if part.error is not None and not isinstance(part.error, Exception):
            break  # Ctrl-C
    for part in parts:
        part.end()
    for part in parts:
        if part.error is not None:
            raise part.error
