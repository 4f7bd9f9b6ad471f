"""Whole training runs with every penalty, in the real Keras: outputs, losses, gradients, weights.

The networks hold convolutions, normalization, pooling, merging and dense layers; each weight and
each output is penalised. Both frameworks begin with the same weights and make 20 steps.
"""

import os
from contextlib import contextmanager

import numpy as np
import pytest

import minigrad

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

TOLERANCE = {"float64": 1e-6, "float32": 1e-4}
IMAGES = np.random.default_rng(0).uniform(0, 1, (20, 6, 6, 2))
LABELS = np.random.default_rng(1).integers(0, 3, 20)

# Keras keeps a learning rate in float32, so these are numbers that float32 holds exactly.
OPTIMIZERS = {
    "SGD": {"learning_rate": 2**-5, "momentum": 0.75, "nesterov": True},
    "RMSprop": {"learning_rate": 2**-9, "centered": True, "momentum": 0.5},
    "Adagrad": {"learning_rate": 2**-5},
    "Adadelta": {"learning_rate": 0.5},
    "Adam": {"learning_rate": 2**-8, "amsgrad": True},
    "AdamW": {"learning_rate": 2**-8, "weight_decay": 2**-4},
    "Nadam": {"learning_rate": 2**-8, "clipnorm": 0.5},
    "Lion": {"learning_rate": 2**-10, "global_clipnorm": 0.5},
}


@pytest.fixture(autouse=True)
def _one_thread():
    """PyTorch's threads wait for each other longer than networks of this size take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@contextmanager
def computing_in(dtype):
    """Let `dtype` be the default of both frameworks."""
    before = keras.config.floatx(), minigrad.get_default_dtype()
    policy = keras.config.dtype_policy()  # once it has been asked for, it no longer follows floatx
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    minigrad.set_default_dtype(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(policy)
        minigrad.set_default_dtype(before[1])


def penalised(keras, *weights):
    """All regularizers that a layer with these weights can have."""
    kinds = keras.regularizers
    found = {"activity_regularizer": kinds.L1(2**-7)}
    for place, weight in enumerate(weights):
        found[f"{weight}_regularizer"] = (
            kinds.L2(2**-6),
            kinds.L1(2**-7),
            kinds.L1L2(2**-8, 2**-6),
        )[place % 3]
    return found


def autoencoder(keras):
    """Down by strides and pooling, up by transposed convolution and repetition."""
    layers = keras.layers
    image = keras.Input(shape=(6, 6, 2))
    weights = penalised(keras, "kernel", "bias")
    x = layers.Conv2D(4, 3, padding="same", activation="tanh", **weights)(image)
    x = layers.AveragePooling2D(2)(x)
    x = layers.DepthwiseConv2D(2, padding="same", **penalised(keras, "depthwise", "bias"))(x)
    coded = layers.Conv2D(3, 3, strides=3, padding="same", activation="sigmoid", **weights)(x)
    x = layers.Conv2DTranspose(4, 3, strides=3, padding="same", **weights)(coded)
    x = layers.UpSampling2D(2)(x)
    output = layers.Conv2D(2, 3, padding="same", activation="sigmoid", **weights)(x)
    return keras.Model(image, output), IMAGES, "mse"


def classifier(keras):
    """Normalization, branches that meet again, and a row of dense layers."""
    layers = keras.layers
    image = keras.Input(shape=(6, 6, 2))
    names = ("depthwise", "pointwise", "bias")
    x = layers.SeparableConv2D(4, 3, padding="same", **penalised(keras, *names))(image)
    x = layers.BatchNormalization(**penalised(keras, "beta", "gamma"))(x)
    x = layers.Activation("softplus")(x)
    y = layers.Conv2D(4, 1, **penalised(keras, "kernel", "bias"))(x)
    x = layers.Add()([x, y])
    if minigrad.get_default_dtype() == "float32":  # Keras rounds to it in there
        x = layers.LayerNormalization(**penalised(keras, "beta", "gamma"))(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(5, activation="tanh", **penalised(keras, "kernel", "bias"))(x)
    output = layers.Dense(3, activation="softmax", **penalised(keras, "kernel", "bias"))(x)
    return keras.Model(image, output), LABELS, "sparse_categorical_crossentropy"


def sequences(keras):
    """In one dimension, with a parametric activation and dilation."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(shape=(36, 2)),
            layers.Conv1D(3, 3, padding="causal", dilation_rate=2, **penalised(keras, "kernel")),
            layers.PReLU(shared_axes=[1], **penalised(keras, "alpha")),
            layers.Conv1DTranspose(2, 2, strides=1, **penalised(keras, "bias", "kernel")),
            layers.ActivityRegularization(l1=2**-7, l2=2**-8),
            layers.Cropping1D((0, 1)),
            layers.ZeroPadding1D(1),
            layers.Flatten(),
            layers.Dense(3, **penalised(keras, "kernel", "bias")),
        ]
    )
    return model, np.eye(3)[LABELS], "huber"


