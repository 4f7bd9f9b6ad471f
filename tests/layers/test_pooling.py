import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers import global_pooling, pooling
from minigrad.layers.global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
)
from minigrad.layers.layer import registry
from minigrad.layers.pooling import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
SHAPES = {1: (2, 7, 3), 2: (2, 5, 6, 2), 3: (1, 4, 3, 5, 2)}
SETTINGS = [
    {},
    {"pool_size": 3, "strides": 1},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 1, "strides": 3, "padding": "same"},
]
EVERY = [
    (getattr(pooling, f"{kind}Pooling{rank}D"), settings, SHAPES[rank])
    for kind in ("Max", "Average")
    for rank in (1, 2, 3)
    for settings in SETTINGS
] + [
    (getattr(global_pooling, f"Global{kind}Pooling{rank}D"), {"keepdims": keepdims}, SHAPES[rank])
    for kind in ("Max", "Average")
    for rank in (1, 2, 3)
    for keepdims in (False, True)
]
every = pytest.mark.parametrize(
    ("kind", "settings", "shape"), EVERY, ids=[f"{k.__name__}-{s}" for k, s, _ in EVERY]
)


def distinct(shape):
    """Random numbers that keep away from ties, where the maximum has a kink."""
    return RNG.permutation(np.prod(shape)).reshape(shape) / 10.0


@every
def test_gradients_of_both_orders_are_right(kind, settings, shape):
    layer = kind(**settings, dtype="float64")
    # The square gives the second derivative something to find.
    check_grads(lambda x: layer.call(x * x), [1 + distinct(shape)], order=2)


@every
def test_shapes_configs_and_dtypes_hold(kind, settings, shape):
    layer = kind(**settings)
    x = mg.Tensor(RNG.normal(size=shape).astype(np.float32), requires_grad=True)
    output = layer(x)
    output.sum().backward()
    assert output.dtype == x.grad.dtype == np.float32
    assert layer.compute_output_shape(shape) == output.shape
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *output.shape[1:])
    assert layer.weights == []
    config = json.loads(json.dumps(registry.serialize(layer)))
    twin = registry.deserialize(config)
    assert type(twin) is kind
    assert twin.get_config() == layer.get_config()
    assert (twin(x).numpy() == output.numpy()).all()


@every
def test_each_sample_is_pooled_for_itself(kind, settings, shape):
    layer = kind(**settings)
    x = RNG.normal(size=(3, *shape[1:]))
    one_by_one = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(3)])
    np.testing.assert_allclose(layer(x).numpy(), one_by_one, rtol=1e-6, atol=1e-7)
    assert layer(x[:0]).shape == (0, *one_by_one.shape[1:])


