"""A training step of an autoencoder as wide as images of 28×28: 784-256-784, batch 256."""

import numpy as np

from benchmarks.autoencoders import contenders as training
from benchmarks.autoencoders.specification import Specification
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved

TITLE = "training step, 784-256-784, batch 256"
SPECIFICATION = Specification(784, 256, 256, kernel_l2=1e-4, activity_l1=1e-3)
TARGETS = {"PyTorch": 0.85, "Hand": 1.1, "JAX (jit)": 1.3}


def contenders():
    """Return all contenders."""
    samples = np.random.default_rng(0).random((2048, 784), np.float32)
    return training.contenders(SPECIFICATION, samples)


def alone():
    """Return what is timed of minigrad, by title."""
    return {TITLE: contenders()["minigrad"].step}


def measure():
    """Return the rows."""
    found = contenders()
    training.check(found)
    seconds = interleaved({name: each.step for name, each in found.items()}, 41, None)
    return peer_rows(TITLE, seconds, TARGETS, "ms"), {}
