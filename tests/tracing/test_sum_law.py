"""Contributions add up to `.grad`: random networks of convolutions, branches, shared, tied weights.

Each is float64, and the bound is 1e-12 of the contributions' lengths.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import layers
from minigrad.layers import Layer

DTYPE = "float64"
LIMIT = 1e-12


class Energy(Layer):
    """Adds a loss of its own from what passes."""

    def call(self, x):
        self.add_loss(0.1 * (x * x).mean(), name="energy")
        return x

    def compute_output_shape(self, input_shape):
        return input_shape


def penalties(draw):
    return {
        "kernel_regularizer": draw(st.sampled_from([None, "l1", "l2", "l1_l2"])),
        "bias_regularizer": draw(st.sampled_from([None, "l1", "l2"])),
        "activity_regularizer": draw(st.sampled_from([None, "l1", "l2"])),
        "activation": draw(st.sampled_from([None, "relu", "tanh", "sigmoid", "elu"])),
        "dtype": DTYPE,
    }


@st.composite
def convolutional(draw):
    """Convolutions, pooling or stretching, a shared convolution, branches, a nested head."""
    rank = draw(st.sampled_from([1, 2]))
    conv = {1: layers.Conv1D, 2: layers.Conv2D}[rank]
    up = {1: layers.Conv1DTranspose, 2: layers.Conv2DTranspose}[rank]
    pool = {1: layers.MaxPooling1D, 2: layers.AveragePooling2D}[rank]
    entry = mg.Input(shape=(*(6,) * rank, 2))
    x = conv(4, 3, padding="same", strides=draw(st.sampled_from([1, 2])), **penalties(draw))(entry)
    if draw(st.booleans()):
        shared = conv(4, 2, padding="same", **penalties(draw), name="shared")
        x = shared(shared(x))
    if draw(st.booleans()):
        x = pool(2, padding="same", dtype=DTYPE)(x)
    if draw(st.booleans()):
        x = layers.BatchNormalization(dtype=DTYPE)(x)
    branch = conv(4, 1, **penalties(draw))(x)
    merge = draw(st.sampled_from([layers.Add, layers.Multiply, layers.Concatenate, layers.Maximum]))
    x = merge(dtype=DTYPE)([x, branch])
    if draw(st.booleans()):
        x = up(3, 2, strides=2, **penalties(draw))(x)
    if draw(st.booleans()):
        x = Energy(dtype=DTYPE, name="watched")(x)
    head = mg.Sequential(
        [layers.Flatten(dtype=DTYPE), layers.Dense(3, **penalties(draw))], name="head", dtype=DTYPE
    )
    return mg.Model(entry, head(x)), (4, *(6,) * rank, 2)


@st.composite
def tied(draw):
    """An autoencoder whose decoder has the encoder's kernel, with a nested model between."""
    encoder = layers.Dense(4, **penalties(draw), name="codings")
    inside = mg.Sequential(
        [layers.Dense(4, **penalties(draw)), layers.LayerNormalization(dtype=DTYPE)],
        name="inside",
        dtype=DTYPE,
    )
    built = [encoder]
    if draw(st.booleans()):
        built += [inside, inside]  # shared and nested
    if draw(st.booleans()):
        built.append(layers.Dropout(0.3, seed=1, dtype=DTYPE))
    built.append(layers.DenseTranspose(encoder, dtype=DTYPE))
    return mg.Sequential(built, dtype=DTYPE), (4, 3)


@settings(max_examples=60, deadline=None)
@given(st.one_of(convolutional(), tied()), st.integers(0, 999))
def test_contributions_add_up_to_what_backward_leaves_in_grad(drawn, seed):
    model, shape = drawn
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    model.compile("sgd", "mse")
    y = rng.normal(size=model(x).shape)
    for parameter in model.parameters():
        parameter.data = rng.normal(0, 0.7, parameter.shape)
    trace = model.trace(x, y)
    with model.undisturbed():  # the same dropped units
        model.loss_terms(x, y, training=True).total().backward()
    assert trace.residual <= LIMIT
    for name, parameter in model.named_parameters().items():
        parts = [trace.gradient(name, term) for term in trace.terms]
        lengths = sum(np.linalg.norm(part) for part in parts)
        expected = 0.0 if parameter.grad is None else parameter.grad
        assert np.linalg.norm(sum(parts) - expected) <= LIMIT * lengths
        assert np.linalg.norm(trace.gradient(name) - expected) <= LIMIT * lengths
