"""Samples from a user's own file: .npz, .npy, .csv or MNIST's IDX format."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.datasets.errors import DataError
from minigrad.datasets.formats import read_csv, read_idx, read_npy, read_npz

Array = np.ndarray[Any, Any]

_READERS: dict[str, Callable[[Path], Array]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
    ".idx": read_idx,
}


class Table(NamedTuple):
    """Samples as rows.

    Attributes
    ----------
    values : ndarray of float32, shape (samples, features)
        Finite numbers.
    image_shape : tuple of int, or None
        Each sample's shape as an image: as the file gives it, or square if the number of features
        is; None otherwise.
    note : str
        What was read, and whether it was scaled.
    """

    values: Array
    image_shape: tuple[int, int] | None
    note: str


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read samples from a file: one row each, images laid out in rows.

    Whole numbers (pixels) that are not negative are divided by the largest of them, so that they
    lie in [0, 1]; other numbers are left as they are.

    Parameters
    ----------
    path
        ``.npz`` (its only array, or the one named ``x`` or ``images``), ``.npy``, ``.csv``
        (commas, semicolons or tabs; a header line may be there), or IDX (``.idx``,
        ``…-ubyte``), the latter also packed by gzip (``.gz``).

    Raises
    ------
    DataError
        If the file is missing, unreadable, damaged, empty, no table of finite numbers, or of an
        unknown kind; on one line, with the place in the file and the way out.
    """
    file = Path(path)
    try:
        values = _reader(file)(file)
    except FileNotFoundError:
        raise DataError(f"there is no file {file}") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    return _as_table(file, values)


def _reader(file: Path) -> Callable[[Path], Array]:
    if file.is_dir():
        raise DataError(f"{file} is a folder. Expected a file of samples.")
    name = file.name.lower().removesuffix(".gz")
    if name.endswith("ubyte"):
        return read_idx
    ending = Path(name).suffix
    if ending not in _READERS or (file.name.lower().endswith(".gz") and ending != ".idx"):
        raise DataError(
            f"{file}: unknown kind of file. Expected one of {', '.join(_READERS)}, or MNIST's "
            "names ending in -ubyte or -ubyte.gz"
        )
    return _READERS[ending]


def _as_table(file: Path, values: Array) -> Table:
    if values.dtype.kind not in "fiub":
        raise DataError(f"{file}: expected numbers. Received: an array of dtype {values.dtype}")
    if values.ndim < 2 or values.size == 0 or len(values) < 2:
        raise DataError(
            f"{file}: expected at least 2 samples, as rows of a table. "
            f"Received: an array of shape {values.shape}"
        )
    rows = values.reshape(len(values), -1)
    finite = np.isfinite(rows)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{file}: {int((~finite).sum())} values are nan or infinite, the first in row "
            f"{row + 1}, column {column + 1}. Clean the data first, or leave those rows out."
        )
    shape = values.shape[1:] if values.ndim == 3 else _square(rows.shape[1])
    note = f"{len(rows):,} samples of {rows.shape[1]} features"
    if rows.dtype.kind in "iu" and rows.min() >= 0 and rows.max() > 1:
        note += f", whole numbers divided by {rows.max()}."
        rows = rows / rows.max()
    else:
        note += "."
    return Table(rows.astype(np.float32), shape, note)


def _square(features: int) -> tuple[int, int] | None:
    side = math.isqrt(features)
    return (side, side) if side > 1 and side * side == features else None
