"""What a layer is called on: one tensor or several, and further arguments of its `call`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import is_whole
from minigrad.engine import Tensor

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer


def parameters_of(method: Any) -> list[inspect.Parameter]:
    """Return the parameters of a class's method but for ``self``, through decorators."""
    try:
        return list(inspect.signature(method).parameters.values())[1:]
    except (TypeError, ValueError):  # nothing that tells
        return []


def bind(
    layer: Layer, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Any, dict[str, Any], inspect.BoundArguments]:
    """Return what a layer is called on, and how its `call` is to be called.

    The first argument may be given by its own name or as ``inputs=``; ``mask=None`` says nothing,
    and may be said to each layer.
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
    further = {name: value for name, value in bound.arguments.items() if name != first}
    return bound.arguments.get(first), further, bound


def holds_inputs(x: Any) -> bool:
    """Whether a collection holds arrays, one for each input, rather than the numbers of one."""
    if isinstance(x, dict):
        return True
    return any(
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


def without_batch(shape: Any) -> Any:
    """Return one sample's shape; a collection of shapes as it is."""
    return tuple(shape[1:]) if is_shape(shape) else shape


def further_tensors(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return a further argument with its arrays as Tensors: floats of `dtype`, others as they are.

    What is no array, as a number or a word, stays what it is.
    """
    if isinstance(x, list | tuple | dict):
        return each(lambda part: further_tensors(part, dtype), x) if holds_inputs(x) else x
    if isinstance(x, np.ndarray) and x.dtype.kind in "fiub":
        return Tensor(x, dtype=dtype if x.dtype.kind == "f" else None)
    if isinstance(x, Tensor) and x.dtype.kind == "f" and x.dtype != dtype:
        return x.astype(dtype)
    return x


def shapes_to_build(layer: Layer, input_shape: Any, further: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer's `build`, by name.

    A `build` of one argument gets the shape of the first input; one of several gets, for each
    ``name_shape``, that of the argument ``name`` of `call`.
    """
    catch_all = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    wanted = [p.name for p in parameters_of(type(layer).build) if p.kind not in catch_all]
    if len(wanted) <= 1:
        return dict.fromkeys(wanted, input_shape)
    names = [parameter.name for parameter in parameters_of(type(layer).call)]
    shapes = {f"{name}_shape": shape_of(further.get(name)) for name in names}
    shapes[f"{names[0]}_shape"] = input_shape
    for name in wanted:
        if name not in shapes:
            raise ValueError(
                f"layer {layer.name!r}: build takes {name!r}, which is none of {', '.join(shapes)}:"
                " one argument gets the shape of the first input, several those of the arguments "
                "of call by their names"
            )
    return {name: shapes[name] for name in wanted}
