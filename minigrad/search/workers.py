"""Runs spread over workers by joblib, and what happens when a worker dies."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from minigrad.search.plan import Data, Run
from minigrad.search.run import Outcome, describe, row_of

Perform = Callable[..., Outcome]

# After so many deaths in a row, runs alone included, it is not the runs that kill the workers.
_PATIENCE = 5


def require() -> None:
    """Look for what only a search needs."""
    try:
        for name in ("joblib", "cloudpickle"):
            import_module(name)
    except ImportError as error:
        raise ImportError(
            f"regularization_path needs {error.name}, which minigrad itself does not. Install "
            "what it needs with: pip install joblib cloudpickle"
        ) from error


def check_sendable(n_jobs: int | None, **functions: Any) -> None:
    """Refuse functions that cannot travel to a worker, before any has been started."""
    import cloudpickle  # type: ignore[import-untyped]

    if n_jobs == 1:
        return
    for name, function in functions.items():
        try:
            cloudpickle.dumps(function)
        except Exception as error:
            raise TypeError(
                f"regularization_path: {name} cannot be sent to a worker: {describe(error)}. Make "
                "what it holds (an open file, a lock, …) inside of it, or set n_jobs=1."
            ) from error


def in_parallel(
    perform: Perform,
    fixed: Sequence[Any],
    runs: Mapping[int, Run],
    settings: Any,
    data: Data,
    n_jobs: int | None,
) -> Iterator[tuple[int, Outcome]]:
    """Yield each run's place and outcome, as they come.

    When a worker dies (killed, out of memory, its machine gone), joblib gives up all runs that are
    under way. Those are begun again. If not one came to its end since the last death, the first of
    them is tried alone: should its worker die again, that is the run's error, and others go on.
    """
    import joblib  # type: ignore[import-untyped]  # it has no types, and is loaded when needed

    pending = dict(runs)
    alone = False
    deaths = 0
    while pending:
        left = len(pending)
        chosen = dict([next(iter(pending.items()))]) if alone else dict(pending)
        calls = (
            joblib.delayed(_numbered)(number, perform, *fixed, run, settings, *data.parts())
            for number, run in chosen.items()
        )
        try:
            for number, outcome in _stream(joblib, calls, n_jobs):
                del pending[number]
                deaths = 0
                yield number, outcome
            alone = False
        except Exception as error:  # what a run itself raises comes back in its outcome
            deaths += 1
            given_up = pending if deaths > _PATIENCE else chosen if alone else {}
            for number, run in list(given_up.items()):
                del pending[number]
                yield number, Outcome(row_of(run, {}, math.nan, describe(error)))
            alone = not alone and len(pending) == left


def _numbered(number: int, perform: Perform, *arguments: Any) -> tuple[int, Outcome]:
    return number, perform(*arguments)


def _stream(joblib: Any, calls: Iterator[Any], n_jobs: int | None) -> Iterator[Any]:
    """Yield results as they come, or by handfuls from backends that cannot do that, as Ray's."""
    try:
        parallel = joblib.Parallel(n_jobs, batch_size=1, return_as="generator_unordered")
    except ValueError:
        parallel = joblib.Parallel(n_jobs, batch_size=1)
    else:
        yield from parallel(calls)
        return
    handful = 2 * joblib.effective_n_jobs(n_jobs)
    while chosen := list(islice(calls, handful)):
        yield from parallel(chosen)
