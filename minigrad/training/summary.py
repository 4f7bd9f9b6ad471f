"""The text that `model.summary()` prints: layers, output shapes, weights and penalties."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.layers import Layer
from minigrad.layers.layer import Shape


def format_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: set[int],
    line_length: int | None = None,
) -> str:
    """Return rows as aligned columns; those with an index in `right` are aligned right.

    The last column makes a line `line_length` long, if it is shorter.
    """
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    widths[-1] += max(0, (line_length or 0) - sum(widths) - 2 * (len(widths) - 1))

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def penalties_of(layer: Layer) -> str:
    """Return the regularizers of a layer, as in ``kernel: L2(l2=0.01)``."""
    slots = {target: r for target, r in layer._regularizers.items() if r is not None}
    return ", ".join(f"{target}: {regularizer!r}" for target, regularizer in slots.items())


def describe(
    model: Layer,
    layers: Sequence[tuple[str, Layer, Shape | None]],
    line_length: int | None = None,
    show_trainable: bool = False,
    as_whole: bool = False,
) -> str:
    """Return the summary of a model from its layers with their paths and output shapes.

    `as_whole` counts the weights of layers inside a layer with its own.
    """
    rows = []
    seen: set[int] = set()
    trainable = frozen = 0
    for path, layer, shape in layers:
        weights = layer.weights if as_whole else list(layer._weights.values())
        count = sum(weight.size for weight in weights)
        for weight in weights:
            if id(weight) not in seen:
                seen.add(id(weight))
                trainable += weight.size if weight.trainable else 0
                frozen += 0 if weight.trainable else weight.size
        rows.append(
            (
                f"{path} ({type(layer).__name__})",
                "?" if shape is None else str(shape),
                f"{count:,}" if layer.built or shape is not None else "?",
                penalties_of(layer) or "–",
                *(("yes" if layer.trainable else "no",) if show_trainable else ()),
            )
        )
    header = ["Layer", "Output shape", "Weights", "Penalties"]
    header += ["Trainable"] if show_trainable else []
    table = format_table(header, rows, {2}, line_length)
    lines = [f"Model {model.name!r}", "", table, "", f"Trainable weights: {trainable:,}"]
    lines.append(f"Frozen weights: {frozen:,}")
    own_penalties = penalties_of(model)
    if not model.built:
        lines.append("It is not built: call it on a batch, or model.build((None, …)), to see more.")
    if own_penalties:
        lines.append(f"Penalties of the model itself: {own_penalties}")
    return "\n".join(lines)
