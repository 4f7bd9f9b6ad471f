"""What is to be run: each combination of strengths, with each seed, on each fold."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.checks import is_whole, not_negative, positive_integer
from minigrad.engine import Tensor
from minigrad.engine.dtypes import numeric_array
from minigrad.training.data import as_data

Array = np.ndarray[Any, Any]
OWNER = "regularization_path"
# Columns of the table that a strength of the same name would hide.
_TAKEN = ("seed", "fold", "epochs", "loss", "data", "seconds", "error")


@dataclass(frozen=True)
class Run:
    """One training: the strengths of its penalties, its seed, and its fold, if there are folds."""

    strengths: dict[str, float]
    seed: int
    fold: int | None

    def __str__(self) -> str:
        parts = [f"{name}={value:g}" for name, value in self.strengths.items()]
        return " ".join([*parts, f"seed={self.seed}"]) + (
            "" if self.fold is None else f" fold={self.fold}"
        )


@dataclass(frozen=True)
class Settings:
    """What all runs have in common."""

    epochs: int
    batch_size: int
    folds: int | None
    active_threshold: float | None
    active_layers: tuple[str, ...] | None
    keep_weights: bool
    dtype: str


@dataclass(frozen=True)
class Data:
    """Training samples, and others to validate with; targets that are None are the inputs."""

    x: Array
    y: Array | None
    held_out_x: Array | None
    held_out_y: Array | None

    def parts(self) -> tuple[Array | None, ...]:
        """Return the four arrays apart, see `perform`."""
        return self.x, self.y, self.held_out_x, self.held_out_y


def runs(grid: Any, seeds: Any, folds: int | None) -> list[Run]:
    """Return all runs, in the order of the table: strengths, then seeds, then folds."""
    if not isinstance(grid, Mapping):
        raise TypeError(
            f"{OWNER}: grid must map names of strengths to lists, as in "
            f"{{'l1': [0, 1e-3]}}. Received: {grid!r}"
        )
    if not grid:
        raise ValueError(f"{OWNER}: grid must have at least one strength. Received: {grid!r}")
    values = [_strengths(name, given) for name, given in grid.items()]
    seed_list = _distinct("seeds", [seeds] if isinstance(seeds, int) else seeds)
    for seed in seed_list:
        if not is_whole(seed) or seed < 0:
            raise ValueError(f"{OWNER}: seeds must be whole numbers ≥ 0. Received: seeds={seeds!r}")
    fold_list = [None] if folds is None else range(folds)
    return [
        Run(dict(zip(grid, strengths, strict=True)), int(seed), fold)
        for strengths in itertools.product(*values)
        for seed in seed_list
        for fold in fold_list
    ]


def _strengths(name: Any, given: Any) -> list[float]:
    """Return the values of one strength as plain numbers; whole ones stay whole."""
    if not isinstance(name, str) or not name.isidentifier() or name in _TAKEN:
        raise ValueError(
            f"{OWNER}: a strength's name must be an argument of build, other than "
            f"{', '.join(_TAKEN)}. Received: {name!r}"
        )
    values = _distinct(name, given)
    for value in values:
        not_negative(OWNER, name, value)
    return [value.item() if isinstance(value, np.generic) else value for value in values]


def _distinct(name: str, given: Any) -> list[Any]:
    """Return a list of values of which none stands twice."""
    if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray | range):
        raise ValueError(f"{OWNER}: {name} must be a list. Received: {name}={given!r}")
    values = list(given)
    if not values or len(set(values)) < len(values):
        raise ValueError(
            f"{OWNER}: {name} must hold at least one value, and each only once. "
            f"Received: {name}={given!r}"
        )
    return values


def check_folds(folds: Any, validation_data: Any, samples: int) -> int | None:
    """Return the number of folds."""
    if folds is None:
        return None
    if validation_data is not None:
        raise ValueError(
            f"{OWNER}: each fold is validated on what it leaves out, so folds and "
            "validation_data exclude each other. Received: both"
        )
    if not 2 <= positive_integer(OWNER, "folds", folds) <= samples:
        raise ValueError(
            f"{OWNER}: folds must be from 2 to {samples}, the number of samples. "
            f"Received: folds={folds!r}"
        )
    return int(folds)


def check_data(x: Any, y: Any, validation_data: Any, dtype: np.dtype[Any]) -> Data:
    """Return the samples as arrays."""
    x, y = _arrays(("x", "y"), x, y, dtype)
    if validation_data is None:
        return Data(x, y, None, None)
    pair = validation_data if isinstance(validation_data, tuple | list) else (validation_data, None)
    if len(pair) != 2:
        raise ValueError(
            f"{OWNER}: validation_data must be an array or a pair (x, y). "
            f"Received: {len(pair)} parts"
        )
    names = "validation x", "validation y"
    held_out_x, held_out_y = _arrays(names, pair[0], pair[1], dtype)
    if (y is None) != (held_out_y is None):
        raise ValueError(
            f"{OWNER}: either both the training and the validation data have targets y, or "
            "neither. Received: one of them without"
        )
    return Data(x, y, held_out_x, held_out_y)


def _arrays(
    names: tuple[str, str], x: Any, y: Any, dtype: np.dtype[Any]
) -> tuple[Array, Array | None]:
    inputs = _array(names[0], x, dtype)
    if y is None or y is x:
        return inputs, None
    targets = _array(names[1], y, dtype)
    if len(inputs) != len(targets):
        raise ValueError(
            f"{OWNER}: {names[0]} and {names[1]} must have the same number of samples. "
            f"Received: shapes {inputs.shape} and {targets.shape}"
        )
    return inputs, targets


def _array(name: str, values: Any, dtype: np.dtype[Any]) -> Array:
    """Return samples as an array; floating numbers keep their precision, for models in float64."""
    array = numeric_array(values.numpy() if isinstance(values, Tensor) else values)
    return as_data(name, array, array.dtype if array.dtype.kind == "f" else dtype)


def check_build(build: Callable[..., Any], grid: Mapping[str, Any]) -> None:
    """Refuse a `build` that does not take the strengths."""
    if not callable(build):
        raise TypeError(
            f"{OWNER}: build must be a function that returns a compiled model. Received: {build!r}"
        )
    try:
        signature = inspect.signature(build)
    except ValueError:  # something written in C, which cannot be asked
        return
    try:
        signature.bind(**dict.fromkeys(grid))
    except TypeError as error:
        raise TypeError(
            f"{OWNER}: build is called with {', '.join(f'{name}=…' for name in grid)}, the names "
            f"in the grid, but it takes {signature}: {error}"
        ) from error
