"""What people write for Keras, line by line: it must run in both, with the same outcome.

Each idiom takes the package and returns what both must agree on: shapes, names, numbers of things.
"""

import inspect
import os

import numpy as np
import pytest

import minigrad

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (40, 16)).astype("float32")
LABELS = RNG.integers(0, 3, 40)
ROWS = np.eye(3, dtype="float32")[LABELS]

IDIOMS = []


def idiom(function):
    IDIOMS.append(function)
    return function


def classifier(keras, **settings):
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", **settings)
    return model


def extended(keras, name):
    """The name of a file: as Keras wants it, or with the one extension that minigrad writes."""
    return name if keras.__name__ == "keras" else f"{name.partition('.')[0]}.npz"


@idiom
def the_parts_of_an_autoencoder(keras):
    image = keras.Input(shape=(16,))
    penalty = keras.regularizers.l1(10e-5)
    coded = keras.layers.Dense(4, activation="relu", activity_regularizer=penalty)(image)
    decoded = keras.layers.Dense(16, activation="sigmoid")(coded)
    autoencoder, encoder = keras.Model(image, decoded), keras.Model(image, coded)
    coding = keras.Input(shape=(4,))
    decoder = keras.Model(coding, autoencoder.layers[-1](coding))
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    data = (X[:8], X[:8])
    autoencoder.fit(X, X, epochs=2, batch_size=16, shuffle=True, validation_data=data, verbose=0)
    return decoder.predict(encoder.predict(X, verbose=0), verbose=0).shape


@idiom
def evaluation_with_metrics(keras):
    model = classifier(keras, metrics=["accuracy"])
    score = model.evaluate(X, ROWS, verbose=0)
    assert model.evaluate(X, ROWS, 8, 0) == pytest.approx(score, rel=1e-5)
    named = model.evaluate(X, ROWS, batch_size=None, verbose=0, return_dict=True)
    return len(score), {"loss", "accuracy"} <= named.keys()


@idiom
def steps_by_hand(keras):
    model = classifier(keras)
    step = model.train_on_batch(X, ROWS, return_dict=True)
    test = model.test_on_batch(X, ROWS, return_dict=True)
    plain = model.test_on_batch(X, ROWS, return_dict=False)
    return "loss" in step, "loss" in test, float(plain) == pytest.approx(float(test["loss"]))


@idiom
def a_summary_as_text(keras):
    lines = []
    classifier(keras).summary(print_fn=lambda text, **_: lines.append(text))
    return "dense" in "".join(lines)


@idiom
def more_layers_on_a_model(keras):
    base = classifier(keras)
    base.trainable = False
    output = keras.layers.Dense(2, name="head")(base.outputs[0])
    model = keras.Model(inputs=base.inputs, outputs=output)
    twin = keras.Model(model.input, model.output)
    return model.predict(X, verbose=0).shape, len(model.trainable_weights), twin.count_params()


@idiom
def an_input_layer_in_a_sequential(keras):
    model = keras.Sequential()
    model.add(keras.layers.InputLayer(shape=(16,)))
    model.add(keras.layers.Dense(3))
    return model.built, model.count_params(), len(model.layers)


@idiom
def inputs_in_all_words(keras):
    return [
        keras.Input(shape=(3,), batch_size=None, dtype="float32", name="a").shape,
        keras.layers.Input((None, 2)).shape,
        keras.Input(batch_shape=(None, 5)).shape,
    ]


@idiom
def merging_by_functions(keras):
    layers = keras.layers
    a = keras.Input((4,))
    b = layers.Dense(4)(a)
    merge = ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"]
    return [getattr(layers, name)([a, b]).shape for name in merge]


@idiom
def short_names_of_layers(keras):
    names = ("MaxPool2D", "AvgPool1D", "GlobalMaxPool1D", "GlobalAvgPool3D", "Convolution2D")
    return [getattr(keras.layers, name).__name__ for name in names]


@idiom
def initializers_and_constraints_in_small_letters(keras):
    small = [name for name in minigrad.initializers.__all__ if name.islower() and "_" in name]
    kinds = [getattr(keras.initializers, name).__name__ for name in small]
    constraint = keras.constraints.max_norm(2.0)
    layer = keras.layers.Dense(3, kernel_constraint=constraint, kernel_initializer="he_normal")
    return kinds, layer.kernel_constraint.max_value, keras.constraints.non_neg.__name__


