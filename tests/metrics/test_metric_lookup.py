"""From names to metrics, at once or when the shapes are known."""

from functools import partial
from types import SimpleNamespace

import pytest

from minigrad import metrics


def test_a_metric_asked_for_by_name_is_called_by_that_name():
    assert metrics.get("mse").name == "mse"
    assert metrics.get("MeanSquaredError").name == "MeanSquaredError"
    assert metrics.MeanSquaredError().name == "mean_squared_error"


def test_metrics_classes_configs_and_none():
    metric = metrics.Recall()
    assert metrics.get(metric) is metric
    assert isinstance(metrics.get(metrics.Recall), metrics.Recall)
    config = {"class_name": "BinaryAccuracy", "config": {"name": "right", "threshold": 0.25}}
    assert metrics.get(config).get_config() == config["config"]
    assert metrics.get(None) is metrics.serialize(None) is metrics.deserialize(None) is None


def test_each_call_makes_a_metric_of_its_own():
    assert metrics.get("mse") is not metrics.get("mse")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown metric 'sparsity_'.*'sparsity'"):
        metrics.get("sparsity_")


@pytest.mark.parametrize("identifier", ["active_units", metrics.DeadUnits, "MeanMetricWrapper"])
def test_a_name_that_is_not_enough_says_what_is_missing(identifier):
    with pytest.raises(ValueError, match=r"with its arguments.*(layer|fn)"):
        metrics.get(identifier)


@pytest.mark.parametrize("bad", [3, 0.5, ["mse"], ("mse", "mae")])
def test_anything_else_is_refused(bad):
    with pytest.raises(TypeError, match="expected a metric"):
        metrics.get(bad)


@pytest.mark.parametrize("config", [{"config": {}}, {"class_name": "Unknown"}, {"class_name": 3}])
def test_malformed_configs_are_refused(config):
    with pytest.raises(ValueError, match="metric"):
        metrics.deserialize(config)


@pytest.mark.parametrize("name", metrics.BY_SHAPE)
def test_a_name_that_awaits_its_shapes_is_saved_as_it_is(name):
    assert metrics.deserialize(metrics.serialize(name)) == name


@pytest.mark.parametrize("name", ["acc", "crossentropy", "CE"])
def test_get_cannot_know_the_shapes(name):
    with pytest.raises(ValueError, match="depends on the shapes"):
        metrics.get(name)


@pytest.mark.parametrize(
    ("y_shape", "prediction_shape", "kind"),
    [
        ((8,), (8, 1), "Binary"),
        ((8, 1), (8, 1), "Binary"),
        ((8,), (8,), "Binary"),
        ((8,), (8, 3), "SparseCategorical"),
        ((8, 1), (8, 3), "SparseCategorical"),
        ((8, 3), (8, 3), "Categorical"),
        ((8, 5), (8, 5, 3), "SparseCategorical"),
    ],
)
def test_names_are_resolved_by_the_shapes(y_shape, prediction_shape, kind):
    accuracy = metrics.resolve("acc", None, y_shape, prediction_shape)
    assert (type(accuracy).__name__, accuracy.name) == (f"{kind}Accuracy", "acc")
    entropy = metrics.resolve("crossentropy", None, y_shape, prediction_shape)
    assert (type(entropy).__name__, entropy.name) == (f"{kind}Crossentropy", "crossentropy")


@pytest.mark.parametrize("prediction_shape", [(8, 1), (8, 3)])
def test_a_cross_entropy_expects_logits_if_the_loss_does(prediction_shape):
    def resolved(loss):
        return metrics.resolve("ce", loss, (8,), prediction_shape)

    assert resolved(SimpleNamespace(from_logits=True)).from_logits
    assert resolved(partial(max, from_logits=True)).from_logits
    for loss in (None, max, SimpleNamespace(from_logits=False), partial(max)):
        assert not resolved(loss).from_logits


def test_other_names_are_not_resolved():
    with pytest.raises(ValueError, match=r"accuracy.*Received: name='mse'"):
        metrics.resolve("mse", None, (8,), (8, 1))


@pytest.mark.parametrize("shapes", [((8,), ()), ((), (8, 1))])
def test_shapes_without_samples_are_refused(shapes):
    with pytest.raises(ValueError, match=r"metric 'accuracy'.*first axis"):
        metrics.resolve("accuracy", None, *shapes)
