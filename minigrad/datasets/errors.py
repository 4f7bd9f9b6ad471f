"""What is raised for a data file that cannot be used, and how the readers raise it."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class DataError(ValueError):
    """A data file is missing, damaged or no table of numbers; the message says what to do."""


@contextmanager
def damage_as_data_error(file: Path, damage: str) -> Iterator[None]:
    """Turn what a parser raises over damaged bytes into a DataError: "file `damage`: reason".

    What the system raises (an OSError with a number) and a lack of memory pass through: they say
    nothing about the bytes.
    """
    try:
        yield
    except (DataError, MemoryError):
        raise
    # zip, deflate, gzip and NumPy's headers have a dozen exceptions for bytes gone wrong.
    except Exception as error:
        # A zip's damaged offset leads before the file's start, an invalid argument of seek.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(f"{file} {damage}: {reason}. Save or download it again.") from error


def require_finite(file: Path, rows: Array, lines: Sequence[int] | None = None) -> None:
    """Raise unless all numbers of a table are finite as float32."""
    if rows.dtype.kind != "f":
        return
    bad = ~(np.abs(rows) <= np.finfo(np.float32).max)  # a comparison with nan is false
    if bad.any():
        row, column = divmod(int(bad.argmax()), rows.shape[1])
        line = "" if lines is None else f" (line {lines[row]})"
        count = int(bad.sum())
        raise DataError(
            f"{file}: expected finite numbers that fit float32. Received: {count:,} "
            f"value{'s are' if count > 1 else ' is'} nan or infinite or too large, the first "
            f"({rows[row, column]:g}) in row {row + 1}, column {column + 1}{line}. Clean the data "
            "first, or leave those rows out."
        )
