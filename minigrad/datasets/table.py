"""Samples from a user's own file: .npz, .npy, .csv or MNIST's IDX format."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.datasets.delimited import read_csv
from minigrad.datasets.errors import DataError, require_finite
from minigrad.datasets.formats import read_idx, read_npy, read_npz

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
        Each sample's (height, width) as a picture: as the file gives it, or square if the samples
        are rows whose number of features is a square; None otherwise.
    note : str
        What was read, and whether it was scaled.
    """

    values: Array
    image_shape: tuple[int, int] | None
    note: str


def read_table(path: str | os.PathLike[str]) -> Table:
    r"""Read samples from a file: one row each, images laid out in rows.

    Whole numbers (pixels) that are not negative are divided by the largest of them, so that they
    lie in [0, 1]. Other numbers are left as they are; of booleans, true is 1 and false 0.

    Parameters
    ----------
    path : str or path
        ``.npz`` (its only array, or the one named ``x`` or ``images``), ``.npy``, ``.csv``
        (commas, semicolons or tabs; a header line may be there; also ``.tsv`` and ``.txt``), or
        IDX (``.idx``, ``…-ubyte``), the latter also packed by gzip (``.gz``).

    Raises
    ------
    DataError
        If the file is missing, unreadable, damaged, empty, no table of finite numbers, or of an
        unknown kind; on one line, with the place in the file and the way out.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "pixels.csv"
    ...     _ = file.write_text("a;b;c;d\n0;51;102;255\n255;0;0;0\n")
    ...     table = read_table(file)
    >>> table.values
    array([[0. , 0.2, 0.4, 1. ],
           [1. , 0. , 0. , 0. ]], dtype=float32)
    >>> table.image_shape, table.note
    ((2, 2), '2 samples of 4 features, whole numbers divided by 255.')
    """
    file = Path(path)
    try:
        _require_file(file)
        values = _reader(file)(file)
        return _as_table(file, values)
    except FileNotFoundError:
        raise DataError(f"there is no file {file}. Check its name and folder.") from None
    except PermissionError as error:
        raise DataError(
            f"{file} cannot be read: {error.strerror}. Give yourself the right to read it."
        ) from error
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise DataError(
            f"{file} needs more memory than there is. Save fewer samples, or smaller ones."
        ) from error


def _require_file(file: Path) -> None:
    status = file.stat()
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{file} is a folder. Expected a file of samples.")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{file} is no ordinary file. Copy what it gives into one first.")


def _reader(file: Path) -> Callable[[Path], Array]:
    name = file.name.lower().removesuffix(".gz")
    if name.endswith("ubyte"):
        return read_idx
    ending = Path(name).suffix
    if ending not in _READERS or (file.name.lower().endswith(".gz") and ending != ".idx"):
        raise DataError(
            f"{file}: unknown kind of file. Expected one of {', '.join(_READERS)}, .idx.gz, or "
            "MNIST's names ending in -ubyte or -ubyte.gz. Rename, unpack or convert it."
        )
    return _READERS[ending]


def _as_table(file: Path, values: Array) -> Table:
    received = f"Received: an array of shape {values.shape}"
    if values.ndim < 2:
        raise DataError(
            f"{file}: expected samples as rows of a table. {received}, one number a sample (a file "
            "of labels?). Single features need the shape (samples, 1)."
        )
    if len(values) < 2 or values.size == 0:
        empty = "" if values.size else ", which holds no number"
        raise DataError(f"{file}: expected at least 2 samples, as rows. {received}{empty}.")
    rows = values.reshape(len(values), -1)
    require_finite(file, rows)
    scaled, how = _scale(rows)
    note = f"{len(rows):,} samples of {rows.shape[1]} features, {how}."
    return Table(scaled, _image_shape(values.shape[1:]), note)


def _scale(rows: Array) -> tuple[Array, str]:
    """Return the rows as float32, whole numbers that are not negative in [0, 1], and a note."""
    if rows.dtype.kind == "b":
        return rows.astype(np.float32, order="C"), "false as 0 and true as 1"
    if rows.dtype.kind == "f" or rows.min() < 0 or rows.max() <= 1:
        return rows.astype(np.float32, order="C"), "read as they are"
    largest = rows.max()
    scaled = np.divide(rows, largest, dtype=np.float32, order="C")
    return scaled, f"whole numbers divided by {largest}"


def _image_shape(sample: tuple[int, ...]) -> tuple[int, int] | None:
    """Return (height, width) of a sample, from its shape without a lone channel's axis."""
    if len(sample) == 2:
        return sample[0], sample[1]
    axes = [length for length in sample if length > 1]
    if len(axes) == 2:
        return axes[0], axes[1]
    side = math.isqrt(axes[0]) if len(axes) == 1 else 0
    return (side, side) if side > 1 and side * side == axes[0] else None
