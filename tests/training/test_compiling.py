"""What `compile` takes, and what a compiled model shows of it."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, metrics, optimizers

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
Y = X[:, :1] * 2
W = np.linspace(0, 1, 20)


def made(**compiled):
    mg.set_seed(0)
    model = mg.Sequential([layers.Dense(2, "tanh", input_dim=3), layers.Dense(1, name="price")])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


@pytest.mark.parametrize(
    "compiled",
    [
        {"loss": ["mse"], "loss_weights": [0.5], "metrics": [["mae"]]},
        {"loss": {"price": "mse"}, "loss_weights": {"price": 0.5}, "metrics": {"price": "mae"}},
        {"loss": {"price": ["mse"]}, "loss_weights": 0.5, "metrics": {"price": ["mae"]}},
        {"loss_weights": 0.5, "metrics": ("mae",)},
    ],
)
def test_what_belongs_to_the_one_output_may_stand_in_a_list_or_by_its_name(compiled):
    model, usual = made(**compiled), made(metrics=["mae"])
    loss, mae = usual.evaluate(X, Y)
    assert model.evaluate(X, Y) == pytest.approx([loss / 2, mae])
    assert list(model.fit(X, Y, verbose=0).history) == ["loss", "data", "mae"]


@pytest.mark.parametrize(
    ("compiled", "message"),
    [
        ({"loss": {"cost": "mse"}}, "loss is a dict with 'cost', and the model has one, 'price'"),
        ({"loss": ["mse", "mae"]}, "loss has 2 entries, and model 'sequential' has one output"),
        ({"loss_weights": [1, 2]}, "loss_weights has 2 entries"),
        ({"metrics": {"cost": "mse"}}, "metrics is a dict with 'cost'"),
        ({"metrics": "mse"}, "metrics must be a list"),
        ({"steps_per_execution": 0}, "steps_per_execution must be a positive integer"),
    ],
)
def test_what_does_not_fit_the_output_is_refused(compiled, message):
    with pytest.raises(ValueError, match=message):
        made(**compiled)


@pytest.mark.parametrize("name", ["mae", "mape", metrics.MeanSquaredError])
def test_a_metric_with_and_without_weights_has_two_names(name):
    def one():
        return name if isinstance(name, str) else name()

    model = made(metrics=[one()], weighted_metrics=[one()])
    history = model.fit(X, Y, sample_weight=W, verbose=0).history
    called = one() if isinstance(name, str) else one().name
    assert list(history) == ["loss", "data", called, f"weighted_{called}"]
    assert model.metrics_names == ["loss", called, f"weighted_{called}"]
    alone = made(weighted_metrics=[one()])
    assert list(alone.fit(X, Y, sample_weight=W, verbose=0).history) == ["loss", "data", called]


def test_arguments_that_change_nothing_here_are_accepted():
    model, usual = made(jit_compile=True, steps_per_execution=4, auto_scale_loss=False), made()
    assert model.fit(X, Y, verbose=0).history == usual.fit(X, Y, verbose=0).history


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.fit(X, Y, epoch=3), "fit takes no argument 'epoch'. Did you mean 'epochs'"),
        (lambda m: m.compile(optimiser="sgd"), "compile .*Did you mean 'optimizer'"),
        (lambda m: m.evaluate(X, Y, sample_weights=W), "evaluate .*Did you mean 'sample_weight'"),
        (lambda m: m.predict(X, batchsize=2), "predict .*Did you mean 'batch_size'"),
        (lambda m: m.fit(X, Y, zzz=3), "fit takes no argument 'zzz'. Known: x, y, batch_size"),
    ],
)
def test_a_misspelt_argument_says_which_was_meant(call, message):
    with pytest.raises(TypeError, match=message):
        call(made())


def test_whether_it_is_compiled():
    model = mg.Sequential([layers.Dense(1)])
    assert not model.compiled
    assert model.metrics == []
    model.compile()
    assert model.compiled
    assert model.metrics_names == ["loss"]


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5])
def test_another_optimizer_may_be_given_between_two_steps(steps):
    ours, expected = made(), made()
    for model in (ours, expected):
        for _ in range(steps):
            model.train_on_batch(X, Y)
    ours.optimizer = optimizers.Adam(0.01)
    expected.compile(optimizers.Adam(0.01), "mse")
    for model in (ours, expected):
        for _ in range(6):
            model.train_on_batch(X, Y)
    assert ours.optimizer.iterations == 6
    for found, values in zip(ours.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(found, values)


# ---- cloning ------------------------------------------------------------------------------------


def functional():
    x = layers.Input((3,))
    shared = layers.Dense(3, name="shared")
    return mg.Model(x, layers.Dense(1, name="last")(layers.Add()([shared(x), shared(shared(x))])))


def renamed(layer):
    return layer.from_config({**layer.get_config(), "name": f"{layer.name}_new"})


@pytest.mark.parametrize("make", [made, functional])
def test_a_clone_has_what_a_function_makes_of_each_layer(make):
    model = make()
    clone = mg.models.clone_model(model, clone_function=renamed)
    assert [layer.name for layer in clone.layers] == [f"{layer.name}_new" for layer in model.layers]
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X), model.predict(X))
    assert clone.layers[0] is not model.layers[0]


@pytest.mark.parametrize("make", [made, functional])
def test_a_clone_may_begin_with_another_input(make):
    begin = layers.Input((3,), name="begin")
    clone = mg.models.clone_model(make(), input_tensors=[begin])
    assert clone.input is begin
    assert clone.predict({"begin": X}).shape == (20, 1)


def test_a_clone_is_compiled_if_the_other_is_and_trained_apart():
    model = made(optimizer=optimizers.Adam(0.1), metrics=["mae"], weighted_metrics=["mse"])
    model.fit(X, Y, verbose=0)
    clone = mg.models.clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert clone.optimizer.learning_rate == 0.1
    assert clone.metrics_names == model.metrics_names
    before = model.get_weights()
    clone.fit(X, Y, verbose=0)
    assert all((ours == was).all() for ours, was in zip(model.get_weights(), before, strict=True))
    assert not mg.models.clone_model(functional()).compiled


def test_a_subclass_is_cloned_as_a_whole_only():
    class Own(mg.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="computed by its own call"):
        mg.models.clone_model(Own(), clone_function=renamed)
