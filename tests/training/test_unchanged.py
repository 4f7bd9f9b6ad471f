"""What a program could not see, and what therefore ends it or stays eager from the beginning."""

import copy
import sys
import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad import activations, layers, losses, optimizers, regularizers
from minigrad.engine.table import TABLE
from minigrad.training.unchanged import Snapshot, is_all_ours
from tests.training.test_replay import NoReplays, X, autoencoder, is_replaying, train

# Numbers from anywhere are a tanh's or a relu's targets here.
pytestmark = pytest.mark.filterwarnings("ignore:.*targets out of reach")


@pytest.fixture(autouse=True)
def table_as_it_was():
    """Forget the ops that a test makes: that of np.positive would be used by all."""
    before = dict(TABLE)
    yield
    TABLE.clear()
    TABLE.update(before)


def built(**changes):
    model = autoencoder(**changes)
    model(X[:1])
    return model


def twins(make, *arguments):
    """Two equal things that models are part of; the second one's models stay eager."""
    ours, expected = make(*arguments), make(*arguments)
    for model in vars(expected).values():
        if isinstance(model, mg.Model):
            model._replays = NoReplays()
    return ours, expected


def assert_same_weights(model, other):
    for ours, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


# ---- a user's own parts, in places where they are not seen at once -----------------------------


def with_own_op(factor):
    op = mg.custom_gradient(lambda g, z, x: g * factor[0])(lambda x: x * factor[0])
    return mg.Sequential(layers.Dense(6, op, input_dim=6))


def with_own_rule_alone(factor):
    op = mg.custom_gradient(lambda g, z, x: g * factor[0])(np.positive)
    return mg.Sequential(layers.Dense(6, op, input_dim=6))


def with_a_regularizer_that_was_given_a_function(factor):
    regularizer = regularizers.L2(0.1)
    regularizer.measure = lambda w: factor[0] * (w * w).sum()
    return mg.Sequential(layers.Dense(6, kernel_regularizer=regularizer, input_dim=6))


def with_a_function_among_arguments(factor):
    arguments = {"functions": [{"first": lambda x: x * factor[0]}]}
    return mg.Sequential(layers.Lambda(np.tanh, arguments=arguments))


def with_a_part_of_a_function(factor):
    return mg.Sequential(layers.Dense(6, partial(np.multiply, factor[0]), input_dim=6))


@pytest.mark.parametrize(
    "make",
    [
        with_own_op,
        with_own_rule_alone,
        with_a_regularizer_that_was_given_a_function,
        with_a_function_among_arguments,
        with_a_part_of_a_function,
    ],
)
def test_functions_of_a_user_are_found_where_they_hide(make):
    assert not is_all_ours(make([1.0]))


@pytest.mark.parametrize("make", [with_own_op, with_own_rule_alone])
def test_an_op_of_the_user_sees_what_it_depends_on_change(make):
    weights = []
    for is_eager in (False, True):
        factor = [1.0]
        mg.set_seed(0)
        model = make(factor)
        model.compile("sgd", "mse")
        if is_eager:
            model._replays = NoReplays()
        train(model, X, X, steps=6)
        factor[0] = 5.0
        train(model, X, X, steps=2)
        weights.append(model.get_weights())
    for ours, expected in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_method_of_a_loss_that_somebody_replaced_stays_eager():
    loss = losses.MeanSquaredError()
    loss.mean = lambda y, p: ((y - p) ** 2).mean()
    assert not is_all_ours(built(loss=loss))
    assert is_all_ours(built(loss=losses.MeanSquaredError()))


def test_a_ufunc_with_a_rule_of_the_user_stays_eager(monkeypatch):
    model = mg.Sequential(layers.Dense(6, np.tanh, input_dim=6))
    assert is_all_ours(model)
    monkeypatch.setitem(TABLE, np.tanh, lambda x: x * 2)
    assert not is_all_ours(model)


