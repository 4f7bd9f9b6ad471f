"""A user's own derivative rule: `custom_gradient` makes an op of a function."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from minigrad.engine.primitive import Primitive


def custom_gradient(*rules: Callable[..., Any] | None) -> Callable[[Callable[..., Any]], Primitive]:
    """Give a function of arrays derivative rules of one's own; it becomes a `Primitive`.

    A NumPy function stays what it is for everybody else: the new op alone has these rules.

    Parameters
    ----------
    *rules
        One for each operand, as for `Primitive`: ``rule(g, z, *operands, **options)``.

    Examples
    --------
    The straight-through estimator (Y. Bengio et al., 2013) rounds, and lets the gradient pass as if
    it had not:

    >>> import numpy as np, minigrad as mg
    >>> @custom_gradient(lambda g, z, x: g)
    ... def straight_through_round(x):
    ...     return np.round(x)
    >>> x = mg.Tensor([0.2, 1.7], requires_grad=True)
    >>> straight_through_round(x).sum().backward()
    >>> x.grad
    array([1., 1.], dtype=float32)
    """

    def make(function: Callable[..., Any]) -> Primitive:
        if isinstance(function, FunctionType):
            return Primitive(function, *rules)

        # The table answers NumPy's own functions, which are none of Python's.
        def forward(*operands: Any, **options: Any) -> Any:
            return function(*operands, **options)

        return Primitive(forward, *rules, name=function.__name__)

    return make
