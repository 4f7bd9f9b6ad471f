"""Layers that users write: how they are built, called, described, and what is refused."""

import copy
import json
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers.layer import registry
from minigrad.testing import check_grads

X = np.arange(8, dtype=np.float32).reshape(2, 4)


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight("factor", (input_shape[-1],), "ones", regularizer="l2")

    def call(self, x, by=1.0):
        return x * self.factor * by


# ---- building ------------------------------------------------------------------------------------


def test_a_second_build_for_the_same_shape_changes_nothing():
    layer = Scale()
    layer.build((None, 4))
    factor = layer.factor
    layer.build((32, 4))
    layer.build([None, 4])
    assert layer.factor is factor
    assert layer.input_shape == (4,)
    with pytest.raises(ValueError, match=r"has its weights already.*\(None, 5\)"):
        layer.build((None, 5))


def test_a_layer_made_of_others_is_built_by_a_trial_if_it_has_no_build():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [layers.Dense(3), layers.Dense(2)]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    block = Block()
    block.build((None, 4))
    assert block.built
    assert [weight.shape for weight in block.weights] == [(4, 3), (3,), (3, 2), (2,)]
    broken = Block()
    with pytest.raises(ValueError, match="needs an input"):
        broken.build((None,))
    assert not broken.built


def test_a_failed_build_may_be_tried_again():
    layer = layers.Dense(2)
    with pytest.raises(ValueError, match="needs an input"):
        layer.build((None,))
    assert not layer.built
    layer.build((None, 4))
    assert layer.built


def test_the_penalty_of_a_layer_built_by_hand_is_counted_once():
    layer = Scale(name="scale")
    layer.build((None, 4))
    layer(X)
    assert layer.loss_terms().values_as_floats() == pytest.approx({"scale/factor": 0.04})


def test_models_build_as_often_as_they_are_asked():
    class Own(mg.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    for model in (Own(), mg.Sequential([layers.Dense(3)])):
        model.build((None, 4))
        model.build(input_shape=(None, 4))
        assert model.count_params() == 15


def test_weights_made_in_the_constructor_can_be_trained_before_the_first_call():
    class Shift(layers.Layer):
        def __init__(self):
            super().__init__()
            self.by = self.add_weight("by", 4, "zeros")

        def call(self, x):
            return x + self.by

    layer = Shift()
    optimizer = mg.optimizers.SGD(1.0, parameters=layer.parameters())
    layer(X).sum().backward()
    optimizer.step()
    assert layer.get_weights()[0].tolist() == [-2.0] * 4
    assert list(layer.named_parameters()) == ["by"]


def test_what_is_not_built_says_so():
    with pytest.raises(
        AttributeError, match=r"Dense 'dense' .*not built.*has no attribute 'kernel'"
    ):
        layers.Dense(2).kernel  # noqa: B018
    with pytest.raises(AttributeError, match=r"^Dense 'dense' has no attribute 'kernl'"):
        layers.Dense(2, input_dim=2).kernl  # noqa: B018
    for kind in (RuntimeError, ValueError):
        with pytest.raises(kind, match="Dense 'dense' has no weights yet: it is not built"):
            layers.Dense(2).count_params()


def test_a_constructor_that_forgets_its_base_is_named():
    class Forgetful(layers.Layer):
        def __init__(self):
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(RuntimeError, match=r"^Forgetful: let __init__ call super\(\).__init__\(\)"):
        Forgetful()(X)


def test_a_forward_in_place_of_call_and_a_call_without_return_are_told():
    class Torchlike(layers.Layer):
        def forward(self, x):
            return x

    class Mute(mg.Model):
        def call(self, x):
            x + 1

    with pytest.raises(NotImplementedError, match="rename its forward"):
        Torchlike()(X)
    with pytest.raises(TypeError, match=r"model 'mute': Mute\.call returned None"):
        Mute()(X)


def test_a_property_that_fails_keeps_its_own_message():
    class Own(layers.Layer):
        @property
        def depth(self):
            return self.no_such_name

    with pytest.raises(AttributeError, match="'no_such_name'"):
        Own().depth  # noqa: B018


# ---- weights -------------------------------------------------------------------------------------


def test_the_name_of_a_weight_may_come_first_and_a_length_stand_alone():
    layer = layers.Layer(name="own")
    first = layer.add_weight("first", (2,), "ones")
    second = layer.add_weight("second", shape=3, initializer="ones", trainable=False)
    third = layer.add_weight(2, "zeros")
    assert [w.name for w in (first, second, third)] == ["own/first", "own/second", "own/weight"]
    assert [w.shape for w in (first, second, third)] == [(2,), (3,), (2,)]
    assert [w.trainable for w in (first, second, third)] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (("a",), {"name": "b"}, "multiple values for keyword argument 'name'"),
        (((None, 2),), {}, "must be known integers"),
        ((2.5,), {}, "must be known integers"),
        (("a", (2,)), {"dtype": "int32"}, "only floating"),
        (("a", (2,)), {"dtype": "flaot"}, "dtype must be a dtype of real numbers"),
        (("a", (2,)), {"trainable": "no"}, "trainable must be True or False"),
    ],
)
def test_wrong_weights_are_refused(arguments, keywords, message):
    with pytest.raises((ValueError, TypeError), match=message):
        layers.Layer().add_weight(*arguments, **keywords)