PATCHES = {
    "tanh": ("tanh", {"activation": "tanh"}, "mse"),
    "exponential": ("exp", {"activation": "exponential"}, "mse"),
    "gelu": ("tanh", {"activation": activations.gelu}, "mse"),
    "mish": ("tanh", {"activation": "mish"}, "mse"),
    "softsign": ("abs", {"activation": "softsign"}, "mse"),
    "huber": ("abs", {}, "huber"),
    "log_cosh": ("abs", {}, "log_cosh"),
    "hinge": ("maximum", {}, "hinge"),
}


@pytest.mark.parametrize(("name", "layer", "loss"), PATCHES.values(), ids=PATCHES)
def test_a_function_of_numpy_that_is_replaced_takes_effect_at_once(monkeypatch, name, layer, loss):
    model = mg.Sequential(layers.Dense(6, **layer, input_dim=6, seed=0))
    model.compile("sgd", loss)
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    x = X[:8, :6]
    for _ in range(6):
        assert model.train_on_batch(x, x) == twin.train_on_batch(x, x)
    original = getattr(np, name)
    monkeypatch.setattr(np, name, lambda *operands: 2 * original(*operands))
    for _ in range(3):
        assert model.train_on_batch(x, x) == twin.train_on_batch(x, x)
    assert_same_weights(model, twin)


@pytest.mark.parametrize("steps_before", [0, 6])
def test_a_method_that_is_replaced_on_a_class_takes_effect_at_once(monkeypatch, steps_before):
    original = layers.Dense.call
    model, expected = built(), built()
    expected._replays = NoReplays()
    for each in (model, expected):
        train(each, X, X, steps=steps_before)
    factor = [2.0]
    monkeypatch.setattr(layers.Dense, "call", lambda self, x: original(self, x) * factor[0])
    for factor[0] in (2.0, 3.0):
        assert train(model, X, X, steps=5) == train(expected, X, X, steps=5)


def test_a_list_deep_in_a_setting_is_watched():
    inner = [1.0, 2.0]
    model = mg.Sequential(layers.Lambda(np.tanh, arguments={"deep": ({"factors": inner},)}))
    snapshot = Snapshot(model)
    assert snapshot.still_holds()
    inner[0] = 3.0
    assert not snapshot.still_holds()


# ---- hooks ---------------------------------------------------------------------------------------


def test_a_hook_is_called_once_in_each_step_and_is_given_arrays():
    seen = []

    def hook(g):
        seen.append(type(g))
        return g.copy() * 2

    model, expected = built(), built()
    expected._replays = NoReplays()
    removals = [each.layers[0].kernel.register_hook(hook) for each in (model, expected)]
    for each in (model, expected):
        train(each, X, X, steps=6)
    assert seen == [np.ndarray] * 12
    for remove in removals:
        remove()
    assert train(model, X, X) == train(expected, X, X)
    assert is_replaying(model)


# ---- the optimizer -------------------------------------------------------------------------------


def encoder_and_whole():
    mg.set_seed(1)
    encoder = mg.Sequential(layers.Dense(4, "tanh", input_dim=6), name="encoder")
    whole = mg.Sequential(encoder, layers.Dense(6, input_dim=4))
    optimizer = optimizers.SGD(0.1)
    whole.compile(optimizer, "mse")
    encoder.compile(optimizer, "mse")
    return SimpleNamespace(encoder=encoder, whole=whole)


def test_an_optimizer_of_two_models_forgets_the_gradients_of_the_other():
    ours, expected = twins(encoder_and_whole)
    for models in (ours, expected):
        train(models.whole, X, X, steps=6)
        for step in range(6):
            models.encoder.train_on_batch(X[:8], X[:8, :4])
            train(models.whole, X[step:], X[step:], steps=1)
    assert is_replaying(ours.whole)
    assert is_replaying(ours.encoder)
    assert_same_weights(ours.whole, expected.whole)


class AddsUp(optimizers.SGD):
    """Forgets gradients in every second step."""

    steps = 0

    def zero_grad(self):
        self.steps += 1
        if self.steps % 2:
            super().zero_grad()


