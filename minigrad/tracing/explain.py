"""The chain of steps from a loss term down to a parameter, told as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.tracing.attribution import Step
from minigrad.tracing.rule_source import rule_summary


def explain_chain(
    steps: Sequence[Step], target: Leaf | Node, parameter: str, term: str, contribution: Any
) -> str:
    """Return one line an op: layer, op, rule, shapes and norms of what arrives and goes on."""
    lines = [
        f"How {term!r} reaches {parameter!r}",
        f"(g upstream gradient, z result, operands in the rule's own names; {len(steps)} steps)",
        "",
    ]
    on_the_way = {step.node for step in steps} | {target}
    rows = [("step", "layer", "op", "rule", "upstream", "goes on as")]
    for number, step in enumerate(steps, 1):
        for parent, index, outgoing in step.outgoing:
            if parent in on_the_way and term in outgoing:
                rows.append(
                    (
                        str(number),
                        step.node.scope or "–",
                        step.node.primitive.name,
                        _short(rule_summary(step.node.primitive.rules[index])),
                        _size(step.upstream[term]),
                        _size(outgoing[term]) + (f" → {parameter}" if parent is target else ""),
                    )
                )
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines += [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += ["", f"In all {term!r} contributes {_size(contribution)} to {parameter!r}."]
    return "\n".join(lines)


def _size(values: Any) -> str:
    """Shape and norm of a gradient; its value where it is a scalar."""
    if np.ndim(values) == 0:
        return f"{float(values):.4g}"
    return f"{np.shape(values)} ‖{np.linalg.norm(np.ravel(values)):.4g}‖"


def _short(text: str, width: int = 60) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
