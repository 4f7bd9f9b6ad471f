"""CSVLogger: the history as a file that every spreadsheet opens."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from minigrad.checks import boolean
from minigrad.files import atomic_write, errors_name
from minigrad.signatures import Setting
from minigrad.training.callbacks.callback import Callback, Logs


def _character(owner: str, argument: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1:
        raise ValueError(f"{owner}: {argument} must be a single character. Received: {value!r}")
    return value


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

    filename = Setting(lambda owner, argument, value: os.fspath(value))
    separator = Setting(_character, ",")
    append = Setting(boolean, False)

    _columns: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        with open(self.filename, "a"):
            pass  # whether it can be written is found out before there is a row to lose
        self._columns = None
        if self.append and self._size():
            with open(self.filename, newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator))

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
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator)
        if is_new:
            writer.writerow(columns)
        writer.writerow([row.get(name, "NA") for name in columns])
        with self._open(is_new) as file:
            file.write(text.getvalue().encode())
        self._columns = columns

    @contextmanager
    def _open(self, is_new: bool) -> Iterator[BinaryIO]:
        """Open the log to write a row into; an old one stays until the first row is on the disk."""
        if is_new and os.path.isfile(self.filename):
            with atomic_write(self.filename) as file:
                yield file
            return
        note = "The rows of the epochs before are in it."
        with errors_name(self.filename, note), open(self.filename, "ab") as log:
            yield log
            log.flush()
            os.fsync(log.fileno())

    def state(self) -> dict[str, Any]:
        return {"_columns": self._columns, "size": self._size()}

    def _size(self) -> int:
        return os.path.getsize(self.filename) if os.path.exists(self.filename) else 0

    def restore(self, state: Mapping[str, Any]) -> None:
        self._columns = state["_columns"]
        if os.path.exists(self.filename):  # rows of epochs that are made again would come twice
            os.truncate(self.filename, state["size"])
