"""What all figures share: a Figure that shows itself in Jupyter, colours, and hatches."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure as MatplotlibFigure

from minigrad.files import atomic_write

# Okabe and Ito's palette, made to be told apart without full colour vision; the data term is
# always the same blue, and penalties also get hatches.
DATA_COLOUR = "#3b5b92"
_PENALTY_COLOURS = ("#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c7a00", "#7f7f7f")
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
    penalties = [term for term in dict.fromkeys(terms) if not is_data(term)]
    colours = {
        term: _PENALTY_COLOURS[index % len(_PENALTY_COLOURS)]
        for index, term in enumerate(penalties)
    }
    return {term: colours.get(term, DATA_COLOUR) for term in dict.fromkeys(terms)}


def term_hatches(terms: Iterable[str]) -> dict[str, str]:
    """Return a hatch for each loss term, for readers who do not see the colours."""
    penalties = [term for term in dict.fromkeys(terms) if not is_data(term)]
    hatches = {term: _HATCHES[index % len(_HATCHES)] for index, term in enumerate(penalties)}
    return {term: hatches.get(term, "") for term in dict.fromkeys(terms)}


def tidy(axes: Any) -> None:
    """Remove the frame's upper and right line, and set a quiet grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
