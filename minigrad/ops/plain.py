"""Functions with no derivative to speak of: their results are plain arrays, not Tensors.

Comparisons, tests and positions. They can be used freely on Tensors, as conditions and indices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.state import STATE
from minigrad.engine.table import TABLE
from minigrad.engine.tensor import Tensor
from minigrad.engine.watcher import constant

_PLAIN: tuple[Callable[..., Any], ...] = (
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isclose,
    np.allclose, np.array_equal, np.isin, np.isnan, np.isinf, np.isfinite, np.isposinf, np.isneginf,
    np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor, np.bitwise_and,
    np.bitwise_or, np.bitwise_xor, np.invert, np.any, np.all, np.count_nonzero, np.nonzero,
    np.argwhere, np.flatnonzero, np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort,
    np.argpartition, np.searchsorted, np.digitize, np.histogram, np.array2string, np.array_repr,
    np.array_str,
)  # fmt: skip
# These look at shapes and dtypes only.
_OF_SHAPES: tuple[Callable[..., Any], ...] = (
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.result_type,
)  # fmt: skip


def without_derivative(function: Callable[..., Any], *operands: Any, **options: Any) -> Any:
    """Return ``function(*operands, **options)`` of plain arrays; for a repetition it runs again.

    Examples
    --------
    >>> without_derivative(lambda labels: labels + 1, Tensor([1, 2])).tolist()
    [2, 3]
    """
    weights = options.get("weights")
    if isinstance(weights, Tensor) and weights.requires_grad:  # they are summed, not compared
        raise TypeError(f"np.{function.__name__} of a Tensor has no gradient for weights=")
    result = _apply(function, operands, options)
    watcher = STATE.get().watcher
    return result if watcher is None else watcher.watch_plain(function, operands, options, result)


def check(function: Callable[..., None], *operands: Any) -> None:
    """Let a function look at plain arrays, and raise if they are wrong; a repetition looks anew.

    Examples
    --------
    >>> def positive(x):
    ...     if x.min() <= 0:
    ...         raise ValueError(f"expected positive numbers. Received: {x.min()}")
    >>> check(positive, Tensor([1.0, -2.0]))
    Traceback (most recent call last):
    ValueError: expected positive numbers. Received: -2.0
    """
    _apply(function, operands, {})
    watcher = STATE.get().watcher
    if watcher is not None:
        watcher.watch_check(function, operands)


def _of_shapes(function: Callable[..., Any], *operands: Any, **options: Any) -> Any:
    return constant(_apply(function, operands, options))


def _apply(function: Callable[..., Any], args: Any, keywords: dict[str, Any]) -> Any:
    named = {name: _value(argument) for name, argument in keywords.items()}
    return function(*map(_value, args), **named)


def _value(argument: Any) -> Any:
    return argument._value if isinstance(argument, Tensor) else argument


def _answers(how: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    # A function, as a repetition of training steps looks at the code of what they call.
    return lambda *operands, **options: how(function, *operands, **options)


for _function in _PLAIN:
    TABLE[_function] = _answers(without_derivative, _function)
for _function in _OF_SHAPES:
    TABLE[_function] = _answers(_of_shapes, _function)
