import json

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers.layer import registry
from minigrad.layers.reshaping import Permute, RepeatVector, Reshape
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
EVERY = [
    (Reshape((3, 4)), (2, 12)),
    (Reshape((2, -1, 3)), (2, 3, 4)),
    (Reshape((-1,)), (2, 3, 4)),
    (Reshape(()), (2, 1)),
    (Permute((2, 1)), (2, 3, 4)),
    (Permute((3, 1, 2)), (2, 3, 4, 5)),
    (RepeatVector(3), (2, 4)),
]
every = pytest.mark.parametrize(
    ("layer", "shape"), EVERY, ids=[f"{layer.name}-{shape}" for layer, shape in EVERY]
)


@every
def test_gradients_of_both_orders_are_right(layer, shape):
    check_grads(lambda x: layer.call(x * x), [RNG.normal(size=shape)], order=2)


@every
def test_shapes_configs_and_dtypes_hold(layer, shape):
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
def test_each_sample_is_laid_out_for_itself(layer, shape):
    x = RNG.normal(size=(3, *shape[1:]))
    one_by_one = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(3)])
    assert (layer(x).numpy() == one_by_one).all()


def test_reshape_keeps_the_order_of_the_elements():
    x = np.arange(24.0).reshape(2, 3, 4)
    assert (Reshape((2, 6))(x).numpy() == x.reshape(2, 2, 6)).all()


def test_permute_takes_each_axis_from_where_dims_say():
    x = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    output = Permute((3, 1, 2))(x).numpy()
    assert output.shape == (2, 5, 3, 4)
    assert output[1, 4, 0, 2] == x[1, 0, 2, 4]


def test_the_gradients_of_all_repetitions_add_up():
    x = mg.Tensor(np.ones((2, 3)), requires_grad=True)
    (RepeatVector(4)(x) * np.arange(4.0).reshape(1, 4, 1)).sum().backward()
    assert (x.grad == 6).all()


def test_lengths_that_are_not_known_stay_unknown():
    assert Reshape((2, -1)).compute_output_shape((None, None, 4)) == (None, 2, None)
    assert Reshape((2, 8)).compute_output_shape((None, None, 4)) == (None, 2, 8)
    assert Permute((2, 1)).compute_output_shape((None, None, 4)) == (None, 4, None)
    assert RepeatVector(2).compute_output_shape((None, None)) == (None, 2, None)


def test_a_model_learns_its_shapes_from_them():
    model = mg.Sequential(
        layers.Input((12,)), Reshape((3, -1)), Permute((2, 1)), layers.Flatten(), layers.Dense(2)
    )
    assert model.count_params() == 12 * 2 + 2
    assert model(np.ones((5, 12))).shape == (5, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Reshape(5), "Reshape: target_shape must be a tuple.*target_shape=5"),
        (lambda: Reshape("12"), "Reshape: target_shape must be a tuple"),
        (lambda: Reshape((-1, -1)), "one of which may be -1"),
        (lambda: Reshape((2, -2)), "target_shape must be"),
        (lambda: Reshape((0, 2)), "target_shape must be"),
        (lambda: Reshape((2.0,)), "target_shape must be"),
        (lambda: Reshape((True,)), "target_shape must be"),
        (lambda: Reshape((None, 2)), "target_shape must be"),
        (lambda: Permute((0, 1)), r"Permute: dims must be .* from 1.*dims=\(0, 1\)"),
        (lambda: Permute((1, 3)), "dims must be"),
        (lambda: Permute((1, 1)), "dims must be"),
        (lambda: Permute((2.0, 1)), "dims must be"),
        (lambda: Permute(1), "dims must be.*dims=1"),
        (lambda: RepeatVector(0), "RepeatVector: n must be a positive integer. Received: n=0"),
        (lambda: RepeatVector(2.5), "n must be a positive integer"),
        (lambda: RepeatVector(True), "n must be a positive integer"),
    ],
)
def test_wrong_arguments_say_what_was_expected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Reshape((5, -1), name="r"),
            (2, 12),
            r"'r'.*fit target_shape=\(5, -1\). Received: shape \(2, 12\), 12 elements a sample",
        ),
        (Reshape((5, 2), name="r"), (2, 12), r"layer 'r': expected samples that fit"),
        (Reshape((1,), name="r"), (), r"layer 'r': Reshape needs a batch"),
        (Permute((2, 1), name="r"), (2, 3), r"layer 'r': Permute .* of rank 3.*shape \(2, 3\)"),
        (RepeatVector(2, name="r"), (2, 3, 4), r"layer 'r': RepeatVector needs .*\(2, 3, 4\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named_with_their_shape(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer(np.ones(shape))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape)
