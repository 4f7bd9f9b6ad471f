"""Rules in mathematical notation, rendered from the source of the rule that ran.

There is no second copy of any formula: the Python expression is read as a syntax tree, and each
node is written the way a textbook writes it. With numbers in place of the names it becomes a line
of a derivation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

# How tightly things bind, so that brackets stand only where they are needed.
_LOOSEST, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(7)

_BINARY = {
    ast.Add: ("{} + {}", _SUM),
    ast.Sub: ("{} − {}", _SUM),
    ast.Mult: ("{} · {}", _PRODUCT),
    ast.Div: ("{} / {}", _PRODUCT),
    ast.FloorDiv: ("⌊{} / {}⌋", _PRODUCT),
    ast.Mod: ("{} mod {}", _PRODUCT),
    ast.MatMult: ("{} {}", _PRODUCT),
    ast.BitOr: ("{} or {}", _LOOSEST),
    ast.BitAnd: ("{} and {}", _LOOSEST),
}
_COMPARED = {
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Eq: "=",
    ast.NotEq: "≠",
}
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
# Functions that only lay the same numbers out in another way, which a formula need not show.
_INVISIBLE = {"_rows", "_array", "reshape", "asarray", "as_float"}
# Functions with a notation of their own: how it looks, how tightly each argument must bind in it,
# and how tightly the whole then binds.
_NOTATION = {
    "matmul": ("{} {}", (_POWER, _POWER), _PRODUCT),
    "dot": ("{} {}", (_POWER, _POWER), _PRODUCT),
    "transpose": ("{}ᵀ", (_ATOM,), _POWER),
    "swapaxes": ("{}ᵀ", (_ATOM,), _POWER),
    "square": ("{}²", (_ATOM,), _POWER),
    "sqrt": ("√{}", (_ATOM,), _POWER),
    "abs": ("|{}|", (_LOOSEST,), _ATOM),
    "where": ("{1} where {0}, else {2}", (_LOOSEST,) * 3, _LOOSEST),
    "share": ("{0} where {1}, {0} / 2 where {2}, else 0", (_LOOSEST,) * 3, _LOOSEST),
    "sum_rows": ("Σ₀ {}", (_PRODUCT,), _PRODUCT),
    "expand": ("{} at every place", (_PRODUCT,), _LOOSEST),
    "stretch": ("{} at every place", (_PRODUCT,), _LOOSEST),
    "divide": ("{} / {}", (_PRODUCT, _SIGN), _PRODUCT),
    "multiply": ("{} · {}", (_PRODUCT, _PRODUCT), _PRODUCT),
}
_NAMED = {"sigmoid": "σ", "log": "ln", "log1p": "ln1p", "sum": "Σ", "prod": "Π"}


def formula(source: str, names: Mapping[str, str] | None = None) -> str | None:
    """Return a rule's expression as mathematics; None if it is no single expression.

    With `names`, another name or the numbers themselves stand in place of a name.

    Examples
    --------
    >>> formula("np.matmul(np.transpose(_rows(x)), _rows(g))")
    'xᵀ g'
    >>> formula("np.where(z > 0, g, 0.0)")
    'g where z > 0, else 0'
    >>> formula("-g * x / (y * y)", {"g": "2", "x": "3", "y": "0.5"})
    '−2 · 3 / (0.5 · 0.5)'
    """
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except SyntaxError:
        return None
    return _Writer(names or {}).write(tree.body)[0]


class _Writer:
    """Writes each kind of expression; a method returns the text and how tightly it binds."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def write(self, node: ast.expr) -> tuple[str, int]:
        method: Callable[[Any], tuple[str, int]] | None = getattr(
            self, f"_{type(node).__name__.lower()}", None
        )
        return (ast.unparse(node), _ATOM) if method is None else method(node)

    def _inside(self, node: ast.expr, binding: int) -> str:
        """Return the text of an operand, in brackets if it binds less tightly than needed."""
        text, own = self.write(node)
        return text if own >= binding else f"({text})"

    def _name(self, node: ast.Name) -> tuple[str, int]:
        text = self._names.get(node.id, node.id)
        return text, _SIGN if text.startswith(("-", "−")) else _ATOM

    def _constant(self, node: ast.Constant) -> tuple[str, int]:
        value = node.value
        if isinstance(value, float) and value.is_integer():
            return str(int(value)), _ATOM
        return ast.unparse(node), _ATOM

    def _attribute(self, node: ast.Attribute) -> tuple[str, int]:
        if ast.unparse(node) in ("math.pi", "np.pi"):
            return "π", _ATOM
        if node.attr == "size":
            return self._count()
        if node.attr == "T":
            return f"{self._inside(node.value, _POWER)}ᵀ", _POWER
        return f"{self._inside(node.value, _POWER)}.{node.attr}", _ATOM

    def _unaryop(self, node: ast.UnaryOp) -> tuple[str, int]:
        sign = {ast.USub: "−", ast.Not: "not ", ast.Invert: "not "}.get(type(node.op), "")
        return f"{sign}{self._inside(node.operand, _SIGN)}", _SIGN

    def _binop(self, node: ast.BinOp) -> tuple[str, int]:
        if isinstance(node.op, ast.Pow):
            return self._power(node.left, node.right)
        pattern, binding = _BINARY.get(type(node.op), ("{} ? {}", _LOOSEST))
        left = self._inside(node.left, binding)
        # a − (b − c) and a / (b · c) keep their brackets.
        keeps = isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod)
        right = self._inside(node.right, binding + 1 if keeps else binding)
        return pattern.format(left, right), binding

    def _power(self, base: ast.expr, exponent: ast.expr) -> tuple[str, int]:
        below, above = self._inside(base, _ATOM), self.write(exponent)[0]
        if above.lstrip("-−").isdigit():
            return below + above.replace("−", "-").translate(_SUPERSCRIPTS), _POWER
        return f"{below}^{self._inside(exponent, _ATOM)}", _POWER

    def _compare(self, node: ast.Compare) -> tuple[str, int]:
        parts = [self._inside(node.left, _SUM)]
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            parts += [_COMPARED.get(type(operator), "?"), self._inside(operand, _SUM)]
        return " ".join(parts), _COMPARISON

    def _tuple(self, node: ast.Tuple) -> tuple[str, int]:
        return f"({', '.join(self.write(item)[0] for item in node.elts)})", _ATOM

    def _call(self, node: ast.Call) -> tuple[str, int]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        name = name.strip("_") if name not in _INVISIBLE else name
        arguments = node.args
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in (
            "np",
            "math",
        ):
            arguments = [node.func.value, *arguments]  # x.sum() is sum(x)
        if name in _INVISIBLE and arguments:
            return self.write(arguments[0])
        if name == "count":
            return self._count()
        if name == "sum":
            axis = {keyword.arg: keyword.value for keyword in node.keywords}.get("axis")
            place = str(axis.value) if isinstance(axis, ast.Constant) else ""
            place = place.translate(_SUBSCRIPTS)
            return f"Σ{place} {self._inside(arguments[0], _PRODUCT)}", _PRODUCT
        if name in _NOTATION:
            pattern, bindings, binding = _NOTATION[name]
            shown = [self._inside(*pair) for pair in zip(arguments, bindings, strict=False)]
            return pattern.format(*shown), binding
        shown = [self.write(argument)[0] for argument in arguments]
        return f"{_NAMED.get(name, name)}({', '.join(shown)})", _ATOM

    def _count(self) -> tuple[str, int]:
        return self._names.get("n", "n"), _ATOM  # how many numbers a mean was taken of