def test_an_initializer_of_ones_own_may_do_without_the_generator():
    def sevens(shape, dtype=None):
        return np.full(shape, 7.0)

    def drawn(shape, dtype, generator):
        return generator.random(shape)

    assert layers.Dense(1, kernel_initializer=sevens, input_dim=1).kernel.tolist() == [[7.0]]
    twins = [layers.Dense(2, kernel_initializer=drawn, input_dim=2, seed=3) for _ in range(2)]
    assert twins[0].kernel.tolist() == twins[1].kernel.tolist()


def test_whole_numbers_are_kept_as_state_and_in_files(tmp_path):
    class Counter(layers.Layer):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.calls = self.add_weight("calls", dtype="int32", trainable=False)

        def call(self, x, training=False):
            if training:
                self.calls.assign_add(1)
            return x

    model = mg.Sequential([Counter(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=3, batch_size=2, verbose=0)
    model.save_weights(tmp_path / "weights.npz")
    twin = mg.Sequential([Counter(), layers.Dense(1)])
    twin.build((None, 4))
    twin.load_weights(tmp_path / "weights.npz")
    assert twin.layers[0].calls.numpy() == np.int32(3)
    assert twin.layers[0].calls.dtype == np.int32


# ---- calling -------------------------------------------------------------------------------------


def test_further_arguments_are_tensors_of_the_layers_dtype():
    class Told(layers.Layer):
        def call(self, x, *, scale, mask, name):
            self.seen = [
                *(getattr(value, "dtype", None) for value in (scale, mask)),
                type(scale),
                name,
            ]
            return np.where(mask, x * scale, 0.0)

    layer = Told()
    x = mg.Tensor(X, requires_grad=True)
    scale = mg.Tensor(np.full((2, 4), 3.0), requires_grad=True)
    layer(x, scale=scale, mask=X > 2, name="word").sum().backward()
    assert layer.seen == [np.float32, np.bool_, mg.Tensor, "word"]
    assert x.grad.tolist() == np.where(X > 2, 3.0, 0.0).tolist()
    assert scale.grad.tolist() == np.where(X > 2, X, 0.0).tolist()


def test_an_argument_that_call_does_not_take_is_refused_with_those_it_takes():
    with pytest.raises(TypeError, match=r"layer 'scale': .*'bye'.*call\(x, by=1.0\)"):
        Scale()(X, bye=2.0)
    with pytest.raises(TypeError, match="too many positional"):
        layers.Dense(2)(X, 2.0)
    with pytest.raises(TypeError, match="'mask'"):
        layers.Dense(2)(X, mask=X)


def test_the_penalty_of_the_output_sees_further_arguments():
    layer = Scale(activity_regularizer=mg.regularizers.L1(1.0), name="scale")
    layer(np.ones((2, 4)), by=3.0)
    assert layer.loss_terms().values_as_floats()["scale/activity"] == 12.0


def test_a_layer_of_one_input_refuses_several_and_takes_a_list_of_one():
    dense = layers.Dense(2, input_dim=4)
    with pytest.raises(ValueError, match=r"Dense takes one input. Received: 2.*np.stack"):
        dense([X, X])
    assert dense([X]).shape == mg.Sequential([dense])([X]).shape == (2, 2)
    assert dense([[1.0, 2.0, 3.0, 4.0]]).shape == (1, 2)


def test_several_inputs_keep_their_structure():
    class Own(layers.Layer):
        def call(self, inputs):
            pair, named, nothing = inputs
            assert nothing is None
            return pair[0] + pair[1] + named["c"]

    output = Own()([[X, X], {"c": mg.Tensor(X)}, None])
    assert output.tolist() == (3 * X).tolist()


def test_the_shapes_of_several_outputs_are_found_by_a_trial():
    class Both(layers.Layer):
        def call(self, inputs):
            return inputs[0][:, :1], {"sum": inputs[0] + inputs[1]}

    shapes = Both().compute_output_shape([(None, 3), (None, 3)])
    assert shapes == [(None, 1), {"sum": (None, 3)}]


def test_a_decorated_call_is_still_told_about_training():
    import functools

    def noted(call):
        @functools.wraps(call)
        def wrapper(*arguments, **keywords):
            return call(*arguments, **keywords)

        return wrapper

    class Own(layers.Layer):
        @noted
        def call(self, x, training=False):
            return x + 1.0 if training else x

    assert Own()(X, training=True).tolist() == (X + 1).tolist()


# ---- in models of symbols ------------------------------------------------------------------------


def test_training_that_is_given_while_a_model_is_drawn_stays():
    x = mg.Input((50,))
    noisy = mg.Model(x, layers.Dropout(0.5, seed=0)(x, training=True))
    outputs = [noisy.predict(np.ones((4, 50))) for _ in range(6)]
    assert all((output == 0).any() for output in outputs)
    assert len({output.tobytes() for output in outputs}) == 6  # and is never replayed


def test_a_normalization_that_is_drawn_as_still_keeps_its_averages(tmp_path):
    x = mg.Input((4,))
    model = mg.Model(x, layers.Dense(1)(layers.BatchNormalization()(x, training=False)))
    model.compile(mg.optimizers.SGD(0.001), "mse")
    model.fit(X + 5, X[:, :1], epochs=5, verbose=0)
    assert model.layers[0].moving_mean.tolist() == [0.0] * 4
    model.save(tmp_path / "model.npz")
    twin, eager = mg.load(tmp_path / "model.npz"), mg.load(tmp_path / "model.npz")
    eager._replays._failures = 99
    for each in (twin, eager):
        each.fit(X + 5, X[:, :1], epochs=6, verbose=0)
    assert all(map(np.array_equal, twin.get_weights(), eager.get_weights()))
    twin.fit(X + 5, X[:, :1], verbose=0)
    assert twin.layers[0].moving_mean.tolist() == [0.0] * 4


def test_a_further_argument_of_a_drawn_call_reaches_it_and_its_shape():
    x = mg.Input((4,))
    model = mg.Model(x, Scale()(x, by=3.0))
    assert model.output.shape == (None, 4)
    assert model(X).tolist() == (3 * X).tolist()

    class Any(Scale):
        def call(self, x, **further):
            return super().call(x, by=further["by"])

    assert mg.Model(x, Any()(x, by=2.0))(X).tolist() == (2 * X).tolist()
    with pytest.raises(TypeError, match="is called on a Symbol as a further argument"):
        Scale()(x, by=x)


# ---- attributes, names, configs ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trainble", "trainabel", "Trainable", "requires_grad"])
def test_a_misspelt_trainable_which_would_freeze_nothing_is_refused(name):
    model = mg.Sequential([layers.Dense(1)])
    for layer in (model, model.layers[0]):
        with pytest.raises(AttributeError, match=f"has no '{name}'. Did you mean 'trainable'"):
            setattr(layer, name, False)
        for own in ("train", "trained", "training", "trainer", "retrained", "residual", "requires"):
            setattr(layer, own, False)


def test_a_regularizer_may_be_kept_under_any_name_that_the_class_speaks_of():
    class Own(layers.Dense):
        def __init__(self, **arguments):
            super().__init__(2, **arguments)
            self.gate_regularizer = mg.regularizers.get("l1")

    assert Own().gate_regularizer.l1 == 0.01
    for layer in (Own(), layers.Dense(2)):
        with pytest.raises(AttributeError, match="Did you mean 'kernel_regularizer'"):
            layer.kernal_regularizer = "l2"


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 70_000])
def test_a_name_that_no_file_can_hold_is_refused_when_it_is_given(name):
    class Own(layers.Layer):
        def call(self, x):
            self.add_loss(x.sum(), name)
            return x

    givers = [
        lambda: layers.Dense(2, name=name),
        lambda: mg.Sequential(name=name),
        lambda: layers.Dense(2).rename(name),
        lambda: layers.Layer().add_weight((1,), name=name),
        lambda: Own()(X),
    ]
    for give in givers:
        with pytest.raises(ValueError, match="name stands in files: at most 1000 letters"):
            give()


