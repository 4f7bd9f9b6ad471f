"""Pictures of images: originals beside reconstructions, and the filters of coding units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.plots.style import Figure

Array = np.ndarray[Any, Any]


def _as_images(name: str, values: Any, image_shape: tuple[int, int]) -> Array:
    """Return rows as images."""
    rows = np.asarray(values)
    if rows.ndim != 2 or rows.shape[1] != math.prod(image_shape):
        raise ValueError(
            f"{name} must have shape (images, {math.prod(image_shape)}) to be shown as images of "
            f"{image_shape}. Received: shape {rows.shape}"
        )
    return rows.reshape(-1, *image_shape)


def reconstructions(
    originals: Any, reconstructed: Mapping[str, Any], image_shape: tuple[int, int]
) -> Figure:
    """Draw originals in the first row, and each model's reconstructions in a row below.

    Parameters
    ----------
    originals : array_like, shape (images, pixels)
        In [0, 1].
    reconstructed : mapping of str to array_like of the same shape
        By the model's name.
    image_shape
        Rows and columns of an image.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    rows = {"original": originals, **reconstructed}
    images = {name: _as_images(name, values, image_shape) for name, values in rows.items()}
    columns = len(images["original"])
    figure = Figure(2.2 + 0.72 * columns, 0.25 + 0.78 * len(rows))
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, pictures) in zip(grid, images.items(), strict=True):
        if len(pictures) != columns:
            raise ValueError(f"{name} has {len(pictures)} images. Expected: {columns}")
        for axes, picture in zip(line, pictures, strict=True):
            axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_color("#cccccc")
        line[0].set_ylabel(
            name,
            rotation=0,
            ha="right",
            va="center",
            labelpad=8,
            fontsize=10,
            weight="bold" if name == "original" else "normal",
        )
    return figure


def filters(kernel: Any, image_shape: tuple[int, int], dead: Any = None) -> Figure:
    """Draw each coding unit's weights as an image: red excites the unit, blue inhibits it.

    Parameters
    ----------
    kernel : array_like, shape (pixels, units)
        A unit's weights are a column.
    image_shape
        Rows and columns of an image.
    dead : array_like of bool, shape (units,), optional
        Units that are active for no sample: they are counted, and as many of them are shown
        last, crossed out, as complete a line.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    kernel = np.asarray(kernel)
    pictures = _as_images("the transposed kernel", kernel.T, image_shape)
    units = len(pictures)
    is_dead = np.zeros(units, bool) if dead is None else np.asarray(dead, bool)
    if is_dead.shape != (units,):
        raise ValueError(f"dead must have shape ({units},). Received: {is_dead.shape}")
    strongest_first = np.argsort(-np.linalg.norm(kernel, axis=0), kind="stable")
    alive = int((~is_dead).sum())
    order = strongest_first[np.argsort(is_dead[strongest_first], kind="stable")]
    columns = min(15, units)
    lines = max(1, math.ceil(alive / columns))
    figure = Figure(0.66 * columns + 1.2, 0.69 * lines + 0.5)
    grid = figure.subplots(lines, columns, squeeze=False)
    limit = float(np.quantile(np.abs(kernel), 0.998)) or 1.0
    shown: Any = None
    for axes in grid.flat:
        axes.axis("off")
    for axes, unit in zip(grid.flat, order, strict=False):
        axes.axis("on")
        shown = axes.imshow(
            pictures[unit],
            cmap="RdBu_r",
            vmin=-limit,
            vmax=limit,
            alpha=0.35 if is_dead[unit] else 1.0,
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color="#bbbbbb", linestyle=":" if is_dead[unit] else "-")
        if is_dead[unit]:
            axes.plot([0, 1], [0, 1], transform=axes.transAxes, color="#999999", linewidth=0.7)
    bar: Any = figure.colorbar(shown, ax=grid, shrink=min(1.0, 2.6 / (0.69 * lines)), aspect=15)
    bar.set_label("weight")
    bar.solids.set_alpha(1)
    title = f"{alive} living units, the strongest first"
    if alive < units:
        title += f"; {units - alive} dead ones are not shown, or crossed out"
    figure.suptitle(title, fontsize=11)
    return figure
