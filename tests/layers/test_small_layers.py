"""Activation, Flatten and ActivityRegularization: what all small layers have in common, and not."""

import numpy as np
import pytest

from minigrad.layers import Activation, ActivityRegularization, Dense, Flatten
from minigrad.layers.layer import registry

SMALL = [
    Dense(3, seed=0),
    Activation("tanh"),
    Flatten(),
    ActivityRegularization(0.1, 0.2),
]
every = pytest.mark.parametrize("layer", SMALL, ids=lambda layer: layer.name)


@every
def test_a_batch_gives_what_its_samples_give_one_by_one(layer):
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    one_by_one = np.concatenate([layer(x[i : i + 1]).numpy() for i in range(5)])
    np.testing.assert_allclose(layer(x).numpy(), one_by_one, rtol=1e-5, atol=1e-7)


@every
def test_the_computed_output_shape_is_that_of_the_output(layer):
    assert layer(np.ones((2, 4))).shape == layer.compute_output_shape((2, 4))


@every
def test_the_config_round_trips_through_the_registry(layer):
    twin = registry.deserialize(registry.serialize(layer))
    assert type(twin) is type(layer)
    assert twin.get_config() == layer.get_config()


def test_flatten_lays_out_each_sample():
    assert Flatten()(np.arange(12.0).reshape(2, 3, 2)).numpy()[1].tolist() == [6, 7, 8, 9, 10, 11]
    assert Flatten()(np.ones(3)).shape == (3, 1)
    assert Flatten().compute_output_shape((None, None, 2)) == (None, None)
    assert Flatten()(np.ones((0, 2, 3))).shape == (0, 6)
    with pytest.raises(ValueError, match="needs a batch"):
        Flatten()(np.float32(1))


def test_activity_regularization_refuses_bad_strengths():
    with pytest.raises(ValueError, match="l1"):
        ActivityRegularization(l1=-1)
