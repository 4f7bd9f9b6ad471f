"""PathTable: a row for each run, to be read, written, drawn, or handed to pandas."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.files import atomic_write

Array = np.ndarray[Any, Any]
_SHOWN_ROWS = 30
_LAST = ("seconds", "error")


class PathTable:
    """The runs of a regularization path.

    ``len(table)`` is the number of runs, ``table[3]`` a row, ``table["val_data"]`` a column.

    Attributes
    ----------
    rows : list of dict
        A run each: its strengths, ``seed``, ``fold`` if there are folds, ``epochs``, the loss and
        its terms and metrics (``loss``, ``data``, ``codings/activity``, …; on samples that were
        held out, with ``val_`` in front), ``<layer>/active`` and ``<layer>/dead`` units,
        ``<layer>/kernel_norm``, ``seconds``, and ``error``: None, or what went wrong. A value that
        a run does not have is None.
    columns : list of str
        Their names.
    strengths : tuple of str
        Those of the columns that are strengths.
    kernels : list of ndarray or None
        The first layer's kernel of each run, if they were kept.
    unfinished : int
        How many runs are missing as Ctrl-C came before them.

    Examples
    --------
    >>> rows = [{"l1": 0.0, "data": 1.0}, {"l1": 0.5, "error": "ValueError: no"}]
    >>> table = PathTable(rows, strengths=["l1"])
    >>> table.columns
    ['l1', 'data', 'error']
    >>> table["data"]
    array([ 1., nan])
    >>> table.failed
    [{'l1': 0.5, 'data': None, 'error': 'ValueError: no'}]
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        strengths: Sequence[str],
        kernels: Sequence[Array | None] | None = None,
        unfinished: int = 0,
    ) -> None:
        names = list(dict.fromkeys(name for row in rows for name in row))
        last = [name for name in _LAST if name in names]
        self.columns = [name for name in _grouped(names) if name not in last] + last
        self.rows = [{name: row.get(name) for name in self.columns} for row in rows]
        self.strengths = tuple(strengths)
        self.kernels = [None] * len(self.rows) if kernels is None else list(kernels)
        self.unfinished = unfinished

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self.rows[key]
        if key not in self.columns:
            raise KeyError(f"unknown column {key!r}. Known: {', '.join(self.columns)}")
        values = [row[key] for row in self.rows]
        if any(isinstance(value, str) for value in values) or key == "error":
            return np.array(values, object)
        if any(value is None for value in values):
            return np.array([np.nan if value is None else value for value in values])
        return np.array(values)

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The rows of the runs that raised something."""
        return [row for row in self.rows if row.get("error")]

    # ---- handing on ----------------------------------------------------------------------------

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table as comma-separated values, numbers with all their digits."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns)
        writer.writeheader()
        writer.writerows(self.rows)
        with atomic_write(path) as file:
            file.write(text.getvalue().encode())

    def to_pandas(self) -> Any:
        """Return the table as a pandas DataFrame.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError as error:
            raise ImportError(
                "to_pandas needs pandas, which minigrad itself does not. Install it with: "
                "pip install pandas; or use .rows, a list of dicts"
            ) from error
        return pandas.DataFrame(self.rows, columns=self.columns)

    def plot(
        self,
        strength: str | None = None,
        error: str | None = None,
        image_shape: tuple[int, int] | None = None,
    ) -> Any:
        """Draw error, active units and kernels' norms against a strength, and filters below.

        Parameters
        ----------
        strength
            Which one; by default that with the most values. Others become lines of their own.
        error
            The column that is the error; by default ``val_data``, or ``data`` without validation.
        image_shape
            Of an input, for the filters; by default a square if its length is one. Filters are
            drawn if `keep_weights` was set.

        Returns
        -------
        matplotlib figure
        """
        from minigrad.plots.path import regularization_path  # loads matplotlib

        return regularization_path(
            self.rows, self.strengths, self.kernels, strength, error, image_shape
        )

    # ---- showing -------------------------------------------------------------------------------

    def _summary(self) -> str:
        parts = [f"{len(self.rows)} runs"]
        if self.failed:
            parts.append(f"{len(self.failed)} failed (first: {self.failed[0]['error']})")
        if self.unfinished:
            parts.append(f"{self.unfinished} more were not finished")
        return "; ".join(parts)

    def _cells(self, columns: Sequence[str]) -> list[list[str]]:
        return [[_shown(row[name]) for name in columns] for row in self.rows[:_SHOWN_ROWS]]

    def _rest(self) -> list[str]:
        hidden = len(self.rows) - _SHOWN_ROWS
        return [f"… {hidden} more rows"] if hidden > 0 else []

    def __str__(self) -> str:
        columns = [name for name in self.columns if not _is_detail(name)]
        if not self.failed:
            columns = [name for name in columns if name != "error"]
        lines = [list(columns), *self._cells(columns)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        text = [
            "  ".join(
                cell.ljust(width) if name == "error" else cell.rjust(width)
                for name, cell, width in zip(columns, line, widths, strict=True)
            ).rstrip()
            for line in lines
        ]
        rule = "─" * (sum(widths) + 2 * max(0, len(widths) - 1))
        hidden = [name for name in self.columns if name not in columns and name != "error"]
        more = [f"Not shown: {', '.join(hidden)}"] if hidden else []
        return "\n".join([self._summary(), text[0], rule, *text[1:], *self._rest(), *more])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        import html  # slow to load, and only needed in Jupyter

        def line(cells: Sequence[str], tag: str) -> str:
            inside = "".join(
                f"<{tag} style='text-align:{'left' if name == 'error' else 'right'}'>"
                f"{html.escape(cell)}</{tag}>"
                for name, cell in zip(self.columns, cells, strict=True)
            )
            return f"<tr>{inside}</tr>"

        body = "".join(line(cells, "td") for cells in self._cells(self.columns))
        rest = "".join(f"<p>{text}</p>" for text in self._rest())
        return (
            f"<div style='overflow-x:auto'><p>{html.escape(self._summary())}</p>"
            f"<table><thead>{line(self.columns, 'th')}</thead><tbody>{body}</tbody></table>"
            f"{rest}</div>"
        )


def _grouped(names: Sequence[str]) -> list[str]:
    """Return names so that one that only later rows have stands where its neighbours stand."""

    def rank(name: str) -> int:
        if name.endswith("/kernel_norm"):
            return 3
        if name.endswith(("/active", "/dead")):
            return 2
        return int(name.startswith("val_"))

    return sorted(names, key=rank)


def _is_detail(name: str) -> bool:
    """Whether a column is too much for a line of text: terms, norms, and training's totals."""
    return name.endswith("_norm") or ("/" in name and not name.endswith(("/active", "/dead")))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
