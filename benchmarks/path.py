"""How much faster a regularization path is on two processes than on one; prints the ratio.

Run it with ``python -m benchmarks.path``; it takes about a minute. Every run computes on one BLAS
thread, whether there are other processes or not, so that only the spreading is measured; rounds of
both are interleaved, and the processes are warm.
"""

import functools

import numpy as np
from joblib import cpu_count

import minigrad as mg
from benchmarks.timing import interleaved
from minigrad import layers, regularizers
from minigrad.search import regularization_path

GRID = {"l1": [0, 1e-4, 3e-4, 1e-3], "l2": [0, 1e-5]}
WORKERS = 2
TARGET = 1.8


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


def main():
    """Check that the numbers are the same, measure, and print."""
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
    one, two = (search(n_jobs=n_jobs) for n_jobs in (1, WORKERS))
    for name in one.columns:
        if name not in ("seconds", "error"):
            np.testing.assert_array_equal(one[name], two[name])
    medians = interleaved({n: functools.partial(search, n_jobs=n) for n in (1, WORKERS)}, rounds=5)
    ratio = medians[1] / medians[WORKERS]
    print(f"{len(one)} runs on {cpu_count()} cores: {medians[1]:.2f} s in one process,", end=" ")
    print(f"{medians[WORKERS]:.2f} s in {WORKERS}: {ratio:.2f} times as fast", end=" ")
    print(f"(target ≥ {TARGET}: {'holds' if ratio >= TARGET else 'missed'})")


if __name__ == "__main__":
    main()