def twins(build, optimizer, dtype):
    """The same model in both, with the same weights, compiled alike."""
    (ours, y, loss), (theirs, _, _) = build(minigrad), build(keras)
    rng = np.random.default_rng(2)
    values = [
        (rng.uniform(0.1, 0.5, w.shape) * rng.choice([-1, 1], w.shape)).astype(dtype)
        for w in ours.weights
    ]  # not near 0, where a penalty has its kink
    names = list(ours.named_weights())
    positive = ("variance", "gamma", "alpha")
    values = [np.abs(v) if n.endswith(positive) else v for v, n in zip(values, names, strict=True)]
    for model, package in ((ours, minigrad), (theirs, keras)):
        model.set_weights(values)
        made = getattr(package.optimizers, optimizer)(**OPTIMIZERS[optimizer])
        model.compile(made, loss, **({"jit_compile": False} if package is keras else {}))
    x = IMAGES.reshape(-1, *ours.input_shape).astype(dtype)
    return ours, theirs, x, y if y.dtype.kind == "i" else y.astype(dtype)


def close(found, wanted, tolerance, name=""):
    found, wanted = np.asarray(found), np.asarray(wanted)
    scale = max(1.0, np.abs(wanted).max(initial=0))
    np.testing.assert_allclose(found, wanted, tolerance, tolerance * scale, err_msg=name)


def hold(ours, theirs, x, y, tolerance):
    """Outputs, losses, every gradient and every weight as they are now."""
    for (name, one), other in zip(ours.named_weights().items(), theirs.get_weights(), strict=True):
        close(one.numpy(), other, tolerance, name)
    close(ours.predict(x), theirs.predict(x, verbose=0), tolerance)
    terms = ours.loss_terms(x, y, training=True)
    prediction = theirs(torch.tensor(x), training=True)
    penalties = theirs.losses
    mine = sorted(float(value) for name, value in terms.items() if name != "data")
    close(mine, sorted(float(value) for value in penalties), tolerance)
    data = theirs.loss if callable(theirs.loss) else keras.losses.get(theirs.loss)
    total = keras.ops.mean(data(torch.tensor(y), prediction)) + sum(penalties)
    close(float(terms.total()), float(total), tolerance)
    expected = torch.autograd.grad(total, [w.value for w in theirs.trainable_weights])
    trained = [w for w in ours.weights if w.trainable]
    for one, gradient, other in zip(
        trained, minigrad.grad(terms.total(), trained), expected, strict=True
    ):
        close(gradient, other.numpy(), tolerance, one.name)


RUNS = [(name, "float64") for name in OPTIMIZERS] + [("SGD", "float32"), ("Adam", "float32")]


@pytest.mark.parametrize(("optimizer", "dtype"), RUNS)
@pytest.mark.parametrize("build", [autoencoder, classifier, sequences], ids=lambda b: b.__name__)
def test_20_steps_end_at_the_same_outputs_losses_gradients_and_weights(build, optimizer, dtype):
    arguments = {"batch_size": 6, "epochs": 5, "shuffle": False, "verbose": 0}
    with computing_in(dtype):
        ours, theirs, x, y = twins(build, optimizer, dtype)
        hold(ours, theirs, x, y, TOLERANCE[dtype])
        found, expected = ours.fit(x, y, **arguments), theirs.fit(x, y, **arguments)
        assert ours.optimizer.iterations == 20
        # Keras rounds what it notes in the history to float32.
        noted = 1e-5 if dtype == "float64" else 1e-4
        close(found.history["loss"], expected.history["loss"], noted)
        hold(ours, theirs, x, y, TOLERANCE[dtype])


@pytest.mark.parametrize(("build", "batch_size"), [(classifier, 7), (sequences, 1)])
def test_frozen_layers_and_sample_weights_agree(build, batch_size):
    optimizer, dtype = "AdamW", "float64"
    weights = np.random.default_rng(3).uniform(0.5, 2, 20)
    with computing_in(dtype):
        ours, theirs, x, y = twins(build, optimizer, dtype)
        for model, package in ((ours, minigrad), (theirs, keras)):
            next(layer for layer in model.layers if layer.weights).trainable = False
            made = getattr(package.optimizers, optimizer)(**OPTIMIZERS[optimizer])
            model.compile(made, model.loss)
        arguments = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
        ours.fit(x, y, sample_weight=weights, **arguments)
        theirs.fit(x, y, sample_weight=weights, **arguments)
        hold(ours, theirs, x, y, TOLERANCE[dtype])