@idiom
def a_dataset_of_batches(keras):
    class Batches(keras.utils.PyDataset):
        ended = 0

        def __init__(self, size, **arguments):
            super().__init__(**arguments)
            self.size = size

        def __len__(self):
            return 40 // self.size

        def __getitem__(self, index):
            part = slice(index * self.size, (index + 1) * self.size)
            return X[part], ROWS[part]

        def on_epoch_end(self):
            self.ended += 1

    model, batches = classifier(keras), Batches(10, workers=1)
    model.fit(batches, epochs=2, verbose=0, validation_data=Batches(20))
    steps = int(model.optimizer.iterations)
    model.evaluate(Batches(8), verbose=0)
    return steps, batches.ended >= 2, issubclass(Batches, keras.utils.Sequence)


@idiom
def an_endless_generator(keras):
    def forever():
        while True:
            yield X[:10], ROWS[:10]

    model = classifier(keras)
    arguments = {"validation_data": forever(), "validation_steps": 2, "verbose": 0}
    history = model.fit(forever(), steps_per_epoch=3, epochs=2, **arguments)
    model.evaluate(forever(), steps=2, verbose=0)
    return int(model.optimizer.iterations), len(history.history["val_loss"]), history.epoch


@idiom
def a_callback_with_every_method(keras):
    calls = []

    class Recorder(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            calls.append(("train begins", self.params["epochs"], self.params["steps"]))

        def on_batch_begin(self, batch, logs=None):
            calls.append(("batch begins", batch))

        def on_batch_end(self, batch, logs=None):
            calls.append(("batch ends", batch, "loss" in logs))

        def on_test_begin(self, logs=None):
            calls.append(("test begins",))

        def on_test_batch_begin(self, batch, logs=None):
            calls.append(("test batch begins", batch))

        def on_test_batch_end(self, batch, logs=None):
            calls.append(("test batch ends", batch))

        def on_test_end(self, logs=None):
            calls.append(("test ends", "loss" in logs))

        def on_predict_batch_end(self, batch, logs=None):
            calls.append(("never in fit",))

        def on_epoch_end(self, epoch, logs=None):
            calls.append(("epoch ends", epoch, "val_loss" in logs))

        def on_train_end(self, logs=None):
            calls.append(("train ends",))

    model = classifier(keras)
    arguments = {"batch_size": 16, "epochs": 2, "validation_split": 0.5, "verbose": 0}
    model.fit(X, ROWS, callbacks=[Recorder()], **arguments)
    return calls


@idiom
def a_registered_class_in_a_file(keras):
    @keras.saving.register_keras_serializable(package="idioms")
    class Halving(keras.layers.Layer):
        def __init__(self, times=1, **arguments):
            super().__init__(**arguments)
            self.times = times

        def call(self, inputs):
            return inputs / 2**self.times

        def compute_output_shape(self, input_shape):
            return input_shape

        def get_config(self):
            return {**super().get_config(), "times": self.times}

    model = keras.Sequential([keras.Input((16,)), Halving(3)])
    whole, weights = extended(keras, "model.keras"), extended(keras, "weights.weights.h5")
    model.save(whole)
    twin = keras.saving.load_model(whole)
    assert keras.models.load_model(whole).predict(X, verbose=0).shape == X.shape
    model.save_weights(weights)
    model.load_weights(weights)
    return twin.layers[-1].times, twin.predict(X, verbose=0)[0, 0] == X[0, 0] / 8


@idiom
def a_layer_of_ones_own(keras):
    class Linear(keras.layers.Layer):
        def __init__(self, units=32, **arguments):
            super().__init__(**arguments)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(
                shape=(input_shape[-1], self.units),
                initializer="random_normal",
                trainable=True,
                regularizer="l2",
                name="w",
            )
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)
            super().build(input_shape)

        def call(self, inputs, training=None):
            self.add_loss(1e-2 * inputs.mean())
            return inputs @ self.w + self.b

    model = keras.Sequential([keras.Input((16,)), Linear(4), keras.layers.Dense(16)])
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)
    return [w.shape for w in model.layers[0].weights], len(model.trainable_variables)


