import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import BatchNormalization, Dense, LayerNormalization
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", [BatchNormalization, LayerNormalization])
def test_gradients_flow_through_mean_and_variance(kind):
    layer = kind(dtype="float64")
    layer(np.ones((4, 3)))
    weights = RNG.normal(size=(4, 3))

    def network(x):
        keywords = {"training": True} if kind is BatchNormalization else {}
        return (layer.call(x, **keywords) * weights).sum()

    check_grads(network, [RNG.normal(size=(4, 3))], order=2)


def test_a_batch_gets_mean_0_and_variance_1_while_training():
    layer = BatchNormalization(epsilon=0.0, dtype="float64")
    output = layer(RNG.normal(5, 3, (50, 4, 6)), training=True).numpy()
    np.testing.assert_allclose(output.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(output.var(axis=(0, 1)), 1)


def test_moving_averages_follow_the_batches_and_are_used_afterwards():
    layer = BatchNormalization(momentum=0.5, epsilon=0.0, dtype="float64")
    layer([[0.0], [4.0]], training=True)
    assert layer.moving_mean.tolist() == [1.0]
    assert layer.moving_variance.tolist() == [2.5]
    assert layer([[1.0]]).tolist() == [[0.0]]
    layer([[0.0], [4.0]])
    assert layer.moving_mean.tolist() == [1.0]


def test_state_is_saved_but_never_trained():
    layer = BatchNormalization()
    layer(np.ones((2, 3)))
    assert list(layer.named_parameters()) == ["gamma", "beta"]
    assert list(layer.named_weights()) == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == len(layer.non_trainable_weights) == 2
    layer.trainable = False
    layer.trainable = True
    assert not layer.moving_mean.trainable


def test_a_frozen_batch_normalization_uses_its_moving_averages():
    layer = BatchNormalization(trainable=False, epsilon=0.0)
    assert layer([[2.0], [4.0]], training=True).tolist() == [[2.0], [4.0]]
    assert layer.moving_mean.tolist() == [0.0]


def test_fit_trains_with_the_batch_and_predicts_with_the_averages():
    model = mg.Sequential(Dense(3, input_dim=2), BatchNormalization(momentum=0.0), Dense(1))
    model.compile("sgd", "mse")
    x = RNG.normal(size=(8, 2))
    model.fit(x, x[:, :1], batch_size=8, epochs=2, verbose=0)
    inner = model.layers[1]
    assert (inner.moving_mean.numpy() != 0).all()
    before = inner.get_weights()
    model.predict(x)
    model.evaluate(x, x[:, :1])
    model.trace(x, x[:, :1])
    for old, new in zip(before, inner.get_weights(), strict=True):
        assert (old == new).all()


def test_layer_normalization_over_any_axes():
    layer = LayerNormalization(axis=[1, 2], epsilon=0.0, dtype="float64")
    output = layer(RNG.normal(5, 3, (2, 3, 4, 2))).numpy()
    np.testing.assert_allclose(output.mean(axis=(1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(output.var(axis=(1, 2)), 1)
    assert layer.gamma.shape == (3, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNormalization(axis=0)(np.ones((2, 3))), "other than the batch"),
        (lambda: BatchNormalization(axis=5)(np.ones((2, 3))), "axis=5 must name axes"),
        (lambda: BatchNormalization(axis=1.0), "axis must be an integer"),
        (lambda: BatchNormalization(momentum=2), "momentum must be"),
        (lambda: BatchNormalization(epsilon=-1), "epsilon must be"),
        (lambda: LayerNormalization(axis=[]), "axis must be an integer or several"),
        (lambda: BatchNormalization(input_shape=(3,))(np.ones((2, 4))), "expected 3 channels"),
        (lambda: LayerNormalization(input_shape=(3,))(np.ones((2, 4))), r"expected lengths \(3,\)"),
    ],
)
def test_wrong_arguments_and_inputs_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
