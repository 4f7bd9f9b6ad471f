"""The regularization path: what becomes of a model as its penalties grow stronger."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from minigrad.checks import is_whole, not_negative, or_none, positive_integer
from minigrad.engine import get_default_dtype
from minigrad.search import plan
from minigrad.search.fingerprint import fingerprint
from minigrad.search.plan import OWNER, Run, Settings
from minigrad.search.run import Outcome, perform
from minigrad.search.store import Store
from minigrad.search.table import PathTable
from minigrad.search.workers import check_sendable, in_parallel, require
from minigrad.training.interrupt import is_interactive


def regularization_path(
    build: Callable[..., Any],
    grid: Mapping[str, Sequence[float]],
    x: Any,
    y: Any = None,
    *,
    seeds: int | Sequence[int] = (0,),
    folds: int | None = None,
    validation_data: Any = None,
    epochs: int = 20,
    batch_size: int = 32,
    callbacks: Callable[[], Any] | None = None,
    active_layers: Sequence[str] | None = None,
    active_threshold: float | None = None,
    keep_weights: bool = True,
    store: str | os.PathLike[str] | None = None,
    n_jobs: int | None = -1,
    verbose: int = 1,
) -> PathTable:
    """Train a model for each combination of penalty strengths, seeds and folds: θ*(λ) along λ.

    Runs are independent, so they are spread over the cores of this machine, or over a cluster:
    they go through joblib, in processes by default, and on Dask or Ray inside of
    ``with joblib.parallel_config(backend="dask"):``, without another line changed.

    Every number but ``seconds`` is the same, to the last bit, however many workers there are and
    whichever comes first, on machines with the same processor, NumPy and Python: each run has its
    own seed (minigrad's, NumPy's and Python's are set before `build`), and computes on one thread.
    What `build` takes from elsewhere (the clock, files, the order of a set of strings) is its own
    affair. Threads of one process take turns, as seeds belong to the process: give a Dask worker
    one thread.

    Parameters
    ----------
    build
        Called as ``build(l1=0.001, l2=0.0)`` for a grid of ``l1`` and ``l2``; returns a new
        compiled model, not yet trained. It may be a lambda, or defined in a notebook.
    grid
        By the name of a strength, its values, as in ``{"l1": [0, 1e-3], "l2": [0, 1e-4]}``.
    x, y : array_like
        Inputs and targets. Without targets, the inputs are their own, as for an autoencoder.
    seeds
        One or several; each combination is run with each.
    folds
        Cut the samples into so many parts, and validate a run on one, trained on the others. The
        parts are the same for all runs.
    validation_data
        Samples to validate with: a pair (x, y), or inputs alone if there are no targets.
    epochs, batch_size
        As in `fit`.
    callbacks
        A function that returns the callbacks of a run: each run needs its own.
    active_layers
        Layers whose active units are counted, on the validation data if there are any; by default
        those with an activity penalty, and those named ``codings``.
    active_threshold
        A unit counts as active if the absolute value of its output is above this; by default ½
        behind a sigmoid, and 0 elsewhere.
    keep_weights
        Whether to keep the first layer's kernel of each run, in ``table.kernels``.
    store
        A folder. Each run that has finished is written there, at once and whole; what is found
        there is not run again. A run is known by its strengths, seed and fold, the arguments here,
        the data, and the code of `build` with the variables that it uses: when one of these
        changes, so do the runs. Runs that failed are not kept.
    n_jobs
        How many processes, -1 for one a core; with 1, all is done in this process. Dask takes what
        the cluster has.
    verbose
        0 for silence, 1 for a progress bar, 2 for a line a run.

    Returns
    -------
    PathTable
        A row for each run, in the order of the grid, then seeds, then folds. If a run raises
        something, or its worker dies twice, the row has that in ``error``, and the others go on.

    Raises
    ------
    TypeError, ValueError
        For arguments that do not fit, before anything is run.
    ImportError
        Without joblib: ``pip install joblib cloudpickle``.
    KeyboardInterrupt
        On Ctrl-C in a script, with the finished runs as its attribute ``table``; Jupyter gets the
        table as usual.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad.layers import Dense
    >>> def build(l1):
    ...     codings = Dense(8, "relu", activity_regularizer=mg.regularizers.L1(l1), name="codings")
    ...     model = mg.Sequential(codings, Dense(64, "sigmoid"))
    ...     model.compile(mg.optimizers.Adam(0.01), loss="mse")
    ...     return model
    >>> x = mg.datasets.load_digits().images[:256]
    >>> table = regularization_path(
    ...     build, {"l1": [0, 0.001, 0.01]}, x, epochs=10, n_jobs=1, verbose=0
    ... )
    >>> table["codings/active"].round(1)
    array([5.8, 4.4, 1. ])
    """
    data = plan.check_data(x, y, validation_data, get_default_dtype())
    settings = Settings(
        epochs=positive_integer(OWNER, "epochs", epochs),
        batch_size=positive_integer(OWNER, "batch_size", batch_size),
        folds=plan.check_folds(folds, validation_data, len(data.x)),
        active_threshold=or_none(not_negative)(OWNER, "active_threshold", active_threshold),
        active_layers=_names(active_layers),
        keep_weights=bool(keep_weights),
        dtype=get_default_dtype().name,
    )
    runs = plan.runs(grid, seeds, settings.folds)
    plan.check_build(build, grid)
    _check_jobs(n_jobs)
    require()
    check_sendable(n_jobs, build=build, callbacks=callbacks)
    kept = None if store is None else Store(store)
    common = "" if kept is None else _common_key(build, callbacks, settings, data.parts())
    keys = [fingerprint(common, asdict(run)) for run in runs]
    outcomes: dict[int, Outcome] = {}
    if kept is not None:
        found = ((place, kept.load(key)) for place, key in enumerate(keys))
        outcomes = {place: outcome for place, outcome in found if outcome is not None}
    left = {place: run for place, run in enumerate(runs) if place not in outcomes}
    interrupted = False
    try:
        with _progress(len(runs), verbose, len(outcomes)) as report:
            fixed = (build, callbacks)
            for place, outcome in in_parallel(perform, fixed, left, settings, data, n_jobs):
                outcomes[place] = outcome
                if kept is not None and outcome.succeeded:
                    kept.save(keys[place], outcome)
                report(runs[place], outcome)
    except KeyboardInterrupt:
        interrupted = True
    ordered = [outcomes[place] for place in sorted(outcomes)]
    table = PathTable(
        [outcome.row for outcome in ordered],
        list(grid),
        [outcome.kernel for outcome in ordered],
        unfinished=len(runs) - len(ordered),
    )
    if interrupted and not is_interactive():
        stop = KeyboardInterrupt(f"{len(outcomes)} of {len(runs)} runs were finished; see .table")
        stop.table = table  # type: ignore[attr-defined]  # what a script may still want
        raise stop
    return table


def _common_key(build: Any, callbacks: Any, settings: Settings, parts: Sequence[Any]) -> str:
    """Return what all runs of a call have in common, as far as it decides their numbers."""
    from minigrad import __version__  # the package itself has been loaded long ago

    return fingerprint(__version__, build, callbacks, asdict(settings), parts)


def _names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str) or (
        value is not None and not all(isinstance(name, str) for name in value)
    ):
        raise TypeError(
            f"{OWNER}: active_layers must be a list of names. Received: active_layers={value!r}"
        )
    return None if value is None else tuple(value)


def _check_jobs(n_jobs: Any) -> None:
    if n_jobs is not None and (not is_whole(n_jobs) or n_jobs == 0):
        raise ValueError(
            f"{OWNER}: n_jobs must be a number of processes, or -1 for one a core. "
            f"Received: n_jobs={n_jobs!r}"
        )


@contextmanager
def _progress(runs: int, verbose: Any, finished: int) -> Iterator[Callable[[Run, Outcome], None]]:
    """Yield a function that is told each run that ends; `finished` were found in the store."""
    if verbose not in (0, 1, 2):
        raise ValueError(f"{OWNER}: verbose must be 0, 1 or 2. Received: verbose={verbose!r}")
    if verbose == 0:
        yield lambda run, outcome: None
        return
    if verbose == 2:
        count = itertools.count(finished + 1)
        yield lambda run, outcome: print(f"{next(count)}/{runs}  {_line(run, outcome)}", flush=True)
        return
    from tqdm import tqdm  # loaded only where a bar is drawn

    # In a file or a notebook each refresh is another line, so there they are rare.
    pause = 0.1 if sys.stdout.isatty() else 2.0
    with tqdm(total=runs, initial=finished, unit="run", file=sys.stdout, mininterval=pause) as bar:

        def advance(run: Run, outcome: Outcome) -> None:
            bar.set_postfix_str(_line(run, outcome), refresh=False)
            bar.update()

        yield advance


def _line(run: Run, outcome: Outcome) -> str:
    row = outcome.row
    if not outcome.succeeded:
        return f"{run}: {row['error']}"
    shown = "val_loss" if "val_loss" in row else "loss"
    return f"{run}: {shown} {row[shown]:.4g}"
