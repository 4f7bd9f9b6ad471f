import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import constraints
from minigrad.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm

W = np.random.default_rng(0).normal(size=(4, 3))


@given(st.floats(0, 5), st.sampled_from([0, 1, [0, 1]]))
def test_max_norm_shortens_what_is_too_long_and_nothing_else(longest, axis):
    axes = tuple(axis) if isinstance(axis, list) else axis
    before = np.linalg.norm(W, axis=axes)
    after = np.linalg.norm(MaxNorm(longest, axis)(W), axis=axes)
    np.testing.assert_allclose(after, np.minimum(before, longest), rtol=1e-5, atol=1e-6)


def test_unit_norm_min_max_norm_and_non_neg():
    np.testing.assert_allclose(np.linalg.norm(UnitNorm()(W), axis=0), 1, rtol=1e-6)
    lengths = np.linalg.norm(MinMaxNorm(2.0, 3.0)(W), axis=0)
    assert (lengths > 1.999).all()
    assert (lengths < 3.001).all()
    assert (NonNeg()(W) >= 0).all()


@pytest.mark.parametrize("name", ["non_neg", "max_norm", "unit_norm", "min_max_norm"])
def test_each_goes_by_its_name_and_survives_its_config(name):
    made = constraints.get(name)
    twin = constraints.deserialize(constraints.serialize(made))
    assert repr(twin) == repr(made)
    assert (twin(W.astype(np.float32)) == made(W.astype(np.float32))).all()
    assert made(W.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [
        lambda: MaxNorm(-1),
        lambda: MaxNorm(True),
        lambda: MaxNorm(axis=[]),
        lambda: UnitNorm(axis="0"),
        lambda: MinMaxNorm(2, 1),
        lambda: MinMaxNorm(rate=2),
        lambda: constraints.get("max_nrom"),
    ],
)
def test_wrong_arguments_are_refused(make):
    with pytest.raises(ValueError, match=r"must|expected|unknown"):
        make()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_optimizer_keeps_a_weight_within_its_constraint(optimizer):
    model = mg.Sequential(
        mg.layers.Dense(4, kernel_constraint="non_neg", bias_constraint=MaxNorm(0.1), input_dim=3)
    )
    model.compile(optimizer, "mse")
    x = np.random.default_rng(0).normal(size=(16, 3))
    model.fit(x, -np.ones((16, 4)), epochs=20, verbose=0)
    assert (model.layers[0].kernel.numpy() >= 0).all()
    assert np.linalg.norm(model.layers[0].bias.numpy()) <= 0.1 + 1e-6
    assert (model.layers[0].kernel.numpy() == 0).any()


def test_constraints_are_saved_with_the_model(tmp_path):
    layer = mg.layers.Dense(2, kernel_constraint=MaxNorm(0.5), input_dim=3)
    mg.Sequential(layer).save(tmp_path / "m.npz")
    twin = mg.load(tmp_path / "m.npz").layers[0]
    assert twin.kernel_constraint.max_value == 0.5
    assert twin.kernel.constraint.max_value == 0.5


def test_the_base_constrains_nothing_as_in_keras():
    assert constraints.Constraint()(np.array([3.0, -4.0])).tolist() == [3.0, -4.0]
