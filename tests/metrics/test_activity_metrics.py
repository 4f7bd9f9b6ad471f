"""Metrics of a layer's output."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, metrics

OUTPUT = np.array([[0.5, 0.0, 2.0, 0.0], [0.0, 0.0, 0.1, 0.0], [0.7, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("kind", "expected", "above_a_half"),
    [("ActiveUnits", 4 / 3, 2 / 3), ("DeadUnits", 2, 2), ("Sparsity", 8 / 12, 10 / 12)],
)
def test_numbers_by_hand(kind, expected, above_a_half):
    assert getattr(metrics, kind)("codings")(OUTPUT) == pytest.approx(expected)
    assert getattr(metrics, kind)("codings", threshold=0.5)(OUTPUT) == pytest.approx(above_a_half)


def test_a_unit_is_dead_only_if_no_batch_of_the_epoch_activates_it():
    metric = metrics.DeadUnits("codings")
    assert metric(OUTPUT[:1]) == 2
    assert metric(np.array([[0.0, 1.0, 0.0, 0.0]])) == 1
    assert metric(OUTPUT[1:]) == 1
    metric.reset_state()
    assert metric(OUTPUT[1:2]) == 3


def test_a_unit_of_a_convolutional_layer_is_a_channel():
    images = np.zeros((2, 3, 3, 4))
    images[0, 0, 0, 1] = images[1, 2, 2, 1] = images[1, 1, 1, 3] = 1
    assert metrics.DeadUnits("conv")(images) == 2
    assert metrics.ActiveUnits("conv")(images) == 1.5
    assert metrics.Sparsity("conv")(images) == 1 - 3 / 72


def test_one_number_a_sample_is_one_unit():
    assert metrics.DeadUnits("out")([0.0, 0.0]) == 1
    assert metrics.DeadUnits("out")([0.0, 1.0]) == 0
    assert metrics.ActiveUnits("out")([0.0, 1.0]) == 0.5


def test_sparsity_is_what_active_units_leave():
    active, sparsity = metrics.ActiveUnits("a")(OUTPUT), metrics.Sparsity("a")(OUTPUT)
    assert sparsity == pytest.approx(1 - active / OUTPUT.shape[1])


def test_a_float32_output_equal_to_the_threshold_is_not_above_it():
    output = np.full((1, 2), 0.1, np.float32)
    assert metrics.ActiveUnits("codings", threshold=0.1)(output) == 0


def test_names():
    assert metrics.DeadUnits("encoder/codings").name == "encoder/codings/dead_units"
    assert metrics.Sparsity("codings", name="sparse").name == "sparse"
    for kind in (metrics.ActiveUnits, metrics.DeadUnits, metrics.Sparsity):
        assert kind("codings").watches_layer
        assert kind("codings").layer == "codings"
    assert not metrics.MeanSquaredError().watches_layer


@pytest.mark.parametrize("bad", [None, 3, "", layers.Dense(2)], ids=repr)
def test_a_layer_is_given_by_its_name(bad):
    with pytest.raises(ValueError, match="ActiveUnits: layer must be the name of a layer"):
        metrics.ActiveUnits(bad)


@pytest.mark.parametrize("bad", [np.nan, "0", None, True])
def test_a_threshold_is_a_finite_number(bad):
    with pytest.raises(ValueError, match="DeadUnits: threshold must be a finite number"):
        metrics.DeadUnits("codings", threshold=bad)


def test_another_number_of_units_is_refused():
    metric = metrics.DeadUnits("codings")
    metric.update_state(OUTPUT)
    with pytest.raises(ValueError, match=r"'codings/dead_units': expected 4 units.*\(3, 2\)"):
        metric.update_state(OUTPUT[:, :2])


def test_in_a_model_they_are_of_the_whole_epoch_and_beside_the_loss():
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(10, 6)).astype(np.float32)
    model = mg.Sequential(
        [layers.Dense(5, activation="relu", name="codings"), layers.Dense(6, name="out")]
    )
    watching = [kind("codings") for kind in (metrics.ActiveUnits, metrics.DeadUnits)]
    model.compile("sgd", "mse", metrics=[*watching, metrics.Sparsity("codings"), "mae"])
    history = model.fit(x, x, epochs=1, batch_size=4, verbose=0).history
    assert {"loss", "codings/active_units", "codings/dead_units", "mae"} <= history.keys()
    found = model.evaluate(x, x, batch_size=4)
    codings = model.get_layer("codings")
    is_active = x @ codings.kernel.numpy() + codings.bias.numpy() > 0
    of_units = [is_active.sum(axis=1).mean(), (~is_active.any(axis=0)).sum(), 1 - is_active.mean()]
    np.testing.assert_allclose(found[1:4], of_units, rtol=1e-12)
    assert found[4] == pytest.approx(np.abs(model.predict(x) - x).mean(), rel=1e-6)
