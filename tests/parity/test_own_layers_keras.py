"""Layers of one's own, as people write them for Keras: they mean the same in both.

Each program takes the package and returns what both must agree on; ``raises`` tells by which kind
of error a program ends.
"""

import os

import numpy as np
import pytest

import minigrad

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

X = np.arange(12, dtype="float32").reshape(3, 4) / 12
PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


def values(tensor):
    """What a tensor of either package holds."""
    tensor = getattr(tensor, "value", tensor)  # of a variable
    return np.asarray(tensor.detach().numpy(), "float64").round(5).tolist()


def error_of(function):
    try:
        function()
    except Exception as error:
        return {kind for kind in type(error).__mro__ if kind in (ValueError, TypeError)}
    return None


def linear(keras):
    class Linear(keras.layers.Layer):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="ones")
            self.b = self.add_weight(shape=(self.units,), initializer="zeros")

        def call(self, inputs):
            return inputs @ self.w + self.b

    return Linear


@program
def a_layer_built_by_its_user(keras):
    layer = linear(keras)()
    before = layer.built, len(layer.weights)
    layer.build((None, 4))
    kernel = layer.w
    after = layer.built, len(layer.weights), layer.count_params()
    return before, after, values(layer(X)), layer.w is kernel


@program
def built_for_one_shape_it_takes_no_other(keras):
    layer = linear(keras)()
    layer.build((None, 4))
    return error_of(lambda: layer.build((None, 5)))


@pytest.mark.parametrize("name", ["Dense", "BatchNormalization", "LayerNormalization", "PReLU"])
def test_layers_of_the_package_can_be_built_by_hand(name):
    for package in (minigrad, keras):
        kind = getattr(package.layers, name)
        layer = kind(3) if name == "Dense" else kind()
        layer.build((2, 4))
        assert layer.built
        shapes = [tuple(weight.shape) for weight in layer.weights]
        layer(X)
        assert [tuple(weight.shape) for weight in layer.weights] == shapes


@program
def an_outer_layer_builds_what_it_is_made_of(keras):
    Linear = linear(keras)

    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = Linear(2)
            self.second = keras.layers.Dense(1, kernel_initializer="ones")

        def build(self, input_shape):
            self.first.build(input_shape)
            self.second.build((None, 2))
            self.built = True

        def call(self, x):
            return self.second(self.first(x))

    block = Block()
    block.build(X.shape)
    return len(block.weights), block.first.built, values(block(X)), len(block.weights)


@program
def a_subclass_builds_more_than_its_base(keras):
    class Scaled(keras.layers.Dense):
        def build(self, input_shape):
            super().build(input_shape)
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")

    layer = Scaled(2)
    layer.build((None, 4))
    return len(layer.weights), layer.built, [tuple(w.shape) for w in layer.weights]


@program
def build_may_call_its_base_last_or_take_no_shape(keras):
    class Last(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones")
            super().build(input_shape)

        def call(self, x):
            return x * self.w

    class Shapeless(keras.layers.Layer):
        def build(self):
            self.w = self.add_weight(shape=(), initializer="ones")

        def call(self, x):
            return x * self.w

    return values(Last()(X)), values(Shapeless()(X))


@program
def build_gets_the_shapes_of_several_arguments_by_name(keras):
    class Two(keras.layers.Layer):
        def build(self, b_shape, a_shape):
            self.seen = tuple(a_shape), tuple(b_shape)

        def call(self, a, b):
            return a[:, :1] + b[:, :1]

    layer = Two()
    layer(X, X[:, :2])

    class Wrong(keras.layers.Layer):
        def build(self, a_shape, c_shape):
            pass

        def call(self, a, b):
            return a

    return layer.seen, error_of(lambda: Wrong()(X, X))


@program
def attributes_may_be_called_as_regularizers_are(keras):
    class Own(keras.layers.Layer):
        def __init__(self, kernel_regularizer=None, **kwargs):
            super().__init__(**kwargs)
            self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
            self.bias_regularizer = None

        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(4, 2),
                initializer="ones",
                regularizer=self.kernel_regularizer,
            )

        def call(self, x):
            return x @ self.kernel

    layer = Own(kernel_regularizer=keras.regularizers.L2(0.5))
    output = values(layer(X))
    return output, [values(loss) for loss in layer.losses]


