"""What would go wrong without a word in a training run, and the word that minigrad has for it."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense, Layer
from minigrad.optimizers import SGD, Adam

X = np.random.default_rng(0).uniform(0, 1, (12, 3))


def model(loss="mse", **arguments):
    made = mg.Sequential(
        Dense(2, "relu", input_dim=3, seed=0, name="codings"), Dense(3, seed=1, name="pixels"),
        seed=0, **arguments,
    )  # fmt: skip
    made.compile(SGD(0.1), loss)
    return made


def weights(made):
    return {name: parameter.numpy() for name, parameter in made.named_parameters().items()}


def unchanged(before, after):
    return all((after[name] == values).all() for name, values in before.items())


# ---- an optimizer that does not know the weights -----------------------------------------------


@pytest.mark.parametrize("train", ["fit", "train_on_batch"])
def test_a_layer_added_after_training_began_is_not_left_untrained_in_silence(train):
    made = model()
    made.train_on_batch(X, X)
    made.add(Dense(3, name="late"))
    arguments = {"verbose": 0} if train == "fit" else {}
    with pytest.raises(RuntimeError, match=r"built without 'late/kernel'.*Compile the model again"):
        getattr(made, train)(X, X, **arguments)
    made.compile(SGD(0.1), "mse")
    before = made.layers[-1].kernel.numpy()
    made.train_on_batch(X, X)
    assert (made.layers[-1].kernel.numpy() != before).any()


def test_an_optimizer_that_was_built_for_another_model_is_refused():
    first, second = model(), model(name="second")
    first.train_on_batch(X, X)
    second.compile(first.optimizer, "mse")
    with pytest.raises(RuntimeError, match="optimizer of model 'second' was built without"):
        second.fit(X, X, verbose=0)


def test_an_optimizer_of_some_weights_does_if_the_others_are_frozen():
    made = model()
    made.compile(SGD(0.1, parameters=made.layers[1].parameters()), "mse")
    with pytest.raises(RuntimeError, match=r"without 'codings/kernel'.*or freeze that layer"):
        made.fit(X, X, verbose=0)
    made.layers[0].trainable = False
    before = weights(made)
    made.fit(X, X, verbose=0)
    after = weights(made)
    assert (after["codings/kernel"] == before["codings/kernel"]).all()
    assert (after["pixels/kernel"] != before["pixels/kernel"]).any()


def test_compiling_again_with_the_same_optimizer_goes_on_with_its_averages():
    going_on, undisturbed = model(), model()
    for made in (going_on, undisturbed):
        made.compile(Adam(0.01), "mse")
        made.train_on_batch(X, X)
    going_on.compile(going_on.optimizer, "mse")
    for made in (going_on, undisturbed):
        made.train_on_batch(X, X)
    assert going_on.optimizer.iterations == 2
    assert unchanged(weights(going_on), weights(undisturbed))


def frozen():
    made = model()
    made.trainable = False
    return made


def frozen_after_training():
    made = model()
    made.fit(X, X, epochs=6, verbose=0)
    made.trainable = False
    return made


def without_weights():
    made = mg.Sequential(mg.layers.Activation("relu", input_shape=(3,)))
    made.compile(SGD(0.1), "mse")
    return made


@pytest.mark.parametrize("make", [frozen, frozen_after_training, without_weights])
def test_a_model_with_nothing_to_train_reports_its_loss_and_says_so(make):
    made = make()
    made.compile(made.optimizer, "mse", metrics=["mae"])
    before, steps = weights(made), made.optimizer.iterations
    with pytest.warns(UserWarning, match="has no trainable weights"):
        history = made.fit(X, X, epochs=5, verbose=0)
    assert unchanged(before, weights(made))
    assert made.optimizer.iterations == steps
    loss, mae = made.evaluate(X, X)
    assert history.history["loss"] == pytest.approx([loss] * 5)
    assert history.history["mae"] == pytest.approx([mae] * 5)


def test_a_model_that_is_freed_after_an_idle_run_is_trained_again():
    made, twin = frozen(), model()
    with pytest.warns(UserWarning, match="has no trainable weights"):
        made.fit(X, X, epochs=5, verbose=0, shuffle=False)
    made.trainable = True
    for each in (made, twin):
        each.fit(X, X, epochs=5, verbose=0, shuffle=False)
    assert unchanged(weights(made), weights(twin))


def test_layers_frozen_and_freed_between_runs_are_trained_or_not():
    made = model()
    made.fit(X, X, verbose=0)
    made.layers[0].trainable = False
    before = weights(made)
    made.fit(X, X, verbose=0)
    frozen = weights(made)
    assert (frozen["codings/kernel"] == before["codings/kernel"]).all()
    made.layers[0].trainable = True
    made.fit(X, X, verbose=0)
    assert (made.layers[0].kernel.numpy() != before["codings/kernel"]).any()


def test_weights_replaced_between_runs_are_those_that_are_trained():
    made, twin = model(), model()
    made.fit(X, X, verbose=0)
    for ours, other in zip(made.parameters(), twin.parameters(), strict=True):
        ours.data = other.data
    made.fit(X, X, shuffle=False, verbose=0)
    twin.fit(X, X, shuffle=False, verbose=0)
    assert unchanged(weights(made), weights(twin))


# ---- losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [3.0, np.float32(3), None, "low"])
def test_a_loss_that_is_cut_from_the_prediction_is_named(value):
    made = model(lambda y, prediction: value)
    before = weights(made)
    with pytest.raises(TypeError, match=r"loss of model 'sequential' must return a Tensor"):
        made.fit(X, X, verbose=0)
    assert unchanged(before, weights(made))


def test_a_loss_that_detaches_the_prediction_is_an_error():
    made = model(lambda y, prediction: np.square(prediction.detach() - y).mean())
    with pytest.raises(RuntimeError, match="records nothing"):
        made.fit(X, X, verbose=0)


def test_nothing_to_minimise_is_an_error():
    made = model(None)
    with pytest.raises(ValueError, match="nothing to minimise"):
        made.fit(X, verbose=0)


@pytest.mark.parametrize("loss", ["msee", "mean_square_error", "binary"])
def test_an_unknown_loss_is_refused_when_compiling_with_the_nearest_known(loss):
    with pytest.raises(ValueError, match=f"unknown loss '{loss}'. Did you mean"):
        model().compile("sgd", loss)


@pytest.mark.parametrize("optimizer", [3, lambda: None, dict])
def test_what_is_no_optimizer_is_refused_when_compiling(optimizer):
    with pytest.raises(TypeError, match="optimizer"):
        model().compile(optimizer, "mse")


def test_names_classes_configs_and_objects_make_an_optimizer():
    config = mg.optimizers.serialize(SGD(0.3, 0.5))
    for optimizer in ("sgd", SGD, config, SGD(0.3)):
        made = model()
        made.compile(optimizer, "mse")
        assert type(made.optimizer) is SGD
    assert model().optimizer.learning_rate == 0.1


# ---- data --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((X,), "needs targets"),
        ((X, X, X, X), r"expected x, \(x, y\) or \(x, y, sample_weight\). Received: 4 parts"),
        ((X, X, X), "a number, 0 or larger, for each of"),
        (X, "needs targets"),
        ("xy", "batch 1"),
        ({"x": X}, "needs targets"),
    ],
)
def test_validation_data_are_a_pair_or_yield_batches(pair, message):
    with pytest.raises((ValueError, TypeError), match=message):
        model().fit(X, X, validation_data=pair, verbose=0)


def test_bad_validation_data_are_refused_before_the_first_step():
    made = model()
    before = weights(made)
    for pair, message in (
        ((X * np.nan, X), "x holds 36 values"),
        ((X, X[:3]), "same number of samples"),
        ((X[:0], X[:0]), "at least one sample"),
    ):
        with pytest.raises(ValueError, match=message):
            made.fit(X, X, validation_data=pair, verbose=0)
    assert unchanged(before, weights(made))


def test_evaluate_and_predict_refuse_the_same_data_as_fit():
    made = model()
    bad = X.copy()
    bad[3, 1] = np.nan
    for call in (made.predict, made.evaluate, made.train_on_batch, made.trace):
        with pytest.raises(ValueError, match=r"x holds 1 values.*at index \(3, 1\)"):
            call(bad)
        with pytest.raises(TypeError, match="x: expected an array of real numbers"):
            call([["a", "b", "c"]])
        with pytest.raises(ValueError, match="at least one sample"):
            call(X[:0])


@pytest.mark.parametrize("call", ["fit", "train_on_batch"])
def test_a_model_that_is_not_compiled_says_so_first(call):
    made = mg.Sequential(Dense(3, input_dim=3), name="fresh")
    with pytest.raises(ValueError, match="model 'fresh' has not been compiled"):
        getattr(made, call)(X, X)


@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_batch_sizes_are_checked_everywhere(method):
    with pytest.raises(ValueError, match=f"{method}: batch_size must be a positive integer"):
        getattr(model(), method)(X, batch_size=0)


def test_an_error_in_a_layer_leaves_neither_scope_nor_recording_nor_weights_changed():
    class Fails(Layer):
        def call(self, x):
            raise ZeroDivisionError("on purpose")

        def compute_output_shape(self, input_shape):
            return input_shape

    made = mg.Sequential(Dense(3, input_dim=3), Fails(input_shape=(3,), name="fails"), name="outer")
    made.compile("sgd", "mse")
    before = made.layers[0].kernel.numpy()
    for call in (made.fit, made.evaluate, made.trace, lambda x, _: made.predict(x)):
        with pytest.raises(ZeroDivisionError):
            call(X, X)
        assert mg.is_recording()
        assert mg.engine.current_scope() == ""
    assert (made.layers[0].kernel.numpy() == before).all()


def test_training_works_inside_no_grad_and_predicting_records_nothing():
    made = model()
    before = weights(made)
    with mg.no_grad():
        made.fit(X, X, verbose=0)
        trace = made.trace(X, X)
    assert not unchanged(before, weights(made))
    assert trace.gradient("pixels/kernel").any()


@pytest.mark.parametrize(
    "labels", [["cat", "dog"] * 6, np.array(["cat", "dog"] * 6), [["cat"]] * 12]
)
def test_labels_in_words_say_how_they_become_numbers(labels):
    with pytest.raises(TypeError, match=r"names, y = np.unique\(y, return_inverse=True\)"):
        model().fit(X, labels, verbose=0)
    with pytest.raises(TypeError, match="x: expected an array of real numbers") as error:
        model().fit([["a", "b", "c"]] * 12, X, verbose=0)
    assert "np.unique" not in str(error.value)


@pytest.mark.parametrize("eager", [False, True])
def test_a_learning_rate_that_explodes_gives_one_error_and_no_warnings(eager):
    made = model()
    made.compile(SGD(1e9), "mse", run_eagerly=eager)
    with pytest.raises(mg.NonFiniteLossError, match="Try a smaller learning rate"):
        made.fit(X, X, epochs=50, verbose=0)  # a warning would be an error here
    with pytest.raises(mg.NonFiniteLossError):
        for _ in range(50):
            made.train_on_batch(X, X)
