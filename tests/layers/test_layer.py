import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense, Layer


class Scale(Layer):
    """A layer of one's own."""

    def build(self, input_shape):
        self.factor = self.add_weight("factor", (input_shape[-1],), "ones", regularizer="l2")

    def call(self, x):
        self.add_loss(x.sum() * 0.5, "size")
        return x * self.factor


def test_a_layer_of_ones_own_has_weights_penalties_and_added_losses():
    layer = Scale(name="scale")
    layer(np.ones((2, 3)))
    assert list(layer.named_parameters()) == ["factor"]
    assert layer.factor.name == "scale/factor"
    assert layer.loss_terms().values_as_floats() == pytest.approx(
        {"scale/factor": 0.03, "scale/size": 3.0}
    )


def test_added_losses_are_terms_of_a_model_and_reach_its_gradients():
    model = mg.Sequential(Dense(3, input_dim=3, kernel_initializer="ones"), Scale())
    model.compile("sgd")
    trace = model.trace(np.ones((2, 3)))
    assert trace.terms["scale/size"] == 9
    assert (trace.gradient("dense/kernel", "scale/size") == 1).all()


def test_add_loss_outside_of_call_is_refused():
    with pytest.raises(RuntimeError, match=r"inside of call"):
        Scale().add_loss(1.0)


def test_an_initializer_must_return_the_shape():
    class Wrong(Layer):
        def build(self, input_shape):
            self.add_weight("w", (2,), lambda shape, dtype, generator: np.ones(3))

    with pytest.raises(ValueError, match=r"initializer of 'w' returned shape \(3,\)"):
        Wrong()(np.ones((1, 2)))


def test_integers_and_booleans_are_cast_to_the_default_float():
    layer = Dense(2, kernel_initializer="ones", input_dim=2)
    for x in ([[1, 2]], np.array([[True, False]]), np.array([[1, 2]], np.uint8)):
        assert layer(x).dtype == np.float32


def test_a_float64_input_is_cast_to_the_layers_dtype():
    assert Dense(2)(np.ones((1, 2))).dtype == np.float32
    assert Dense(2, dtype="float64")(np.ones((1, 2), np.float32)).dtype == np.float64


@pytest.mark.parametrize(
    "bad", [np.array([[object()]]), [["a"]], [[1.0], [1.0, 2.0]], [[1j]], None]
)
def test_what_is_no_array_of_numbers_is_refused_with_the_layers_name(bad):
    with pytest.raises(TypeError, match="layer 'codings'"):
        Dense(2, name="codings")(bad)
    with pytest.raises(TypeError, match="model 'm'"):
        mg.Sequential(Dense(2), name="m")(bad)


@pytest.mark.parametrize("bad", ["", "a/b", 3])
def test_names_are_strings_without_a_slash(bad):
    with pytest.raises(ValueError, match="name must be"):
        Dense(2, name=bad)


def test_unknown_arguments_are_refused_with_the_known_ones():
    with pytest.raises(TypeError, match=r"Dense takes no argument 'unit'. Did you mean 'units'"):
        Dense(2, unit=3)
    with pytest.raises(TypeError, match=r"Known: .*activation"):
        Dense(2, zzz=3)


def test_an_unbuilt_layer_asked_for_its_weights_says_how_to_build_it():
    with pytest.raises(RuntimeError, match="input_dim="):
        Dense(2).parameters()
    with pytest.raises(RuntimeError, match="Dense 'dense' has no weights yet"):
        mg.Sequential(Dense(2)).parameters()


def test_the_same_seed_gives_the_same_weights():
    first, second = (Dense(3, input_dim=4, seed=5).kernel.numpy() for _ in range(2))
    assert (first == second).all()
    assert (Dense(3, input_dim=4, seed=6).kernel.numpy() != first).any()


def test_freezing_stops_gradients_and_freeing_brings_them_back():
    layer = Dense(2, input_dim=2, seed=0)
    layer.trainable = False
    assert not layer(np.ones((1, 2))).requires_grad
    layer.trainable = True
    layer(np.ones((1, 2))).sum().backward()
    assert layer.kernel.grad is not None


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_layers_and_models_copy_and_pickle(twin):
    model = mg.Sequential(Dense(3, "relu", activity_regularizer="l1", input_dim=2), Dense(1))
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 2)), np.ones((2, 1)))
    other = twin(model)
    before = model.predict(np.ones((1, 2)))
    assert (other.predict(np.ones((1, 2))) == before).all()
    other.train_on_batch(np.ones((2, 2)), np.zeros((2, 1)))
    assert (model.predict(np.ones((1, 2))) == before).all()
    assert (other.predict(np.ones((1, 2))) != before).any()


def test_the_output_shape_of_a_layer_of_ones_own_is_found_by_calling_it():
    class Twice(Layer):
        def call(self, x):
            return np.concatenate([x, x], axis=-1) if False else x.reshape((x.shape[0], -1, 1))

    assert Twice().compute_output_shape((None, 3)) == (None, 3, 1)


def test_a_layer_must_define_call():
    with pytest.raises(NotImplementedError, match="must define call"):
        Layer()(np.ones((1, 1)))
