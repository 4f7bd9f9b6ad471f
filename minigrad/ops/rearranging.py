"""Functions that put elements elsewhere and compute nothing: NumPy itself says where to.

Given the numbers 1, 2, 3, … in place of the elements, ``np.rot90`` returns where each element of
its result came from; 0 where it came from nowhere, as the zeros beside a diagonal. To pick elements
from those places is one linear map, to put gradients back there is its adjoint.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE
from minigrad.engine.tensor import Tensor, plain
from minigrad.engine.watcher import sealed
from minigrad.ops.joining import concatenate


def _put_back(g: Any, places: Any, shape: tuple[int, ...]) -> Any:
    size = int(np.prod(shape))
    added = np.bincount(places.ravel(), np.ravel(g), minlength=size + 1)  # repeated places add up
    return added[1:].reshape(shape).astype(g.dtype)


pick: Primitive = Primitive(
    lambda x, places: np.concatenate([np.zeros(1, x.dtype), x.ravel()])[places],
    lambda g, z, x, places: put_back(g, places, shape=x.shape),
    None,
    name="pick",
)
put_back: Primitive = Primitive(_put_back, lambda h, z, g, places, shape: pick(h, places), None)


def _is_fixed(option: Any) -> bool:
    if isinstance(option, tuple | list):
        return all(map(_is_fixed, option))
    return option is None or isinstance(option, int | float | str)


def _rearranging(function: Callable[..., Any], *names: str) -> Callable[..., Any]:
    """Return the differentiable form of `function`, whose elements are the arguments `names`."""
    signature = inspect.signature(function)
    names = names or (next(iter(signature.parameters)),)

    def call(*args: Any, **keywords: Any) -> Any:
        bound = signature.bind(*args, **keywords)
        sources: list[Any] = []

        def numbered(x: Any) -> Any:
            if isinstance(x, list | tuple):
                return type(x)(map(numbered, x))
            shape = x.shape if isinstance(x, Tensor) else np.shape(x)
            first = 1 + sum(map(np.size, sources))
            sources.append(x)
            return np.arange(first, first + np.prod(shape, dtype=int)).reshape(shape)

        frozen = True  # unless an array, which may be another one next time, says where to
        for name, value in bound.arguments.items():
            if name in names:
                bound.arguments[name] = numbered(value)
            else:
                frozen = frozen and _is_fixed(value)
                bound.arguments[name] = plain(value)
        try:
            places = function(*bound.args, **bound.kwargs)
        except (ValueError, TypeError, IndexError) as error:
            shapes = ", ".join(str(np.shape(x)) for x in sources)
            wish = f"np.{function.__name__} needs operands that fit, not of shapes {shapes}"
            raise type(error)(f"{wish}: {error}") from error
        flat = sources[0] if len(sources) == 1 else concatenate(sources, axis=None)

        def picked(part: Any) -> Any:
            part = np.asarray(part)
            return pick(flat, sealed(part) if frozen else part)

        return picked(places) if hasattr(places, "shape") else type(places)(map(picked, places))

    call.__name__ = function.__name__
    return call


for _function, *_names in (
    (np.append, "arr", "values"), (np.array_split,), (np.atleast_1d,), (np.atleast_2d,),
    (np.atleast_3d,), (np.block,), (np.broadcast_arrays,), (np.choose, "choices"),
    (np.column_stack,), (np.compress, "a"), (np.delete,), (np.diag,), (np.diagflat,),
    (np.diagonal,), (np.dsplit,), (np.dstack,), (np.extract, "arr"), (np.fliplr,), (np.flipud,),
    (np.hsplit,), (np.insert, "arr", "values"), (np.linalg.diagonal,), (np.meshgrid,), (np.resize,),
    (np.roll,), (np.rollaxis,), (np.rot90,), (np.split,), (np.take_along_axis,),
    (np.tile,), (np.tril,), (np.triu,), (np.vsplit,), (np.lib.stride_tricks.sliding_window_view,),
):  # fmt: skip
    TABLE[_function] = _rearranging(_function, *_names)
if hasattr(np, "unstack"):  # NumPy 2.1
    TABLE[np.unstack] = _rearranging(np.unstack)
