"""From whatever a user has (lists, arrays, tensors) to a Tensor to compute with."""

from typing import Any

import numpy as np

from minigrad.engine.dtypes import as_float, get_default_dtype
from minigrad.engine.tensor import Tensor


def as_float_tensor(values: Any, dtype: np.dtype[Any] | None = None) -> Tensor:
    """Return `values` as a floating Tensor, recorded if it was a Tensor on the tape.

    Floats keep their dtype unless another is asked for; integers and booleans get the default.

    Examples
    --------
    >>> as_float_tensor([1, 2])
    Tensor([1., 2.])
    """
    if isinstance(values, Tensor):
        wanted = dtype or (values.dtype if values.dtype.kind == "f" else get_default_dtype())
        return values if values.dtype == wanted else values.astype(wanted)
    if isinstance(values, list | tuple) and any(isinstance(value, Tensor) for value in values):
        return as_float_tensor(np.stack(values), dtype)
    array = as_float(values)
    return Tensor(array, dtype=dtype or array.dtype)
