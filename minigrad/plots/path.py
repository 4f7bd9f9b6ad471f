"""The regularization path: error, active units and weights against the strength of a penalty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from minigrad.plots.style import COLOURS, Figure, legend_below, tidy

Array = np.ndarray[Any, Any]
Rows = Sequence[Mapping[str, Any]]

_MARKERS = "osD^vPX"  # seven, with six colours: only the 43rd line looks like the first
_MOST_VALUES = 8  # rows of filters; of a longer path, so many are shown
_MOST_UNITS = 14
_SPACING = 1.15  # from filter to filter, in filters


def regularization_path(
    rows: Rows,
    strengths: Sequence[str],
    kernels: Sequence[Array | None] | None = None,
    strength: str | None = None,
    error: str | None = None,
    image_shape: tuple[int, int] | None = None,
) -> Figure:
    """Draw error, active units and kernels' norms against a strength; below them, filters.

    Dots are runs, lines go through the means over seeds and folds. A strength of 0 stands left of
    the logarithmic axis, behind a gap. Runs that failed are left out.

    Parameters
    ----------
    rows
        A mapping for each run, as in ``PathTable.rows``.
    strengths
        Which of their entries are strengths.
    kernels
        For each run, the first layer's kernel (inputs, units), or None.
    strength
        Which one is on the axis; by default that with the most values.
    error
        Which entry is the error; by default ``val_data``, ``data``, ``val_loss`` or ``loss``.
    image_shape
        Of the inputs, to show filters as images; by default square, if it can be.

    Raises
    ------
    ValueError
        If no run succeeded, or a strength or error is unknown.
    """
    good = [place for place, row in enumerate(rows) if row.get("error") is None]
    if not good:
        raise ValueError("there is no run to draw: none succeeded")
    runs = [rows[place] for place in good]
    axis = _axis(runs, strengths, strength)
    error = _error(runs, error)
    others = [name for name in strengths if name != axis]
    pictures = [] if kernels is None else [kernels[place] for place in good]
    shown = _along(runs, pictures, axis, others)
    shape = _image_shape(shown, image_shape)
    if shape is None:
        figure = Figure(11, 3.6)
        _draw_curves(figure, runs, axis, others, error)
        return figure
    figure = Figure(11, 3.8 + 0.72 * len(shown))
    parts: Any = figure.subfigures(2, 1, height_ratios=[3.6, 0.2 + 0.72 * len(shown)])
    top, bottom = parts
    _draw_curves(top, runs, axis, others, error)
    fixed = [f"{name}={runs[0][name]:g}" for name in [*others, "seed", "fold"] if name in runs[0]]
    _draw_filters(bottom, shown, axis, shape, ", ".join(fixed))
    return figure


# ---- what to draw ------------------------------------------------------------------------------


def _axis(runs: Rows, strengths: Sequence[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in strengths:
        raise ValueError(f"unknown strength {wanted!r}. Known: {', '.join(strengths)}")
    return wanted or max(strengths, key=lambda name: len({run[name] for run in runs}))


def _error(runs: Rows, wanted: str | None) -> str:
    """Return the entry that is the error: what is asked for, or the best that the runs have."""
    known = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    choice = ("val_data", "data", "val_loss", "loss") if wanted is None else (wanted,)
    found = next((name for name in choice if name in known), None)
    if found is None:
        raise ValueError(f"unknown error {wanted!r}. Known: {', '.join(known)}")
    return found


def _along(
    runs: Rows, kernels: Sequence[Array | None], axis: str, others: Sequence[str]
) -> list[tuple[float, Array]]:
    """Return strengths and kernels along one path: that of the first seed, fold and others."""
    fixed = [*others, "seed", "fold"]
    path = {
        float(run[axis]): kernel
        for run, kernel in zip(runs, kernels, strict=False)
        if kernel is not None and all(run.get(name) == runs[0].get(name) for name in fixed)
    }
    values = sorted(path)
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_VALUES)).astype(int))
    return [(values[place], path[values[place]]) for place in places]


def _image_shape(
    shown: Sequence[tuple[float, Array]], wanted: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Return how the filters are drawn as images, or None if they cannot be."""
    if not shown:
        return None
    kernel = shown[0][1]
    if kernel.ndim == 4:  # of a convolution: (height, width, channels, filters)
        return kernel.shape[0], kernel.shape[1]
    if kernel.ndim != 2:
        return None
    if wanted is not None:
        if math.prod(wanted) != len(kernel):
            raise ValueError(f"image_shape {wanted} does not hold the {len(kernel)} inputs")
        return wanted
    side = math.isqrt(len(kernel))
    return (side, side) if side * side == len(kernel) and side > 1 else None


