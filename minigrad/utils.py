"""Small helpers by their Keras names."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend import clear_session
from minigrad.engine import Tensor, get_default_dtype
from minigrad.engine.dtypes import numeric_array
from minigrad.seeds import set_seed as set_random_seed
from minigrad.serialization import (
    custom_object_scope,
    get_custom_objects,
    register_keras_serializable,
)
from minigrad.suggestions import speak_up

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "normalize",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

speak_up(__name__)

Array = np.ndarray[Any, Any]


def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Return one-hot rows for classes: a 1 at the place of the class, and 0 elsewhere.

    Parameters
    ----------
    x : array_like of int, (…) or (…, 1)
        Numbers of classes: whole, from 0, and below `num_classes`.
    num_classes
        How many there are; by default as many as occur.

    Returns
    -------
    ndarray of shape (…, num_classes)

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


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return the inputs, targets and sample weights of a batch; what is missing is None."""
    parts = tuple(data) if isinstance(data, tuple | list) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            f"expected x, (x, y) or (x, y, sample_weight). Received: {len(parts)} parts"
        )
    return tuple([*parts, None, None][:3])


def normalize(x: Any, axis: int = -1, order: float = 2) -> Any:
    """X / ‖x‖ along an axis, for a norm of any order; vectors of zeros stay as they are.

    Examples
    --------
    >>> normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    values = x if isinstance(x, Tensor) else numeric_array(x)
    norms = np.linalg.norm(values, order, axis, keepdims=True)
    return values / np.where(norms == 0, norms.dtype.type(1), norms)


class PyDataset:
    """Base of datasets that hand out batches by their number, in order.

    A subclass defines ``__len__``, the number of batches, and ``__getitem__(index)``, which returns
    a batch ``(x, y)`` or ``(x, y, sample_weight)``. At the end of each epoch `on_epoch_end` is
    called: there it may shuffle. `fit`, `evaluate` and `predict` take it in place of arrays.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        How Keras makes batches ahead. Here each is made when it is needed, so they change nothing.

    Examples
    --------
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         x = np.array([[1.0], [2.0]]) + 2 * index
    ...         return x, x**2
    >>> Squares()[1][1].tolist()
    [[9.0], [16.0]]
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def num_batches(self) -> int:
        """How many batches there are; may be defined in place of ``__len__``."""
        if type(self).__len__ is PyDataset.__len__:
            raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")
        return len(self)

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def on_epoch_end(self) -> None:
        """Called at the end of each epoch."""


Sequence = PyDataset
