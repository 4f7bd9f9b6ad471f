"""`predict` of 100,000 rows through 64-100-64, in small batches and in large ones."""

from functools import partial

import numpy as np
import torch

from benchmarks.autoencoders.by_minigrad import model_of
from benchmarks.autoencoders.by_pytorch import Autoencoder
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved
from benchmarks.workloads.digits import SPECIFICATION

TITLE = "predict, 100,000 rows through 64-100-64"
TARGETS = {"PyTorch": 1.0}
BATCH_SIZES = (32, 1000)  # the default of `predict`, and a large one


def contenders(batch_size):
    """Return both, as functions to the outputs of all samples; checked to give the same."""
    samples = np.random.default_rng(0).random((100_000, 64), np.float32)
    model = model_of(SPECIFICATION)
    peer = Autoencoder(SPECIFICATION)
    inputs = torch.from_numpy(samples)

    def pytorch():
        with torch.no_grad():
            return torch.cat([peer(x)[1] for x in inputs.split(batch_size)]).numpy()

    ours = partial(model.predict, samples, batch_size, verbose=0)
    np.testing.assert_allclose(ours(), pytorch(), atol=1e-5)
    return {"minigrad": ours, "PyTorch": pytorch}


def cases():
    """Return the batch sizes by title."""
    return {f"{TITLE}, batches of {size:,}": size for size in BATCH_SIZES}


def alone():
    """Return what is timed of minigrad, by title."""
    return {title: contenders(size)["minigrad"] for title, size in cases().items()}


def measure():
    """Return a row for each batch size."""
    rows = []
    for title, batch_size in cases().items():
        seconds = interleaved(contenders(batch_size), 25, None)
        rows += peer_rows(title, seconds, TARGETS, "ms")
    return rows, {}