# ---- curves ------------------------------------------------------------------------------------


def _draw_curves(figure: Any, runs: Rows, axis: str, others: Sequence[str], error: str) -> None:
    """Draw a panel each for the error, active units, and kernels' norms."""
    names = list(dict.fromkeys(name for run in runs for name in run))
    active = [name for name in names if name.endswith("/active")]
    norms = [name for name in names if name.endswith("kernel_norm")]
    where = "held-out" if error.startswith("val_") else "training"
    panels = [
        (f"{where} error ({error})", [error]),
        ("active units per sample", active),
        ("norm of the kernels, √Σw²", norms),
    ]
    panels = [(title, columns) for title, columns in panels if columns]
    groups = list(dict.fromkeys(tuple(run[name] for name in others) for run in runs))
    positions = _positions([float(run[axis]) for run in runs])
    handles: dict[str, Any] = {}
    for axes, (title, columns) in zip(
        np.ravel(figure.subplots(1, len(panels), squeeze=False)), panels, strict=True
    ):
        for number, group in enumerate(groups):
            members = [run for run in runs if tuple(run[name] for name in others) == group]
            for column, style in zip(columns, _styles(columns), strict=True):
                line = _draw_line(axes, members, axis, column, positions, number, style)
                label = ", ".join(f"{n}={v:g}" for n, v in zip(others, group, strict=True))
                handles.setdefault(label, line)
        axes.set(title=title, xlabel=axis)
        _set_limits(axes, legend=len(columns) > 1)
        _label_strengths(axes, positions)
        tidy(axes)
        if len(columns) > 1:
            _label_styles(axes, columns)
    if others:
        legend_below(figure, 6, handles=[*handles.values()], labels=[*handles])


def _positions(values: Sequence[float]) -> dict[float, float]:
    """Return where each strength stands: its logarithm, and 0 one step left of the smallest."""
    distinct = sorted(set(values))
    logarithms = {value: math.log10(value) for value in distinct if value > 0}
    if 0.0 in distinct:
        spread = list(logarithms.values()) or [0.0]
        step = (spread[-1] - spread[0]) / max(1, len(spread) - 1)
        logarithms = {0.0: spread[0] - (step or 1.0), **logarithms}
    return logarithms


def _draw_line(
    axes: Any,
    runs: Rows,
    axis: str,
    column: str,
    positions: Mapping[float, float],
    number: int,
    style: str,
) -> Any:
    """Draw dots for runs, and a line through their means; return the line."""
    points: dict[float, list[float]] = {}
    for run in runs:
        if run.get(column) is not None:
            points.setdefault(float(run[axis]), []).append(float(run[column]))
    colour = COLOURS[number % len(COLOURS)]
    marker = _MARKERS[number % len(_MARKERS)]
    values = sorted(points)
    for value in values:
        places = [positions[value]] * len(points[value])
        axes.plot(places, points[value], ".", color=colour, alpha=0.45, markersize=5)
    means = [float(np.mean(points[value])) for value in values]
    places = [positions[value] for value in values]
    # From 0 to the logarithmic axis there is no scale, so the line there is faint.
    begin = 1 if values and values[0] == 0 else 0
    axes.plot(places[: begin + 1], means[: begin + 1], ":", color=colour, linewidth=1, alpha=0.6)
    [line] = axes.plot(
        places[begin:], means[begin:], style, color=colour, marker=marker, markersize=5
    )
    axes.plot(places[:begin], means[:begin], color=colour, marker=marker, markersize=5)
    return line


