"""What tells the terms apart: a colour, a dash pattern, and a number."""

from __future__ import annotations

from itertools import cycle
from typing import Any, NamedTuple

# Also those of `minigrad.plots`: Okabe and Ito's palette, made to be told apart without full colour
# vision.
DATA_COLOUR = "#3b5b92"
PENALTY_COLOURS = ("#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c7a00", "#7f7f7f")
DASHES = ("7 3", "2 3", "9 3 2 3", "5 2", "12 3", "4 4", "1 2")


class Look(NamedTuple):
    """How a term is drawn."""

    colour: str
    dashes: str  # of its lines, as SVG writes them; the data term has an unbroken line
    ink: str  # black or white: what can be read on the colour


DATA_ON_DARK = Look("#8fb0ea", "", "#14181e")


def looks(terms: list[dict[str, Any]]) -> list[Look]:
    """Return the look of each term of a document."""
    penalties = cycle(zip(PENALTY_COLOURS, DASHES, strict=True))
    return [
        Look(DATA_COLOUR, "", "#ffffff") if term["is_data"] else Look(*next(penalties), "#14181e")
        for term in terms
    ]
