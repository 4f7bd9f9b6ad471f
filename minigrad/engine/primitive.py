"""Primitive: an op's forward computation with its derivative rules, written once.

A rule is plain NumPy notation. Given arrays it runs at NumPy's speed: the ordinary backward pass.
Given Tensors, each operation in it comes back to us and is itself recorded: higher derivatives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.dtypes import in_order, refuse_masked
from minigrad.engine.node import NO_OPTIONS, Node
from minigrad.engine.state import STATE
from minigrad.engine.table import TABLE
from minigrad.engine.taken import came_back
from minigrad.engine.tensor import Tensor

Rule = Callable[..., Any]

# Operands that nobody can write into, and which the tape may therefore keep as they are.
_NUMBERS = frozenset((int, float, bool, type(None), np.float32, np.float64, np.int64))
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
    prepare : callable, optional
        For an op that is repeated on arrays that stay where they are: called once, as
        ``prepare(*operands, **options, out=array)``, it returns what to call each time; or None,
        if there is nothing better than the forward.
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

    __slots__ = ("forward", "function", "name", "prepare", "rules")

    def __init__(
        self,
        forward: Callable[..., Any],
        *rules: Rule | None,
        each: Callable[..., Any] | None = None,
        of: Callable[..., Any] | None = None,
        prepare: Callable[..., Callable[[], Any]] | None = None,
        name: str | None = None,
    ) -> None:
        if bool(rules) == (each is not None):
            raise TypeError("a Primitive takes one rule for each operand, or `each`, not both")
        self.forward = forward
        self.function = of if isinstance(of, np.ufunc) else forward  # which can take `out=`
        self.prepare = prepare
        self.rules: Any = rules if each is None else _RuleForEach(each)
        self.name = name or (of or forward).__name__.strip("_")
        TABLE[of or forward] = self

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("forward", "rules") and hasattr(self, name):  # programs hold them, and tapes
            raise AttributeError(f"op {self.name!r} keeps its {name}. Make another Primitive")
        super().__setattr__(name, value)

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """Compute the result; where an operand is a Tensor, return a Tensor and record the op."""
        for operand in operands:
            if isinstance(operand, Tensor):
                break
        else:
            return self.forward(*operands, **options)
        recording, scope, watcher, taken, _ = STATE.get()
        values: list[Any] = []
        parents: list[Any] = []
        tracked = False
        try:
            for operand in operands:
                if isinstance(operand, Tensor):
                    node = operand._node
                    if node is not None:
                        tracked = True
                    parents.append(node)
                    # What outsiders may write into is copied, so that the tape keeps its own.
                    values.append(operand._snapshot() if operand._exposed else operand._value)
                else:
                    parents.append(None)
                    values.append(operand if type(operand) in _NUMBERS else private_copy(operand))
            for name, option in options.items():
                if type(option) not in _NUMBERS:
                    options[name] = private_option(name, option)
            result = self.forward(*values, **options)
            if not isinstance(result, np.ndarray | np.generic):
                result = as_result(result)
        except (ValueError, TypeError, IndexError) as error:
            raise self._explain(error, operands, scope) from error
        if tracked and recording:
            node = Node(self, (result, *values), options or NO_OPTIONS, tuple(parents), scope)
            if taken is not None:
                came_back(taken, operands)
        else:
            node = None
            if result.base is not None:
                result = np.array(result)  # a view of a parameter would change with it
        if watcher is not None:
            watcher.watch(self, operands, values, options, result, node)
        return _wrap(result, node)

    def pair(self, x: Any, y: Any) -> Any:
        """Do what ``primitive(x, y)`` does, with the loop over the operands written out.

        For Python's arithmetic operators, where the loop takes longer than the arithmetic of small
        tensors itself. Whatever is unusual goes the general way.
        """
        recording, scope, watcher, taken, _ = STATE.get()
        if not recording or watcher is not None or taken is not None:
            return self(x, y)
        x_node = y_node = None
        x_value, y_value = x, y
        if isinstance(x, Tensor):
            x_value, x_node = x._value if not x._exposed else x._snapshot(), x._node
        elif type(x) not in _NUMBERS:
            return self(x, y)
        if isinstance(y, Tensor):
            y_value, y_node = y._value if not y._exposed else y._snapshot(), y._node
        elif type(y) not in _NUMBERS:
            return self(x, y)
        if x_node is None and y_node is None:
            return self(x, y)
        try:
            z = self.forward(x_value, y_value)
        except (ValueError, TypeError, IndexError):
            return self(x, y)  # which raises it again, with an explanation
        node = Node(self, (z, x_value, y_value), NO_OPTIONS, (x_node, y_node), scope)
        return _wrap(z, node)

    def _explain(self, error: Exception, operands: tuple[Any, ...], scope: str) -> Exception:
        """Say which op failed, in which layer, on which shapes; keep the kind of error."""
        where = f" in layer {scope!r}" if scope else ""
        given = ", ".join(describe(operand) for operand in operands)
        kinds = (
            np.exceptions.AxisError, np.linalg.LinAlgError, IndexError, ValueError, TypeError
        )  # fmt: skip
        kind: Any = next(kind for kind in kinds if isinstance(error, kind))
        reason = str(error)
        sizes = re.search(r"gufunc.* \(size (\d+) is different from (\d+)\)", reason)
        if sizes is not None:
            reason = (
                "the last axis of the first must be as long as the last but one of the second: "
                f"{sizes[2]} and {sizes[1]}"
            )
        elif "gufunc core" in reason:
            reason = "it takes vectors and matrices; a number multiplies with *"
        return kind(f"op {self.name!r}{where} cannot take operands {given}: {reason}")

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self  # an op is what it is, and its table knows this one

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        if _named(self.name) is not self:
            raise TypeError(
                f"op {self.name!r} cannot be pickled: another op has its name, and a pickle refers "
                "to an op by name. Give it a name= of its own."
            )
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
    """Return an operand as an array of our own: its owner may write into it before `backward`.

    Numbers stay what they are. Raises TypeError for what is not made of real numbers.
    """
    if isinstance(operand, int | float):
        return operand
    refuse_masked(operand)
    array = in_order(np.asarray(operand))  # asarray: not every array-like copies when asked to
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected real numbers. Received: an array of dtype {array.dtype}")
    return operand if isinstance(operand, np.generic) else array


def private_option(name: str, option: Any) -> Any:
    """Return an option with arrays of our own; a Tensor would lose its gradient there."""
    if isinstance(option, Tensor):
        raise TypeError(
            f"the option {name}= is a constant, through which no gradient flows. Received: a "
            "Tensor; pass its values, tensor.item() or tensor.numpy()"
        )
    if isinstance(option, np.ndarray):
        return in_order(option)
    if isinstance(option, list | tuple):
        return type(option)([private_option(name, part) for part in option])
    return option


def as_result(result: Any) -> Any:
    """Return the Python number that a forward gave as NumPy's."""
    if not isinstance(result, int | float):
        raise TypeError(
            f"its forward must return one array of numbers. Received: {type(result).__name__}"
        )
    return np.asarray(result)[()]


def describe(value: Any) -> str:
    """Return a short description of an operand: shape and dtype of an array, else its repr."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return f"{value.shape} {value.dtype}"
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
