import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import up_sampling
from minigrad.layers.layer import registry
from minigrad.layers.pooling import AveragePooling2D
from minigrad.layers.up_sampling import UpSampling1D, UpSampling2D, UpSampling3D
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
EVERY = [
    ("UpSampling1D", {"size": 3}, (2, 4, 2)),
    ("UpSampling2D", {"size": (1, 3)}, (2, 2, 3, 2)),
    ("UpSampling2D", {"interpolation": "bilinear"}, (2, 2, 3, 2)),
    ("UpSampling2D", {"size": (3, 1), "interpolation": "bilinear"}, (1, 3, 2, 1)),
    ("UpSampling2D", {"size": (3, 2), "interpolation": "bicubic"}, (1, 3, 2, 1)),
    ("UpSampling3D", {"size": (2, 1, 3)}, (1, 2, 3, 2, 2)),
]
every = pytest.mark.parametrize(
    ("name", "settings", "shape"), EVERY, ids=[f"{name}-{s}" for name, s, _ in EVERY]
)


@every
def test_gradients_of_both_orders_are_right(name, settings, shape):
    layer = getattr(up_sampling, name)(**settings, dtype="float64")
    check_grads(lambda x: layer.call(x * x), [RNG.normal(size=shape)], order=2)


@every
def test_shapes_configs_and_dtypes_hold(name, settings, shape):
    layer = getattr(up_sampling, name)(**settings)
    x = mg.Tensor(RNG.normal(size=shape).astype(np.float32), requires_grad=True)
    output = layer(x)
    output.sum().backward()
    assert output.dtype == x.grad.dtype == np.float32
    assert layer.compute_output_shape(shape) == output.shape
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *output.shape[1:])
    twin = registry.deserialize(json.loads(json.dumps(registry.serialize(layer))))
    assert twin.get_config() == layer.get_config()
    assert (twin(x).numpy() == output.numpy()).all()
    assert layer(x[:0]).shape == (0, *output.shape[1:])


@every
def test_stretching_and_its_gradient_are_adjoint(name, settings, shape):
    layer = getattr(up_sampling, name)(**settings, dtype="float64")
    x = mg.Tensor(RNG.normal(size=shape), requires_grad=True)
    output = layer(x)
    y = RNG.normal(size=output.shape)
    back = mg.grad((output * y).sum(), x)
    assert (output.numpy() * y).sum() == pytest.approx((x.numpy() * back).sum())


def test_the_nearest_element_is_repeated_along_each_axis():
    image = np.arange(12.0).reshape(1, 2, 3, 2)
    output = UpSampling2D((2, 3))(image).numpy()
    assert output.shape == (1, 4, 9, 2)
    for i, j in np.ndindex(4, 9):
        assert (output[0, i, j] == image[0, i // 2, j // 3]).all()


def test_bilinear_keeps_planes_inside_and_constants_everywhere():
    rows, columns = np.mgrid[:4, :5]
    plane = (2.0 * rows + 3.0 * columns)[None, ..., None]
    output = UpSampling2D(2, interpolation="bilinear", dtype="float64")(plane).numpy()
    inner = output[0, 1:-1, 1:-1, 0]
    np.testing.assert_allclose(np.diff(inner, axis=0), 1)
    np.testing.assert_allclose(np.diff(inner, axis=1), 1.5)
    constant = UpSampling2D(3, interpolation="bilinear")(np.full((1, 1, 2, 1), 5.0))
    assert (constant.numpy() == 5).all()


def test_an_element_gets_the_gradients_of_all_its_copies():
    x = mg.Tensor(np.ones((1, 2, 2, 1)), requires_grad=True)
    UpSampling2D((2, 3))(x).sum().backward()
    assert (x.grad == 6).all()


def test_pooling_undoes_it():
    x = RNG.normal(size=(2, 3, 4, 2)).astype(np.float32)
    np.testing.assert_allclose(AveragePooling2D(2)(UpSampling2D(2)(x)).numpy(), x, rtol=1e-6)


def test_lengths_that_are_not_known_stay_unknown():
    assert UpSampling1D(3).compute_output_shape((None, None, 4)) == (None, None, 4)
    assert UpSampling3D().compute_output_shape((None, 2, None, 3, None)) == (None, 4, None, 6, None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UpSampling1D(0), "UpSampling1D: size must be a positive integer.*size=0"),
        (lambda: UpSampling1D((2,)), "UpSampling1D: size must be a positive integer"),
        (lambda: UpSampling2D((2, 2, 2)), "UpSampling2D: size must be .* a tuple of 2"),
        (lambda: UpSampling2D(1.5), r"UpSampling2D: size must be .*size=1\.5"),
        (lambda: UpSampling3D(True), "UpSampling3D: size must be"),
        (lambda: UpSampling2D(interpolation="cubic"), "one of 'nearest', .*'bicubic'.*'cubic'"),
        (lambda: UpSampling2D(2, "channels_first"), r"np.moveaxis\(x, 1, -1\)"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("kind", [UpSampling1D, UpSampling2D, UpSampling3D])
def test_inputs_of_another_rank_are_named_with_their_shape(kind):
    message = rf"layer 'up': {kind.__name__} needs an input of rank .*Received: shape \(2, 3\)"
    with pytest.raises(ValueError, match=message):
        kind(name="up")(np.ones((2, 3)))


def test_only_the_layer_of_images_interpolates():
    with pytest.raises(TypeError, match="UpSampling1D takes no argument 'interpolation'"):
        UpSampling1D(2, interpolation="bilinear")
