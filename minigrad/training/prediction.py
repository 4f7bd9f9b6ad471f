"""Prediction batch by batch; the batches of large inputs are shared by several threads.

Batches do not depend on one another, so each thread takes every second one (of two threads) from
its beginning to its end, and none waits for another. That is quicker than several threads in every
product and one in all that lies between.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from minigrad.engine.state import STATE
from minigrad.layers.forward_pass import current_frame
from minigrad.ops.blas import ALONE
from minigrad.ops.threads import number_of_threads, shared
from minigrad.training.data import Array, as_data, is_clearly_finite
from minigrad.training.unchanged import is_all_ours

if TYPE_CHECKING:
    from minigrad.training.objective import Objective

# Numbers of a batch below which most of the time is Python's, which runs on one thread at a time.
LARGE_BATCH = 2**15
# Batches for each thread: the first of them are recorded, and take longer.
BATCHES_EACH = 8


def predict_in_batches(model: Objective, inputs: Array, size: int) -> Array:
    """Return a model's outputs for inputs of its dtype, found `size` samples at a time."""
    outputs: list[Array] = []  # one array, made when its shape is known
    failures: list[BaseException] = []

    def predict(number: int) -> None:
        rows = slice(number * size, (number + 1) * size)
        if not is_clearly_finite(inputs[rows]):  # looked at while it is in the cache
            as_data("x", inputs, model.compute_dtype)  # to say how many are not, and where
        part = model._replays.predict(model, inputs[rows])
        if not outputs:
            outputs.append(np.empty((len(inputs), *part.shape[1:]), part.dtype))
        outputs[0][rows] = part

    def work(batches: Iterable[int]) -> None:
        try:
            for number in batches:
                if failures:  # after Ctrl-C, say, the other threads need not go on to their end
                    return
                predict(number)
        except BaseException as failure:
            failures.append(failure)
            raise

    count = -(-len(inputs) // size)
    if _is_shared(model, inputs, size):
        with ALONE:
            work([0])
            shared(lambda numbers: work(number + 1 for number in numbers), count - 1)
    else:
        work(range(count))
    return outputs[0]


def _is_shared(model: Objective, inputs: Array, size: int) -> bool:
    """Whether it is worth it, and safe: what a user has written may count on a single thread.

    It depends on shapes alone, not on what has been recorded: so do the last bits of the outputs.
    """
    is_large = size * (inputs.size // len(inputs)) >= LARGE_BATCH
    if not is_large or len(inputs) < size * BATCHES_EACH * 2:
        return False
    if STATE.get().watcher is not None or current_frame() is not None:
        return False
    return number_of_threads() > 1 and is_all_ours(model)
