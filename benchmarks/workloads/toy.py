"""A training step of a toy: 2-16-2, batch 32, all kinds of penalties at once."""

import numpy as np

from benchmarks.autoencoders import contenders as training
from benchmarks.autoencoders.specification import Specification
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved

TITLE = "training step, 2-16-2, batch 32, four penalties"
SPECIFICATION = Specification(
    2, 16, 32, "linear", kernel_l1=1e-4, bias_l2=1e-4, activity_l1=1e-3, decoder_l2=1e-4
)
TARGETS = {"PyTorch": 0.4, "Hand": 2.0}


def contenders():
    """Return all contenders."""
    samples = np.random.default_rng(0).normal(size=(1024, 2)).astype(np.float32)
    return training.contenders(SPECIFICATION, samples)


def alone():
    """Return what is timed of minigrad, by title."""
    return {TITLE: contenders()["minigrad"].step}


def measure():
    """Return the rows."""
    found = contenders()
    training.check(found)
    seconds = interleaved({name: each.step for name, each in found.items()}, 41, None)
    return peer_rows(TITLE, seconds, TARGETS), {}
