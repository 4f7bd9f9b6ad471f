"""Constructors say what they expected and what came; calls name the layer and the shape."""

import inspect
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers.kernel_layer import BiasLayer, KernelLayer

NO_COUNT = [0, -1, 1.5, "3", None, True, [3], math.nan]
NO_WINDOW = [0, -2, 1.5, "3", True, (0, 1), (1, 2, 3, 4), (1.5, 2)]
NO_FRACTION = [-0.1, 1.5, math.nan, math.inf, "0.5", None, True]
NO_SIZE = [-1, math.nan, math.inf, "0.1", None, True]
NO_WORD = ["valide", 3, None, True]
NO_MARGIN = [-1, 1.5, "1", None, (1, -1), ((1, 2, 3),)]
NO_BOOLEAN = ["no", 1, 0, None]
NO_FUNCTION = ["reluu", 3, [1]]

# What is wrong for an argument of this name, in whatever layer it stands.
WRONG = {
    "dtype": ["int32", "bool", np.uint8, "flaot32"],
    "trainable": NO_BOOLEAN,
    "use_bias": NO_BOOLEAN,
    "center": NO_BOOLEAN,
    "scale": NO_BOOLEAN,
    "keepdims": NO_BOOLEAN,
    "normalize": NO_BOOLEAN,
    "units": NO_COUNT,
    "filters": NO_COUNT,
    "groups": NO_COUNT,
    "depth_multiplier": NO_COUNT,
    "input_dim": NO_COUNT,
    "output_dim": NO_COUNT,
    "n": NO_COUNT,
    "kernel_size": NO_WINDOW,
    "pool_size": NO_WINDOW,
    "size": NO_WINDOW,
    "strides": NO_WINDOW,
    "dilation_rate": NO_WINDOW,
    "output_padding": [-1, 1.5, "1", (1, 2, 3, 4), 7],
    "rate": NO_FRACTION,
    "stddev": NO_SIZE,
    "l1": NO_SIZE,
    "l2": NO_SIZE,
    "momentum": NO_FRACTION,
    "epsilon": [-1, math.nan, "1", None, True],
    "alpha": [math.nan, "1", None, True],
    "negative_slope": [-1, math.nan, "1", None, True],
    "threshold": [-1, math.nan, "1", None, True],
    "max_value": [-1, math.nan, "1", True],
    "cropping": NO_MARGIN,
    "interpolation": NO_WORD,
    "data_format": ["channels_first", "last", 3],
    "target_shape": [3.5, "3", (2, -2), (-1, -1), (1.5,), None],
    "dims": [(0, 1), (1, 1), (2, 3), "12", 1.5, None],
    "shared_axes": [0, [0], [1.5], "1"],
    "axis": [1.5, "1", [1.5]],
    "function": [3, None, "relu"],
    "activation": NO_FUNCTION,
    "kernel_initializer": NO_FUNCTION,
    "bias_initializer": NO_FUNCTION,
    "kernel_regularizer": [*NO_FUNCTION, -1],
    "bias_regularizer": [*NO_FUNCTION, -1],
    "activity_regularizer": [*NO_FUNCTION, -1],
    "kernel_constraint": NO_FUNCTION,
    "name": ["", "a/b", 3, b"x"],
    "input_shape": [3, "3", (-1,), (1.5,), (True,)],
    "seed": [-1, 1.5, "x", True],
}
# `padding` is a word for windows, and a margin for ZeroPadding.
WORDS_FOR_PADDING = {"padding": NO_WORD}
MARGINS_FOR_PADDING = {"padding": NO_MARGIN}

REQUIRED = {
    "units": 2, "filters": 2, "kernel_size": 2, "pool_size": 2, "rate": 0.5, "stddev": 0.1, "n": 2,
    "input_dim": 3, "output_dim": 2, "target_shape": (2,), "dims": (1,), "function": abs,
    "activation": "relu", "tied_to": "codings", "axes": 1,
}  # fmt: skip

BASES = {layers.Layer, BiasLayer, KernelLayer}
CLASSES = sorted(
    {
        kind
        for kind in vars(layers).values()
        if inspect.isclass(kind) and issubclass(kind, layers.Layer) and kind not in BASES
    },
    key=lambda kind: kind.__name__,
)


def parameters(kind):
    return inspect.signature(kind).parameters


