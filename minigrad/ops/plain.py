"""Functions with no derivative to speak of: their results are plain arrays, not Tensors.

Comparisons, tests and positions. They can be used freely on Tensors, as conditions and indices.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.engine.table import TABLE
from minigrad.engine.tensor import plain

_PLAIN: tuple[Callable[..., Any], ...] = (
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
    np.equal,
    np.not_equal,
    np.isclose,
    np.allclose,
    np.array_equal,
    np.isnan,
    np.isinf,
    np.isfinite,
    np.signbit,
    np.logical_and,
    np.logical_or,
    np.logical_not,
    np.logical_xor,
    np.any,
    np.all,
    np.count_nonzero,
    np.nonzero,
    np.argmax,
    np.argmin,
    np.argsort,
    np.searchsorted,
    np.unique,
    np.histogram,
    np.shape,
    np.ndim,
    np.size,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.full_like,
    np.array2string,
    np.array_repr,
    np.array_str,
    np.result_type,
)


def _on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        return function(
            *(plain(argument) for argument in args),
            **{name: plain(argument) for name, argument in keywords.items()},
        )

    call.__name__ = function.__name__
    return call


for _function in _PLAIN:
    TABLE[_function] = _on_values(_function)
