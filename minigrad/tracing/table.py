"""The table of contributions: for each parameter and term its norm, share and angle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

HEADINGS = ("parameter", "term", "norm", "share", "cosine to data")


class Row(NamedTuple):
    """What one term contributes to one parameter's gradient.

    Attributes
    ----------
    parameter, term : str
        Which.
    norm : float
        Its Euclidean length.
    share : float
        That length over the sum of the lengths of all terms' contributions to the parameter.
    cosine : float
        Of its angle to the data term's contribution: 1 pulls the same way, −1 against it; nan
        where one of the two is zero.
    has_path : bool
        Whether the term depends on the parameter at all.
    """

    parameter: str
    term: str
    norm: float
    share: float
    cosine: float
    has_path: bool


class Table(Sequence[Row]):
    """Rows of a trace's table; prints as text, and as HTML in Jupyter."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = list(rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as dicts, ready for a data frame."""
        return [row._asdict() for row in self._rows]

    def _cells(self) -> Iterator[tuple[str, str, str, str, str]]:
        previous = None
        for row in self._rows:
            shown = "" if row.parameter == previous else row.parameter
            previous = row.parameter
            if not row.has_path:
                yield shown, row.term, "no path", "", ""
            else:
                cosine = "" if np.isnan(row.cosine) else f"{row.cosine:+.3f}"
                yield shown, row.term, f"{row.norm:.4g}", f"{row.share:.1%}", cosine

    def __str__(self) -> str:
        cells = [HEADINGS, *self._cells()]
        widths = [max(len(line[column]) for line in cells) for column in range(5)]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        return "\n".join([lines[0], "─" * (sum(widths) + 8), *lines[1:]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        import html  # slow to load, and only needed in Jupyter

        def line(tag: str, cells: Sequence[str]) -> str:
            sides = ("left", "left", "right", "right", "right")
            return "".join(
                f"<{tag} style='text-align:{side}'>{html.escape(cell)}</{tag}>"
                for side, cell in zip(sides, cells, strict=True)
            )

        body = "".join(f"<tr>{line('td', cells)}</tr>" for cells in self._cells())
        head = line("th", HEADINGS)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def rows_of(parameter: str, contributions: Mapping[str, Any]) -> list[Row]:
    """Return the rows of one parameter, from each term's contribution (None: no path)."""
    flat = {
        term: None if values is None else np.ravel(values).astype(np.float64)
        for term, values in contributions.items()
    }
    norms = {
        term: 0.0 if values is None else float(np.linalg.norm(values))
        for term, values in flat.items()
    }
    total = sum(norms.values())
    data = flat.get("data")
    rows = []
    for term, values in flat.items():
        cosine = np.nan
        if values is not None and data is not None and norms[term] > 0 and norms["data"] > 0:
            cosine = float(values @ data / (norms[term] * norms["data"]))
        share = norms[term] / total if total > 0 else 0.0
        rows.append(Row(parameter, term, norms[term], share, cosine, values is not None))
    return rows