@idiom
def a_model_of_ones_own(keras):
    layers = keras.layers

    class Autoencoder(keras.Model):
        def __init__(self, size):
            super().__init__()
            self.encoder = keras.Sequential([layers.Flatten(), layers.Dense(size, "relu")])
            self.dropout = layers.Dropout(0.5)
            self.decoder = keras.Sequential([layers.Dense(16, "sigmoid"), layers.Reshape((4, 4))])

        def call(self, x, training=None):
            return self.decoder(self.dropout(self.encoder(x), training=training))

    model = Autoencoder(6)
    model.compile(optimizer="adam", loss=keras.losses.MeanSquaredError())
    images = X.reshape(-1, 4, 4)
    model.fit(images, images, epochs=1, validation_data=(images, images), verbose=0)
    return model.predict(images, verbose=0).shape, model.count_params()


@idiom
def every_callback_at_once(keras):
    on, model = keras.callbacks, classifier(keras, metrics=["accuracy", "mse"])
    model.fit(
        X,
        ROWS,
        epochs=3,
        validation_split=0.25,
        class_weight={0: 1.0, 1: 2.0, 2: 0.5},
        verbose=0,
        callbacks=[
            on.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True),
            on.ModelCheckpoint(
                filepath=extended(keras, "best.keras"), monitor="val_loss", save_best_only=True
            ),
            on.ModelCheckpoint(extended(keras, "{epoch:02d}.weights.h5"), save_weights_only=True),
            on.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=1, min_lr=1e-5),
            on.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
            on.CSVLogger("log.csv", separator=";"),
            on.TerminateOnNaN(),
            on.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
            on.BackupAndRestore("backup"),
        ],
    )
    with open("log.csv") as file:
        columns = set(file.readline().strip().split(";"))
    files = sorted(
        name.partition(".")[0] for name in os.listdir() if name.endswith((".keras", ".h5", ".npz"))
    )
    shared = {"epoch", "loss", "accuracy", "mse", "val_loss", "val_accuracy", "val_mse"}
    return files, shared <= columns


@idiom
def freezing_and_weights(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization()])
    model.layers[0].trainable = False
    kinds = (model.trainable_weights, model.non_trainable_weights, model.weights)
    model.set_weights(model.get_weights())
    kernel = model.layers[0].get_weights()[0]
    return [len(kind) for kind in kinds], kernel.shape, model.get_layer(index=0).units


@pytest.mark.parametrize("idiom", IDIOMS, ids=lambda idiom: idiom.__name__)
def test_an_idiom_means_the_same_in_both(idiom, tmp_path, monkeypatch):
    outcomes = []
    for package in (minigrad, keras):
        folder = tmp_path / package.__name__
        folder.mkdir()
        monkeypatch.chdir(folder)
        outcomes.append(idiom(package))
    assert outcomes[0] == outcomes[1]


METHODS = {
    "fit": set(),
    "compile": set(),
    "evaluate": {"kwargs"},
    "predict": set(),
    "summary": {"layer_range"},
    "train_on_batch": set(),
    "test_on_batch": set(),
    "predict_on_batch": set(),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_take_the_arguments_of_keras_in_the_same_order(name):
    expected = [*inspect.signature(getattr(keras.Model, name)).parameters]
    found = [*inspect.signature(getattr(minigrad.Model, name)).parameters]
    assert found == [argument for argument in expected if argument not in METHODS[name]]


LAYERS = [
    name
    for name, kind in vars(minigrad.layers).items()
    if inspect.isclass(kind) and kind.__name__ == name and hasattr(keras.layers, name)
]


def plain(default):
    """``(2, 2)`` and ``((2, 2), (2, 2))`` say what 2 says, and names may be written large."""
    while isinstance(default, tuple) and len(set(default)) == 1:
        default = default[0]
    return default.lower() if isinstance(default, str) else default


@pytest.mark.parametrize("name", [n for n in LAYERS if n not in ("Layer", "Input")])
def test_layers_begin_with_the_arguments_of_keras_in_the_same_order(name):
    expected = inspect.signature(getattr(keras.layers, name)).parameters.values()
    found = inspect.signature(getattr(minigrad.layers, name)).parameters
    theirs = [p for p in expected if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "mask"]
    for place, parameter in enumerate(theirs[:4]):
        ours = found.get(parameter.name)
        if ours is not None and ours.kind is ours.POSITIONAL_OR_KEYWORD:
            assert [*found][place] == parameter.name
            if ours.default not in (None, ours.empty) and parameter.default is not ours.empty:
                assert plain(ours.default) == plain(parameter.default)