def test_an_optimizer_that_adds_up_gradients_of_several_steps():
    model, expected = built(), built()
    expected._replays = NoReplays()
    for each in (model, expected):
        each.compile(AddsUp(0.01), "mse")
    expected._replays = NoReplays()
    for each in (model, expected):
        train(each, X, X, steps=9)
    assert_same_weights(model, expected)


def test_zero_grad_that_is_replaced_takes_effect_in_the_next_step():
    model, expected = built(), built()
    expected._replays = NoReplays()
    for each in (model, expected):
        train(each, X, X, steps=6)
        each.optimizer.zero_grad = lambda: None
        train(each, X, X, steps=3)
    assert_same_weights(model, expected)


def test_a_weight_that_the_optimizer_does_not_know_is_refused_in_the_next_step():
    model = built()
    train(model, X, X, steps=6)
    assert is_replaying(model)
    model.layers[0].add_weight("scale", (2,))
    with pytest.raises(RuntimeError, match="built without 'codings/scale'"):
        train(model, X, X, steps=1)


# ---- other models, other threads -----------------------------------------------------------------


def test_a_shallow_copy_has_settings_of_its_own():
    model = built()
    train(model, X, X, steps=6)
    twin = copy.copy(model)
    twin.loss_weights = 9.0
    before = model.test_on_batch(X[:8], X[:8], return_dict=True)["data"]
    found = twin.train_on_batch(X[:8], X[:8], return_dict=True)["data"]
    assert found == pytest.approx(9 * before)


def test_metrics_that_are_added_later_see_predictions():
    model = built()
    train(model, X, X, steps=6)
    model.compiled_metrics.append(mg.metrics.get("mae"))
    assert train(model, X, X, steps=1)[0].keys() >= {"mae"}


def test_a_metric_that_turns_to_another_layer_sees_it_in_the_next_step():
    metric = mg.metrics.ActiveUnits("codings")
    model = built(metrics=[metric])
    train(model, X, X, steps=6)
    assert is_replaying(model)
    metric.layer = "outputs"
    found = train(model, X, X, steps=1)[0]
    other = mg.metrics.ActiveUnits("outputs")
    expected = built(metrics=[other])
    expected._replays = NoReplays()
    train(expected, X, X, steps=6)
    assert found[metric.name] == train(expected, X, X, steps=1)[0][other.name]


def test_penalties_of_a_model_that_predicts_in_a_layers_call_are_handed_on_every_time():
    inner = built()

    class Asks(layers.Layer):
        def call(self, x):
            return x + self.ask[0](X[: len(x)]).mean()

    asking = Asks(input_dim=6)
    asking.ask = [inner.predict]
    model = mg.Sequential(asking, layers.Dense(6))
    model.compile("sgd", "mse")
    terms = [step.keys() for step in train(model, X, X)]
    assert all(names == terms[0] for names in terms)


def test_threads_that_predict_with_one_model_do_not_disturb_each_other():
    model = built()
    batches = [np.random.default_rng(seed).normal(size=(400, 6)) for seed in range(4)]
    expected = [model.predict(batch, batch_size=400) for batch in batches]
    wrong = []

    def run(batch, output):
        found = (model.predict(batch, batch_size=400) for _ in range(300))
        wrong.extend(values for values in found if not np.array_equal(values, output))

    threads = [
        threading.Thread(target=run, args=pair) for pair in zip(batches, expected, strict=True)
    ]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_recording_a_prediction_puts_no_moving_averages_back():
    model = mg.Sequential(layers.BatchNormalization(), layers.Dense(6))
    model.compile("sgd", "mse")
    model(X[:1])
    before = [weight._value for weight in model.weights]
    for _ in range(4):
        model.predict(X[:8])
        model.evaluate(X[:8], X[:8])
    assert all(weight._value is value for weight, value in zip(model.weights, before, strict=True))
