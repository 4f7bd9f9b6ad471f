import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.layers import Dropout, GaussianDropout, GaussianNoise, SpatialDropout2D

NOISY = [Dropout(0.5), GaussianNoise(0.3), GaussianDropout(0.4), SpatialDropout2D(0.5)]
X = np.ones((4, 3, 2, 50))


@pytest.mark.parametrize("layer", NOISY, ids=lambda layer: layer.name)
def test_nothing_happens_unless_training(layer):
    assert (layer(X).numpy() == 1).all()
    assert (layer(X, training=False).numpy() == 1).all()
    assert (layer(X, training=True).numpy() != 1).any()


@pytest.mark.parametrize("layer", NOISY, ids=lambda layer: layer.name)
def test_the_same_seed_draws_the_same_and_the_mean_stays(layer):
    config = {**layer.get_config(), "seed": 3}
    first, second = (type(layer).from_config(config) for _ in range(2))
    big = np.ones((200, 3, 2, 50))
    drawn = first(big, training=True)
    assert (drawn.numpy() == second(big, training=True).numpy()).all()
    assert (drawn.numpy() != second(big, training=True).numpy()).any()
    assert drawn.numpy().mean() == pytest.approx(1, abs=0.02)
    assert drawn.dtype == np.float32


def test_dropout_drops_its_rate_and_enlarges_the_rest():
    output = Dropout(0.25, seed=0)(np.ones((100, 100)), training=True).numpy()
    assert set(np.unique(output)) == {0, np.float32(4 / 3)}
    assert (output == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_the_gradient_passes_where_the_value_did():
    x = mg.Tensor(np.ones((3, 5)), requires_grad=True)
    output = Dropout(0.5, seed=0)(x, training=True)
    output.sum().backward()
    assert (x.grad == output.numpy()).all()


@pytest.mark.parametrize(("rate", "expected"), [(0, 1), (1, 0)])
def test_dropping_nothing_and_everything(rate, expected):
    assert (Dropout(rate)(np.ones((2, 3)), training=True).numpy() == expected).all()


def test_spatial_dropout_drops_whole_channels():
    output = SpatialDropout2D(0.5, seed=0)(np.ones((3, 4, 5, 20)), training=True).numpy()
    assert (output == output[:, :1, :1]).all()
    assert {0, 2} == set(np.unique(output))


def test_a_noise_shape_shares_what_is_dropped():
    output = Dropout(0.5, noise_shape=(None, 1), seed=0)(np.ones((20, 6)), training=True).numpy()
    assert (output == output[:, :1]).all()
    with pytest.raises(ValueError, match=r"noise_shape \(2, 2\) does not fit"):
        Dropout(0.5, noise_shape=(2, 2))(np.ones((3, 6)), training=True)


def test_the_outer_layer_decides_whether_the_inner_ones_train():
    inner = mg.Sequential(Dropout(0.5, seed=1), name="inner")
    model = mg.Sequential(inner, layers.Activation("relu"))
    x = np.ones((4, 30))
    assert (model(x).numpy() == 1).all()
    assert (model(x, training=True).numpy() == 0).any()
    assert (model.predict(x) == 1).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dropout(1.5), "Dropout: rate must be a finite number ≥ 0 and ≤ 1.*rate=1.5"),
        (lambda: Dropout("half"), "rate must be"),
        (lambda: Dropout(float("nan")), "rate must be"),
        (lambda: GaussianNoise(-1), "stddev must be"),
        (lambda: GaussianDropout(1), "rate must be below 1"),
        (lambda: SpatialDropout2D(0.5)(np.ones((2, 3)), training=True), "needs an input of rank 4"),
    ],
)
def test_wrong_rates_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
