"""The chain of steps from a loss term down to a parameter, told as a derivation with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.tracing.attribution import Step
from minigrad.tracing.rule_source import rule_formula, rule_names

if TYPE_CHECKING:
    from minigrad.tracing.trace import Trace

# Arrays of more numbers than these are told by shape and norm.
WRITTEN_OUT = 24
_WIDEST = 96


def explain_chain(
    steps: Sequence[Step], target: Leaf | Node, name: str, term: str, contribution: Any
) -> str:
    """Return the derivation: for each op its line, its rule, and what the rule makes of g."""
    count = f"{len(steps)} step{'s' if len(steps) != 1 else ''}"
    lines = [
        f"How {term!r} reaches {name!r}, in {count} of the reverse walk.",
        "g is the gradient that arrives, z the op's result; operands have the rule's own names.",
    ]
    on_the_way = {step.node for step in steps} | {target}
    for number, step in enumerate(steps, 1):
        lines += ["", _heading(number, step), f"   g = {write(step.upstream[term])}"]
        for parent, index, outgoing in step.outgoing:
            if parent in on_the_way and term in outgoing:
                goal = name if parent is target else None
                lines += _derivation(step, index, term, outgoing[term], goal)
    lines += ["", f"In all, {term!r} contributes {write(contribution)} to {name!r}."]
    return "\n".join(lines)


def _heading(number: int, step: Step) -> str:
    where = f" in {step.layer!r}" if step.layer else ""
    line = step.line
    source = "" if line is None else f"   [{line.file}:{line.number}  {line.text}]"
    return f"{number}. {step.op}{where}{source}"


def _derivation(step: Step, index: int, term: str, outgoing: Any, goal: str | None) -> list[str]:
    """The rule for one operand: as mathematics, with numbers, and what comes out."""
    rule = step.node.primitive.rules[index]
    names = rule_names(rule)
    operand = names[index + 2] if len(names) > index + 2 else f"operand {index}"
    formula = rule_formula(rule)
    arrow = f"   → for {operand}: {formula}"
    with_numbers = _with_numbers(step, index, term, names)
    lines = [arrow]
    if with_numbers is not None and with_numbers != formula:
        lines.append(f"     = {with_numbers}")
    end = f"   → {goal}" if goal else ""
    lines.append(f"     = {write(outgoing)}{end}")
    return lines


def _with_numbers(step: Step, index: int, term: str, names: list[str]) -> str | None:
    """Return the rule with numbers in place of its names; None if they would not fit."""
    values = [step.upstream[term], *step.node.values]
    if any(np.size(value) > WRITTEN_OUT for value in values):
        return None
    written = {name: write(value) for name, value in zip(names, values, strict=False)}
    if len(values) > 2 and np.size(step.result):
        written["n"] = write(np.size(values[2]) // np.size(step.result))
    text = rule_formula(step.node.primitive.rules[index], written)
    return text if len(text) <= _WIDEST else None


def why_no_path(trace: Trace, name: str, term: str) -> str:
    """Say why a term does not reach a parameter: it is frozen, cut off, or just not involved."""
    if trace._node(name) is None:
        return f"{name!r} is frozen: no gradient is computed for it, and the path ends there."
    text = f"There is no path from {term!r} to {name!r}: its contribution is zero."
    for step in trace.steps:
        for value in step.operands if term in step.upstream else ():
            if id(value) in trace._cuts:
                text += (
                    f" A path from {term!r} ends at {trace._cuts[id(value)][1]}, where the values "
                    "are taken without their place on the tape (detach, stop_gradient)."
                )
    return text


def write(values: Any) -> str:
    """Return numbers as they are, or shape and norm where there are too many.

    Examples
    --------
    >>> write(np.array([[1.0, -0.25]])), write(np.ones((10, 10)))
    ('[[1, −0.25]]', '(10, 10) ‖10‖')
    """
    array = np.asarray(values)
    if array.size > WRITTEN_OUT:
        return f"{array.shape} ‖{np.linalg.norm(np.ravel(array)):.4g}‖"
    return _nested(array.tolist())


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_nested, value))}]"
    if isinstance(value, bool | str):
        return str(value)
    return f"{value:.4g}".replace("-", "−")