def required(kind):
    """What must be given to make one."""
    return {
        name: REQUIRED[name]
        for name, parameter in parameters(kind).items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def cases():
    """Every class with each of its arguments, and what is wrong for that."""
    for kind in CLASSES:
        is_margin = kind.__name__.startswith("ZeroPadding")
        known = {**WRONG, **(MARGINS_FOR_PADDING if is_margin else WORDS_FOR_PADDING)}
        for name, parameter in parameters(kind).items():
            is_optional = parameter.default is None
            values = [v for v in known.get(name, []) if v is not None or not is_optional]
            if values:
                yield pytest.param(kind, name, values, id=f"{kind.__name__}-{name}")


@pytest.mark.parametrize(("kind", "argument", "values"), [*cases()])
def test_a_wrong_argument_is_named_with_what_was_received(kind, argument, values):
    kind(**required(kind))
    for value in values:
        with pytest.raises((ValueError, TypeError)) as error:
            kind(**{**required(kind), argument: value})
        message = str(error.value)
        assert argument.rpartition("_")[2] in message  # an unknown initializer is named by its kind
        assert "eceived" in message or "unknown" in message


# ---- calls ---------------------------------------------------------------------------------------

# What layers of one, two and three dimensions take.
IMAGES = {1: (2, 5, 3), 2: (2, 5, 5, 3), 3: (2, 5, 5, 5, 3)}


def rank_of(kind):
    return next((rank for rank in IMAGES if f"{rank}D" in kind.__name__), None)


SPATIAL = [kind for kind in CLASSES if rank_of(kind)]


@pytest.mark.parametrize("kind", SPATIAL, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("change", [-1, 1], ids=["an axis too few", "an axis too many"])
def test_an_input_of_another_rank_is_refused_with_the_layers_name_and_the_shape(kind, change):
    layer = kind(**required(kind), name="here")
    good = IMAGES[rank_of(kind)]
    layer(np.ones(good, np.float32))
    wrong = good[1:] if change < 0 else (*good, 2)
    for training in (False, True):
        if "Dropout" in kind.__name__ and not training:
            continue  # nothing is dropped, so any shape will do
        with pytest.raises(ValueError, match=r"'here'") as error:
            layer(np.ones(wrong, np.float32), training=training)
        assert str(wrong) in str(error.value)
    if "Dropout" not in kind.__name__:
        with pytest.raises(ValueError, match=r"'here'"):
            layer.compute_output_shape(wrong)


@pytest.mark.parametrize(
    "kind",
    [k for k in CLASSES if "Conv" in k.__name__] + [layers.Dense, layers.PReLU,
     layers.BatchNormalization, layers.LayerNormalization],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_another_number_of_channels_than_it_was_built_for_is_refused(kind):
    shape = IMAGES[rank_of(kind) or 1]
    layer = kind(**required(kind), name="here")
    layer(np.ones(shape, np.float32))
    wrong = (*shape[:-1], shape[-1] + 1)
    with pytest.raises(ValueError, match=r"'here'") as error:
        layer(np.ones(wrong, np.float32))
    assert str(wrong) in str(error.value)


SMALLER = [k for k in CLASSES if "Pooling" in k.__name__ and "Global" not in k.__name__]
SMALLER += [k for k in CLASSES if "Conv" in k.__name__ and "Transpose" not in k.__name__]
SMALLER += [k for k in CLASSES if "Cropping" in k.__name__]
ONE_EACH = {"Cropping2D": {"cropping": 1}}  # which by default crops nothing, as in Keras


@pytest.mark.parametrize("kind", SMALLER, ids=lambda kind: kind.__name__)
def test_an_input_smaller_than_the_window_is_refused(kind):
    layer = kind(**required(kind), **ONE_EACH.get(kind.__name__, {}), name="here")
    small = (2, *(1,) * rank_of(kind), 3)
    with pytest.raises(ValueError, match=r"'here'") as error:
        layer(np.ones(small, np.float32))
    assert str(small) in str(error.value)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.RepeatVector(2, name="here"), (2, 3, 4)),
        (layers.RepeatVector(2, name="here"), (2,)),
        (layers.Reshape((4,), name="here"), (2, 3)),
        (layers.Permute((2, 1), name="here"), (2, 3)),
        (layers.Dense(2, name="here"), (2,)),
        (layers.Dropout(0.5, noise_shape=(None, 2), name="here"), (2, 3)),
        (layers.Add(name="here"), (2, 3)),
        (layers.Softmax(axis=3, name="here"), (2, 3)),
        (layers.BatchNormalization(axis=3, name="here"), (2, 3)),
        (layers.LayerNormalization(axis=3, name="here"), (2, 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else str(value),
)
def test_an_input_that_does_not_fit_is_refused_with_the_layers_name_and_the_shape(layer, shape):
    with pytest.raises(ValueError, match=r"'here'") as error:
        layer(np.ones(shape, np.float32), training=True)
    assert str(shape) in str(error.value)


def test_text_and_objects_are_refused_with_the_layers_name():
    for x in ([["a", "b"]], [[None, 1]], [[1, 2], [3]]):
        with pytest.raises(TypeError, match="'here'"):
            layers.Dense(2, name="here")(x)


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: mg.Sequential([a, b]),
        lambda a, b: mg.Sequential([mg.Input((2,)), a, b]),
        lambda a, b: mg.Model(x := mg.Input((2,)), b(a(x))),
    ],
    ids=["sequential", "with an input", "functional"],
)
def test_two_layers_of_one_given_name_are_refused(make):
    first, second = layers.Dense(2, name="twin"), layers.Dense(2, name="twin")
    with pytest.raises(ValueError, match=r"already has a layer named 'twin'"):
        make(first, second)


def test_attributes_of_one_given_name_are_refused():
    class Pair(mg.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(2, name="twin")
            self.second = layers.Dense(2, name="twin")

        def call(self, x):
            return self.second(self.first(x))

    with pytest.raises(ValueError, match=r"already has a layer named 'twin'"):
        Pair()(np.ones((1, 2)))
