"""A regularization path on two processes beside one: how well its runs are spread.

Every run computes on one BLAS thread, whether there are other processes or not, so that only the
spreading is measured; the processes are warm.
"""

import functools

import numpy as np

import minigrad as mg
from benchmarks.rows import row
from benchmarks.timing import interleaved
from minigrad import layers, regularizers
from minigrad.search import regularization_path

GRID = {"l1": [0, 1e-4, 3e-4, 1e-3], "l2": [0, 1e-5]}
WORKERS = 2
TARGET = 1 / 1.8  # of the time that one process takes: at least 1.8 times as fast
TITLE = f"regularization path, 8 runs of the digits autoencoder, {WORKERS} processes"


def build(l1, l2):
    """Return the sparse autoencoder of the tutorials."""
    model = mg.Sequential(
        layers.Dense(
            100,
            "relu",
            kernel_regularizer=regularizers.L2(l2),
            activity_regularizer=regularizers.L1(l1),
            name="codings",
        ),
        layers.Dense(64, "sigmoid", name="pixels"),
    )
    model.compile(mg.optimizers.Adam(1e-3), loss="mse")
    return model


def searches():
    """Return the search by its number of processes; checked to give the same tables."""
    x = mg.datasets.load_digits().images
    search = functools.partial(
        regularization_path,
        build,
        GRID,
        x[:1500],
        validation_data=x[1500:],
        epochs=20,
        keep_weights=False,
        verbose=0,
    )
    found = {n_jobs: functools.partial(search, n_jobs=n_jobs) for n_jobs in (1, WORKERS)}
    one, several = (function() for function in found.values())
    assert not one.failed
    for name in one.columns:
        if name not in ("seconds", "error"):
            np.testing.assert_array_equal(one[name], several[name])
    return found


def alone():
    """Return what is timed of minigrad, by title."""
    return {TITLE: searches()[WORKERS]}


def measure():
    """Return the row."""
    seconds = interleaved(searches(), rounds=5)
    ratio = seconds[WORKERS] / seconds[1]
    against = f"one process: {seconds[1]:.2f} s ({1 / ratio:.2f} times as long)"
    return [row(TITLE, f"{seconds[WORKERS]:.2f} s", against, ratio, TARGET)], {}
