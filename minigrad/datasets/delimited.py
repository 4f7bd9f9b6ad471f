"""Reader of lines of numbers, as spreadsheets write them. Each error names line and column."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.datasets.errors import DataError, require_finite

Array = np.ndarray[Any, Any]


def read_csv(file: Path) -> Array:
    """Read lines of numbers, separated by commas, semicolons or tabs; a header may be there.

    The first line is a header if none of its cells is a number. Empty lines are passed over.
    """
    lines = _lines(file)
    delimiter = _delimiter(lines[min(1, len(lines) - 1)][1])
    rows = [(number, _cells(file, number, text, delimiter)) for number, text in lines]
    first, width = rows[0][0], len(rows[0][1])
    if not any(_is_number(cell) for cell in rows[0][1]):
        rows = rows[1:]
    if not rows:
        raise DataError(
            f"{file} holds a header and no line of numbers. Expected numbers below it, separated "
            "by commas, semicolons or tabs."
        )
    for number, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{file}, line {number}: expected {width} columns as in line {first}. Received: "
                f"{len(cells)}. Give each line the same number of cells."
            )
    values = np.array([_numbers(file, number, cells) for number, cells in rows])
    require_finite(file, values, [number for number, _ in rows])
    return values


def _lines(file: Path) -> list[tuple[int, str]]:
    """Return the lines that are not empty, with their numbers."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            lines = [(number, line.strip(" \n")) for number, line in enumerate(stream, 1)]
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is no text in UTF-8: {error}. Save it as CSV in UTF-8.") from error
    lines = [(number, line) for number, line in lines if line]
    if not lines:
        raise DataError(f"{file} is empty. Expected lines of numbers.")
    return lines


def _delimiter(line: str) -> str:
    """Return the separator of a line of numbers: beside a semicolon, a comma is a decimal one."""
    return next((mark for mark in "\t;" if mark in line), ",")


def _cells(file: Path, number: int, text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{file}, line {number}: expected cells of numbers. Received: {_short(text)} ({error})."
            " Mend its quotes."
        ) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000, spreadsheets do not


def _numbers(file: Path, line: int, cells: list[str]) -> Array:
    """Return a row as int64 if it is whole and fits, as float64 otherwise."""
    for column, cell in enumerate(cells, 1):
        if not _is_number(cell):
            raise DataError(
                f"{file}, line {line}, column {column}: expected a number. Received: "
                f"{_short(cell)}. {_way_out(cell)}"
            )
    try:
        return np.array([int(cell) for cell in cells], np.int64)
    except (ValueError, OverflowError):
        return np.array([float(cell) for cell in cells], np.float64)


def _way_out(cell: str) -> str:
    if not cell.strip():
        return "Fill in the missing value, or leave that row out."
    if "," in cell:
        return "Write decimals with a point."
    if len(cell.split()) > 1:
        return "Separate numbers by commas, semicolons or tabs."
    return "Leave that column out, or write numbers in place of names."


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
