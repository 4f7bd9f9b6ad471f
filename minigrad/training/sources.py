"""Where batches come from: arrays that are cut, or whatever yields batches by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.checks import positive_integer
from minigrad.engine import Tensor
from minigrad.training.data import Array, as_pair, batches, sample_weights


class Batch(NamedTuple):
    """Inputs, targets and a weight for each sample; the last two may be missing."""

    x: Array
    y: Array | None
    weights: Array | None


def is_array_like(x: Any) -> bool:
    """Whether `x` is data itself, and not something that yields batches."""
    return isinstance(x, np.ndarray | Tensor | list | tuple | int | float) or hasattr(
        x, "__array__"
    )


class Arrays:
    """Batches cut from arrays, in order or in an order drawn anew for each epoch."""

    def __init__(self, x: Array, y: Array | None, weights: Array | None, batch_size: int) -> None:
        self.arrays = (x, y, weights)
        self.batch_size = positive_integer("fit", "batch_size", batch_size)
        self.samples = len(x)
        self.steps: int | None = -(-self.samples // self.batch_size)

    def epoch(self, generator: np.random.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, without the first `skip` of them."""
        for cut in batches(self.arrays, self.batch_size, generator, skip):
            yield Batch(*cut)


class Batches:
    """Batches from a generator, an iterable, a Keras-like dataset, or a function that makes one.

    Each batch is ``x``, ``(x, y)`` or ``(x, y, sample_weight)``.

    Parameters
    ----------
    source
        What yields them. A generator yields once; anything else is begun anew for each epoch.
    dtype
        To which numbers are converted.
    class_weight
        A weight for each class of the targets.
    steps
        How many batches make an epoch; by default all that there are. With it, an epoch goes on
        where the last one ended.

    Attributes
    ----------
    steps : int or None
        The same; None where only the end of the source tells.
    """

    def __init__(
        self,
        source: Any,
        dtype: np.dtype[Any],
        class_weight: dict[int, float] | None = None,
        steps: int | None = None,
    ) -> None:
        if not (callable(source) or hasattr(source, "__iter__") or hasattr(source, "__getitem__")):
            raise TypeError(
                "expected arrays, or something that yields batches. Received: "
                f"{type(source).__name__}"
            )
        self._source = source
        self._dtype = dtype
        self._class_weight = class_weight
        self.steps = None if steps is None else positive_integer("fit", "steps_per_epoch", steps)
        self._current: Iterator[Any] | None = None
        self._taken = 0

    def epoch(self, generator: np.random.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, without the first `skip` of them.

        Raises
        ------
        ValueError
            If there are none left, or fewer than the steps of an epoch.
        """
        count = 0
        if self.steps is None or self._current is None:
            self._current = self._begin()
        while self.steps is None or count < self.steps:
            item = next(self._current, None)
            if item is None and self.steps is not None and not self._is_spent():
                self._current = self._begin()
                item = next(self._current, None)
            if item is None:
                break
            self._taken += 1
            count += 1
            if count > skip:
                yield self._batch(item, self._taken)
        if count == 0 or (self.steps is not None and count < self.steps):
            raise ValueError(
                f"the source of batches ended after {self._taken} batches, in the middle of "
                "training. A generator yields only once: pass a list, an object with __iter__, a "
                "function that makes a generator, or steps_per_epoch=."
            )
        if hasattr(self._source, "on_epoch_end"):
            self._source.on_epoch_end()

    def _is_spent(self) -> bool:
        """Whether the source cannot be begun anew."""
        return hasattr(self._source, "__next__")

    def _begin(self) -> Iterator[Any]:
        source: Any = self._source
        if hasattr(source, "__iter__"):
            return iter(source)
        if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
            return (source[index] for index in range(len(source)))
        made = source()
        if not isinstance(made, Iterable):
            raise TypeError(
                f"{source!r} must return something that yields batches. Received: {made!r}"
            )
        return iter(made)

    def _batch(self, item: Any, number: int) -> Batch:
        """Return a batch, checked like arrays."""
        parts = tuple(item) if isinstance(item, tuple | list) else (item,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(
                f"batch {number}: expected x, (x, y) or (x, y, sample_weight). Received: "
                f"{len(parts)} parts"
            )
        x, y, weights = (*parts, None, None)[:3]
        try:
            inputs, targets = as_pair(x, y, self._dtype)
            return Batch(
                inputs, targets, sample_weights(inputs, targets, weights, self._class_weight)
            )
        except (ValueError, TypeError) as error:
            raise type(error)(f"batch {number}: {error}") from error


Source = Arrays | Batches


def validation_source(
    data: Any, dtype: np.dtype[Any], batch_size: int, steps: int | None
) -> Source:
    """Return the source of ``validation_data``: (x, y), (x, y, sample_weight), or batches.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(data, tuple | list):
        if len(data) not in (2, 3):
            raise ValueError(
                "validation_data must be a pair (x, y), three with sample weights, or something "
                f"that yields batches. Received: {len(data)} parts"
            )
        x, y = as_pair(data[0], data[1], dtype)
        weights = sample_weights(x, y, data[2] if len(data) == 3 else None)
        return Arrays(x, y, weights, batch_size)
    if is_array_like(data):
        x, _ = as_pair(data, None, dtype)
        return Arrays(x, None, None, batch_size)
    return Batches(data, dtype, steps=steps)
