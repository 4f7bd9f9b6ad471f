"""The source of a derivative rule, taken from the code that ran: there is no second copy."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from minigrad.tracing.formula import formula


@lru_cache(maxsize=512)
def rule_source(rule: Callable[..., Any]) -> str:
    """Return what a rule computes, as one expression or a function's text.

    Examples
    --------
    >>> from minigrad.ops.elementwise import multiply
    >>> rule_source(multiply.rules[0])
    'g * y'
    """
    if isinstance(rule, partial):
        return rule_source(rule.func)
    if rule.__name__ != "<lambda>":
        try:
            return textwrap.dedent(inspect.getsource(rule)).strip()
        except (OSError, TypeError):
            return rule.__name__
    try:
        lines, _ = inspect.findsource(rule)
    except OSError:
        return "(source not available)"
    found = _lambda_at("".join(lines), rule)
    return found or "(source not available)"


def rule_summary(rule: Callable[..., Any]) -> str:
    """Return a rule on one line: a lambda's expression, or a function's first docstring line."""
    if isinstance(rule, partial):
        return rule_summary(rule.func)
    if rule.__name__ == "<lambda>":
        return " ".join(rule_source(rule).split())
    documentation = inspect.getdoc(rule)
    if not documentation:
        return f"{rule.__name__}(…)"
    return documentation.splitlines()[0].replace("``", "")


def rule_formula(rule: Callable[..., Any], names: Mapping[str, str] | None = None) -> str:
    """Return a rule in mathematical notation, or what its function says of itself.

    Examples
    --------
    >>> from minigrad.ops.neural import dense
    >>> [rule_formula(rule) for rule in dense.rules]
    ['g kernelᵀ', 'xᵀ g', 'Σ₀ g']
    """
    while isinstance(rule, partial):
        rule = rule.func
    written = formula(rule_source(rule), names) if rule.__name__ == "<lambda>" else None
    return written or rule_summary(rule)


def rule_names(rule: Callable[..., Any]) -> list[str]:
    """Return the names that a rule gives to upstream gradient, result and operands, in order."""
    try:
        parameters = inspect.signature(rule).parameters.values()
    except (TypeError, ValueError):  # a rule that is a function of NumPy's own
        return []
    return [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]


def _lambda_at(source: str, rule: Callable[..., Any]) -> str | None:
    """Find the lambda whose body the code object's positions lie in."""
    code = rule.__code__
    spots = {
        (line, column)
        for line, _, column, _ in code.co_positions()
        if line is not None and column is not None
    }
    best: str | None = None
    smallest = None
    for node in ast.walk(_parsed(source)):
        if not isinstance(node, ast.Lambda) or node.lineno != code.co_firstlineno:
            continue
        names = [argument.arg for argument in node.args.args]
        if names != list(code.co_varnames[: len(names)]) or node.end_lineno is None:
            continue
        body = node.body
        start = (body.lineno, body.col_offset)
        end = (body.end_lineno or 0, body.end_col_offset or 0)
        inside = sum(start <= spot < end for spot in spots)
        if inside and (smallest is None or inside > smallest):
            smallest, best = inside, ast.get_source_segment(source, body)
    return best


@lru_cache(maxsize=32)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)
