"""The whole `fit` of the digits autoencoder, 20 epochs, shuffled, beside that of Keras.

A process has one Keras backend, so each has a process, in which minigrad runs beside it.
"""

import numpy as np

from benchmarks.autoencoders.by_minigrad import model_of
from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from benchmarks.processes import in_a_fresh_process
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved
from benchmarks.workloads.digits import SPECIFICATION
from minigrad import datasets

TITLE = "fit, digits 64-100-64, 20 epochs, shuffled"
TARGETS = {"Keras on JAX": 1.0, "Keras on PyTorch": 0.12}
EPOCHS = 20


def keras_model():
    """Return the same model in Keras, compiled, with the same weights."""
    import keras  # takes its backend from the environment

    spec = SPECIFICATION
    model = keras.Sequential(
        [
            keras.Input((spec.width,)),
            keras.layers.Dense(
                spec.codings,
                "relu",
                kernel_regularizer=keras.regularizers.L2(spec.kernel_l2),
                activity_regularizer=keras.regularizers.L1(spec.activity_l1),
            ),
            keras.layers.Dense(spec.width, spec.output),
        ]
    )
    model.set_weights(spec.start())
    optimizer = keras.optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON)
    model.compile(optimizer, "mse")
    return model


def seconds_beside(peer):
    """Return the seconds of both fits, in the process of this Keras; compilation not counted."""
    x = datasets.load_digits().images
    ours, theirs = model_of(SPECIFICATION), keras_model()
    in_order = {"batch_size": SPECIFICATION.batch, "epochs": 2, "shuffle": False, "verbose": 0}
    history, reference = ours.fit(x, x, **in_order), theirs.fit(x, x, **in_order)
    np.testing.assert_allclose(history.history["loss"], reference.history["loss"], rtol=1e-3)
    whole = {**in_order, "epochs": EPOCHS, "shuffle": True}
    contenders = {
        "minigrad": lambda: ours.fit(x, x, **whole),
        peer: lambda: theirs.fit(x, x, **whole),
    }
    return interleaved(contenders, 15, None)


def alone():
    """Return what is timed of minigrad, by title."""
    model, x = model_of(SPECIFICATION), datasets.load_digits().images
    whole = {"batch_size": SPECIFICATION.batch, "epochs": EPOCHS, "verbose": 0}
    return {TITLE: lambda: model.fit(x, x, **whole)}


def measure():
    """Return a row for each backend."""
    rows = []
    for peer, backend in (("Keras on JAX", "jax"), ("Keras on PyTorch", "torch")):
        seconds = in_a_fresh_process(
            "workloads.fit", f"seconds_beside({peer!r})", KERAS_BACKEND=backend
        )
        rows += peer_rows(TITLE, seconds, TARGETS, "ms")
    return rows, {}
