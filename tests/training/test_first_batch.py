"""The commonest mistakes of a classifier or autoencoder show in the first batch of `fit`."""

import re
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, losses
from minigrad.layers import Dense

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (64, 20)).astype(np.float32)
LABELS = RNG.integers(0, 3, 64)
ONE_HOT = np.eye(3)[LABELS]
BITS = RNG.integers(0, 2, (64, 1))
SPARSE = "sparse_categorical_crossentropy"


def warned(*made, loss, x=X, y=LABELS, **compiled):
    """Fit twice; return what was warned of."""
    model = mg.Sequential(*made)
    model.compile("adam", loss, **compiled)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            model.fit(x, y, epochs=2, batch_size=16, verbose=0)
    return caught


def head(units, activation=None):
    return Dense(units, activation, name="head", seed=0)


def from_logits(kind):
    return kind(from_logits=True)


MISTAKES = {
    "softmax forgotten": (
        [head(3)],
        {"loss": SPARSE},
        "outputs that are no probabilities, head: a cross-entropy expects probabilities, and gets",
    ),
    "softmax forgotten, one-hot": (
        [head(3)],
        {"loss": "categorical_crossentropy", "y": ONE_HOT},
        "activation='softmax', or none and from_logits=True",
    ),
    "sigmoids for one class of three": (
        [head(3, "sigmoid")],
        {"loss": SPARSE},
        "rows that add up to",
    ),
    "sigmoid forgotten": (
        [head(1)],
        {"loss": "binary_crossentropy", "y": BITS},
        "activation='sigmoid', or none",
    ),
    "softmax and from_logits": (
        [head(3, "softmax")],
        {"loss": from_logits(losses.SparseCategoricalCrossentropy)},
        "softmax applied twice, head: a softmax and from_logits=True",
    ),
    "sigmoid and from_logits": (
        [head(1, "sigmoid")],
        {"loss": from_logits(losses.BinaryCrossentropy), "y": BITS},
        "softmax applied twice, head: a sigmoid and from_logits=True",
    ),
    "a softmax of one's own and from_logits": (
        [head(3, lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True))],
        {"loss": from_logits(losses.SparseCategoricalCrossentropy)},
        "softmax applied twice",
    ),
    "two softmaxes": (
        [head(3, "softmax"), layers.Softmax(name="again")],
        {"loss": SPARSE},
        "softmax applied twice, again: a softmax is applied to the result of another",
    ),
    "softmax of one unit": (
        [head(1, "softmax")],
        {"loss": "binary_crossentropy", "y": BITS},
        "softmax of one unit, head: .* 'sigmoid'",
    ),
    "softmax of one unit, other loss": (
        [head(1, "softmax")],
        {"loss": "mse", "y": BITS},
        "softmax of one unit, head",
    ),
    "relu last": (
        [head(3, "relu")],
        {"loss": SPARSE},
        "relu before a cross-entropy, head: the last activation is relu",
    ),
    "relu last, as a layer": (
        [head(1), layers.ReLU(name="cut")],
        {"loss": "binary_crossentropy", "y": BITS},
        "relu before a cross-entropy, cut",
    ),
    "relu last and from_logits": (
        [head(3, "relu")],
        {"loss": from_logits(losses.SparseCategoricalCrossentropy)},
        "relu before a cross-entropy",
    ),
    "inputs of 0..255": (
        [Dense(16, "relu", seed=1), head(3, "softmax")],
        {"loss": SPARSE, "x": X * 255},
        "saturated outputs, head: .* is the input scaled",
    ),
    "inputs of 0..255 and from_logits": (
        [Dense(16, "relu", seed=1), head(3)],
        {"loss": from_logits(losses.SparseCategoricalCrossentropy), "x": X * 255},
        "saturated outputs, head: .* is the input scaled",
    ),
    "inputs of 0..255 and one sigmoid": (
        [Dense(16, "relu", seed=1), head(1, "sigmoid")],
        {"loss": "binary_crossentropy", "x": X * 255, "y": BITS},
        "saturated outputs, head: .* is the input scaled",
    ),
    "an autoencoder of images of 0..255": (
        [Dense(8, "relu"), head(20, "sigmoid")],
        {"loss": "mse", "x": X * 255, "y": X * 255},
        "targets out of reach, head: the targets reach from .* to 25., and sigmoid from 0 to 1",
    ),
    "an autoencoder of standardised data": (
        [head(20, "relu")],
        {"loss": losses.Huber(), "y": X * 4 - 2},
        "targets out of reach, head: the targets reach from -.* to .*, and relu from 0 to inf",
    ),
    "an autoencoder that ends in tanh": (
        [head(20, "tanh")],
        {"loss": "mae", "y": X * 4 - 2},
        "and tanh from -1 to 1. Scale",
    ),
    "binary cross-entropy of a softmax": (
        [head(3, "softmax")],
        {"loss": "binary_crossentropy", "y": ONE_HOT},
        "binary cross-entropy of a softmax, head: a softmax shares 1 among 3 classes",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_said_once_with_layer_number_and_page(mistake):
    made, arguments, text = mistake
    (found,) = warned(*made, **arguments)
    assert found.category is mg.FirstBatchWarning
    assert re.search(text, str(found.message))
    assert any(letter.isdigit() for letter in str(found.message))
    assert "[docs/diagnoses.md#" in str(found.message)
    assert found.filename == __file__


RIGHT = {
    "softmax": ([head(3, "softmax")], {"loss": SPARSE}),
    "softmax, one-hot": (
        [head(3, "softmax")],
        {"loss": "categorical_crossentropy", "y": ONE_HOT},
    ),
    "smoothed": (
        [head(3, "softmax")],
        {"loss": losses.CategoricalCrossentropy(label_smoothing=0.1), "y": ONE_HOT},
    ),
    "Softmax": ([head(3), layers.Softmax()], {"loss": SPARSE}),
    "logits": ([head(3)], {"loss": from_logits(losses.SparseCategoricalCrossentropy)}),
    "zero logits": (
        [Dense(3, kernel_initializer="zeros")],
        {"loss": from_logits(losses.SparseCategoricalCrossentropy)},
    ),
    "one sigmoid": ([head(1, "sigmoid")], {"loss": "binary_crossentropy", "y": BITS}),
    "one logit": (
        [head(1)],
        {"loss": from_logits(losses.BinaryCrossentropy), "y": BITS},
    ),
    "an autoencoder": (
        [Dense(8, "relu"), head(20, "sigmoid")],
        {"loss": "binary_crossentropy", "y": X},
    ),
    "regression of what is not scaled": (
        [Dense(8, "relu"), head(1)],
        {"loss": "mse", "x": X * 1000, "y": BITS * 1000},
    ),
    "targets that are nearly in reach": ([head(20, "tanh")], {"loss": "mse", "y": X * 2.08 - 1.04}),
    "directions": ([head(20, "sigmoid")], {"loss": "cosine_similarity", "y": X * 255}),
    "accuracy of classes": ([head(1)], {"loss": "mse", "y": BITS, "metrics": ["accuracy"]}),
    "two classes by a softmax": (
        [head(2, "softmax")],
        {"loss": "binary_crossentropy", "y": np.eye(2)[BITS[:, 0]]},
    ),
    "relu and mse": ([head(1, "relu")], {"loss": "mse", "y": BITS}),
    "softmax and mse": ([head(3, "softmax")], {"loss": "mse", "y": ONE_HOT}),
    "words": (
        [layers.Embedding(5000, 8), layers.GlobalAveragePooling1D(), head(3, "softmax")],
        {"loss": SPARSE, "x": RNG.integers(0, 5000, (64, 7))},
    ),
    "unscaled but normalized": (
        [layers.BatchNormalization(), head(3, "softmax")],
        {"loss": SPARSE, "x": X * 255},
    ),
    "a few tens": ([head(3, "softmax")], {"loss": SPARSE, "x": X * 12}),
    "hinge": ([head(1, "tanh")], {"loss": "hinge", "y": 2 * BITS - 1}),
    "no loss": ([Dense(3, "relu", kernel_regularizer="l2")], {"loss": None, "y": None}),
}


@pytest.mark.parametrize("program", RIGHT.values(), ids=RIGHT)
def test_what_is_right_or_merely_unusual_does_not_warn(program):
    made, arguments = program
    assert not warned(*made, **arguments)


def test_accuracy_of_a_regression_is_warned_of():
    (found,) = warned(head(20), loss="mse", y=X, metrics=["accuracy"])
    assert found.category is mg.FirstBatchWarning
    assert "'accuracy' counts classes, and these targets are numbers" in str(found.message)


def test_a_trained_model_that_goes_on_with_other_labels_does_not_warn():
    model = mg.Sequential(Dense(3, "softmax", kernel_initializer=mg.initializers.Constant(0)))
    model.compile("adam", SPARSE)
    model(X[:1])
    model.layers[0].set_weights([np.eye(20, 3) * 100, np.zeros(3)])
    model.fit(X, LABELS, verbose=0)


def test_evaluate_and_predict_do_not_warn_and_train_on_batch_does():
    model = mg.Sequential(head(3))
    model.compile("adam", SPARSE)
    model.predict(X, verbose=0)
    with pytest.warns(UserWarning, match="no probabilities"):
        model.train_on_batch(X, LABELS)
    model.train_on_batch(X, LABELS)
