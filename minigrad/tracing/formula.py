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
_NAMED = {"sigmoid": "σ", "log": "ln", "log1p": "ln1p", "sum": "Σ", "prod": "Π"}


def formula(source: str, names: Mapping[str, str] | None = None) -> str | None:
    """Return a rule's expression as mathematics; None if it is no single expression.

    Parameters
    ----------
    source
        Such as ``"np.matmul(np.transpose(_rows(x)), _rows(g))"``.
    names
        What to write for a name: another one, or its numbers.

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
        special = getattr(self, f"_call_{name}", None)
        if name in _INVISIBLE and arguments:
            return self.write(arguments[0])
        if special is not None:
            return special(arguments, {k.arg: k.value for k in node.keywords})
        shown = [self.write(argument)[0] for argument in arguments]
        return f"{_NAMED.get(name, name)}({', '.join(shown)})", _ATOM

    # ---- functions with a notation of their own ------------------------------------------------

    def _call_matmul(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        left, right = (self._inside(argument, _POWER) for argument in arguments[:2])
        return f"{left} {right}", _PRODUCT

    _call_dot = _call_matmul

    def _call_transpose(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"{self._inside(arguments[0], _ATOM)}ᵀ", _POWER

    _call_swapaxes = _call_transpose

    def _call_square(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"{self._inside(arguments[0], _ATOM)}²", _POWER

    def _call_sqrt(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"√{self._inside(arguments[0], _ATOM)}", _POWER

    def _call_abs(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"|{self.write(arguments[0])[0]}|", _ATOM

    def _call_where(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        condition, yes, no = (self.write(argument)[0] for argument in arguments)
        return f"{yes} where {condition}, else {no}", _LOOSEST

    def _call_share(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        g, wins, ties = (self.write(argument)[0] for argument in arguments)
        return f"{g} where {wins}, {g} / 2 where {ties}, else 0", _LOOSEST

    def _call_sum(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        axis = options.get("axis")
        place = ast.unparse(axis).translate(_SUBSCRIPTS) if isinstance(axis, ast.Constant) else ""
        return f"Σ{place} {self._inside(arguments[0], _PRODUCT)}", _PRODUCT

    def _call_sum_rows(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"Σ₀ {self._inside(arguments[0], _PRODUCT)}", _PRODUCT

    def _call_count(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return self._count()

    def _count(self) -> tuple[str, int]:
        return self._names.get("n", "n"), _ATOM  # how many numbers a mean was taken of

    def _call_expand(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"{self._inside(arguments[0], _PRODUCT)} at every place", _LOOSEST

    _call_stretch = _call_expand

    def _call_divide(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        return f"{self._inside(arguments[0], _PRODUCT)} / {self._inside(arguments[1], _SIGN)}", (
            _PRODUCT
        )

    def _call_multiply(self, arguments: list[ast.expr], options: Any) -> tuple[str, int]:
        left, right = (self._inside(argument, _PRODUCT) for argument in arguments[:2])
        return f"{left} · {right}", _PRODUCT
