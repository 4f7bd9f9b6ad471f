import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.activation_layers import ELU, LeakyReLU, ReLU, Softmax
from minigrad.layers.layer import registry
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
EVERY = [
    (ReLU, {}),
    (ReLU, {"max_value": 1.5}),
    (ReLU, {"negative_slope": 0.2}),
    (ReLU, {"threshold": 0.7}),
    (ReLU, {"max_value": 1.5, "negative_slope": 0.2, "threshold": 0.7}),
    (LeakyReLU, {}),
    (LeakyReLU, {"negative_slope": 0}),
    (ELU, {}),
    (ELU, {"alpha": 0.3}),
    (Softmax, {}),
    (Softmax, {"axis": 1}),
    (Softmax, {"axis": [1, 2]}),
]
every = pytest.mark.parametrize(
    ("kind", "settings"), EVERY, ids=[f"{kind.__name__}-{settings}" for kind, settings in EVERY]
)


@every
def test_gradients_of_both_orders_are_right(kind, settings):
    layer = kind(**settings, dtype="float64")
    check_grads(lambda x: layer.call(x * np.abs(x)), [RNG.normal(size=(3, 4, 2))], order=2)


@every
def test_shapes_configs_and_dtypes_hold(kind, settings):
    layer = kind(**settings)
    x = mg.Tensor(RNG.normal(size=(3, 4, 2)).astype(np.float32), requires_grad=True)
    output = layer(x)
    output.sum().backward()
    assert output.dtype == x.grad.dtype == np.float32
    assert output.shape == x.shape == layer.compute_output_shape(x.shape)
    assert layer.compute_output_shape((None, None, 2)) == (None, None, 2)
    twin = registry.deserialize(json.loads(json.dumps(registry.serialize(layer))))
    assert json.dumps(twin.get_config()) == json.dumps(layer.get_config())
    assert (twin(x).numpy() == output.numpy()).all()
    assert layer(x[:0]).shape == (0, 4, 2)


@every
def test_each_sample_is_bent_for_itself(kind, settings):
    layer = kind(**settings)
    x = RNG.normal(size=(3, 4, 2))
    one_by_one = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(3)])
    np.testing.assert_allclose(layer(x).numpy(), one_by_one, rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0, 0, 0, 1, 3, 8]),
        ({"max_value": 6}, [0, 0, 0, 1, 3, 6]),
        ({"max_value": 0}, [0, 0, 0, 0, 0, 0]),
        ({"negative_slope": 0.5}, [-2, -0.5, 0, 1, 3, 8]),
        ({"threshold": 1}, [0, 0, 0, 0, 3, 8]),
        ({"threshold": 3, "negative_slope": 0.5}, [-3.5, -2, -1.5, -1, 0, 8]),
        ({"max_value": 2, "threshold": 3, "negative_slope": 0.5}, [-3.5, -2, -1.5, -1, 0, 2]),
    ],
)
def test_relu_bends_where_its_settings_say(settings, expected):
    assert ReLU(**settings)([-4.0, -1.0, 0.0, 1.0, 3.0, 8.0]).tolist() == expected


@pytest.mark.parametrize(
    ("layer", "at", "expected"),
    [
        (ReLU(), 0, 0),
        (ReLU(negative_slope=0.25), 0, 0.25),
        (ReLU(threshold=2), 2, 0),
        (ReLU(max_value=6), 6, 1),
        (ReLU(max_value=6), 6.5, 0),
        (LeakyReLU(0.25), 0, 0.25),
        (ELU(0.5), 0, 0.5),
    ],
)
def test_the_derivative_at_a_kink_is_that_of_its_left_side(layer, at, expected):
    x = mg.Tensor([float(at)], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.tolist() == [expected]


@pytest.mark.parametrize(
    ("layer", "low", "high"),
    [
        (ReLU(), 0, np.inf),
        (ReLU(max_value=6, threshold=1), 0, 6),
        (ReLU(negative_slope=1), -np.inf, np.inf),
        (ELU(0.5), -0.5, np.inf),
    ],
)
def test_infinities_are_bent_and_nan_is_not_hidden(layer, low, high):
    output = layer([-np.inf, np.inf, np.nan]).numpy()
    np.testing.assert_array_equal(output, [low, high, np.nan])


def test_softmax_adds_up_to_one_over_all_its_axes():
    x = 100 * RNG.normal(size=(2, 3, 4))
    for axis in (-1, 1, [1, 2], (-1,)):
        axes = tuple(axis) if isinstance(axis, list) else axis
        output = Softmax(axis, dtype="float64")(x).numpy()
        np.testing.assert_allclose(output.sum(axis=axes), 1)
    both = Softmax([1, 2], dtype="float64")(x).numpy()
    flat = Softmax(dtype="float64")(x.reshape(2, 12)).numpy()
    np.testing.assert_allclose(both.reshape(2, 12), flat)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReLU(max_value=-1), "ReLU: max_value must be a finite number ≥ 0.*max_value=-1"),
        (lambda: ReLU(negative_slope=-0.1), "ReLU: negative_slope must be"),
        (lambda: ReLU(negative_slope=None), "ReLU: negative_slope must be"),
        (lambda: ReLU(threshold=float("nan")), "ReLU: threshold must be"),
        (lambda: ReLU(threshold="0"), "ReLU: threshold must be.*'0'"),
        (lambda: ReLU(max_value=float("inf")), "ReLU: max_value must be"),
        (lambda: LeakyReLU(-1), "LeakyReLU: negative_slope must be"),
        (lambda: LeakyReLU(True), "LeakyReLU: negative_slope must be"),
        (lambda: ELU(alpha=-1), "ELU: alpha must be"),
        (lambda: ELU(alpha=None), "ELU: alpha must be"),
        (lambda: Softmax(axis=1.5), r"Softmax: axis must be an integer.*axis=1\.5"),
        (lambda: Softmax(axis=None), "Softmax: axis must be"),
        (lambda: Softmax(axis=[]), "Softmax: axis must be"),
        (lambda: Softmax(axis="last"), "Softmax: axis must be"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("axis", [2, -3, [1, -1], [0, 2]])
def test_an_axis_that_the_input_does_not_have_is_named(axis):
    message = r"layer 's': expected an input that has axis=.*Received: shape \(2, 3\)"
    with pytest.raises(ValueError, match=message):
        Softmax(axis, name="s")(np.ones((2, 3)))
