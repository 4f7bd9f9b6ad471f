import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import activations, layers
from minigrad.layers import Add, Concatenate, Conv2D, Dense, DenseTranspose, Input

X = np.random.default_rng(0).uniform(0, 1, (8, 6)).astype(np.float32)


def autoencoder():
    pixels = Input((6,))
    codings = Dense(3, "relu", activity_regularizer="l1", name="codings", seed=0)(pixels)
    output = Dense(6, "sigmoid", seed=1)(codings)
    return pixels, codings, output


def test_layers_called_on_each_other_make_a_model_like_sequential():
    pixels, _, output = autoencoder()
    model = mg.Model(pixels, output)
    twin = mg.Sequential(Input((6,)), *(Dense.from_config(x.get_config()) for x in model.layers))
    for made in (model, twin):
        made.compile("adam", "mse")
        made.set_weights([np.full(w.shape, 0.1) for w in made.weights])
    one, other = (made.fit(X, X, epochs=3, shuffle=False, verbose=0) for made in (model, twin))
    assert one.history == other.history
    assert list(one.history) == ["loss", "data", "codings/activity"]


def test_an_encoder_and_a_decoder_share_the_layers():
    pixels, codings, output = autoencoder()
    model, encoder = mg.Model(pixels, output), mg.Model(pixels, codings)
    entry = Input((3,))
    decoder = mg.Model(entry, model.layers[-1](entry))
    np.testing.assert_allclose(decoder.predict(encoder.predict(X)), model.predict(X), rtol=1e-6)
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    np.testing.assert_allclose(decoder.predict(encoder.predict(X)), model.predict(X), rtol=1e-6)
    whole = mg.Model(pixels, decoder(encoder(pixels)))
    assert whole.count_params() == model.count_params()
    np.testing.assert_allclose(whole.predict(X), model.predict(X), rtol=1e-6)


def test_branches_meet_again():
    image = Input((4, 4, 1))
    x = Conv2D(2, 3, padding="same", activation="relu")(image)
    y = Conv2D(2, 1, name="shortcut")(image)
    merged = Concatenate()([Add()([x, y]), image])
    model = mg.Model(image, layers.Flatten()(merged))
    assert model.compute_output_shape((None, 4, 4, 1)) == (None, 48)
    images = np.random.default_rng(0).normal(size=(3, 4, 4, 1))
    expected = np.concatenate(
        [(model.layers[0](images) + model.get_layer("shortcut")(images)).numpy(), images], axis=-1
    )
    np.testing.assert_allclose(model.predict(images), expected.reshape(3, -1), rtol=1e-5)
    model.compile("adam", "mse")
    trace = model.trace(images, np.zeros((3, 48)))
    assert trace.residual < 1e-6


def test_a_layer_that_is_called_twice_pays_once_for_weights_and_twice_for_activity():
    pixels = Input((6,))
    shared = Dense(6, kernel_regularizer="l2", activity_regularizer="l2", name="shared")
    model = mg.Model(pixels, shared(shared(pixels)))
    model.compile("sgd", "mse")
    terms = model.loss_terms(X, X).values_as_floats()
    first = shared(X)
    second = shared(first)
    expected = 0.01 * ((first.numpy() ** 2).sum() + (second.numpy() ** 2).sum()) / len(X)
    assert terms["shared/activity"] == pytest.approx(expected, rel=1e-5)
    assert terms["shared/kernel"] == pytest.approx(0.01 * (shared.kernel.numpy() ** 2).sum())


def test_graphs_are_saved_copied_cloned_and_nested(tmp_path):
    pixels, codings, _ = autoencoder()
    encoder = mg.Model(pixels, codings, name="encoder")
    entry = Input((6,))
    decoder = DenseTranspose(encoder.layers[0], name="pixels")
    model = mg.Model(entry, Add()([decoder(encoder(entry)), entry]))
    model.compile("adam", "mse")
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "m.npz")
    twin = mg.load(tmp_path / "m.npz")
    assert (twin.predict(X) == model.predict(X)).all()
    assert (copy.deepcopy(model).predict(X) == model.predict(X)).all()
    clone = mg.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert mg.model_from_json(model.to_json()).count_params() == model.count_params()
    assert "encoder/codings/activity" in twin.loss_terms(X, X)


def test_summary_shows_the_shapes_of_all_layers(capsys):
    pixels, _, output = autoencoder()
    mg.Model(pixels, output, name="ae").summary()
    text = capsys.readouterr().out
    assert "codings (Dense)" in text
    assert "(None, 3)" in text
    assert "activity: L1(l1=0.01)" in text


