"""What all figures share: a Figure that shows itself in Jupyter, colours, and hatches."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure as MatplotlibFigure

from minigrad.explorer.palette import DATA_COLOUR, PENALTY_COLOURS
from minigrad.files import atomic_write

# The data term is always the same blue, and penalties also get hatches. Things that are no terms
# go through the first few of the same colours.
COLOURS = (DATA_COLOUR, *PENALTY_COLOURS[:5])
_HATCHES = ("///", "...", "\\\\\\", "xx", "++", "oo", "--")


class Figure(MatplotlibFigure):
    """A matplotlib figure without pyplot's global state; Jupyter shows it as it is."""

    def __init__(self, width: float, height: float, **options: Any) -> None:
        super().__init__(figsize=(width, height), layout="constrained", **options)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the picture to a path, whole or not at all, or into an open file."""
        if not isinstance(fname, str | os.PathLike):
            super().savefig(fname, **options)
            return
        path, usual = os.fspath(fname), rcParams["savefig.format"]
        kind = options.pop("format", None) or os.path.splitext(path)[1][1:] or usual
        buffer = io.BytesIO()
        super().savefig(buffer, format=kind, **options)
        with atomic_write(path if os.path.splitext(path)[1] else f"{path}.{kind}") as file:
            file.write(buffer.getvalue())

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=100)
        return buffer.getvalue()


def is_data(term: str) -> bool:
    """Whether a name is that of the data term rather than a penalty."""
    return term in ("data", "val_data")


def term_colours(terms: Iterable[str]) -> dict[str, str]:
    """Return a colour for each loss term, the same in all figures of the same terms."""
    return _by_term(terms, DATA_COLOUR, PENALTY_COLOURS)


def term_hatches(terms: Iterable[str]) -> dict[str, str]:
    """Return a hatch for each loss term, for readers who do not see the colours."""
    return _by_term(terms, "", _HATCHES)


def _by_term(terms: Iterable[str], of_data: str, of_penalties: Sequence[str]) -> dict[str, str]:
    penalties = cycle(of_penalties)
    return {term: of_data if is_data(term) else next(penalties) for term in dict.fromkeys(terms)}


def legend_below(figure: Any, most: int = 4, **what: Any) -> None:
    """Put one legend for all panels below them, with at most so many names side by side."""
    names = len(what.get("labels", what["handles"]))
    columns = min(most, max(1, names))
    figure.legend(**what, loc="outside lower center", ncols=columns, frameon=False)


def cosine_bar(figure: Any, image: Any, axes: Any, aspect: float) -> None:
    """Say beside a map of cosines what its colours mean."""
    bar = figure.colorbar(image, ax=axes, ticks=[-1, 0, 1], aspect=aspect)
    bar.ax.set_yticklabels(["against", "across", "with"], fontsize=9)


def tidy(axes: Any) -> None:
    """Remove the frame's upper and right line, and set a quiet grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
