"""Where batches come from: arrays that are cut, or whatever yields batches by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.checks import positive_integer
from minigrad.training.data import Array, batches
from minigrad.utils import unpack_x_y_sample_weight


class Batch(NamedTuple):
    """Inputs, targets and a weight for each sample; the last two may be missing."""

    x: Array
    y: Array | None
    weights: Array | None


def is_array_like(x: Any) -> bool:
    """Whether `x` is data itself, and not something that yields batches."""
    return hasattr(x, "__array__") or isinstance(x, list | tuple | int | float)


class Arrays:
    """Batches cut from arrays, in order or in an order drawn anew for each pass.

    With `steps`, so many batches make an epoch, and a pass takes several: each goes on where the
    last one ended, after `passed` batches. One that comes to the end of the samples is shorter.
    Without a `batch_size`, that many make a pass; or 32 samples a batch.
    """

    def __init__(self, arrays: Batch, batch_size: int | None, steps: int | None = None) -> None:
        self.arrays = arrays
        asked = None if steps is None else positive_integer("fit", "steps", steps)
        if batch_size is None:
            batch_size = -(-len(arrays.x) // asked) if asked else 32
        self.batch_size = positive_integer("fit", "batch_size", batch_size)
        self._all = -(-len(arrays.x) // self.batch_size)
        self.steps = asked or self._all
        self.passed = 0

    def epoch(self, generator: np.random.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Yield an epoch without its first `skip`; `generator` is as when the pass began."""
        cuts = batches(self.arrays, self.batch_size, generator, self.passed + skip)
        for number, cut in enumerate(cuts, skip):  # begun even if all are left out: it draws
            if number == self.steps:
                break
            yield Batch(*cut)
        taken = self.passed + self.steps
        self.passed = taken if taken < self._all else 0


class Batches:
    """Batches from a generator, an iterable, a Keras-like dataset, or a function that makes one.

    Each is ``x``, ``(x, y)`` or ``(x, y, sample_weight)``, of which `checked` makes a Batch. A
    generator yields once; anything else is begun anew for each epoch. With `steps`, so many batches
    make an epoch, and it goes on where the last one ended.
    """

    def __init__(
        self, source: Any, checked: Callable[[Any, Any, Any], Batch], steps: int | None = None
    ) -> None:
        if not (callable(source) or hasattr(source, "__iter__") or hasattr(source, "__getitem__")):
            raise TypeError(
                "expected arrays, or something that yields batches. Received: "
                f"{type(source).__name__}"
            )
        self._source = source
        self._checked = checked
        self.passed = 0
        self.steps = None if steps is None else positive_integer("fit", "steps_per_epoch", steps)
        self._current: Iterator[Any] | None = None
        self._taken = 0

    def epoch(self, generator: np.random.Generator | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, without the first `skip` of them."""
        count = 0
        if self.steps is None or self._current is None:
            self._current = self._begin()
        while self.steps is None or count < self.steps:
            item = next(self._current, None)
            is_spent = hasattr(self._source, "__next__")  # and cannot be begun anew
            if item is None and self.steps is not None and not is_spent:
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
                "training. A generator yields only once: pass an object with __iter__, a "
                "function that makes a generator, or steps_per_epoch=."
            )
        if hasattr(self._source, "on_epoch_end"):
            self._source.on_epoch_end()

    def _begin(self) -> Iterator[Any]:
        source: Any = self._source
        if hasattr(source, "__iter__"):
            return iter(source)
        if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
            length = source.num_batches if hasattr(source, "num_batches") else len(source)
            indices = itertools.count() if length is None else range(length)
            return (source[index] for index in indices)
        made = source()
        if not isinstance(made, Iterable):
            raise TypeError(
                f"{source!r} must return something that yields batches. Received: {made!r}"
            )
        return iter(made)

    def _batch(self, item: Any, number: int) -> Batch:
        try:
            return self._checked(*unpack_x_y_sample_weight(item))
        except (ValueError, TypeError) as error:
            raise type(error)(f"batch {number}: {error}") from error


Source = Arrays | Batches
