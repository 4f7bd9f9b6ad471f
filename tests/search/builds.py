"""Models to search over, in a module of their own, so that workers can import them."""

import os
import sys
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import layers, regularizers

X = np.random.default_rng(5).uniform(0, 1, (60, 9)).astype(np.float32)
GRID = {"l1": [0, 0.01], "l2": [0.0, 0.001]}


def autoencoder(l1, l2=0.0):
    """Return a compiled autoencoder whose dropout and weights need seeds."""
    model = mg.Sequential(
        layers.Dense(
            6,
            "relu",
            kernel_regularizer=regularizers.L2(l2),
            activity_regularizer=regularizers.L1(l1),
            name="codings",
        ),
        layers.Dropout(0.1),
        layers.Dense(9, name="pixels"),
    )
    model.compile(mg.optimizers.Adam(0.01), loss="mse")
    return model


def failing_at_zero(l1):
    if l1 == 0:
        raise RuntimeError("no model without a penalty")
    return autoencoder(l1)


def leaving_at_zero(l1):
    if l1 == 0:
        sys.exit("no model without a penalty")
    return autoencoder(l1)


def killing_its_worker_at_zero(l1):
    if l1 == 0:
        os._exit(1)
    return autoencoder(l1)


def killing_its_worker_once(l1, folder):
    """Die in the first attempt at 0 only."""
    mark = Path(folder, "died")
    if l1 == 0 and not mark.exists():
        mark.touch()
        os._exit(1)
    return autoencoder(l1)


def same(first, second):
    """Whether two tables are the same to the last bit, but for the seconds."""

    def rows(table):
        return [{k: v for k, v in row.items() if k != "seconds"} for row in table.rows]

    assert first.columns == second.columns
    assert rows(first) == rows(second)
    for one, other in zip(first.kernels, second.kernels, strict=True):
        np.testing.assert_array_equal(one, other)
    return True
