"""Which loss term contributes how much to each parameter's gradient, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.plots.style import Figure, cosine_bar, legend_below, term_colours, term_hatches


def contributions(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw the share of each term in each gradient, and its direction against the data's.

    On the left, bars of shares that add up to 1 for each parameter. On the right, the cosine
    between each term's contribution and the data term's: −1 pulls against the data.

    Parameters
    ----------
    rows
        Mappings with ``parameter``, ``term``, ``share``, ``cosine`` and ``has_path``.

    Raises
    ------
    ValueError
        If no term reaches any parameter.
    """
    parameters = list(dict.fromkeys(str(row["parameter"]) for row in rows))
    terms = list(dict.fromkeys(str(row["term"]) for row in rows))  # colours go by all of them
    rows = [row for row in rows if row["has_path"]]
    if not rows:
        raise ValueError("contributions needs at least one row: no term reaches any parameter")
    figure = Figure(6.5 + 0.75 * len(terms), 1.9 + 0.5 * len(parameters))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[5, max(1.6, 0.85 * len(terms))])
    places = {name: len(parameters) - 1 - index for index, name in enumerate(parameters)}
    _draw_shares(left, rows, terms, places)
    _draw_cosines(figure, right, rows, terms, places)
    left.set_yticks(list(places.values()), list(places))
    left.set_ylim(-0.55, len(parameters) - 0.45)
    return figure


def _draw_shares(
    axes: Any, rows: Sequence[Mapping[str, Any]], terms: list[str], places: dict[str, int]
) -> None:
    from matplotlib.patheffects import withStroke

    colours, hatches = term_colours(terms), term_hatches(terms)
    ends = dict.fromkeys(places, 0.0)
    for term in terms:
        own = [row for row in rows if row["term"] == term]
        if not own:
            continue
        shares = [float(row["share"]) for row in own]
        bars = axes.barh(
            [places[row["parameter"]] for row in own],
            shares,
            left=[ends[row["parameter"]] for row in own],
            height=0.62,
            color=colours[term],
            hatch=hatches[term],
            edgecolor="white",
            linewidth=0.4,
            label=term,
        )
        axes.bar_label(
            bars,
            labels=[f"{share:.0%}" if share >= 0.08 else "" for share in shares],
            label_type="center",
            color="white",
            fontsize=9,
            weight="bold",
            path_effects=[withStroke(linewidth=2, foreground="#333333")],
        )
        for row, share in zip(own, shares, strict=True):
            ends[row["parameter"]] += share
    axes.set(xlim=(0, 1), xticks=[0, 0.25, 0.5, 0.75, 1], title="share of the gradient")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    handles, labels = axes.get_legend_handles_labels()
    legend_below(axes.figure, handles=handles, labels=labels)


def _draw_cosines(
    figure: Figure,
    axes: Any,
    rows: Sequence[Mapping[str, Any]],
    terms: list[str],
    places: dict[str, int],
) -> None:
    shown = [term for term in terms if term != "data"]
    cells = np.full((len(places), max(1, len(shown))), np.nan)
    for row in rows:
        if row["term"] in shown:
            cells[places[row["parameter"]], shown.index(row["term"])] = row["cosine"]
    image = axes.imshow(cells, cmap="RdBu", vmin=-1, vmax=1, aspect="auto", origin="lower")
    for (line, column), value in np.ndenumerate(cells):
        text, colour = ("·", "#999999") if np.isnan(value) else (f"{value:+.2f}", "black")
        if abs(value) > 0.6:
            colour = "white"
        axes.text(column, line, text, ha="center", va="center", fontsize=9, color=colour)
    axes.set(title="cosine to the data gradient")
    axes.set_xticks(range(len(shown)), [term.replace("/", "/\n") for term in shown], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    cosine_bar(figure, image, axes, aspect=12)
