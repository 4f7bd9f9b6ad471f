"""How many units are active, and what that costs in reconstruction error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.explorer.palette import DATA_COLOUR
from minigrad.plots.style import COLOURS, Figure, tidy


def activity_distribution(active: Mapping[str, Any], budget: float | None = None) -> Figure:
    """Draw how many units are active per sample, for each model.

    Parameters
    ----------
    active : mapping of str to array_like of int, shape (samples,)
        Active units for each sample, by the model's name.
    budget
        A number of units to mark.

    Raises
    ------
    ValueError
        If there is no model, or one has no samples.
    """
    counts = {name: np.asarray(values) for name, values in active.items()}
    if not counts or any(values.size == 0 for values in counts.values()):
        raise ValueError("activity_distribution needs at least one model with samples")
    top = int(max(values.max() for values in counts.values()))
    step = max(1, (top + 1) // 60)
    bins = (np.arange(0, top + 1 + step, step) - 0.5).tolist()
    figure = Figure(9, 3.6)
    axes = figure.subplots()
    for (name, values), colour in zip(counts.items(), COLOURS, strict=False):
        axes.hist(
            values, bins=bins, color=colour, alpha=0.75, label=f"{name}: mean {values.mean():.1f}"
        )
        axes.axvline(values.mean(), color=colour, linewidth=1.5, linestyle="--")
    if budget is not None:
        axes.axvline(
            budget, color="black", linewidth=1.2, linestyle=":", label=f"budget of {budget:g}"
        )
    axes.set(xlabel="active units per sample", ylabel="samples", xlim=(-1, top + 1))
    axes.legend(frameon=False)
    tidy(axes)
    return figure


def comparison(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw each model's reconstruction error against its mean number of active units.

    Parameters
    ----------
    rows
        Mappings with ``name``, ``active`` and ``error``.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("comparison needs at least one row")
    figure = Figure(9, 0.55 * len(rows) + 1.3)
    left, right = figure.subplots(1, 2, sharey=True)
    places = np.arange(len(rows))[::-1]
    names = [str(row["name"]) for row in rows]
    for axes, key, title, pattern in (
        (left, "active", "active units per sample", "{:.1f}"),
        (right, "error", "held-out reconstruction error", "{:.4f}"),
    ):
        values = [float(row[key]) for row in rows]
        colours = [DATA_COLOUR if "sparse" in name else "#a9b4c6" for name in names]
        bars = axes.barh(places, values, color=colours, height=0.62)
        axes.bar_label(bars, labels=[pattern.format(value) for value in values], padding=4)
        axes.set(title=title, xlim=(0, max(values) * 1.18 or 1.0), xticks=[])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    left.set_yticks(places, names)
    return figure
