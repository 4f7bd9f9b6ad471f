"""Figures of plain data: arrays and tables in, a matplotlib figure out. Knows no model."""

from minigrad.plots.contributions import contributions
from minigrad.plots.curves import learning_curves
from minigrad.plots.images import filters, reconstructions
from minigrad.plots.over_training import conflict_map, rulers, shares_over_time
from minigrad.plots.sparsity import activity_distribution, comparison
from minigrad.plots.style import Figure, term_colours
from minigrad.suggestions import speak_up

__all__ = [
    "Figure",
    "activity_distribution",
    "comparison",
    "conflict_map",
    "contributions",
    "filters",
    "learning_curves",
    "reconstructions",
    "rulers",
    "shares_over_time",
    "term_colours",
]

speak_up(__name__)
