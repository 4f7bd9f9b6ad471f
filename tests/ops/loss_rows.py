"""Rows of the ops that losses are made of."""

import numpy as np

from minigrad.activations import sigmoid, softmax
from minigrad.losses import sigmoid_cross_entropy, softmax_cross_entropy
from minigrad.losses.crossentropy import (
    cross_entropy_of_sigmoid,
    cross_entropy_of_softmax,
)
from minigrad.losses.regression import log_cosh_, mean_square
from tests.ops.row import Row, anything


def _probabilities(rng, shape):
    return rng.uniform(0.1, 0.9, shape)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _log_softmax(x):
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))


LOSSES = [
    Row(
        "mean_square",
        mean_square,
        (anything, anything),
        expected=lambda p, t: ((p - t) ** 2).mean(),
    ),
    Row("log_cosh", log_cosh_, (anything,), expected=lambda x: np.log(np.cosh(x))),
    Row(
        "sigmoid_cross_entropy",
        sigmoid_cross_entropy,
        (anything, _probabilities),
        expected=lambda x, t: -t * np.log(_sigmoid(x)) - (1 - t) * np.log(1 - _sigmoid(x)),
        elementwise=True,
    ),
    Row(
        "softmax_cross_entropy",
        softmax_cross_entropy,
        (anything, _probabilities),
        expected=lambda x, t: -(t * _log_softmax(x)).sum(axis=-1),
    ),
    Row(
        "cross_entropy_of_sigmoid",
        lambda x, t: cross_entropy_of_sigmoid(x, sigmoid(x), t),
        (anything, _probabilities),
        expected=lambda x, t: -t * np.log(_sigmoid(x)) - (1 - t) * np.log(1 - _sigmoid(x)),
        elementwise=True,
    ),
    Row(
        "cross_entropy_of_softmax",
        lambda x, t: cross_entropy_of_softmax(x, softmax(x), t),
        (anything, _probabilities),
        expected=lambda x, t: -(t * _log_softmax(x)).sum(axis=-1),
    ),
]
