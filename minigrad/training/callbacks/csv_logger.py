"""CSVLogger: the history as a file that every spreadsheet opens."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from typing import Any

from minigrad.files import errors_name
from minigrad.training.callbacks.callback import Callback, Logs


class CSVLogger(Callback):
    """Write a row for each epoch: ``epoch``, the loss, each of its terms, metrics, validation.

    Each row is on the disk before the next epoch begins.

    Parameters
    ----------
    filename
        Of the file.
    separator
        Between the columns.
    append
        Whether to go on with a file that is there, whose columns must be the same.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        For a separator of several characters, or if the file to go on with has other columns.
    """

    def __init__(
        self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False
    ) -> None:
        self.filename = os.fspath(filename)
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(
                f"CSVLogger: separator must be a single character. Received: {separator!r}"
            )
        self.separator = separator
        self.append = bool(append)
        self._columns: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.append and os.path.exists(self.filename) and os.path.getsize(self.filename):
            with open(self.filename, newline="") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator))
        else:
            self._columns = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        row = {"epoch": epoch, **(logs or {})}
        is_new = self._columns is None
        columns = self._columns or list(row)
        if is_new and self.loop is not None and self.loop.validates and "val_loss" not in row:
            columns += [f"val_{name}" for name in logs or {} if name != "learning_rate"]
        unknown = [name for name in row if name not in columns]
        if unknown:
            raise ValueError(
                f"CSVLogger: {self.filename} has no column for {', '.join(unknown)}. It has: "
                f"{', '.join(columns)}. Write to another file."
            )
        note = "The rows of the epochs before are in it."
        with (
            errors_name(self.filename, note),
            open(self.filename, "w" if is_new else "a", newline="") as file,
        ):
            writer = csv.writer(file, delimiter=self.separator)
            if is_new:
                writer.writerow(columns)
            writer.writerow([row.get(name, "NA") for name in columns])
            file.flush()
            os.fsync(file.fileno())
        self._columns = columns

    def state(self) -> dict[str, Any]:
        return {"_columns": self._columns, "size": self._size()}

    def _size(self) -> int:
        return os.path.getsize(self.filename) if os.path.exists(self.filename) else 0

    def restore(self, state: Mapping[str, Any]) -> None:
        self._columns = state["_columns"]
        if os.path.exists(self.filename):  # rows of epochs that are made again would come twice
            os.truncate(self.filename, state["size"])
