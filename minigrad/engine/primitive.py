"""Primitive: an op's forward computation with its derivative rules, written once.

A rule is plain NumPy notation. Given arrays it runs at NumPy's speed: the ordinary backward pass.
Given Tensors, each operation in it comes back to us and is itself recorded: higher derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.node import NO_OPTIONS, Node
from minigrad.engine.state import STATE
from minigrad.engine.table import TABLE
from minigrad.engine.tensor import Tensor

Rule = Callable[..., Any]

_MUTABLE = (np.ndarray, list)
_wrap = Tensor._wrap


class Primitive:
    """A differentiable op.

    Parameters
    ----------
    forward : callable
        Computes the result from arrays (and plain constants): ``forward(*operands, **options)``.
        If it is a NumPy function, calling that function with a Tensor records this op.
    *rules : callable or None
        One for each operand: ``rule(g, z, *operands, **options)``, where `g` is the upstream
        gradient and `z` the result. It returns the gradient with respect to its operand; where
        the operand was broadcast, the engine sums it back. None for an operand that has none.
    each : callable, optional
        In place of `rules`, for any number of operands:
        ``each(index, g, z, *operands, **options)``.
    of : callable, optional
        The NumPy function that it stands for, where the forward is another one.
    name : str, optional
        What messages and traces call it; the forward's own name by default.

    Raises
    ------
    ValueError
        When called, if the operands do not fit: the message names the op, the layer and shapes.

    Examples
    --------
    >>> def cube(x):
    ...     return x * x * x
    >>> cube = Primitive(cube, lambda g, z, x: g * (3 * x * x))
    >>> x = Tensor(2.0, requires_grad=True)
    >>> cube(x).backward()
    >>> float(x.grad)
    12.0
    """

    __slots__ = ("forward", "name", "rules")

    def __init__(
        self,
        forward: Callable[..., Any],
        *rules: Rule | None,
        each: Callable[..., Any] | None = None,
        of: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> None:
        if bool(rules) == (each is not None):
            raise TypeError("a Primitive takes one rule for each operand, or `each`, not both")
        self.forward = forward
        self.rules: Any = rules if each is None else _RuleForEach(each)
        self.name = name or (of or forward).__name__.strip("_")
        TABLE[of or forward] = self

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Compute the result; where an operand is a Tensor, return a Tensor and record the op."""
        recording, scope, watcher = STATE.get()
        values: list[Any] = []
        parents: list[Any] = []
        lifted = tracked = False
        for operand in operands:
            if isinstance(operand, Tensor):
                lifted = True
                node = operand._node
                if node is not None:
                    tracked = True
                parents.append(node)
                # A value that outsiders may write into is copied, so that the tape keeps its own.
                values.append(operand._snapshot() if operand._exposed else operand._value)
            else:
                parents.append(None)
                values.append(private_copy(operand) if type(operand) in _MUTABLE else operand)
        if not lifted:
            return self.forward(*operands, **options)
        try:
            result = self.forward(*values, **options)
        except (ValueError, TypeError, IndexError) as error:
            raise self._explain(error, values, scope) from error
        if tracked and recording:
            node = Node(self, (result, *values), options or NO_OPTIONS, tuple(parents), scope)
        else:
            node = None
            if result.base is not None:
                result = np.array(result)  # a view of a parameter would change with it
        if watcher is not None:
            watcher.watch(self, values, result, node)
        return _wrap(result, node)

    def _explain(self, error: Exception, values: list[Any], scope: str) -> Exception:
        """Say which op failed, in which layer, on which shapes; keep the kind of error."""
        where = f" in layer {scope!r}" if scope else ""
        given = ", ".join(describe(value) for value in values)
        kinds = (np.exceptions.AxisError, IndexError, ValueError, TypeError)
        kind: Any = next(kind for kind in kinds if isinstance(error, kind))
        return kind(f"op {self.name!r}{where} cannot take operands {given}: {error}")

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self  # an op is what it is, and its table knows this one

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        return _named, (self.name,)

    def __repr__(self) -> str:
        return f"Primitive({self.name})"


def _named(name: str) -> Primitive:
    """Return the op of a name: what a pickle of it refers to."""
    for primitive in TABLE.values():
        if isinstance(primitive, Primitive) and primitive.name == name:
            return primitive
    raise LookupError(f"there is no op named {name!r}; import the module that defines it first")


class _RuleForEach:
    """The rules of an op with any number of operands: one function that is told which."""

    def __init__(self, each: Callable[..., Any]) -> None:
        self.each = each

    def __getitem__(self, index: int) -> Rule:
        return partial(self.each, index)


def private_copy(operand: Any) -> Any:
    """Return a copy of a caller's own array, as the caller may write into it before `backward`."""
    array = np.array(operand)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected real numbers. Received: an array of dtype {array.dtype}")
    return array


def describe(value: Any) -> str:
    """Return a short description of an operand: shape and dtype of an array, else its repr."""
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.shape} {value.dtype}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
