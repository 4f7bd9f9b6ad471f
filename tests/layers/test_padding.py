import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import padding
from minigrad.layers.layer import registry
from minigrad.layers.padding import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
SHAPES = {1: (2, 6, 2), 2: (2, 4, 5, 2), 3: (1, 3, 4, 5, 2)}
# As the constructors take them, and what they stand for.
MARGINS = {
    1: [(1, ((1, 1),)), ((0, 2), ((0, 2),)), ([2, 1], ((2, 1),))],
    2: [(1, ((1, 1),) * 2), ((0, 1), ((0, 0), (1, 1))), (((1, 2), (0, 1)), ((1, 2), (0, 1)))],
    3: [(1, ((1, 1),) * 3), ((0, 1, (2, 0)), ((0, 0), (1, 1), (2, 0)))],
}
EVERY = [
    (f"{kind}{rank}D", given, meant, SHAPES[rank])
    for kind in ("ZeroPadding", "Cropping")
    for rank in (1, 2, 3)
    for given, meant in MARGINS[rank]
]
every = pytest.mark.parametrize(
    ("name", "given", "meant", "shape"), EVERY, ids=[f"{name}-{given}" for name, given, *_ in EVERY]
)


@every
def test_gradients_of_both_orders_are_right(name, given, meant, shape):
    layer = getattr(padding, name)(given, dtype="float64")
    check_grads(lambda x: layer.call(x * x), [RNG.normal(size=shape)], order=2)


@every
def test_shapes_configs_and_dtypes_hold(name, given, meant, shape):
    layer = getattr(padding, name)(given)
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
def test_the_numbers_mean_front_and_back_of_each_axis(name, given, meant, shape):
    layer = getattr(padding, name)(given)
    sign = 1 if name.startswith("Zero") else -1
    expected = tuple(n + sign * sum(pair) for n, pair in zip(shape[1:-1], meant, strict=True))
    x = RNG.uniform(1, 2, shape).astype(np.float32)
    output = layer(x).numpy()
    assert output.shape == (shape[0], *expected, shape[-1])
    larger, smaller = (output, x) if sign == 1 else (x, output)
    place = tuple(
        slice(front, front + n) for (front, _), n in zip(meant, smaller.shape[1:-1], strict=True)
    )
    assert (larger[(slice(None), *place)] == smaller).all()
    if sign == 1:
        assert (output != 0).sum() == x.size


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_cropping_undoes_padding(rank):
    margin = MARGINS[rank][1][0]
    x = RNG.normal(size=SHAPES[rank]).astype(np.float32)
    padded = getattr(padding, f"ZeroPadding{rank}D")(margin)(x)
    assert (getattr(padding, f"Cropping{rank}D")(margin)(padded).numpy() == x).all()


def test_what_is_cut_off_gets_no_gradient():
    x = mg.Tensor(np.ones((1, 4, 1)), requires_grad=True)
    Cropping1D((1, 2))(x).sum().backward()
    assert x.grad[0, :, 0].tolist() == [0, 1, 0, 0]


def test_the_defaults_are_those_of_keras():
    assert ZeroPadding1D().padding == (1, 1)
    assert ZeroPadding2D().padding == ((1, 1),) * 2
    assert ZeroPadding3D().padding == ((1, 1),) * 3
    assert Cropping1D().cropping == (1, 1)
    assert Cropping2D().cropping == ((0, 0),) * 2
    assert Cropping3D().cropping == ((1, 1),) * 3


def test_lengths_that_are_not_known_stay_unknown():
    assert ZeroPadding2D(2).compute_output_shape((None, None, 3, None)) == (None, None, 7, None)
    assert Cropping2D(1).compute_output_shape((None, None, 3, None)) == (None, None, 1, None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ZeroPadding1D(-1), "ZeroPadding1D: padding must be an integer from 0, or a pair"),
        (lambda: ZeroPadding1D((1, 2, 3)), r"ZeroPadding1D: padding must be.*padding=\(1, 2, 3\)"),
        (lambda: ZeroPadding2D((1, 2, 3)), r"ZeroPadding2D: padding must be .* 2 pairs"),
        (lambda: ZeroPadding2D(((1, 2), (1, -1))), "ZeroPadding2D: padding must be"),
        (lambda: ZeroPadding2D("same"), "ZeroPadding2D: padding must be.*'same'"),
        (lambda: ZeroPadding2D(True), "ZeroPadding2D: padding must be"),
        (lambda: ZeroPadding3D((1, 2)), "ZeroPadding3D: padding must be .* 3 pairs"),
        (lambda: Cropping1D(0.5), r"Cropping1D: cropping must be .*cropping=0\.5"),
        (lambda: Cropping2D(None), "Cropping2D: cropping must be .*cropping=None"),
        (lambda: Cropping3D(((1, 2), (1,), 0)), "Cropping3D: cropping must be"),
        (lambda: ZeroPadding2D(1, "channels_first"), r"np.moveaxis\(x, 1, -1\)"),
        (lambda: Cropping2D(1, "channels_first"), r"np.moveaxis\(x, 1, -1\)"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (ZeroPadding2D(name="m"), (3, 3, 1), r"'m': ZeroPadding2D needs .* rank 4.*\(3, 3, 1\)"),
        (Cropping1D(name="m"), (3, 3), r"layer 'm': Cropping1D needs an input of rank 3"),
        (
            Cropping2D(((1, 1), (2, 1)), name="m"),
            (1, 5, 3, 1),
            r"'m': cropping=\(\(1, 1\), \(2, 1\)\) leaves nothing .* shape \(1, 5, 3, 1\)",
        ),
        (Cropping1D((1, 4), name="m"), (1, 3, 1), "leaves nothing"),
    ],
)
def test_inputs_that_do_not_fit_are_named_with_their_shape(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape)
