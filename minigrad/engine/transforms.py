"""Transforms: from a function to its gradient, Jacobian or Hessian, as functions.

All are built on `grad` with ``create_graph``, so they compose to any order. The inputs of a
transform pass through an identity op first: what the function itself does with its argument is then
a tape of its own, even if the same tensor is also used from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.backward import grad as gradient_of
from minigrad.engine.dtypes import as_float
from minigrad.engine.state import enable_grad
from minigrad.engine.table import look_up
from minigrad.engine.tensor import Tensor

Function = Callable[..., Any]


def _entered(primals: Sequence[Any]) -> tuple[list[Tensor], bool]:
    """Return fresh inputs for a function, and whether somebody outside differentiates them."""
    nested = False
    inputs: list[Tensor] = []
    for primal in primals:
        if isinstance(primal, Tensor) and primal.requires_grad:
            nested = True
            inputs.append(look_up(np.positive)(primal))
        else:
            values = primal.numpy() if isinstance(primal, Tensor) else primal
            inputs.append(Tensor(as_float(values), requires_grad=True))
    return inputs, nested


def _as_tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor._wrap(value)


def _call(function: Function, inputs: Sequence[Tensor]) -> Tensor:
    output = function(*inputs)
    if not isinstance(output, Tensor):
        raise TypeError(
            f"{getattr(function, '__name__', 'the function')} must return a Tensor. "
            f"Received: {type(output).__name__}"
        )
    return output


def value_and_grad(function: Function, argument: int | Sequence[int] = 0) -> Function:
    """Return a function that gives the value of `function` and its gradient.

    Parameters
    ----------
    function
        Of tensors or arrays, to a scalar Tensor.
    argument
        With respect to which of its arguments; several give a list of gradients.

    Raises
    ------
    RuntimeError
        When called, if the value is no scalar.

    Examples
    --------
    >>> value, slope = value_and_grad(lambda x: (x * x).sum())([1.0, 3.0])
    >>> float(value), slope.tolist()
    (10.0, [2.0, 6.0])
    """
    several = not isinstance(argument, int)
    places = list(argument) if isinstance(argument, Sequence) else [argument]

    def evaluate(*arguments: Any) -> tuple[Tensor, Any]:
        with enable_grad():
            inputs, nested = _entered([arguments[place] for place in places])
            filled = list(arguments)
            for place, entered in zip(places, inputs, strict=True):
                filled[place] = entered
            value = _call(function, filled)
            if value.requires_grad:
                gradients = gradient_of(value, inputs, create_graph=nested, keep_graph=nested)
            else:
                gradients = [np.zeros(entered.shape, entered.dtype) for entered in inputs]
        found = [_as_tensor(gradient) for gradient in gradients]
        return (value if nested else value.detach()), (found if several else found[0])

    return evaluate


def gradient_function(function: Function, argument: int | Sequence[int] = 0) -> Function:
    """Return a function that gives the gradient of `function`; see `value_and_grad`."""
    evaluate = value_and_grad(function, argument)
    return lambda *arguments: evaluate(*arguments)[1]


def grad(output: Any, inputs: Any = 0, *arguments: Any, **options: Any) -> Any:
    """Gradient of a tensor with respect to others, or of a function, as a function.

    ``grad(loss, [w, b])`` walks the tape that `loss` hangs on, as in PyTorch;
    ``grad(function)`` returns a function, as in JAX, and composes: ``grad(grad(function))``.

    Parameters
    ----------
    output : Tensor or callable
        A scalar, unless `gradient` is given; or a function to a scalar.
    inputs : Tensor, sequence of Tensor, or (for a function) the argument's number
        With respect to what: leaves or results of ops.
    gradient : array_like, optional
        The upstream gradient, of the shape of `output`. For a scalar it is 1.
    create_graph : bool, optional
        Return Tensors that can be differentiated again, rather than arrays.
    keep_graph : bool, optional
        Keep the tape for another walk; by default the same as `create_graph`.

    Returns
    -------
    ndarray or Tensor, or a list of them
        Of the shapes of `inputs`, stored nowhere else; zeros where the output does not depend on
        the input.

    Raises
    ------
    RuntimeError
        If `output` records nothing, is no scalar without `gradient`, its tape was consumed, or a
        value on it was changed since; or if an input is not on the tape at all.

    Examples
    --------
    >>> import minigrad as mg
    >>> float(mg.grad(mg.grad(lambda x: x**3))(2.0))
    12.0
    >>> x = mg.Tensor(3.0, requires_grad=True)
    >>> first = mg.grad(x**3, x, create_graph=True)
    >>> float(first), float(mg.grad(first, x))
    (27.0, 18.0)
    """
    if callable(output) and not isinstance(output, Tensor):
        if arguments or options:
            raise TypeError(
                "grad of a function takes the argument's number and no options: its result "
                "composes as it is, grad(grad(function))"
            )
        return gradient_function(output, inputs)
    return gradient_of(output, inputs, *arguments, **options)


def vjp(function: Function, *primals: Any) -> tuple[Tensor, Callable[[Any], Any]]:
    """Return the value, and a function from an upstream gradient v to ``vᵀ J``.

    Examples
    --------
    >>> value, pull_back = vjp(lambda x: x * x, [1.0, 3.0])
    >>> pull_back([1.0, 10.0]).tolist()
    [2.0, 60.0]
    """
    with enable_grad():
        inputs, nested = _entered(primals)
        value = _call(function, inputs)

    def pull_back(upstream: Any) -> Any:
        gradients = gradient_of(value, inputs, upstream, create_graph=nested, keep_graph=True)
        found = list(map(_as_tensor, gradients))
        return found if len(found) > 1 else found[0]

    return (value if nested else value.detach()), pull_back


def jvp(
    function: Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Tensor, Tensor]:
    """Return the value and ``J u``, its change in the direction of the tangents u.

    A reverse-mode tape gives it by differentiating twice: ``vᵀ J`` is linear in v, and the gradient
    of ``(vᵀ J) u`` with respect to v is ``J u`` (J. Townsend, "A new trick for calculating
    Jacobian vector products", 2017).

    Examples
    --------
    >>> value, change = jvp(lambda x: x * x, [[1.0, 3.0]], [[1.0, 10.0]])
    >>> change.tolist()
    [2.0, 60.0]
    """
    if len(primals) != len(tangents):
        raise ValueError(f"jvp: {len(primals)} primals need as many tangents. Got {len(tangents)}")
    with enable_grad():
        inputs, nested = _entered(primals)
        value = _call(function, inputs)
        directions = []
        for entered, tangent in zip(inputs, tangents, strict=True):
            direction = tangent
            if not isinstance(tangent, Tensor):
                direction = Tensor(as_float(tangent), dtype=entered.dtype)
            if direction.shape != entered.shape:
                raise ValueError(
                    f"jvp: a tangent must have its primal's shape {entered.shape}. "
                    f"Received: {direction.shape}"
                )
            directions.append(direction)
        dummy = Tensor(np.zeros(value.shape, value.dtype), requires_grad=True)
        pulled = gradient_of(value, inputs, gradient=dummy, create_graph=True)
        products = [(g * u).sum() for g, u in zip(pulled, directions, strict=True)]
        total = sum(products[1:], products[0])
        if total.requires_grad:
            change = gradient_of(total, dummy, create_graph=nested)
        else:
            change = np.zeros(value.shape, value.dtype)
    return (value if nested else value.detach()), _as_tensor(change)


def jacobian(function: Function) -> Function:
    """Return a function that gives all derivatives of `function`: (*output shape, *input shape).

    Examples
    --------
    >>> jacobian(lambda x: x * x)([1.0, 3.0]).tolist()
    [[2.0, 0.0], [0.0, 6.0]]
    """

    def evaluate(primal: Any) -> Tensor:
        value, pull_back = vjp(function, primal)
        rows = []
        for place in np.ndindex(*value.shape):
            unit = np.zeros(value.shape, value.dtype)
            unit[place] = 1
            rows.append(pull_back(unit))
        shape = np.shape(primal)
        if not rows:
            return Tensor(np.zeros((*value.shape, *shape), value.dtype))
        return look_up(np.stack)(rows).reshape((*value.shape, *shape))

    return evaluate


def hessian(function: Function) -> Function:
    """Return a function that gives the second derivatives of a scalar `function`.

    Examples
    --------
    >>> hessian(lambda x: x[0] * x[0] * x[1])([1.0, 3.0]).tolist()
    [[6.0, 2.0], [2.0, 0.0]]
    """
    return jacobian(gradient_function(function))


def hvp(function: Function) -> Function:
    """Return a function from x and v to ``H(x) v``, without computing the Hessian H.

    Examples
    --------
    >>> hvp(lambda x: x[0] * x[0] * x[1])([1.0, 3.0], [1.0, 0.0]).tolist()
    [6.0, 2.0]
    """

    def evaluate(primal: Any, direction: Any) -> Tensor:
        def slope(x: Tensor) -> Tensor:
            towards = direction if isinstance(direction, Tensor) else as_float(direction)
            return (gradient_function(function)(x) * towards).sum()

        return gradient_function(slope)(primal)

    return evaluate


def stop_gradient(x: Any) -> Tensor:
    """Return the same values as a constant: no gradient flows through them.

    Examples
    --------
    >>> grad(lambda x: (x * stop_gradient(x)).sum())([3.0]).tolist()
    [3.0]
    """
    return x.detach() if isinstance(x, Tensor) else Tensor(as_float(x))
