import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers import Conv1D, Conv2D, Conv2DTranspose, Conv3D, DepthwiseConv2D
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
EVERY = [
    ("Conv1D", {"filters": 2, "kernel_size": 2}, (2, 5, 3)),
    ("Conv2D", {"filters": 2, "kernel_size": (2, 3), "strides": 2}, (2, 5, 6, 1)),
    ("Conv3D", {"filters": 1, "kernel_size": 2, "padding": "same"}, (1, 3, 2, 3, 2)),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}, (2, 3, 2)),
    ("Conv2DTranspose", {"filters": 1, "kernel_size": 2, "padding": "same"}, (1, 3, 2, 2)),
    ("Conv3DTranspose", {"filters": 1, "kernel_size": 2}, (1, 2, 2, 2, 1)),
    ("DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2}, (2, 4, 2)),
    ("DepthwiseConv2D", {"kernel_size": 2}, (1, 3, 3, 2)),
    ("SeparableConv1D", {"filters": 3, "kernel_size": 2}, (2, 4, 2)),
    ("SeparableConv2D", {"filters": 3, "kernel_size": 2}, (1, 3, 3, 2)),
]
ids = [name for name, _, _ in EVERY]


@pytest.mark.parametrize(("name", "arguments", "shape"), EVERY, ids=ids)
def test_gradients_of_input_and_all_weights_are_right(name, arguments, shape):
    layer = getattr(layers, name)(**arguments, activation="tanh", dtype="float64", seed=0)
    x = RNG.normal(size=shape)
    layer(x)
    weights = layer.parameters()

    def network(x, *values):
        for attribute, value in zip(layer.named_parameters(), values, strict=True):
            setattr(layer, attribute, value)
        return layer.call(x)

    check_grads(network, [x, *(weight.numpy() for weight in weights)], order=2)


@pytest.mark.parametrize(("name", "arguments", "shape"), EVERY, ids=ids)
def test_shapes_configs_and_dtypes_hold(name, arguments, shape):
    layer = getattr(layers, name)(**arguments, bias_regularizer="l1", activity_regularizer="l2")
    output = layer(RNG.normal(size=shape))
    assert output.dtype == np.float32
    assert layer.compute_output_shape(shape) == output.shape
    assert layer.compute_output_shape((None, *shape[1:]))[1:] == output.shape[1:]
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]
    assert layer.get_weights()[0].dtype == np.float32


@pytest.mark.parametrize(("name", "arguments", "shape"), EVERY, ids=ids)
def test_each_sample_is_convolved_for_itself(name, arguments, shape):
    layer = getattr(layers, name)(**arguments)
    x = RNG.normal(size=(3, *shape[1:]))
    one_by_one = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(3)])
    np.testing.assert_allclose(layer(x).numpy(), one_by_one, rtol=1e-5, atol=1e-6)


def test_a_convolution_is_the_sum_over_its_window():
    layer = Conv2D(2, (2, 3), bias_initializer="ones", dtype="float64", seed=0)
    x = RNG.normal(size=(2, 4, 5, 3))
    output = layer(x).numpy()
    kernel = layer.kernel.numpy()
    for n, i, j, f in np.ndindex(output.shape):
        expected = (x[n, i : i + 2, j : j + 3] * kernel[..., f]).sum() + 1
        assert output[n, i, j, f] == pytest.approx(expected)


def test_a_transposed_convolution_is_the_adjoint():
    down = Conv2D(3, 2, strides=2, use_bias=False, dtype="float64", seed=0)
    up = Conv2DTranspose(1, 2, strides=2, use_bias=False, dtype="float64")
    x, y = RNG.normal(size=(2, 4, 4, 1)), RNG.normal(size=(2, 2, 2, 3))
    down(x), up(y)
    up.set_weights(down.get_weights())
    assert (down(x).numpy() * y).sum() == pytest.approx((x * up(y).numpy()).sum())


def test_a_sequential_model_of_convolutions_is_built_from_an_input_shape():
    model = mg.Sequential(
        layers.Input((8, 8, 1)),
        Conv2D(4, 3, padding="same", activation="relu"),
        Conv2D(2, 3, strides=2),
        layers.Flatten(),
        layers.Dense(3),
    )
    assert model.count_params() == 4 * 9 + 4 + 2 * 36 + 2 + 18 * 3 + 3
    assert model.compute_output_shape((None, 8, 8, 1)) == (None, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D(0, 3), "Conv2D: filters must be a positive integer.*filters=0"),
        (lambda: Conv2D(True, 3), "filters must be"),
        (lambda: Conv2D(2, (3, 0)), "kernel_size must be a positive integer or a tuple of 2"),
        (lambda: Conv2D(2, (3, 3, 3)), "kernel_size must be"),
        (lambda: Conv1D(2, 2.5), "Conv1D: kernel_size must be a positive integer"),
        (lambda: Conv2D(2, 3, strides=-1), "strides must be"),
        (lambda: Conv2D(2, 3, padding="full"), "padding must be one of 'valid', 'same'"),
        (lambda: Conv2D(2, 3, padding="causal"), "padding must be one of"),
        (lambda: Conv2D(2, 3, data_format="channels_first"), r"np.moveaxis\(x, 1, -1\)"),
        (lambda: Conv2D(2, 3, strides=2, dilation_rate=2), "cannot both be above 1"),
        (lambda: Conv2D(3, 3, groups=2), "filters must be a multiple of groups"),
        (lambda: Conv2DTranspose(2, 3, strides=2, output_padding=2), "below the strides"),
        (lambda: Conv2DTranspose(2, 3, output_padding=-1), "output_padding"),
        (lambda: DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_argument_that_a_layer_does_not_have_is_refused():
    with pytest.raises(TypeError, match="SeparableConv2D takes no argument 'kernel_regularizer'"):
        layers.SeparableConv2D(2, 3, kernel_regularizer="l2")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 4, 1), r"layer 'c': Conv2D needs an input of rank 4.*Received: shape \(4, 4, 1\)"),
        ((1, 2, 2, 1), r"layer 'c'.*\(1, 2, 2, 1\) is smaller than the window"),
        ((1, 4, 4, 2), r"layer 'c': expected 1 channels. Received: shape \(1, 4, 4, 2\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named_with_their_shape(shape, message):
    layer = Conv2D(2, 3, input_shape=(4, 4, 1), name="c")
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape))


def test_channels_that_groups_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="channels must be a multiple of groups"):
        Conv1D(4, 2, groups=2)(np.ones((1, 4, 3)))


@pytest.mark.parametrize("kind", [Conv1D, Conv2D, Conv3D])
def test_all_three_penalties_are_terms(kind):
    rank = int(kind.__name__[-2])
    layer = kind(
        2,
        2,
        kernel_regularizer="l1",
        bias_regularizer="l2",
        activity_regularizer="l2",
        kernel_initializer="ones",
        bias_initializer="ones",
        name="c",
    )
    output = layer(np.ones((3, *(4,) * rank, 1)))
    window = 2**rank
    terms = layer.loss_terms().values_as_floats()
    assert terms == pytest.approx(
        {
            "c/kernel": 0.01 * 2 * window,
            "c/bias": 0.01 * 2,
            "c/activity": 0.01 * (window + 1) ** 2 * output.size / 3,
        }
    )
