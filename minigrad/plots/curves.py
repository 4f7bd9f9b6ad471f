"""Learning curves, each loss term a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from minigrad.plots.style import Figure, legend_below, term_colours, term_hatches, tidy


def learning_curves(history: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the loss over the epochs, stacked by term, and each term by itself.

    On the left the terms add up to the loss, with the loss of the validation data as a dashed
    line; on the right every term on a logarithmic scale, where small ones can be seen.

    Parameters
    ----------
    history
        A series for ``loss``, for each term and, if there is one, for ``val_loss``.

    Raises
    ------
    ValueError
        If there is no ``loss``, or the series differ in length.
    """
    if "loss" not in history or len(history["loss"]) == 0:
        raise ValueError("learning_curves needs a history with at least one epoch of 'loss'")
    lengths = {name: len(values) for name, values in history.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all series must have one length. Received: {lengths}")
    terms = [name for name in history if name != "loss" and not name.startswith("val_")]
    colours, hatches = term_colours(terms), term_hatches(terms)
    epochs = np.arange(1, len(history["loss"]) + 1)
    figure = Figure(11, 4)
    left, right = figure.subplots(1, 2)
    if terms:
        areas = left.stackplot(
            epochs,
            *[history[term] for term in terms],
            colors=[colours[term] for term in terms],
            alpha=0.85,
        )
        for area, term in zip(areas, terms, strict=True):
            area.set(hatch=hatches[term], edgecolor="white", linewidth=0.3)
        legend_below(figure, handles=areas, labels=terms)
    left.plot(epochs, history["loss"], color="black", linewidth=1.4, label="loss")
    if "val_loss" in history:
        dashed = {"color": "black", "linestyle": "--", "linewidth": 1.2}
        left.plot(epochs, history["val_loss"], **dashed, label="validation loss")
    settled = float(np.quantile(history["loss"], 0.9))
    left.set_ylim(0, min(float(np.max(history["loss"])) * 1.05, max(settled * 1.4, 1e-12)))
    left.set(xlabel="epoch", ylabel="loss", title="The loss is the sum of its terms")
    left.set_xlim(1, max(2, len(epochs)))
    left.legend(frameon=False, loc="upper right")
    for term in terms:
        values = np.asarray(history[term], float)
        right.plot(epochs, np.where(values > 0, values, np.nan), color=colours[term], label=term)
    right.set(yscale="log", xlabel="epoch", title="Each term by itself")
    right.set_xlim(1, max(2, len(epochs)))
    for axes in (left, right):
        tidy(axes)
    return figure
