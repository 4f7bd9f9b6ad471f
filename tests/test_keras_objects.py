"""Objects of any kind as configs, and the small helpers of Keras' saving, utils and backend."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad import activations, constraints, initializers, layers, losses, metrics, optimizers

OBJECTS = [
    layers.Dense(3, activation="relu", kernel_regularizer="l2", name="d"),
    mg.Sequential([layers.Dense(2, input_dim=3)], name="s"),
    optimizers.Adam(0.5),
    optimizers.schedules.CosineDecay(0.1, 10),
    losses.KLDivergence(),
    metrics.KLDivergence(),
    mg.regularizers.L1L2(0.1, 0.2),
    initializers.HeNormal(seed=3),
    constraints.MaxNorm(2.0),
]


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: type(thing).__name__)
def test_an_object_of_any_kind_is_made_again_from_its_config(thing):
    config = mg.saving.serialize_keras_object(thing)
    assert config["class_name"] == type(thing).__name__
    twin = mg.saving.deserialize_keras_object(config)
    assert type(twin) is type(thing)
    assert twin.get_config() == thing.get_config()


def test_names_that_several_kinds_share_are_told_apart_by_the_module():
    kinds = [losses, metrics, mg.regularizers]
    for kind in kinds:
        config = mg.saving.serialize_keras_object(kind.KLDivergence())
        assert isinstance(mg.saving.deserialize_keras_object(config), kind.KLDivergence)
        config["module"] = kind.__name__.replace("minigrad", "keras")
        assert isinstance(mg.saving.deserialize_keras_object(config), kind.KLDivergence)


def test_lists_dicts_numbers_and_functions_are_gone_through():
    thing = [1, 2.5, "x", None, True, {"a": np.float32(2), "b": (np.arange(2), activations.relu)}]
    config = mg.saving.serialize_keras_object(thing)
    assert config[:5] == thing[:5]
    assert config[5]["a"] == 2
    assert config[5]["b"][0] == [0, 1]
    twin = mg.saving.deserialize_keras_object(config)
    assert twin[5]["b"][1] is activations.relu


def test_a_function_as_keras_writes_it_is_found():
    config = {"class_name": "function", "config": "tanh", "module": "builtins"}
    assert mg.saving.deserialize_keras_object(config) is activations.tanh


def test_classes_of_ones_own_are_found_where_they_are_handed_over():
    class Half(layers.Layer):
        def call(self, x):
            return x / 2

    config = {"class_name": "Half", "config": {"name": "h"}, "registered_name": "Custom>Half"}
    with pytest.raises(ValueError, match=r"unknown .* 'Half'.*custom_objects"):
        mg.saving.deserialize_keras_object(config)
    made = mg.saving.deserialize_keras_object(config, custom_objects={"Half": Half})
    assert isinstance(made, Half)
    with mg.utils.custom_object_scope({"Half": Half}):
        assert mg.saving.serialize_keras_object(made)["class_name"] == "Half"
    mg.utils.get_custom_objects()["Half"] = Half
    try:
        assert isinstance(mg.saving.deserialize_keras_object(config), Half)
    finally:
        del mg.utils.get_custom_objects()["Half"]


def test_a_class_that_says_nothing_of_its_arguments_is_not_registered():
    class Plain:
        pass

    with pytest.raises(ValueError, match="Plain must define get_config"):
        mg.saving.register_keras_serializable()(Plain)


def test_scopes_lie_in_each_other():
    def one(x):
        return x.sum()

    def other(x):
        return x.sum() * 2

    with mg.saving.CustomObjectScope({"penalty": one, "outer": one}):
        with mg.saving.CustomObjectScope({"penalty": other}):
            assert mg.regularizers.get("penalty") is other
            assert mg.regularizers.get("outer") is one
        assert mg.regularizers.get("penalty") is one
    with pytest.raises(ValueError, match="unknown regularizer 'penalty'"):
        mg.regularizers.get("penalty")


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("axis", [0, -1])
def test_normalize_gives_vectors_of_length_one_and_leaves_zeros(rng, order, axis):
    x = rng.normal(size=(3, 4))
    x[:, 1] = 0
    found = mg.utils.normalize(x, axis=axis, order=order)
    lengths = np.linalg.norm(found, order, axis)
    np.testing.assert_allclose(lengths[np.linalg.norm(x, order, axis) > 0], 1)
    assert (found[:, 1] == 0).all()
    assert mg.utils.normalize(x.astype(np.float32)).dtype == np.float32
    tensor = mg.Tensor(x, requires_grad=True)
    np.testing.assert_allclose(mg.utils.normalize(tensor, axis, order).numpy(), found)
    assert mg.utils.normalize(tensor, axis, order).requires_grad


def test_a_dataset_of_batches_tells_their_number_by_either_name():
    class ByLength(mg.utils.PyDataset):
        def __len__(self):
            return 3

    class ByNumber(mg.utils.PyDataset):
        @property
        def num_batches(self):
            return 4

        def __getitem__(self, index):
            return np.ones((2, 3)), np.ones((2, 1))

    assert ByLength().num_batches == len(ByLength()) == 3
    assert ByNumber().num_batches == len(ByNumber()) == 4
    with pytest.raises(NotImplementedError, match="must define __len__"):
        len(mg.utils.PyDataset())
    model = mg.Sequential([layers.Dense(1, input_dim=3)])
    model.compile("sgd", "mse")
    model.fit(ByNumber(), verbose=0)
    assert model.optimizer.iterations == 4


def test_the_backend_shows_and_sets_what_minigrad_has(float64):
    assert mg.backend.floatx() == "float64"
    mg.backend.set_floatx("float32")
    assert mg.get_default_dtype() == np.float32
    assert mg.backend.image_data_format() == "channels_last"
    mg.backend.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="keeps the channels last"):
        mg.backend.set_image_data_format("channels_first")
    assert mg.backend.epsilon() == 1e-7
    mg.utils.clear_session()
    mg.backend.clear_session(free_memory=False)


@pytest.mark.parametrize(
    ("make", "name", "default", "other"),
    [
        (mg.losses.CategoricalCrossentropy, "axis", -1, 1),
        (mg.losses.SparseCategoricalCrossentropy, "ignore_class", None, 0),
        (partial(mg.layers.Embedding, 3, 2), "mask_zero", False, True),
        (mg.layers.BatchNormalization, "renorm", False, True),
        (mg.optimizers.Adam, "use_ema", False, True),
        (mg.metrics.SparseTopKCategoricalAccuracy, "from_sorted_ids", False, True),
        (mg.metrics.AUC, "multi_label", False, True),
    ],
)
def test_an_argument_that_is_not_there_may_say_keras_default(make, name, default, other):
    make(**{name: default})
    with pytest.raises(TypeError, match=f"takes no argument '{name}'"):
        make(**{name: other})


def test_arguments_of_other_libraries_are_told_what_to_write():
    for make, words in [
        (lambda: mg.layers.LeakyReLU(alpha=0.1), "Did you mean 'negative_slope'"),
        (lambda: mg.layers.Embedding(3, 2, input_length=10), r"'input_length'\. Leave it out"),
        (lambda: mg.layers.BatchNormalization(fused=True), r"'fused'\. Leave it out"),
        (lambda: mg.layers.Dense(8, 10), r"write Dense\(10\)"),
    ]:
        with pytest.raises(TypeError, match=words):
            make()


def test_other_spellings_of_keras_are_taken():
    assert mg.layers.Conv2D(2, 3, padding="SAME").padding == "same"
    assert isinstance(mg.initializers.get("zero"), mg.initializers.Zeros)
    assert isinstance(mg.initializers.get("one"), mg.initializers.Ones)
    model = mg.Sequential([mg.layers.Dense(1)])
    callbacks = mg.callbacks.CallbackList([], add_history=True, model=model)
    assert model.history is callbacks.callbacks[-1]
