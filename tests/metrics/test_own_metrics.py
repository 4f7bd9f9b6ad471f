"""Metrics of one's own: variables, metrics inside of metrics, resumed runs."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, metrics

Y, P = np.array([[1.0, 2.0], [0.0, 0.0]]), np.array([[1.0, 4.0], [3.0, 0.0]])


@mg.register_serializable()
class Largest(metrics.Metric):
    """As in Keras' guides; its result is a Tensor."""

    def __init__(self, name="largest", **more):
        super().__init__(name=name, **more)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_variable(shape=(), initializer="zeros", name="count")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign(self.total + np.abs(y_true - y_pred).max(axis=-1).sum())
        self.count.assign_add(len(y_true))

    def result(self):
        return self.total / self.count


@mg.register_serializable()
class Both(metrics.Metric):
    """One that is made of others."""

    def __init__(self, name="both", **more):
        super().__init__(name=name, **more)
        self.parts = [metrics.MeanSquaredError(), metrics.R2Score()]
        self.largest = Largest()
        self.factor = mg.Parameter(2.0, name="factor", trainable=False)

    def update_state(self, y_true, y_pred, sample_weight=None):
        for part in (*self.parts, self.largest):
            part.update_state(y_true, y_pred)
        self.factor.assign_add(1.0)

    def result(self):
        return self.parts[0].result() + self.parts[1].result() + float(self.largest.result())

    def get_config(self):
        return super().get_config()


def test_variables_gather_and_are_reset():
    metric = Largest()
    assert float(metric(Y, P)) == 2.5
    assert [float(v) for v in metric.variables] == [5, 2]
    assert not any(v.trainable for v in metric.variables)
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0, 0]


def test_metrics_inside_of_a_metric_are_reset_and_restored_with_it():
    metric, resumed = Both(), Both()
    metric.update_state(Y, P)
    resumed.load_state_arrays(metric.state_arrays())
    assert resumed.result() == metric.result() != 0
    assert [v.name for v in metric.variables] == ["factor", "total", "count", "total", "count"]
    with pytest.raises(ValueError, match="misses 'total'"):
        resumed.load_state_arrays({"largest/count": 1.0})
    assert resumed.result() == metric.result()
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0, 0, 0, 0, 0]
    assert metric.parts[1].state == {}