@program
def call_takes_further_arguments(keras):
    class Scale(keras.layers.Layer):
        def call(self, x, scale, shift=0.0):
            return x * scale + shift

    layer = Scale()
    by_name = values(layer(X, scale=2.0)), values(layer(x=X, scale=3.0, shift=1.0))
    return by_name, values(layer(X, X)), error_of(lambda: layer(X)), error_of(lambda: layer(X, s=1))


@program
def call_takes_whatever_comes(keras):
    class Any(keras.layers.Layer):
        def call(self, inputs, *args, **kwargs):
            return inputs * args[0] + kwargs["more"]

    return values(Any()(X, X, more=1.0))


@program
def training_reaches_a_call_that_asks_for_it(keras):
    class Told(keras.layers.Layer):
        def call(self, x, scale=1.0, training=False):
            return x * scale + (1.0 if training else 0.0)

    layer = Told()
    return [values(layer(X)), values(layer(X, training=True)), values(layer(X, scale=2.0))]


@program
def the_first_argument_may_be_named(keras):
    dense = keras.layers.Dense(2, kernel_initializer="ones")
    return values(dense(inputs=X)), values(linear(keras)()(inputs=X))


@program
def a_mask_may_be_none(keras):
    class Masked(keras.layers.Layer):
        def call(self, x, mask=None):
            return x if mask is None else x * mask

    return values(Masked()(X)), values(Masked()(X, mask=X))


