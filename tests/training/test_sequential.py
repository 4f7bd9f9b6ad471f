import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Activation, Dense, Flatten


def test_layers_come_one_by_one_or_in_a_list_or_are_added():
    added = mg.Sequential()
    added.add(Dense(3, input_dim=2))
    added.add(Dense(1))
    for model in (
        mg.Sequential(Dense(3, input_dim=2), Dense(1)),
        mg.Sequential([Dense(3, input_dim=2), Dense(1)]),
        added,
    ):
        assert list(model.named_parameters()) == [
            "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
        ]  # fmt: skip
        assert model([[1.0, 2.0]]).shape == (1, 1)


def test_a_known_input_shape_builds_every_layer_at_once():
    model = mg.Sequential(Flatten(input_shape=(2, 3)), Dense(4), Activation("relu"), Dense(1))
    assert model.parameters()[0].shape == (6, 4)
    assert model.layers[-1].kernel.shape == (4, 1)


def test_an_unknown_input_shape_is_learnt_at_the_first_call_or_from_build():
    model = mg.Sequential(Dense(3), Dense(1))
    model(np.ones((2, 5)))
    assert model.layers[0].kernel.shape == (5, 3)
    other = mg.Sequential(Dense(3), Dense(1))
    other.build((None, 5))
    assert other.layers[0].kernel.shape == (5, 3)


@pytest.mark.parametrize("bad", [3, "dense", np.tanh])
def test_what_is_no_layer_is_refused(bad):
    with pytest.raises(TypeError, match=r"Layer|layers"):
        mg.Sequential(Dense(2), bad)


def test_a_model_without_layers_says_so():
    for call in (
        lambda m: m(np.ones((1, 2))),
        lambda m: m.parameters(),
        lambda m: m.build((None, 2)),
    ):
        with pytest.raises(ValueError, match="has no layers"):
            call(mg.Sequential())


def test_nested_models_share_their_parameters():
    encoder = mg.Sequential(Dense(2, input_dim=4), name="encoder")
    model = mg.Sequential(encoder, mg.Sequential(Dense(4), name="decoder"))
    names = ["encoder/dense/kernel", "encoder/dense/bias", "decoder/dense/kernel"]
    assert list(model.named_parameters())[:3] == names
    assert model.parameters()[0] is encoder.parameters()[0]


def test_freezing_a_model_freezes_its_layers():
    model = mg.Sequential(Dense(2, input_dim=2, kernel_regularizer="l2"), Dense(2))
    model.trainable = False
    assert not model(np.ones((1, 2))).requires_grad
    assert model.losses == []
    model.trainable = True
    assert len(model.losses) == 1
    frozen = mg.Sequential(Dense(2, input_dim=2), trainable=False)
    assert not frozen.parameters()[0].trainable


def test_summary_shows_shapes_weights_and_penalties(capsys):
    mg.Sequential(
        mg.Sequential(Dense(100, "relu", kernel_regularizer="l2", activity_regularizer="l1",
                            input_dim=64, name="codings"), name="encoder"),
        Dense(64, name="pixels", trainable=False),
        name="autoencoder",
    ).summary()  # fmt: skip
    text = capsys.readouterr().out
    assert "Model 'autoencoder'" in text
    assert "encoder/codings (Dense)  (None, 100)" in text
    assert "6,500" in text
    assert "activity: L1(l1=0.01), kernel: L2(l2=0.01)" in text
    assert "Trainable weights: 6,500\nFrozen weights: 6,464" in text


def test_summary_of_an_unbuilt_model_has_question_marks(capsys):
    mg.Sequential(Dense(3)).summary()
    assert "?" in capsys.readouterr().out


def test_a_built_model_is_not_built_for_another_shape():
    model = mg.Sequential([mg.layers.Input((2,)), Dense(2)])
    model.build((None, 2))
    model.build((3, 2))
    with pytest.raises(ValueError, match=r"is built for inputs of shape \(None, 2\)"):
        model.build((None, 4))
    assert model.input_shape == (2,)


def test_the_input_is_the_one_that_was_given():
    begin = mg.layers.Input((2,), name="begin")
    model = mg.Sequential([begin, Dense(2)])
    assert model.inputs == [begin]