def test_a_model_subclass_shows_its_shapes_too(capsys):
    class Net(mg.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = Dense(3), Dense(2)

        def call(self, x):
            return self.second(self.first(x))

    net = Net()
    net(X)
    net.summary()
    assert "(None, 2)" in capsys.readouterr().out
    net.build((None, 6))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: mg.Model(Input((2,))), TypeError, "inputs and outputs, or neither"),
        (lambda: mg.Model(Input((2,)), 3), TypeError, "outputs must be what Input"),
        (
            lambda: mg.Model(Input((2,)), Dense(1)(Input((2,)))),
            ValueError,
            "the output also depends on",
        ),
        (
            lambda: mg.Model([Input((2,)), Input((3,))], Dense(1)(Input((2,)))),
            TypeError,
            "subclass Model",
        ),
        (lambda: Input((2,)) + 1, TypeError, "has no values"),
        (lambda: np.exp(Input((2,))), TypeError, "has no values.*layers.Lambda"),
        (lambda: activations.relu(Input((2,))), TypeError, "has no values.*layers.Activation"),
        (
            lambda: activations.mish(Dense(2)(Input((2,)))),
            AttributeError,
            "no 'dtype': it only stands for",
        ),
        (lambda: np.ones(2) * Input((2,)), TypeError, "has no values"),
        (lambda: 1 - (Input((2,)) > 0), TypeError, "has no values"),
        (lambda: Input((2,))[:, 0], TypeError, r"layers.Lambda\(lambda x: x\[:, 0\]\)"),
        (lambda: list(Dense(2)(Input((2,)))), TypeError, "has no values"),
        (lambda: np.asarray(Input((2,))), TypeError, "has no values"),
        (lambda: Add()(Input((2,))), ValueError, "a list of at least two"),
        (lambda: Add()([Input((2,)), Input((3,))]), ValueError, "shapes that fit"),
        (lambda: Concatenate(axis=0), ValueError, "axis must be"),
        (
            lambda: Concatenate()([Input((2, 3)), Input((3, 3))]),
            ValueError,
            r"\(None, 2, 3\), \(None, 3, 3\)",
        ),
        (lambda: Conv2D(2, 3)(Input((8, 8))), ValueError, "needs an input of rank 4"),
    ],
)
def test_what_makes_no_model_says_why(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
def test_merging_layers_agree_with_numpy(name):
    one, other = np.random.default_rng(0).normal(size=(2, 3, 4))
    functions = {
        "Add": np.add,
        "Subtract": np.subtract,
        "Multiply": np.multiply,
        "Average": lambda a, b: (a + b) / 2,
        "Maximum": np.maximum,
        "Minimum": np.minimum,
    }
    layer = getattr(layers, name)(dtype="float64")
    found = layer([mg.Tensor(one), mg.Tensor(other)])
    np.testing.assert_allclose(found.numpy(), functions[name](one, other))
    twin = type(layer).from_config(layer.get_config())
    assert twin.compute_output_shape([(None, 4), (None, 4)]) == (None, 4)


# ---- where a model begins and ends ---------------------------------------------------------------


def test_a_model_can_be_made_longer_from_its_ends():
    x = np.ones((2, 4), np.float32)
    base = mg.Sequential([mg.Input((4,)), Dense(3, name="codings")])
    longer = mg.Model(base.input, Dense(2)(base.output))
    assert longer.predict(x).shape == (2, 2)
    assert longer.layers[0] is base.layers[0]
    assert longer.outputs[0] is longer.output
    twin = mg.Model(longer.inputs, longer.outputs)
    assert (twin.predict(x) == longer.predict(x)).all()


def test_the_ends_of_a_sequential_follow_what_is_added():
    model = mg.Sequential([Dense(3, input_dim=4)])
    first = model.output
    assert model.output is first
    model.add(Dense(2))
    assert (first.shape, model.output.shape) == ((None, 3), (None, 2))
    with pytest.raises(AttributeError, match="does not know its input's shape"):
        mg.Sequential([Dense(3)]).output  # noqa: B018


def test_a_model_of_ones_own_has_no_ends_and_may_use_the_names_for_its_layers():
    class Own(mg.Model):
        def __init__(self):
            super().__init__()
            self.output = Dense(2)

        def call(self, x):
            return self.output(x)

    model = Own()
    assert model(np.ones((1, 3))).shape == (1, 2)
    assert [layer.name for layer in model.layers] == ["dense"]
    with pytest.raises(AttributeError, match="computed by its own call"):
        model.input  # noqa: B018
