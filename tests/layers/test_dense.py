import numpy as np
import pytest

from minigrad.layers import Dense
from minigrad.testing import check_grads


def test_it_computes_activation_of_x_w_plus_b():
    layer = Dense(2, "relu", input_dim=3, seed=0, bias_initializer="ones")
    x = np.array([[1.0, -2.0, 0.5]], np.float32)
    expected = np.maximum(x @ layer.kernel.numpy() + 1, 0)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-6)


def test_it_takes_inputs_of_any_rank_from_2_on():
    layer = Dense(2)
    assert layer(np.ones((4, 5, 3))).shape == (4, 5, 2)
    assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 2)


def test_without_bias():
    layer = Dense(2, use_bias=False, input_dim=3)
    assert list(layer.named_parameters()) == ["kernel"]
    assert layer(np.zeros((1, 3))).tolist() == [[0, 0]]


def test_its_gradients_agree_with_finite_differences():
    layer = Dense(2, "tanh", input_dim=3, seed=0, dtype="float64")
    check_grads(lambda x: layer(x) * 1.0, [np.random.default_rng(0).normal(size=(4, 3))])


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 3, 4)])
def test_an_input_that_does_not_fit_names_the_layer_and_both_shapes(shape):
    layer = Dense(2, input_dim=3, name="codings")
    with pytest.raises(ValueError, match=r"'codings'.*kernel of shape \(3, 2\)") as error:
        layer(np.ones(shape))
    assert str(shape) in str(error.value)


def test_a_first_input_without_a_batch_axis_is_refused():
    with pytest.raises(ValueError, match=r"x\[None, :\]"):
        Dense(2)(np.ones(3))


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None, True])
def test_units_are_a_positive_integer(units):
    with pytest.raises(ValueError, match="units must be a positive integer"):
        Dense(units)


def test_input_shape_and_input_dim_build_it_at_once():
    assert Dense(2, input_dim=3).kernel.shape == (3, 2)
    assert Dense(2, input_shape=(5, 3)).kernel.shape == (3, 2)
    with pytest.raises(ValueError, match="input_dim"):
        Dense(2, input_dim=0)


def test_unknown_activations_and_initializers_are_answered_with_near_ones():
    with pytest.raises(ValueError, match="'relu'"):
        Dense(2, "rulu")
    with pytest.raises(ValueError, match="'he_normal'"):
        Dense(2, kernel_initializer="he_norm")


def test_its_config_round_trips():
    layer = Dense(
        3, "relu", kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l1_l2",
        kernel_initializer="he_normal", input_dim=2, seed=4, name="codings",
    )  # fmt: skip
    twin = Dense.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert (twin.kernel.numpy() == layer.kernel.numpy()).all()
