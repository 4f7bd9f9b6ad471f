"""Layers with weights, in random configurations, in the real Keras 3 on its torch backend."""

import os

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import layers

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

TOLERANCE = {"float32": 1e-4, "float64": 1e-6}
PENALTIES = ("kernel", "bias", "activity")


def hold_against_keras(kind, arguments, x, dtype="float64", training=None, tolerance=None):
    """Outputs, losses, all gradients and the state afterwards, with the same weights."""
    ours = getattr(layers, kind)(**arguments, dtype=dtype, seed=0)
    theirs = getattr(keras.layers, kind)(**arguments, dtype=dtype)
    x = np.asarray(x, dtype)
    tensor = mg.Tensor(x, requires_grad=True)
    output = ours(tensor, training=training)
    rng = np.random.default_rng(0)
    theirs.build(x.shape)
    values = [rng.uniform(0.1, 1, weight.shape).astype(dtype) for weight in ours.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    assert [w.path.split("/")[-1] for w in theirs.weights] == list(ours.named_weights())

    output = ours(tensor, training=training)
    peer = torch.tensor(x, requires_grad=True)
    result = theirs(peer, training=training)
    assert output.shape == tuple(result.shape)
    assert output.dtype == dtype
    assert ours.compute_output_shape(x.shape) == tuple(theirs.compute_output_shape(x.shape))
    upstream = rng.normal(size=output.shape).astype(dtype)
    total = (output * upstream).sum()
    peer_total = (result * torch.tensor(upstream)).sum()
    if ours.losses:
        total = total + sum(ours.losses)
        peer_total = peer_total + sum(theirs.losses)
        mine = sorted(float(value) for value in ours.losses)
        np.testing.assert_allclose(mine, sorted(float(v) for v in theirs.losses), rtol=1e-4)
    gradients = mg.grad(total, [tensor, *ours.trainable_weights])
    trainable = [w.value for w in theirs.trainable_weights]
    expected = torch.autograd.grad(peer_total, [peer, *trainable])
    tolerance = tolerance or TOLERANCE[dtype]
    pairs = [(output.numpy(), result), *zip(gradients, expected, strict=True)]
    for found, wanted in pairs:
        wanted = wanted.detach().numpy()
        scale = max(1.0, np.abs(wanted).max(initial=0))
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance * scale)
    for found, wanted in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def penalties(*names):
    """Regularizers that both frameworks know by name."""
    return {f"{name}_regularizer": "l2" for name in names}


spatial = st.integers(3, 7)


@st.composite
def convolutions(draw, rank, groups=True):
    """A configuration of a convolution and an input that fits it."""
    window = draw(st.tuples(*[st.integers(1, 3)] * rank))
    strides, dilation = (1,) * rank, (1,) * rank
    if draw(st.booleans()):
        strides = (draw(st.integers(1, 3)),) * rank
    elif draw(st.booleans()):
        dilation = draw(st.tuples(*[st.integers(1, 2)] * rank))
    group = draw(st.integers(1, 2)) if groups else 1
    arguments = {
        "filters": group * draw(st.integers(1, 3)),
        "kernel_size": window,
        "strides": strides,
        "dilation_rate": dilation,
        "padding": draw(st.sampled_from(["valid", "same"])),
        "use_bias": draw(st.booleans()),
        "activation": draw(st.sampled_from([None, "tanh", "relu"])),
    }
    if groups:
        arguments["groups"] = group
    lengths = draw(st.tuples(*[spatial] * rank))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    assume(all(n >= r for n, r in zip(lengths, reach, strict=True)))
    # PyTorch fails on gradients of transposed convolutions of a single channel.
    channels = group * draw(st.integers(1 if groups else 2, 3))
    shape = (draw(st.integers(1, 3)), *lengths, channels)
    return arguments, np.random.default_rng(1).normal(size=shape)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.data())
def test_convolutions_agree(rank, data):
    arguments, x = data.draw(convolutions(rank))
    hold_against_keras(f"Conv{rank}D", {**arguments, **penalties(*PENALTIES)}, x)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions_agree_in_float32(rank):
    x = np.random.default_rng(0).normal(size=(2, *(5,) * rank, 3))
    arguments = {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}
    hold_against_keras(f"Conv{rank}D", {**arguments, **penalties(*PENALTIES)}, x, "float32")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