@pytest.mark.parametrize(("kind", "fold"), [(MaxPooling2D, np.max), (AveragePooling2D, np.mean)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_each_number_is_made_of_the_elements_that_its_window_meets(kind, fold, padding):
    window, strides, shape = (3, 4), (2, 3), (2, 6, 8, 3)
    x = RNG.normal(size=shape)
    output = kind(window, strides, padding, dtype="float64")(x).numpy()
    before = [0, 0]
    if padding == "same":  # an odd element of padding goes behind
        lengths = zip(output.shape[1:3], strides, window, shape[1:3], strict=True)
        before = [max(0, (places - 1) * step + k - n) // 2 for places, step, k, n in lengths]
    for n, i, j, c in np.ndindex(output.shape):
        top, left = i * strides[0] - before[0], j * strides[1] - before[1]
        rows = slice(max(0, top), top + window[0])
        columns = slice(max(0, left), left + window[1])
        assert output[n, i, j, c] == pytest.approx(fold(x[n, rows, columns, c]))


def test_padding_counts_for_nothing():
    x = -np.ones((1, 3, 1))
    assert (MaxPooling1D(3, 1, "same")(x).numpy() == -1).all()
    assert (AveragePooling1D(3, 1, "same")(x).numpy() == -1).all()
    assert AveragePooling1D(2, 2, "same")([[[1.0], [3.0], [7.0]]]).tolist() == [[[2.0], [7.0]]]


@pytest.mark.parametrize("layer", [MaxPooling1D(4), global_pooling.GlobalMaxPooling1D()])
def test_equally_large_elements_share_the_gradient(layer):
    x = mg.Tensor([[[3.0], [1.0], [3.0], [0.0]]], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad[0, :, 0].tolist() == [0.5, 0, 0.5, 0]


def test_windows_that_overlap_add_up_their_gradients():
    x = mg.Tensor([[[1.0], [5.0], [2.0]]], requires_grad=True)
    MaxPooling1D(2, strides=1)(x).sum().backward()
    assert x.grad[0, :, 0].tolist() == [0, 2, 0]


def test_global_pooling_takes_inputs_of_any_size():
    layer = GlobalAveragePooling2D()
    for size in (1, 4, 9):
        assert layer(np.full((2, size, size, 3), 7.0)).tolist() == [[7.0] * 3] * 2


def test_lengths_that_are_not_known_stay_unknown():
    assert MaxPooling2D(3, 2).compute_output_shape((None, None, 9, None)) == (None, None, 4, None)
    assert GlobalMaxPooling2D().compute_output_shape((None, None, None, 4)) == (None, 4)
    kept = GlobalMaxPooling2D(keepdims=True)
    assert kept.compute_output_shape((8, None, None, 4)) == (8, 1, 1, 4)


def test_models_of_poolings_are_built_from_an_input_shape():
    first = MaxPooling2D(2, input_shape=(8, 9, 1))
    model = mg.Sequential(first, GlobalAveragePooling2D(), layers.Dense(3))
    assert model.compute_output_shape((None, 8, 9, 1)) == (None, 3)
    assert model.count_params() == 6
    image = layers.Input((8, 8, 2))
    pooled = mg.Model(image, GlobalMaxPooling2D()(MaxPooling2D()(image)))
    x = RNG.normal(size=(3, 8, 8, 2)).astype(np.float32)
    assert (pooled(x).numpy() == x.max((1, 2))).all()


def test_the_activity_penalty_sees_what_comes_out():
    layer = MaxPooling1D(2, activity_regularizer=mg.regularizers.L1(0.5), name="pool")
    layer([[[1.0], [-4.0]], [[3.0], [2.0]]])
    assert layer.loss_terms().values_as_floats() == {"pool/activity": pytest.approx(0.5 * 4 / 2)}


def test_short_names_are_the_same_classes():
    for rank in (1, 2, 3):
        for short, kind in (("Max", "Max"), ("Avg", "Average")):
            full = getattr(pooling, f"{kind}Pooling{rank}D")
            assert getattr(pooling, f"{short}Pool{rank}D") is full
            full = getattr(global_pooling, f"Global{kind}Pooling{rank}D")
            assert getattr(global_pooling, f"Global{short}Pool{rank}D") is full


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MaxPooling2D(0),
            "MaxPooling2D: pool_size must be a positive.*pool_size=0",
        ),
        (lambda: MaxPooling2D((2, 2, 2)), "pool_size must be a positive integer or a tuple of 2"),
        (lambda: MaxPooling2D(True), "pool_size must be"),
        (lambda: AveragePooling1D("2"), "AveragePooling1D: pool_size must be a positive integer"),
        (lambda: AveragePooling1D(float("nan")), "pool_size must be"),
        (lambda: MaxPooling1D(2, strides=0), "MaxPooling1D: strides must be .*strides=0"),
        (lambda: MaxPooling1D(2, padding="causal"), "padding must be one of 'valid', 'same'"),
        (lambda: MaxPooling2D(data_format="channels_first"), r"np.moveaxis\(x, 1, -1\)"),
        (lambda: GlobalMaxPooling2D("channels_first"), r"np.moveaxis\(x, 1, -1\)"),
        (lambda: GlobalMaxPooling2D(keepdims="no"), "keepdims must be True or False.*'no'"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_argument_of_another_layer_is_refused():
    with pytest.raises(TypeError, match=r"MaxPooling2D takes no argument 'pool_sise'.*pool_size"):
        MaxPooling2D(pool_sise=2)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            MaxPooling2D(2, name="p"),
            (4, 4, 1),
            r"layer 'p': MaxPooling2D needs an input of rank 4.*Received: shape \(4, 4, 1\)",
        ),
        (MaxPooling2D(3, name="p"), (1, 2, 4, 1), r"'p'.*\(1, 2, 4, 1\) is smaller than the win"),
        (MaxPooling1D(3, 1, "same", name="p"), (1, 0, 1), r"'p'.*\(1, 0, 1\) is smaller"),
        (GlobalAveragePooling1D(name="p"), (2, 3), r"'p': GlobalAveragePooling1D needs .* rank 3"),
        (GlobalMaxPooling2D(name="p"), (2, 0, 3, 1), r"'p'.*at least one place.*\(2, 0, 3, 1\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named_with_their_shape(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape)
