"""A training step of the sparse autoencoder of the README: 64-100-64, batch 128."""

from benchmarks.autoencoders import contenders as training
from benchmarks.autoencoders.specification import Specification
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved
from minigrad import datasets

TITLE = "training step, digits 64-100-64, batch 128"
SPECIFICATION = Specification(64, 100, 128, kernel_l2=1e-4, activity_l1=1e-3)
TARGETS = {"PyTorch": 0.55, "PyTorch, fused Adam": 0.65, "Hand": 1.3}


def contenders():
    """Return all contenders."""
    return training.contenders(SPECIFICATION, datasets.load_digits().images)


def alone():
    """Return what is timed of minigrad, by title."""
    return {TITLE: contenders()["minigrad"].step}


def measure():
    """Return the rows."""
    found = contenders()
    training.check(found)
    seconds = interleaved({name: each.step for name, each in found.items()}, 41, None)
    return peer_rows(TITLE, seconds, TARGETS), {}
