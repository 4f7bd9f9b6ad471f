"""One run, wherever it takes place: seeded, on one thread, measured; an error is its result."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import seeds
from minigrad.engine import get_default_dtype, set_default_dtype
from minigrad.search.measure import active_units, kernel_norms, kernels
from minigrad.search.plan import Array, Data, Run, Settings
from minigrad.training import Model

Row = dict[str, Any]
Pair = tuple[Array, Array]

# Seeds and the default dtype belong to the process, so its threads take turns.
_TURN = threading.RLock()


@dataclass(frozen=True)
class Outcome:
    """A row of the table, and the kernel of the first layer if it is to be kept."""

    row: Row
    kernel: Array | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the run came to its end."""
        return self.row["error"] is None


def perform(
    build: Callable[..., Any],
    callbacks: Callable[[], Any] | None,
    run: Run,
    settings: Settings,
    *parts: Any,
) -> Outcome:
    """Train and measure one model; whatever is raised meanwhile becomes the row's ``error``.

    `parts` are those of the data: apart, so that joblib shares each instead of copying it.
    """
    with _TURN, _alone(run.seed, settings.dtype):
        start = time.perf_counter()
        measured: Row = {}
        kernel = error = None
        try:
            train, held_out = _split(run, settings, Data(*parts))
            model, epochs = _train(build, callbacks, run, settings, train, held_out)
            measured = {"epochs": epochs, **_measure(model, settings, train, held_out)}
            _check_names(run, measured)
            if settings.keep_weights:
                kernel = next((kernel for _, kernel in kernels(model)), None)
        except (Exception, SystemExit) as failure:  # Ctrl-C is meant for all runs, not for one
            measured, error = {}, describe(failure)
        seconds = time.perf_counter() - start
    return Outcome(row_of(run, measured, seconds, error), kernel)


def row_of(run: Run, measured: Row, seconds: float, error: str | None) -> Row:
    """Return a run's row."""
    start = {**run.strengths, "seed": run.seed}
    if run.fold is not None:
        start["fold"] = run.fold
    return {**start, **measured, "seconds": seconds, "error": error}


def describe(error: BaseException) -> str:
    """Return an error as ``type: message``."""
    return f"{type(error).__name__}: {error}"


@contextmanager
def _alone(seed: int, dtype: str) -> Iterator[None]:
    """A ``with`` block with seeds, default dtype and one thread of its own; then all is as before.

    On one thread, as a matrix product's last bits depend on how many threads share it.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    before = seeds._generator, np.random.get_state(), random.getstate(), get_default_dtype()
    try:
        seeds.set_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        set_default_dtype(dtype)
        with threadpool_limits(limits=1):
            yield
    finally:
        seeds._generator = before[0]
        np.random.set_state(before[1])
        random.setstate(before[2])
        set_default_dtype(before[3])


def _split(run: Run, settings: Settings, data: Data) -> tuple[Pair, Pair | None]:
    """Return the samples to train on, and those to validate with, if any.

    Folds are drawn the same way for all runs, so that their errors can be compared pairwise.
    """
    x, y = data.x, data.y
    if run.fold is None or settings.folds is None:
        has_others = data.held_out_x is not None
        return _pair(x, y), _pair(data.held_out_x, data.held_out_y) if has_others else None
    order = np.random.default_rng(0).permutation(len(x))
    parts = np.array_split(order, settings.folds)
    left_out = parts.pop(run.fold)
    kept = np.concatenate(parts)
    train, held_out = (
        _pair(x[chosen], None if y is None else y[chosen]) for chosen in (kept, left_out)
    )
    return train, held_out


def _pair(x: Any, y: Array | None) -> Pair:
    return x, x if y is None else y


def _train(
    build: Callable[..., Any],
    callbacks: Callable[[], Any] | None,
    run: Run,
    settings: Settings,
    train: Pair,
    held_out: Pair | None,
) -> tuple[Model, int]:
    """Return the trained model, and the number of its epochs."""
    model = build(**run.strengths)
    if not isinstance(model, Model) or model.optimizer is None:
        raise TypeError(
            "build must return a model that is compiled, and not yet trained. "
            f"Received: {model!r}" + (", not compiled" if isinstance(model, Model) else "")
        )
    if model.optimizer.iterations:
        raise ValueError(
            "build must make a new model for each run. Received: one that has been trained for "
            f"{model.optimizer.iterations} steps"
        )
    history = model.fit(
        *train,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        verbose=0,
        callbacks=None if callbacks is None else callbacks(),
        validation_data=None if callbacks is None else held_out,  # only callbacks look at it
    )
    if history.stopped_by == "Ctrl-C":  # in Jupyter, fit returns what there is
        raise KeyboardInterrupt
    return model, len(history.epoch)


def _check_names(run: Run, measured: Row) -> None:
    """Refuse a strength that is called as one of the measured numbers, which would hide it."""
    for name in run.strengths:
        if name in measured:
            raise ValueError(
                f"the strength {name!r} has the name of something measured. Give the argument of "
                "build, and the entry of the grid, another one"
            )


def _measure(model: Model, settings: Settings, train: Pair, held_out: Pair | None) -> Row:
    """Return the row's numbers, all of the weights at the end."""
    measured: Row = model.evaluate(*train, batch_size=settings.batch_size, return_dict=True)
    if held_out is not None:
        validated = model.evaluate(*held_out, batch_size=settings.batch_size, return_dict=True)
        measured |= {f"val_{name}": value for name, value in validated.items()}
    samples, _ = train if held_out is None else held_out
    measured |= active_units(
        model, samples, settings.batch_size, settings.active_threshold, settings.active_layers
    )
    return {**measured, **kernel_norms(model)}
