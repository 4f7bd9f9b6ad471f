"""Traces to draw: small, nested, hostile, large."""

from functools import cache

import numpy as np

import minigrad as mg
from minigrad import Tensor, layers, regularizers
from minigrad.tracing.document import document

HOSTILE = "<!--<script </script ></script><b>\"x'&`;--> \u2028\x00"


@cache
def toy_trace():
    mg.set_seed(0)
    model = mg.Sequential(
        [
            layers.Dense(
                3,
                activation="relu",
                kernel_regularizer="l2",
                bias_regularizer="l1",
                activity_regularizer=regularizers.L1(0.1),
                name="a",
            ),
            layers.Dense(1, kernel_regularizer=regularizers.L1(0.5), name="b"),
        ]
    )
    model.compile(loss="mse")
    x = np.array([[1, 2], [3, -5]], dtype="float32")
    return model.trace(x, np.array([[1], [0]], dtype="float32"))


@cache
def nested_trace():
    mg.set_seed(0)
    encoder = mg.Sequential(
        [
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.Dense(4, activation="sigmoid", activity_regularizer="l1", name="codings"),
        ],
        name="encoder",
    )
    decoder = mg.Sequential(
        [layers.Dense(16, activation="tanh", bias_regularizer="l1"), layers.Dense(20)],
        name="decoder",
    )
    model = mg.Sequential([encoder, decoder])
    model.compile(loss="mse")
    x = np.random.default_rng(0).normal(size=(10, 20)).astype("float32")
    return model.trace(x, x)


@cache
def frozen_trace():
    mg.set_seed(0)
    model = mg.Sequential(
        [
            layers.Dense(3, name="beneath"),  # nothing below it needs a gradient
            layers.Dense(3, kernel_regularizer="l2", name="first"),
            layers.Dense(2, name="last"),
        ]
    )
    model.compile(loss="mse")
    x = np.ones((4, 5), dtype="float32")
    model.predict(x)
    model.layers[0].trainable = model.layers[2].trainable = False
    return model.trace(x, np.zeros((4, 2), dtype="float32"))


class Cut(layers.Layer):
    """Passes its input on, and no gradient back."""

    def call(self, x):
        return x.detach()


@cache
def detached_trace():
    mg.set_seed(0)
    model = mg.Sequential(
        [
            layers.Dense(3, kernel_regularizer="l2", name="below"),
            Cut(name="cut"),
            layers.Dense(2, name="above"),
        ]
    )
    model.compile(loss="mse")
    return model.trace(np.ones((4, 5), dtype="float32"), np.zeros((4, 2), dtype="float32"))


def hostile_trace():
    weight = Tensor([[1.0, -2.0]], requires_grad=True)
    with mg.scope(HOSTILE):
        data = (weight * weight).sum()
    return mg.trace({"data": data, HOSTILE: np.abs(weight).sum()}, {HOSTILE + "w": weight})


def many_ops(count=190, shape=(20, 30), seed=0):
    """Trace a random graph in which each op takes two of the latest results."""
    generator = np.random.default_rng(seed)
    tensors = [Tensor(generator.normal(size=shape), requires_grad=True) for _ in range(8)]
    weights = {f"w{number}": tensor for number, tensor in enumerate(tensors)}
    for number in range(count):
        one, other = generator.integers(max(0, len(tensors) - 12), len(tensors), 2)
        with mg.scope(f"block_{number // 20}"):
            if number % 3 == 0:
                made = np.tanh(tensors[one])
            elif number % 3 == 1:
                made = tensors[one] + tensors[other]
            else:
                made = np.minimum(tensors[one], tensors[other])
        tensors.append(made)
    terms = {
        "data": sum(tensor.mean() for tensor in tensors[-12:]),
        "middle": (tensors[60] ** 2).mean(),
        "l1": np.abs(tensors[3]).sum(),
    }
    return mg.trace(terms, weights)


@cache
def large_kernels():
    mg.set_seed(0)
    model = mg.Sequential(
        [
            layers.Dense(
                256, activation="relu", kernel_regularizer="l2", activity_regularizer="l1"
            ),
            layers.Dense(784, activation="sigmoid", kernel_regularizer="l1"),
        ]
    )
    model.compile(loss="mse")
    x = np.random.default_rng(0).random(size=(128, 784)).astype("float32")
    return model.trace(x, x)


TRACES = {
    "toy": toy_trace,
    "nested": nested_trace,
    "frozen": frozen_trace,
    "detached": detached_trace,
    "hostile": hostile_trace,
    "many": many_ops,
}


def documents():
    return {name: document(make()) for name, make in TRACES.items()}
