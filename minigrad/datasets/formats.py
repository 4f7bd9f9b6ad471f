"""Readers, one a file format. Each returns an array or raises a DataError that names the place."""

from __future__ import annotations

import csv
import gzip
import math
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.datasets.errors import DataError

Array = np.ndarray[Any, Any]

_UNREADABLE = (ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError)


def read_npz(file: Path) -> Array:
    """Read the array of a ``.npz``: the only one, or that named ``x`` or ``images``."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            names = [name for name in ("x", "images") if name in archive.files]
            if not names and len(archive.files) == 1:
                names = archive.files
            if not names:
                raise DataError(
                    f"{file} holds {', '.join(archive.files) or 'no array'}. Expected a single "
                    "array, or one named 'x' or 'images'."
                )
            return archive[names[0]]
    except DataError:
        raise
    except (*_UNREADABLE, AttributeError, TypeError) as error:
        raise DataError(f"{file} is no readable .npz of plain numbers: {error}") from error


def read_npy(file: Path) -> Array:
    """Read a ``.npy``."""
    try:
        values = np.load(file, allow_pickle=False)
    except _UNREADABLE as error:
        raise DataError(f"{file} is no readable .npy of plain numbers: {error}") from error
    if not isinstance(values, np.ndarray):
        raise DataError(f"{file} is an archive of arrays. Name it .npz.")
    return values


def read_csv(file: Path) -> Array:
    """Read lines of numbers, separated by commas, semicolons or tabs; a header may be there."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is no text file in UTF-8: {error}") from error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise DataError(f"{file} is empty. Expected lines of numbers.")
    delimiter = max(",;\t", key=lines[0][1].count)
    rows = [(number, next(csv.reader([line], delimiter=delimiter))) for number, line in lines]
    if _is_header(rows[0][1]):
        rows = rows[1:]
    if not rows:
        raise DataError(f"{file} holds a header and no line of numbers")
    width = len(rows[0][1])
    return np.array([_numbers(file, number, cells, width) for number, cells in rows])


def _is_header(cells: list[str]) -> bool:
    """Whether no cell of the first line is a number."""
    return not any(_is_number(cell) for cell in cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(file: Path, line: int, cells: list[str], width: int) -> list[float]:
    if len(cells) != width:
        raise DataError(
            f"{file}, line {line}: expected {width} columns as in the lines before. "
            f"Received: {len(cells)}"
        )
    for column, cell in enumerate(cells, 1):
        if not _is_number(cell):
            raise DataError(
                f"{file}, line {line}, column {column}: expected a number. Received: {cell!r}"
            )
    numbers = [float(cell) for cell in cells]
    whole = all(cell.strip().lstrip("+-").isdigit() for cell in cells)
    return [int(number) for number in numbers] if whole else numbers


# The third byte of an IDX file names the type of its numbers.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(file: Path) -> Array:
    """Read MNIST's format: a magic number, the lengths of the axes, and the numbers.

    Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (1998).
    """
    try:
        raw = file.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(f"{file} is a damaged gzip file: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES or raw[3] == 0:
        raise DataError(
            f"{file} is no IDX file: expected it to begin with 00 00, a type and a number of "
            f"axes. Received: {raw[:4].hex(' ') or 'nothing'}"
        )
    axes = raw[3]
    start = 4 + 4 * axes
    if len(raw) < start:
        raise DataError(f"{file} ends inside its header, after {len(raw)} bytes")
    shape = struct.unpack(f">{axes}I", raw[4:start])
    kind = np.dtype(_IDX_TYPES[raw[2]])
    expected = start + math.prod(shape) * kind.itemsize
    if len(raw) != expected:
        raise DataError(
            f"{file} declares an array of shape {shape}, so {expected:,} bytes. "
            f"Received: {len(raw):,} bytes. The file is cut off or damaged."
        )
    return np.frombuffer(raw, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
