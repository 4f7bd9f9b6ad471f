"""What a user passes to `fit`, checked and turned into arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.engine.dtypes import numeric_array
from minigrad.layers.layer import positive_integer

Array = np.ndarray[Any, Any]


def as_data(name: str, values: Any, dtype: np.dtype[Any]) -> Array:
    """Return `values` as an array of `dtype` with a batch axis.

    Raises
    ------
    TypeError
        For objects, strings and ragged lists.
    ValueError
        For a scalar, no samples, or numbers that are not finite, saying how many and where.
    """
    try:
        array = numeric_array(values.numpy() if isinstance(values, Tensor) else values)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from error
    if array.ndim == 0 or array.shape[0] == 0:
        raise ValueError(f"{name} must hold at least one sample. Received: shape {array.shape}")
    with np.errstate(over="ignore"):  # what is too large for `dtype` becomes infinite
        converted = array.astype(dtype, copy=False)
    finite = np.isfinite(converted)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise ValueError(
            f"{name} holds {int((~finite).sum())} values that are nan or infinite (as {dtype}), "
            f"the first at index {first}. Clean the data, for example with np.nan_to_num, or leave "
            "those samples out."
        )
    return converted


def as_pair(x: Any, y: Any, dtype: np.dtype[Any]) -> tuple[Array, Array | None]:
    """Return inputs and targets as arrays with the same number of samples.

    Raises
    ------
    ValueError
        If they differ in number.
    """
    inputs = as_data("x", x, dtype)
    if y is None:
        return inputs, None
    targets = inputs if y is x else as_data("y", y, dtype)
    if len(inputs) != len(targets):
        raise ValueError(
            f"x and y must have the same number of samples. Received: x of shape {inputs.shape}, "
            f"y of shape {targets.shape}"
        )
    return inputs, targets


def split_off_validation(
    x: Array, y: Array | None, fraction: float
) -> tuple[tuple[Array, Array | None], tuple[Array, Array | None]]:
    """Split the last `fraction` of the samples off, before any shuffling, as in Keras.

    Raises
    ------
    ValueError
        If the fraction is not in (0, 1), or leaves one side empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"validation_split must be in (0, 1). Received: {fraction!r}")
    kept = int(len(x) * (1 - fraction))
    if kept == 0 or kept == len(x):
        raise ValueError(f"validation_split={fraction} leaves no samples of {len(x)} on one side")
    return (
        (x[:kept], None if y is None else y[:kept]),
        (x[kept:], None if y is None else y[kept:]),
    )


def batches(
    x: Array, y: Array | None, batch_size: int, generator: np.random.Generator | None = None
) -> Iterator[tuple[Array, Array | None]]:
    """Yield batches in order, or in an order drawn from `generator`; the last may be smaller."""
    positive_integer("batches", "batch_size", batch_size)
    order = None if generator is None else generator.permutation(len(x))
    for start in range(0, len(x), batch_size):
        chosen = slice(start, start + batch_size) if order is None else order[start:][:batch_size]
        batch = x[chosen]
        yield batch, batch if y is x else None if y is None else y[chosen]
