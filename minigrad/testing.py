"""Checking derivatives against finite differences, in both orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine import Tensor, grad
from minigrad.engine.tensor import plain
from minigrad.suggestions import speak_up

__all__ = ["check_grads"]

speak_up(__name__)

Array = np.ndarray[Any, Any]


def check_grads(
    function: Callable[..., Any],
    operands: Sequence[Any],
    order: int = 2,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> None:
    """Check a function's derivatives along random directions: ``⟨v, J u⟩ = ⟨Jᵀ v, u⟩``.

    The left side comes from central differences of the function, in float64; the right side from
    the derivative rules. For the second order the same is done to the gradient itself, so that the
    rules are differentiated too.

    Parameters
    ----------
    function
        Of some arrays to an array of any shape.
    operands
        Its operands. Floating ones (arrays, tensors, numbers) are checked, as float64; others
        are passed on as they are.
        They should keep away from kinks, by more than 1e-4.
    order
        1 or 2.
    tolerance
        How far both sides may differ, relative to the larger of them.
    seed
        Of the random directions.

    Raises
    ------
    AssertionError
        If they differ, naming the function, the order, the operand and both numbers.

    Notes
    -----
    One projection costs two calls of the function, however many elements there are. See J. Nocedal
    and S. Wright, "Numerical Optimization" (2006), chapter 8, on the step of central differences.

    Examples
    --------
    >>> check_grads(lambda x: x * np.sin(x), [np.array([0.5, 2.0])])
    """
    if order not in (1, 2):
        raise ValueError(f"order must be 1 or 2. Received: {order!r}")
    generator = np.random.default_rng(seed)
    values = [_as_float64(operand) for operand in operands]
    tracked = [index for index, value in enumerate(values) if _is_floating(value)]
    if not tracked:
        raise ValueError("check_grads needs at least one floating operand")
    name = getattr(function, "__name__", repr(function))
    output = np.asarray(plain(function(*values)))
    upstream = generator.standard_normal(output.shape)

    def projected(*arguments: Any) -> Any:
        return (function(*arguments) * upstream).sum()

    _compare(name, 1, projected, values, tracked, tolerance, generator)
    if order == 2:
        for index in tracked:
            direction = generator.standard_normal(np.shape(values[index]))

            def slope(*arguments: Any, index: int = index, direction: Array = direction) -> Any:
                tensor = arguments[index]
                if not isinstance(tensor, Tensor):
                    tensor = Tensor(tensor, requires_grad=True)
                    arguments = (*arguments[:index], tensor, *arguments[index + 1 :])
                result = projected(*arguments)
                if not _is_recorded(result):
                    return 0.0  # it does not depend on this operand, as order 1 has confirmed
                return (grad(result, tensor, create_graph=True) * direction).sum()

            _compare(name, 2, slope, values, tracked, tolerance, generator)


def _compare(
    name: str,
    order: int,
    scalar: Callable[..., Any],
    values: list[Any],
    tracked: list[int],
    tolerance: float,
    generator: np.random.Generator,
) -> None:
    """Hold the rules' directional derivative of `scalar` against a central difference."""
    tensors = [
        Tensor(value, requires_grad=True) if index in tracked else value
        for index, value in enumerate(values)
    ]
    result = scalar(*tensors)
    cut = not _is_recorded(result)
    gradients = (
        [np.zeros(np.shape(values[index])) for index in tracked]
        if cut
        else grad(result, [tensors[index] for index in tracked])
    )
    step = 6e-6  # about the cube root of float64's rounding, where central differences are best
    for index, gradient in zip(tracked, gradients, strict=True):
        direction = generator.standard_normal(np.shape(values[index]))
        ends = []
        for sign in (1, -1):
            moved = list(values)
            moved[index] = values[index] + sign * step * direction
            ends.append(float(plain(scalar(*moved))))
        expected = (ends[0] - ends[1]) / (2 * step)
        received = float(np.sum(gradient * direction))
        # Below the second part the difference is the rounding of the function's own values.
        allowed = tolerance * max(abs(expected), abs(received)) + 1e-8 * max(1.0, abs(ends[0]))
        if not abs(expected - received) <= allowed:
            raise AssertionError(
                f"{name}: the derivative of order {order} with respect to operand {index} is "
                f"wrong. Finite differences: {expected:.10g}; the rule: {received:.10g}"
                + (" (the result is cut from the tape)" if cut else "")
            )


def _is_recorded(result: Any) -> bool:
    return isinstance(result, Tensor) and result.requires_grad


def _is_floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _as_float64(operand: Any) -> Any:
    operand = plain(operand)
    if isinstance(operand, float | np.floating) or _is_floating(operand):
        return np.array(operand, np.float64)
    return operand
