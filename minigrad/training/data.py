"""What a user passes to `fit`, checked and turned into arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, TypeVar

import numpy as np

from minigrad.checks import number, positive_integer
from minigrad.engine import Tensor
from minigrad.engine.dtypes import numeric_array
from minigrad.signatures import reject_unknown

Array = np.ndarray[Any, Any]
Method = TypeVar("Method", bound=Callable[..., Any])


def says_what_was_meant(method: Method) -> Method:
    """Let a method refuse a keyword that it does not have, with the nearest of its own."""
    code: Any = method.__code__
    known = list(code.co_varnames[1 : code.co_argcount])

    @wraps(method)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        unknown = {name: keywords for name in keywords if name not in known}
        reject_unknown(method.__name__, unknown, known)
        return method(*arguments, **keywords)

    return checked  # type: ignore[return-value]


def as_data(name: str, values: Any, dtype: np.dtype[Any]) -> Array:
    """Return finite `values` as an array of `dtype` with a batch axis, as `lies_in_order` says.

    Whole numbers too large for `dtype` to hold exactly stay what they are.
    """
    is_ready = type(values) is np.ndarray and values.dtype == dtype and lies_in_order(values)
    if is_ready and values.ndim and values.size and is_clearly_finite(values):
        return values  # as most batches are
    values = the_only_array(name, values)
    try:
        array = numeric_array(values.numpy() if isinstance(values, Tensor) else values)
    except TypeError as error:
        hint = " Numbers for words: names, y = np.unique(y, return_inverse=True)"
        is_words = name == "y" and isinstance(np.asarray(values, object).ravel()[0], str)
        raise TypeError(f"{name}: {error}{hint if is_words else ''}") from error
    if array.ndim == 0 or array.shape[0] == 0:
        raise ValueError(f"{name} must hold at least one sample. Received: shape {array.shape}")
    if array.dtype.kind in "iu" and np.abs(array).max() > 2 ** (np.finfo(dtype).nmant + 1):
        dtype = array.dtype.newbyteorder("=")  # would round them: identifiers for an Embedding
    with np.errstate(over="ignore"):  # what is too large for `dtype` becomes infinite
        converted = np.require(array, dtype, ["C", "A"])
    finite = np.isfinite(converted)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(
            f"{name} holds {int((~finite).sum())} values that are nan or infinite (as {dtype}), "
            f"the first at index {first}. Clean the data, for example with np.nan_to_num, or leave "
            "those samples out."
        )
    return converted


def the_only_array(name: str, values: Any) -> Any:
    """Return the array of a list that holds one; anything but a list of arrays as it is."""
    is_list = isinstance(values, list | tuple) and bool(values)
    if not is_list or not all(hasattr(v, "__array__") and v.ndim for v in values):
        return values
    if len(values) == 1:
        return values[0]
    raise ValueError(
        f"{name} is a list of {len(values)} arrays. That means {len(values)} inputs or outputs, as "
        "in Keras, and a model has one of each here. If they are samples, make them one array: "
        "np.stack(…)"
    )


def only_value(argument: str, values: dict[str, Any], name: str | None) -> Any:
    """Return the value of a dict that holds one, which must be called `name` if that is known."""
    if len(values) != 1 or name not in (None, *values):
        has = "one" if name is None else f"one, {name!r}"
        given = ", ".join(map(repr, values)) or "none"
        raise ValueError(f"{argument} is a dict with {given}, and the model has {has}")
    return next(iter(values.values()))


def lies_in_order(array: Array) -> bool:
    """Whether numbers lie row by row and where the processor likes them: see `in_order`.

    NumPy and BLAS sum in another order where they do not, and the last bits of a training would
    depend on more than values.
    """
    return array.flags.c_contiguous and array.flags.aligned


def is_clearly_finite(array: Array) -> bool:
    """Whether all numbers are finite, and not so large that their squares are not.

    A sum of squares is finite only if all numbers are, and is found in a fraction of the time that
    it takes to look at each; whoever gets a False has to look.
    """
    row = array.reshape(-1)
    return math.isfinite(np.dot(row, row))


def as_pair(x: Any, y: Any, dtype: np.dtype[Any]) -> tuple[Array, Array | None]:
    """Return inputs and targets as arrays; it is an error if they differ in number."""
    inputs = as_data("x", x, dtype)
    if y is None:
        return inputs, None
    targets = inputs if y is x else as_data("y", y, dtype)
    if len(inputs) != len(targets):
        single = " Single samples lack the batch axis: x[None], y[None]." * (inputs.ndim == 1)
        raise ValueError(
            f"x and y must have the same number of samples. Received: x of shape {inputs.shape}, "
            f"y of shape {targets.shape}.{single}"
        )
    return inputs, targets


def split_off_validation(
    x: Array, y: Array | None, fraction: float
) -> tuple[tuple[Array, Array | None], tuple[Array, Array | None]]:
    """Split the last `fraction` of the samples off, before any shuffling, as in Keras."""
    is_number = isinstance(fraction, int | float) and not isinstance(fraction, bool)
    if not is_number or not 0 < fraction < 1:
        raise ValueError(f"validation_split must be in (0, 1). Received: {fraction!r}")
    kept = int(len(x) * (1 - fraction))
    if kept == 0 or kept == len(x):
        raise ValueError(f"validation_split={fraction} leaves no samples of {len(x)} on one side")
    learnt, judged = (None, None) if y is None else (y[:kept], y[kept:])
    return (x[:kept], learnt), (x[kept:], judged)


def sample_weights(
    x: Array, y: Array | None, sample_weight: Any = None, class_weight: Any = None
) -> Array | None:
    """Return a weight for each sample, from weights of samples, of classes, or both multiplied."""
    if sample_weight is None and class_weight is None:
        return None
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    weights: Array = np.ones(len(x), dtype)
    if sample_weight is not None:
        weights = as_data("sample_weight", sample_weight, dtype).astype(dtype)
        if weights.shape == (len(x), 1):
            weights = weights[:, 0]
        if weights.shape != (len(x),) or weights.min() < 0:
            raise ValueError(
                f"sample_weight must hold a number, 0 or larger, for each of {len(x)} samples. "
                f"Received: shape {weights.shape}, smallest {weights.min()}"
            )
    if class_weight is not None:
        weights = weights * _weights_by_class(y, class_weight).astype(dtype)
    return weights


def _weights_by_class(y: Array | None, class_weight: Any) -> Array:
    if not isinstance(class_weight, dict) or y is None:
        raise ValueError("class_weight must be a dict from classes to weights, beside targets y")
    for label, weight in class_weight.items():
        number("fit", f"class_weight of class {label!r}", weight, least=0)
    labels = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y), -1)[:, 0]
    missing = sorted(set(labels.tolist()) - set(class_weight))
    if missing:
        raise ValueError(f"class_weight has no weight for class {missing[0]:g}")
    return np.array([class_weight[label] for label in labels.tolist()], np.float64)


def batches(
    arrays: Sequence[Array | None],
    batch_size: int,
    generator: np.random.Generator | None = None,
    skip: int = 0,
) -> Iterator[tuple[Any, ...]]:
    """Yield batches of all arrays in order, or in an order drawn from `generator`.

    The first `skip` are left out. None stays None; an array that stands twice is cut once.
    """
    positive_integer("batches", "batch_size", batch_size)
    first = arrays[0]
    assert first is not None
    order = None if generator is None else generator.permutation(len(first))
    for start in range(skip * batch_size, len(first), batch_size):
        chosen = slice(start, start + batch_size) if order is None else order[start:][:batch_size]
        cut = {id(array): array[chosen] for array in arrays if array is not None}
        yield tuple(None if array is None else cut[id(array)] for array in arrays)