def described_again(layer):
    return registry.deserialize(json.loads(json.dumps(registry.serialize(layer))))


@mg.register_serializable()
class Block(layers.Layer):
    def __init__(self, units, activation="tanh", depth=1, **arguments):
        super().__init__(**arguments)
        self.depth = 2 * depth  # not what it was given
        self.parts = [layers.Dense(units, activation) for _ in range(depth)]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


@pytest.mark.parametrize(
    "twin", [lambda x: x, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_layer_without_a_config_of_its_own_is_made_again_as_it_was_made(twin, tmp_path):
    layer = twin(Block(3, depth=2, name="block"))
    config = described_again(layer).get_config()
    assert config == layer.get_config()
    assert {"units": 3, "depth": 2, "name": "block"}.items() <= config.items()
    assert "activation" not in config  # it was not given
    for activation in ("relu", mg.activations.relu):
        assert described_again(Block(3, activation)).get_config()["activation"] == "relu"
    model = mg.Sequential([layer])
    output = model.predict(X)
    model.save(tmp_path / "model.npz")
    assert (mg.load(tmp_path / "model.npz").predict(X) == output).all()


def test_a_layer_made_of_more_than_numbers_needs_a_config_of_its_own():
    @mg.register_serializable(name="made of a layer")
    class Wrapping(layers.Layer):
        def __init__(self, inner=None):
            super().__init__()

    assert Wrapping().get_config() == {}
    with pytest.raises(ValueError, match=r"must define get_config\(\) to be saved"):
        Wrapping(layers.Dense(2)).get_config()


# ---- new layers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("normalize", [False, True])
def test_a_product_has_gradients_and_a_config(normalize):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 4))]
    layer = layers.Dot((2, 1), normalize, dtype="float64")
    check_grads(lambda *x: layer(list(x)), parts)
    assert described_again(layer).get_config() == layer.get_config()


