"""Who pulls the weights, over the course of training: shares, conflicts, and who rules what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.plots.style import (
    Figure,
    cosine_bar,
    is_data,
    legend_below,
    term_colours,
    term_hatches,
    tidy,
)

Records = Sequence[Mapping[str, Any]]


def _unique(records: Records, key: str) -> list[Any]:
    """The values of a key, in the order in which they come."""
    return list(dict.fromkeys(record[key] for record in records))


def _grid(records: Records, parameter: str, terms: Sequence[str], value: str) -> Any:
    """(terms, steps) of one parameter's values; nan where there is none."""
    steps = {step: place for place, step in enumerate(_unique(records, "step"))}
    rows = {term: place for place, term in enumerate(terms)}
    grid = np.full((len(rows), len(steps)), np.nan)
    for record in records:
        if record["parameter"] == parameter and record["term"] in rows and record["has_path"]:
            grid[rows[record["term"]], steps[record["step"]]] = record[value]
    return grid


def _require(records: Records) -> None:
    if not records:
        raise ValueError("there are no records to draw")


def shares_over_time(records: Records) -> Figure:
    """Draw each term's share in each parameter's gradient, stacked, against the step.

    Parameters
    ----------
    records
        Mappings with ``step``, ``parameter``, ``term``, ``share`` and ``has_path``, as a
        TraceCallback makes them.

    Raises
    ------
    ValueError
        If there are none.
    """
    _require(records)
    parameters, terms = _unique(records, "parameter"), _unique(records, "term")
    steps = _unique(records, "step")
    columns = 2 if len(parameters) == 4 else min(len(parameters), 3)
    rows = -(-len(parameters) // columns)
    figure = Figure(max(columns * 3.4, 5), rows * 2.3 + 0.9)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    colours, hatches = term_colours(terms), term_hatches(terms)
    handles: dict[str, Any] = {}
    for axes, parameter in zip(panels.ravel(), parameters, strict=False):
        shares = np.nan_to_num(_grid(records, parameter, terms, "share"))
        areas = axes.stackplot(
            steps, shares, colors=[colours[t] for t in terms], edgecolor="white", linewidth=0.3
        )
        for area, term, series in zip(areas, terms, shares, strict=True):
            area.set_hatch(hatches[term])
            if series.any():
                handles.setdefault(term, area)
        axes.set(title=parameter, ylim=(0, 1), xlim=(steps[0], max(steps[-1], steps[0] + 1)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        tidy(axes)
    for axes in panels.ravel()[len(parameters) :]:
        axes.set_visible(False)
    for axes in panels[-1]:
        axes.set_xlabel("step")
    shown = [term for term in terms if term in handles]
    legend_below(figure, handles=[handles[term] for term in shown], labels=shown)
    figure.suptitle("Whose gradient is it? Shares of the terms")
    return figure


def conflict_map(records: Records) -> Figure:
    """Draw the cosine of each penalty's contribution to the data's, against the step.

    Red is against the data, blue with it; empty where there is no path or no data gradient.

    Raises
    ------
    ValueError
        If there are no penalties that reach a parameter.
    """
    _require(records)
    terms = [term for term in _unique(records, "term") if not is_data(term)]
    rows, names = [], []
    for parameter in _unique(records, "parameter"):
        grid = _grid(records, parameter, terms, "cosine")
        for term, series in zip(terms, grid, strict=True):
            if not np.isnan(series).all():
                rows.append(series)
                names.append(f"{parameter}  ←  {term}")
    if not rows:
        raise ValueError("no penalty reaches a parameter that the data reach, too")
    steps = _unique(records, "step")
    figure = Figure(8.5, 1.4 + 0.34 * len(rows))
    axes = figure.subplots()
    image = axes.imshow(
        np.array(rows), cmap="RdBu", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
    )
    axes.set_yticks(range(len(names)), names, fontsize=9)
    _label_steps(axes, steps)
    axes.set(title="Do the penalties pull with the data, or against them?", xlabel="step")
    axes.spines[:].set_visible(False)
    cosine_bar(figure, image, axes, aspect=14)
    return figure


def rulers(records: Records) -> Figure:
    """Draw the term with the largest share in each parameter's gradient, against the step.

    Raises
    ------
    ValueError
        If there are no records.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    _require(records)
    parameters, terms = _unique(records, "parameter"), _unique(records, "term")
    steps = _unique(records, "step")
    winners = np.full((len(parameters), len(steps)), np.nan)
    shares = np.zeros(winners.shape)
    for row, parameter in enumerate(parameters):
        grid = np.nan_to_num(_grid(records, parameter, terms, "share"), nan=-1.0)
        winners[row] = np.where(grid.max(axis=0) > 0, grid.argmax(axis=0), np.nan)
        shares[row] = np.clip(grid.max(axis=0), 0, 1)
    colours = term_colours(terms)
    figure = Figure(8.5, 1.6 + 0.34 * len(parameters))
    axes = figure.subplots()
    axes.imshow(
        winners,
        cmap=ListedColormap([colours[term] for term in terms]),
        vmin=-0.5,
        vmax=len(terms) - 0.5,
        alpha=0.25 + 0.75 * shares,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_yticks(range(len(parameters)), parameters, fontsize=9)
    _label_steps(axes, steps)
    axes.set(title="Which term rules which weights? (paler: a smaller share)", xlabel="step")
    axes.spines[:].set_visible(False)
    present = [term for index, term in enumerate(terms) if (winners == index).any()]
    legend_below(figure, handles=[Patch(color=colours[term], label=term) for term in present])
    return figure


def _label_steps(axes: Any, steps: Sequence[int]) -> None:
    """Write some of the steps below the columns that stand for them."""
    places = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), 8)).astype(int))
    axes.set_xticks(places, [str(steps[place]) for place in places])