@pytest.mark.parametrize("kind", [Largest, Both])
def test_it_goes_with_compile_and_a_model_that_is_saved(kind, tmp_path):
    model = mg.Sequential([layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[kind()])
    history = model.fit(Y, P, epochs=2, batch_size=1, verbose=0).history
    found = model.evaluate(Y, P, return_dict=True)[kind().name]
    metric = kind()
    metric.update_state(P, model.predict(Y))
    assert found == pytest.approx(float(metric.result()), rel=1e-5)
    assert len(history[kind().name]) == 2
    model.save(tmp_path / "model.npz")
    assert mg.saving.load_model(tmp_path / "model.npz").evaluate(Y, P, return_dict=True)[
        kind().name
    ] == pytest.approx(found)


def test_a_resumed_run_goes_on_with_the_variables():
    straight, stopped, resumed = Largest(), Largest(), Largest()
    straight.update_state(Y, P)
    straight.update_state(P, Y * 3)
    stopped.update_state(Y, P)
    resumed.load_state_arrays(stopped.state_arrays())
    resumed.update_state(P, Y * 3)
    assert float(resumed.result()) == float(straight.result())


class Plain(metrics.Metric):
    """One that gathers in plain attributes."""

    def __init__(self):
        super().__init__("plain")
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count += len(y_true)
        self.sums += np.sum(y_true)
        self.seen.append(len(y_true))

    def result(self):
        return self.count + float(self.sums[0])

    def reset_state(self):
        self.count, self.sums, self.seen = 0, np.zeros(1), []

    def get_config(self):
        return {}


def test_plain_attributes_outlast_an_evaluation_and_numbers_a_crash(tmp_path):
    x, metric = np.ones((12, 2)), Plain()
    backup = mg.callbacks.BackupAndRestore(tmp_path, save_freq=1)

    class Looking(mg.callbacks.Callback):
        crashes = True

        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(x[:3], x[:3])
            if batch == 1 and self.crashes:
                raise InterruptedError

    def run(looking):
        model = mg.Sequential([layers.Dense(2, input_dim=2, seed=0)], name="model")
        model.compile("sgd", "mse", metrics=[metric])
        called = [backup, looking]
        return model.fit(x, x, batch_size=4, verbose=0, callbacks=called).history["plain"]

    looking = Looking()
    with pytest.raises(InterruptedError):
        run(looking)
    assert metric.seen == [4, 4]
    metric.reset_state()
    looking.crashes = False
    assert run(looking) == [36.0]


def test_shapes_dtypes_and_the_name_in_the_first_place():
    metric = metrics.Mean(dtype="float16")
    assert metric.add_weight().dtype == np.float16
    assert metric.add_weight((2, 3), "ones").shape == (2, 3)
    assert metric.add_weight(4).shape == (4,)
    assert metric.add_weight(shape=(2,), dtype="int32").dtype == np.int32
    assert metric.add_weight("counted", initializer="zeros").name == "counted"
    assert metrics.deserialize(metrics.serialize(metrics.Mean(dtype="float16"))).dtype == "float16"
    with pytest.raises(ValueError, match="Mean: dtype must be a dtype of real numbers"):
        metrics.Mean(dtype="flaot32")


def test_variables_that_share_a_name_are_kept_apart():
    metric = metrics.Mean()
    first, second = metric.add_weight(name="x"), metric.add_weight(name="x")
    first.assign(1.0)
    second.assign(2.0)
    other = metrics.Mean()
    made = other.add_weight(name="x"), other.add_weight(name="x")
    other.load_state_arrays(metric.state_arrays())
    assert [float(v) for v in made] == [1, 2]


def test_a_constructor_that_forgets_its_base_is_told_so():
    class Forgetful(metrics.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    with pytest.raises(RuntimeError, match=r"Forgetful: call super\(\).__init__\(\) first"):
        Forgetful()


def test_a_misspelt_argument_names_the_one_that_was_meant():
    with pytest.raises(TypeError, match=r"no argument 'treshold'\. Did you mean 'threshold'"):
        metrics.BinaryAccuracy(treshold=0.3)
    with pytest.raises(TypeError, match=r"no argument 'from_logit'\. Did you mean 'from_logits'"):
        metrics.CategoricalCrossentropy(from_logit=True)


@pytest.mark.parametrize("kind", ["loss", "metric"])
def test_targets_without_an_axis_meet_a_column_as_a_column(kind):
    def error(y_true, y_pred):
        return np.abs(y_true - y_pred).mean(axis=-1)

    model = mg.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    is_loss = kind == "loss"
    model.compile("sgd", error if is_loss else None, metrics=[] if is_loss else [error])
    x = np.array([[1.0], [5.0]])
    found = model.evaluate(x, np.array([1.0, 4.0]), return_dict=True)
    assert found["loss" if kind == "loss" else "error"] == 0.5


class TestAUC:
    def test_it_is_how_often_a_positive_is_above_a_negative(self):
        rng = np.random.default_rng(0)
        y, p = rng.integers(0, 2, 60), rng.integers(0, 11, 60) / 10
        p = np.clip(p, 0.02, 0.98)  # between the thresholds
        above = np.subtract.outer(p[y == 1], p[y == 0])
        expected = ((above > 0) + 0.5 * (above == 0)).mean()
        assert metrics.AUC(num_thresholds=1001)(y, p) == pytest.approx(expected)

    def test_the_curve_may_be_in_small_letters(self):
        assert metrics.AUC(curve="pr").curve == "PR"

    def test_logits_are_squashed(self):
        y, x = [0, 1, 1, 0], np.array([-800.0, 2.0, -1.0, 0.5])
        with np.errstate(over="ignore"):
            expected = metrics.AUC()(y, 1 / (1 + np.exp(-x)))
        assert metrics.AUC(from_logits=True)(y, x) == expected

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"num_thresholds": 1}, "num_thresholds"),
            ({"curve": "gain"}, "curve must be one of 'ROC', 'PR'"),
            ({"summation_method": "trapezoid"}, "summation_method must be one of"),
            ({"thresholds": [0.5, 1.5]}, "thresholds"),
            ({"from_logits": "yes"}, "from_logits"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=f"AUC: {message}"):
            metrics.AUC(**arguments)

    def test_several_labels_are_not_there(self):
        with pytest.raises(TypeError, match="AUC takes no argument 'multi_label'"):
            metrics.AUC(multi_label=True)
