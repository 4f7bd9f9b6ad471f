"""The peak memory of a training step beyond parameters and batch, beside buffers set by hand.

Everything counts that training adds to a model: gradients, the optimizer's averages, the tape.
"""

import gc
import tracemalloc

import numpy as np

from benchmarks.autoencoders import by_hand, by_minigrad
from benchmarks.rows import row
from benchmarks.workloads import digits, wide

TARGET = 1.5
EAGER = 3  # so many steps build a tape; the others, which make the training, run a program


def peak_of_minigrad(spec, batches):
    """Return the bytes at the peak beyond those of the compiled model, which has its parameters."""
    warm = by_minigrad.Contender(spec, batches)
    for _ in range(EAGER + 1):
        warm.step()  # loads what is loaded when it is first needed
    gc.collect()
    tracemalloc.start()
    contender = by_minigrad.Contender(spec, batches)
    gc.collect()
    model = tracemalloc.get_traced_memory()[0]
    for _ in range(EAGER + 1):
        contender.step()
    tracemalloc.reset_peak()
    contender.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - model


def measure():
    """Return a row for each autoencoder that is large enough for arrays to outweigh objects."""
    rows = []
    for workload in (digits, wide):
        spec = workload.SPECIFICATION
        batches = [np.random.default_rng(0).random((spec.batch, spec.width), np.float32)]
        ours = peak_of_minigrad(spec, batches)
        theirs = by_hand.Contender(spec, batches).buffers()
        title = f"peak memory, {workload.TITLE}"
        cells = (f"{ours / 1e3:,.0f} kB", f"Hand: {theirs / 1e3:,.0f} kB")
        rows.append(row(title, *cells, ours / theirs, TARGET))
    return rows, {}