@program
def several_inputs_and_outputs(keras):
    class Sampling(keras.layers.Layer):
        def call(self, inputs):
            mean, spread = inputs
            return mean + 2.0 * spread, mean

    class Named(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(2, kernel_initializer="ones")

        def call(self, inputs):
            return self.dense(inputs["a"]) + self.dense(inputs["b"])

    first, second = Sampling()([X, X + 1])
    named = Named()
    return values(first), values(second), values(named({"a": X, "b": X})), len(named.weights)


@program
def arrays_are_merged(keras):
    layers = keras.layers
    merged = [
        layers.Add()([X, X]),
        layers.Concatenate()([X, X]),
        layers.concatenate([X, X], axis=1),
        layers.Dot(axes=1)([X, X]),
        layers.dot([X, X], axes=-1, normalize=True),
        layers.Identity()(X),
    ]
    return [values(one) for one in merged]


@program
def weights_are_added_in_any_order(keras):
    layer = keras.layers.Layer()
    weights = [
        layer.add_weight((3, 2), "ones"),
        layer.add_weight((2,), "zeros", "float64"),
        layer.add_weight(shape=(4,), initializer="ones", name="four"),
        layer.add_weight(),
        layer.add_weight(dtype="int32", trainable=False),
        layer.add_weight(dtype="bool", trainable=False),
        layer.add_weight(shape=(2,), initializer=lambda shape, dtype=None: np.full(shape, 7.0)),
    ]
    shapes = [tuple(weight.shape) for weight in weights]
    kinds = len(layer.trainable_variables), len(layer.non_trainable_variables)
    names = [weight.name.rpartition("/")[2] for weight in weights[2:3]]
    return shapes, [np.dtype(w.dtype).name for w in weights], kinds, names, values(weights[-1])


@program
def weights_made_in_the_constructor_are_there_at_once(keras):
    class Own(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight(shape=(2,), initializer="ones")

        def call(self, x):
            return x

    layer = Own()
    return layer.built, len(layer.weights), len(layer.trainable_weights), len(layer.get_weights())


@program
def weights_made_in_call_are_refused(keras):
    class Own(keras.layers.Layer):
        def call(self, x):
            self.w = self.add_weight(shape=(), initializer="ones")
            return x

    return error_of(lambda: Own()(X))


@program
def layers_are_attributes_also_in_lists_that_grow(keras):
    class Stack(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = []
            for _ in range(3):
                self.parts.append(keras.layers.Dense(4))

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    stack = Stack()
    stack(X)
    return len(stack.weights), len(stack.variables)


@program
def state_that_a_call_changes(keras):
    class Counter(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.total = keras.Variable(np.zeros((), "float32"), trainable=False)

        def call(self, x):
            self.total.assign_add(1.0)
            return x + self.total

    layer = Counter()
    layer(X)
    return values(layer(X)), len(layer.non_trainable_weights), len(layer.trainable_weights)


@program
def an_argument_of_the_wrong_kind_is_a_value_error(keras):
    layers = keras.layers
    wrong = [
        lambda: layers.Dense(2, trainable="no"),
        lambda: layers.Dense(2, trainable=1),
        lambda: keras.Input((2,), batch_size=3, batch_shape=(3, 2)),
        lambda: keras.Sequential([keras.Input((2,)), keras.Input((3,)), layers.Dense(1)]),
        lambda: layers.Dense(2).count_params(),
        lambda: layers.Dense(2, dtype="flaot32"),
    ]
    return [error_of(make) for make in wrong]


@program
def an_input_keeps_the_length_of_its_batch(keras):
    layers = keras.layers
    x = keras.Input(batch_shape=(5, 4))
    return tuple(x.shape), tuple(layers.Dense(2)(x).shape), tuple(keras.Input((3,)).shape)


@program
def a_further_argument_is_fixed_in_a_model_of_symbols(keras):
    class Scale(keras.layers.Layer):
        def call(self, x, scale=1.0):
            return x * scale

    x = keras.Input((4,))
    return values(keras.Model(x, Scale()(x, scale=3.0))(X))


@program
def an_embedding_begins_with_given_vectors(keras):
    vectors = np.arange(6, dtype="float32").reshape(3, 2)
    layer = keras.layers.Embedding(3, 2, weights=[vectors])
    by_hand = keras.layers.Embedding(3, 2)
    by_hand.build()
    return values(layer(np.array([[2, 0]]))), layer.built, len(by_hand.weights)


@program
def a_batch_keeps_its_layout(keras):
    layers = keras.layers
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    flat = layers.Flatten(data_format="channels_last")(x)
    dropped = layers.SpatialDropout1D(0.5)(x)
    return values(flat), values(dropped)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_means_the_same_in_both(program):
    assert program(minigrad) == program(keras)


@pytest.mark.parametrize("size", [(2, 3), (1, 4), 2])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_images_are_stretched_as_in_keras(size, interpolation):
    image = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    ours, theirs = (
        package.layers.UpSampling2D(size, interpolation=interpolation)(image)
        for package in (minigrad, keras)
    )
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("shapes", "axes"),
    [
        (((3, 4), (3, 4)), 1),
        (((3, 4), (3, 5, 4)), (1, 2)),
        (((3, 2, 4), (3, 4)), (2, 1)),
        (((3, 2, 4), (3, 5, 4)), -1),
        (((3, 2, 4), (3, 4, 5)), (-1, 1)),
        (((3, 1, 2, 4), (3, 4, 5)), (3, 1)),
    ],
)
@pytest.mark.parametrize("normalize", [False, True])
def test_products_are_those_of_keras(shapes, axes, normalize):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=shape).astype("float32") for shape in shapes]
    ours = minigrad.layers.Dot(axes, normalize)
    theirs = keras.layers.Dot(axes, normalize)
    output = ours(parts)
    np.testing.assert_allclose(output.numpy(), theirs(parts).numpy(), atol=1e-5)
    assert ours.compute_output_shape(list(shapes)) == output.shape
