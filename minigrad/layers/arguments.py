"""What a layer is called on: one tensor or several, and further arguments of its `call`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import is_whole
from minigrad.engine import Tensor, no_grad
from minigrad.layers import forward_pass

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

LARGEST_TRIAL = 10_000_000  # numbers in an input that is only made to see the output's shape


def parameters_of(method: Any) -> list[inspect.Parameter]:
    """Return the parameters of a class's method but for ``self``, through decorators."""
    try:
        return list(inspect.signature(method).parameters.values())[1:]
    except (TypeError, ValueError):  # nothing that tells
        return []


def bind(
    layer: Layer, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Any, dict[str, Any], inspect.BoundArguments]:
    """Return what a layer is called on, further arguments, and all as `call` takes them.

    The first may be given by its own name or as ``inputs=``; ``mask=None`` says nothing.
    """
    signature = inspect.signature(layer.call)
    first = next(iter(signature.parameters), "inputs")
    if not inputs and first not in keywords and "inputs" in keywords:
        keywords[first] = keywords.pop("inputs")
    if keywords.get("mask", layer) is None and "mask" not in signature.parameters:
        del keywords["mask"]
    try:
        bound = signature.bind(*inputs, **keywords)
    except TypeError as error:
        raise TypeError(
            f"layer {layer.name!r}: {error}. It is called as {type(layer).__name__}.call{signature}"
        ) from None
    for name, value in bound.arguments.items():
        if name != first:
            bound.arguments[name] = _as_further(value, layer.dtype)
    further = {**bound.arguments}
    x = further.pop(first, None)
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            further |= further.pop(parameter.name, {})
    return x, further, bound


def _as_further(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return arrays as Tensors, floats among them of `dtype`; numbers and words as they are."""
    if isinstance(x, list | tuple | dict):
        return each(lambda part: _as_further(part, dtype), x) if holds_inputs(x) else x
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        return Tensor(x, dtype=dtype if x.dtype.kind == "f" else None)
    return x.astype(dtype) if isinstance(x, Tensor) and x.dtype.kind == "f" else x


def holds_inputs(x: Any) -> bool:
    """Whether a collection holds arrays, one for each input, rather than the numbers of one."""
    return isinstance(x, dict) or any(
        isinstance(part, Tensor)
        or (isinstance(part, np.ndarray) and part.ndim > 0)
        or (isinstance(part, list | tuple | dict) and holds_inputs(part))
        for part in x
    )


def each(function: Callable[[Any], Any], x: Any) -> Any:
    """Apply a function to each part of a list, tuple or dict; None stays None."""
    if isinstance(x, dict):
        return {name: None if part is None else function(part) for name, part in x.items()}
    return [None if part is None else function(part) for part in x]


def shape_of(x: Any) -> Any:
    """Return the shape of an input, or a list or dict of shapes."""
    return each(shape_of, x) if isinstance(x, list | tuple | dict) else getattr(x, "shape", None)


def is_shape(shape: Any) -> bool:
    """Whether something is the shape of one tensor, rather than a collection of shapes."""
    return isinstance(shape, list | tuple) and all(n is None or is_whole(n) for n in shape)


def samples(shapes: tuple[Any, ...]) -> str:
    """Return what shapes say of samples: without the batch; collections of them as they are."""
    return str([tuple(n and int(n) for n in s[1:]) if is_shape(s) else s for s in shapes])


def shapes_to_build(layer: Layer, input_shape: Any, further: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer's `build`, by name.

    A `build` of one argument gets the shape of the first input; one of several gets, for each
    ``name_shape``, that of the argument ``name`` of `call`.
    """
    catch_all = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    wanted = [p.name for p in parameters_of(type(layer).build) if p.kind not in catch_all]
    if len(wanted) <= 1:
        return dict.fromkeys(wanted, input_shape)
    first, *names = [parameter.name for parameter in parameters_of(type(layer).call)]
    shapes = {f"{name}_shape": shape_of(further.get(name)) for name in names}
    shapes[f"{first}_shape"] = input_shape
    if not shapes.keys() >= set(wanted):
        raise ValueError(
            f"layer {layer.name!r}: build takes {', '.join(wanted)}, but the shapes of the "
            f"arguments of call are {', '.join(shapes)}"
        )
    return {name: shapes[name] for name in wanted}


def shape_by_trial(layer: Layer, input_shape: Any, further: dict[str, Any]) -> Any:
    """Return the shape of what a layer makes of zeros, or a list or dict of several."""
    batches: list[int | None] = []

    def zeros(shape: Any) -> Any:
        if not is_shape(shape):
            return each(zeros, shape)
        lengths = [n for n in shape[1:] if n is not None]
        if len(lengths) < len(shape[1:]) or math.prod(lengths) > LARGEST_TRIAL:
            raise ValueError(
                f"layer {layer.name!r} cannot be tried on an input of shape {shape} to find its "
                f"output's shape: let {type(layer).__name__} define compute_output_shape"
            )
        batches.append(shape[0] if shape else None)
        return np.zeros((1, *lengths) if shape else (), layer.dtype)

    def with_batch(output: Any) -> Any:
        if isinstance(output, list | tuple | dict):
            return each(with_batch, output)
        return (batches[0], *output.shape[1:])

    with no_grad(), forward_pass.apart():
        return with_batch(layer(zeros(input_shape), **further))