@pytest.mark.parametrize("axes", [0, 1.5, (1, 0), (1,), "1", None])
def test_products_along_the_batch_or_nothing_are_refused(axes):
    with pytest.raises(ValueError, match="axes must be an integer, not 0, or two"):
        layers.Dot(axes)


@pytest.mark.parametrize(
    "shapes", [[(3, 4)], [(3, 4), (3, 5)], [(3, 4), (2, 4)], [(3,), (3,)], [(3, 4)] * 3]
)
def test_products_of_lengths_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"layer 'dot': Dot (is called|needs)"):
        layers.Dot(-1)([np.ones(shape) for shape in shapes])


def test_identity_hands_through_whatever_comes():
    assert layers.Identity()(X).tolist() == X.tolist()
    assert [part.shape for part in layers.Identity()([X, X[:1]])] == [(2, 4), (1, 4)]


def test_an_embedding_with_given_vectors_is_saved_without_them(tmp_path):
    vectors = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, weights=vectors)
    assert "weights" not in layer.get_config()
    with pytest.raises(ValueError, match="expected 1 arrays"):
        layers.Embedding(4, 2, weights=vectors)
    model = mg.Sequential([layer])
    model([[0]])
    model.save(tmp_path / "model.npz")
    assert mg.load(tmp_path / "model.npz").layers[0].embeddings.tolist() == vectors.tolist()


