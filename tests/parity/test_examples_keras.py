"""Programs as people write them for Keras, run by Keras and, word for word, by minigrad."""

import os

import numpy as np
import pytest

import minigrad

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(0, 1, (24, 8, 8, 1)).astype("float32")
LABELS = RNG.integers(0, 3, 24)


def convolutional_autoencoder(keras):
    """A functional model with every kind of penalty."""
    layers, regularizers = keras.layers, keras.regularizers
    image = keras.Input(shape=(8, 8, 1))
    x = layers.Conv2D(4, (3, 3), activation="relu", padding="same")(image)
    x = layers.MaxPooling2D((2, 2), padding="same")(x)
    encoded = layers.Conv2D(
        2,
        (3, 3),
        strides=2,
        activation="tanh",
        padding="same",
        kernel_regularizer=regularizers.L2(1e-2),
        bias_regularizer=regularizers.L1(1e-2),
        activity_regularizer=regularizers.L1(1e-2),
        name="codings",
    )(x)
    x = layers.Conv2DTranspose(4, (3, 3), strides=2, activation="relu", padding="same")(encoded)
    x = layers.UpSampling2D((2, 2))(x)
    decoded = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
    model = keras.Model(image, decoded)
    model.compile(optimizer=keras.optimizers.SGD(0.0625), loss="binary_crossentropy")
    return model, (IMAGES, IMAGES)


def classifier(keras):
    """Convolution, pooling, batch normalization, integer labels, accuracy."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Conv2D(4, kernel_size=(3, 3), activation="relu"),
            layers.BatchNormalization(),
            layers.AveragePooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
        ]
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(0.0625, momentum=0.5),
        metrics=["accuracy"],
    )
    return model, (IMAGES, LABELS)


def one_hot_classifier(keras):
    """Global pooling, one-hot labels, label smoothing, logits, RMSprop."""
    layers = keras.layers
    model = keras.models.Sequential()
    model.add(keras.Input(shape=(8, 8, 1)))
    model.add(layers.SeparableConv2D(4, 3, padding="same", activation="elu"))
    model.add(layers.LayerNormalization())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(3))
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.0078125),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    return model, (IMAGES, keras.utils.to_categorical(LABELS, 3))


def residual_network(keras):
    """Branches that meet again, cosine decay, clipped gradients."""
    layers = keras.layers
    inputs = keras.Input(shape=(64,))
    x = layers.Dense(16, activation="relu")(inputs)
    y = layers.Dense(16)(x)
    x = layers.Add()([x, y])
    x = layers.LeakyReLU(negative_slope=0.25)(x)
    outputs = layers.Dense(64)(layers.Concatenate()([x, y]))
    model = keras.Model(inputs=inputs, outputs=outputs, name="residual")
    schedule = keras.optimizers.schedules.CosineDecay(0.0078125, decay_steps=20)
    model.compile(optimizer=keras.optimizers.Adam(schedule, clipnorm=0.5), loss="huber")
    flat = IMAGES.reshape(24, 64)
    return model, (flat, flat)


EXAMPLES = [convolutional_autoencoder, classifier, one_hot_classifier, residual_network]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.__name__)
def test_the_same_program_ends_at_the_same_weights(example):
    ours, data = example(minigrad)
    theirs, _ = example(keras)
    rng = np.random.default_rng(1)
    weights = [
        rng.uniform(0.01, 0.3, w.shape).astype("float32") * np.sign(rng.normal(size=w.shape))
        for w in ours.get_weights()
    ]
    for model in (ours, theirs):  # a variance must not be negative
        names = [getattr(w, "path", getattr(w, "name", "")) for w in model.weights]
        model.set_weights(
            [np.abs(v) if "variance" in n else v for v, n in zip(weights, names, strict=True)]
        )
    settings = {"batch_size": 6, "epochs": 5, "shuffle": False, "verbose": 0}
    found, expected = ours.fit(*data, **settings), theirs.fit(*data, **settings)
    for name, values in expected.history.items():
        np.testing.assert_allclose(found.history[name], values, rtol=2e-4, err_msg=name)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(ours.evaluate(*data), theirs.evaluate(*data, verbose=0), rtol=2e-4)
    np.testing.assert_allclose(
        ours.predict(data[0]), theirs.predict(data[0], verbose=0), rtol=2e-3, atol=2e-4
    )


def test_a_denoising_autoencoder_learns_to_remove_noise():
    keras = minigrad
    keras.utils.set_random_seed(0)
    x = keras.datasets.load_digits().images[:500]
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.GaussianNoise(0.3),
            keras.layers.Dense(40, activation="relu"),
            keras.layers.Dense(64, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="mse")
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    model.fit(x, x, epochs=40, validation_split=0.2, callbacks=[stop], verbose=0)
    noisy = np.clip(x[:100] + np.random.default_rng(0).normal(0, 0.3, (100, 64)), 0, 1)
    cleaned = model.predict(noisy)
    assert ((cleaned - x[:100]) ** 2).mean() < 0.6 * ((noisy - x[:100]) ** 2).mean()


def test_a_contractive_autoencoder_penalises_its_jacobian():
    class Contractive(minigrad.layers.Layer):
        """Codings, with ‖∂h/∂x‖² as a term of their own (Rifai et al. 2011)."""

        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (input_shape[-1], 12))

        def call(self, x):
            h = minigrad.activations.sigmoid(x @ self.kernel)
            slopes = (h * (1 - h)) ** 2
            norms = slopes @ (self.kernel**2).sum(axis=0)
            self.add_loss(0.01 * norms.mean(), name="contraction")
            return h

    x = minigrad.datasets.load_digits().images[:300]
    layer = Contractive(name="codings", seed=0)
    model = minigrad.Sequential([layer, minigrad.layers.Dense(64, "sigmoid")])
    model.compile(optimizer=minigrad.optimizers.Adam(0.01), loss="mse")
    history = model.fit(x, x, epochs=10, verbose=0)
    assert history.history["codings/contraction"][-1] < history.history["codings/contraction"][1]
    kernel = layer.kernel.numpy().astype("float64")
    jacobian = minigrad.jacobian(lambda v: minigrad.activations.sigmoid(v @ kernel))(x[0])
    layer(x[:1])
    expected = 0.01 * (jacobian.numpy() ** 2).sum()
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-4)
