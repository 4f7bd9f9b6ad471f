"""The default dtype: what Python numbers and integers become when a float is needed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_default: np.dtype[Any] = np.dtype(np.float32)


def get_default_dtype() -> np.dtype[Any]:
    """Return the float dtype that new parameters and promoted integers get.

    Examples
    --------
    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the default float dtype, for the whole process.

    One of the two global settings of minigrad (the other is the seed). Set it once, at the top of
    a notebook, before any layer is built: float64 for checking derivatives, float32 for training.

    Parameters
    ----------
    dtype
        ``"float32"`` or ``"float64"``.

    Raises
    ------
    ValueError
        If the dtype is neither of the two.
    """
    global _default
    chosen = _as_dtype(dtype)
    if chosen not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ValueError(f"the default dtype must be float32 or float64. Received: {dtype!r}")
    _default = chosen


def real_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype that is meant; raise TypeError if it is none of real numbers."""
    found = _as_dtype(dtype)
    if found.kind not in "fiub":
        raise TypeError(f"expected a dtype of real numbers, as 'float32'. Received: {dtype!r}")
    return found


def _as_dtype(dtype: Any) -> np.dtype[Any]:
    try:
        return np.dtype(dtype)
    except TypeError:  # there is none of that name
        return np.dtype(object)


def as_float(values: Any) -> np.ndarray[Any, Any]:
    """Return `values` as a floating array: floats keep their dtype, all else gets the default."""
    array = numeric_array(values)
    return array if array.dtype.kind == "f" else array.astype(_default)


def numeric_array(values: Any) -> np.ndarray[Any, Any]:
    """Return `values` as an array of real numbers; a plain Python float gets the default dtype."""
    refuse_masked(values)
    if isinstance(values, np.ndarray | np.generic):
        array = np.asarray(values)
    else:
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise TypeError(
                f"expected numbers in a rectangular arrangement. Received: {type(values).__name__}"
                f" ({error}). Give every row the same length."
            ) from None
        if array.dtype == np.float64 and not _holds_numpy(values):
            array = array.astype(_default)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"expected an array of real numbers. Received: dtype {array.dtype} of shape "
            f"{array.shape}. Convert it first, for example with array.astype('float32')."
        )
    return array


def in_order(values: Any, dtype: DTypeLike | None = None) -> np.ndarray[Any, Any]:
    """Return a copy that lies in memory as all of ours do: row by row, in the machine's bytes.

    NumPy sums in the order in which numbers lie, so the last bits would depend on more than values.

    Examples
    --------
    >>> in_order(np.asfortranarray([[1, 2], [3, 4]], ">f4")).strides
    (8, 4)
    """
    array = np.array(values, dtype, order="C")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def refuse_masked(values: Any) -> None:
    """Raise for a masked array: as a plain one it would show what its mask hides."""
    masked = sys.modules.get("numpy.ma")  # who has one has loaded it; nobody else needs to
    if masked is not None and isinstance(values, masked.MaskedArray):
        raise TypeError("a masked array has no gradients. Fill it first: array.filled(0)")


def _holds_numpy(values: Any) -> bool:
    """Whether a (nested) list brings NumPy numbers with a dtype of their own."""
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return isinstance(values, np.ndarray | np.generic)