@pytest.mark.parametrize("kind", [layers.Flatten, lambda **a: layers.SpatialDropout1D(0.5, **a)])
def test_layers_that_keep_the_layout_refuse_another(kind):
    kind(data_format="channels_last")
    with pytest.raises(ValueError, match=r"np.moveaxis\(x, 1, -1\)"):
        kind(data_format="channels_first")


def test_an_activation_may_be_exchanged():
    layer = layers.Dense(2, "relu", kernel_initializer="ones", input_dim=2)
    layer.activation = None
    assert layer([[-1.0, -1.0]]).tolist() == [[-2.0, -2.0]]
    layer.activation = "relu"
    assert layer([[-1.0, -1.0]]).tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match="unknown activation 'reluu'"):
        layer.activation = "reluu"


@pytest.mark.parametrize("noise_shape", ["ab", 3, (2, 1.5), (2, -1), (2, 0)])
def test_a_noise_shape_of_no_lengths_is_refused(noise_shape):
    with pytest.raises(ValueError, match="Dropout: noise_shape must be a tuple of lengths"):
        layers.Dropout(0.5, noise_shape=noise_shape)
    assert layers.Dropout(0.5, noise_shape=[None, 1, 2]).noise_shape == (None, 1, 2)


@pytest.mark.parametrize("axis", [[1, 1], [-1, 1], 9, [0]])
def test_a_normalization_names_each_axis_once(axis):
    with pytest.raises(ValueError, match="each once"):
        layers.LayerNormalization(axis)(X)


@pytest.mark.parametrize("many", [1, 3])
def test_a_difference_has_two_parts_also_while_a_model_is_drawn(many):
    for parts in ([mg.Input((4,))] * many, [X] * many):
        with pytest.raises(ValueError, match="Subtract takes two inputs"):
            layers.Subtract()(parts)


def test_keras_names_of_dtypes_and_paths_are_there():
    layer = layers.Dense(2, dtype="float64", name="dense", input_dim=2)
    assert layer.compute_dtype == layer.variable_dtype == layer.dtype_policy.name == "float64"
    assert [weight.path for weight in layer.weights] == ["dense/kernel", "dense/bias"]


# ---- settings that were changed ------------------------------------------------------------------


class Bar(layers.Layer):
    def __init__(self, size, scale=2.0, act="relu", twice=1, **more):
        super().__init__(**more)
        self.size, self.scale, self.doubled = size, scale, 2 * twice
        self.act, self.twice = mg.activations.get(act), 2 * twice


def test_a_setting_that_was_changed_is_described_as_it_is():
    bar = Bar(3, act="tanh")
    bar.scale = 0.25
    config = bar.get_config()
    assert [config[name] for name in ("size", "scale", "act")] == [3, 0.25, "tanh"]
    assert "twice" not in config


def test_a_changed_setting_that_is_kept_otherwise_than_given_is_an_error():
    bar = Bar(3)
    bar.twice = 6
    with pytest.raises(ValueError, match=r"must define get_config.*its twice was changed to 6"):
        bar.get_config()


def test_an_own_argument_that_came_among_keywords_is_described():
    class Popping(layers.Layer):
        def __init__(self, **more):
            own = more.pop("own", 1)
            super().__init__(**more)
            self.own = own

    assert Popping(own=3, name="p").get_config()["own"] == 3


class Late(layers.Layer):
    def build(self, input_shape):
        self.inner = layers.Dense(3)
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x)


class Whole(mg.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.inner = layers.Dense(3)

    def call(self, x):
        return self.inner(x)


def drawn(**arguments):
    symbol = layers.Input((4,))
    return mg.Model(symbol, layers.Dense(3)(symbol), **arguments)


@pytest.mark.parametrize("kind", [Late, Whole, drawn])
def test_a_frozen_layer_freezes_the_layers_that_it_gets_later(kind):
    layer = kind(trainable=False)
    layer(np.ones((2, 4)))
    assert layer.trainable_weights == []
    layer.trainable = True
    assert len(layer.trainable_weights) == 2
