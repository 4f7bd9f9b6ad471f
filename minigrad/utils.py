"""Small helpers by their Keras names."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import get_default_dtype
from minigrad.engine.dtypes import numeric_array
from minigrad.seeds import set_seed as set_random_seed

__all__ = ["set_random_seed", "to_categorical"]

Array = np.ndarray[Any, Any]


def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Return one-hot rows for classes: a 1 at the place of the class, and 0 elsewhere.

    Parameters
    ----------
    x : array_like of int, (…) or (…, 1)
        Numbers of classes from 0.
    num_classes
        How many there are; by default as many as occur.

    Returns
    -------
    ndarray of shape (…, num_classes)

    Raises
    ------
    ValueError
        For numbers that are negative, not whole, or too large.

    Examples
    --------
    >>> to_categorical([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = numeric_array(x)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    if classes.size == 0 or (classes != np.floor(classes)).any() or classes.min() < 0:
        raise ValueError(f"to_categorical: expected whole numbers from 0. Received: {x!r}")
    count = int(classes.max()) + 1 if num_classes is None else num_classes
    if classes.max() >= count:
        raise ValueError(
            f"to_categorical: class {int(classes.max())} does not fit into num_classes={count}"
        )
    return np.eye(count, dtype=get_default_dtype())[classes.astype(np.intp)]