def _set_limits(axes: Any, legend: bool) -> None:
    """Let the axis begin at 0, unless something is below, and leave room for a legend on top."""
    low, high = axes.get_ylim()
    smallest = min((value for line in axes.lines for value in line.get_ydata()), default=0.0)
    low = min(low, 0.0) if smallest < 0 else 0.0
    axes.set_ylim(low, high + (0.15 * (high - low) if legend else 0))


def _label_strengths(axes: Any, positions: Mapping[float, float]) -> None:
    """Write strengths below their places, at most seven, 0 always."""
    values = list(positions)
    fixed = values[:1] if values[0] == 0 else []
    rest = values[len(fixed) :]
    step = max(1, math.ceil(len(rest) / 6))
    shown = [*fixed, *rest[::step]]
    axes.set_xticks([positions[value] for value in shown], [f"{value:g}" for value in shown])
    axes.tick_params(axis="x", labelsize=9)


def _styles(columns: Sequence[str]) -> list[Any]:
    """Return a kind of line for each layer."""
    return [("-", "--", ":", "-.")[place % 4] for place in range(len(columns))]


def _label_styles(axes: Any, columns: Sequence[str]) -> None:
    """Say in a legend which kind of line is which layer's."""
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color="#555555", linestyle=style, label=column.rpartition("/")[0])
        for column, style in zip(columns, _styles(columns), strict=True)
    ]
    axes.legend(
        handles=lines, frameon=False, fontsize=8, loc="upper center", ncols=min(3, len(lines))
    )


# ---- filters -----------------------------------------------------------------------------------


def _draw_filters(
    figure: Any, shown: Sequence[tuple[float, Array]], axis: str, shape: tuple[int, int], fixed: str
) -> None:
    """Draw a line of filters for each strength; a column is the same unit all along the path."""
    stacks = [_filters(kernel, shape) for _, kernel in shown]
    units = min(len(stack) for stack in stacks)
    weight = sum(np.square(stack[:units]).sum(axis=(1, 2)) for stack in stacks)
    chosen = np.sort(np.argsort(-np.asarray(weight), kind="stable")[:_MOST_UNITS])
    limit = float(np.quantile(np.abs([stack[chosen] for stack in stacks]), 0.998)) or 1.0
    axes = figure.subplots()  # one for all: the layout of a hundred takes seconds
    height, width = shape[0] * _SPACING, shape[1] * _SPACING
    image: Any = None
    for line, stack in enumerate(stacks):
        for column, unit in enumerate(chosen):
            left, top = column * width, line * height
            corners = (left, left + shape[1], top + shape[0], top)
            image = axes.imshow(stack[unit], cmap="RdBu_r", vmin=-limit, vmax=limit, extent=corners)
            axes.add_patch(Rectangle((left, top), shape[1], shape[0], fill=False, ec="#bbbbbb"))
    places = [line * height + shape[0] / 2 for line in range(len(shown))]
    axes.set_yticks(places, [f"{axis}={value:g}" for value, _ in shown])
    axes.set(xticks=[], xlim=(-0.2, len(chosen) * width), ylim=(len(shown) * height, -0.2))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    bar = figure.colorbar(image, ax=axes, aspect=15, shrink=min(1.0, 3 / len(shown)))
    bar.set_label("weight")
    figure.suptitle(
        f"first layer's filters along the path ({fixed}): {len(chosen)} of {units} units, each in "
        "its column",
        fontsize=11,
    )


def _filters(kernel: Array, shape: tuple[int, int]) -> Array:
    """Return (units, height, width); of a convolution's input channels, the first."""
    if kernel.ndim == 4:
        return np.moveaxis(kernel[:, :, 0, :], -1, 0)
    return kernel.T.reshape(-1, *shape)