def test_causal_convolutions_agree(steps, window, dilation, filters):
    arguments = {
        "filters": filters,
        "kernel_size": window,
        "dilation_rate": dilation,
        "padding": "causal",
    }
    hold_against_keras("Conv1D", arguments, np.random.default_rng(0).normal(size=(2, steps, 2)))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.data())
def test_transposed_convolutions_agree(rank, data):
    arguments, x = data.draw(convolutions(rank, groups=False))
    hold_against_keras(f"Conv{rank}DTranspose", {**arguments, **penalties(*PENALTIES)}, x)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(2, 5),
    st.sampled_from(["valid", "same"]),
)
def test_transposed_convolutions_with_output_padding_agree(window, stride, extra, n, padding):
    assume(extra < stride)
    arguments = {
        "filters": 2,
        "kernel_size": window,
        "strides": stride,
        "padding": padding,
        "output_padding": extra,
    }
    x = np.random.default_rng(0).normal(size=(2, n, 3))
    hold_against_keras("Conv1DTranspose", arguments, x)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2), st.integers(1, 3), st.data())
def test_depthwise_convolutions_agree(rank, multiplier, data):
    arguments, x = data.draw(convolutions(rank, groups=False))
    del arguments["filters"]
    arguments |= {"depth_multiplier": multiplier, **penalties("depthwise", "bias", "activity")}
    hold_against_keras(f"DepthwiseConv{rank}D", arguments, x)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2), st.integers(1, 3), st.data())
def test_separable_convolutions_agree(rank, multiplier, data):
    arguments, x = data.draw(convolutions(rank, groups=False))
    names = ("depthwise", "pointwise", "bias", "activity")
    arguments |= {"depth_multiplier": multiplier, **penalties(*names)}
    hold_against_keras(f"SeparableConv{rank}D", arguments, x)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.data(),
    st.booleans(),
    st.booleans(),
    st.floats(0, 1),
    st.sampled_from([True, False]),
)
def test_batch_normalization_agrees(shape, data, center, scale, momentum, training):
    axis = data.draw(st.integers(1, len(shape) - 1)) if data.draw(st.booleans()) else -1
    x = np.random.default_rng(0).normal(2, 3, shape)
    names = ["activity", *(["beta"] if center else []), *(["gamma"] if scale else [])]
    arguments = {"axis": axis, "center": center, "scale": scale, "momentum": momentum}
    hold_against_keras(
        "BatchNormalization", {**arguments, **penalties(*names)}, x, "float64", training
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(2, 4), min_size=2, max_size=4), st.data())
def test_layer_normalization_agrees(shape, data):
    # On the torch backend, Keras takes only the last axes together, and rounds to float32 inside.
    first = data.draw(st.integers(1, len(shape) - 1))
    axis = -1 if first == len(shape) - 1 else list(range(first, len(shape)))
    x = np.random.default_rng(0).normal(2, 3, shape)
    arguments = {"axis": axis, **penalties("beta", "gamma")}
    hold_against_keras("LayerNormalization", arguments, x, tolerance=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4), st.data())
def test_prelu_agrees(shape, data):
    shared = data.draw(st.lists(st.integers(1, len(shape) - 1), unique=True))
    x = np.random.default_rng(0).normal(size=shape)
    hold_against_keras("PReLU", {"shared_axes": shared or None, **penalties("alpha")}, x)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.lists(st.integers(1, 3), min_size=1, max_size=3))
def test_embeddings_agree(things, length, shape):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, things, shape)
    ours = layers.Embedding(things, length, embeddings_regularizer="l1", dtype="float64")
    theirs = keras.layers.Embedding(things, length, embeddings_regularizer="l1", dtype="float64")
    theirs.build(numbers.shape)
    ours(numbers)
    theirs.set_weights(ours.get_weights())
    output, result = ours(numbers), theirs(numbers)
    np.testing.assert_allclose(output.numpy(), result.detach().numpy())
    upstream = rng.normal(size=output.shape)
    total = (output * upstream).sum() + sum(ours.losses)
    peer_total = (result * torch.tensor(upstream)).sum() + sum(theirs.losses)
    (expected,) = torch.autograd.grad(peer_total, [theirs.trainable_weights[0].value])
    np.testing.assert_allclose(mg.grad(total, ours.embeddings), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"])
def test_constraints_agree(name):
    from minigrad import constraints

    w = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    expected = getattr(keras.constraints, name)()(keras.ops.array(w)).numpy()
    found = getattr(constraints, name)()(w)
    assert found.dtype == w.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
