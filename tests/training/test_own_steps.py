"""Steps that a subclass defines: train_step, test_step, predict_step, compute_loss and its kin."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, losses, metrics, optimizers
from minigrad.callbacks import BackupAndRestore, Callback, LambdaCallback, TerminateOnNaN

X = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
Y = (X[:, :1] - 2 * X[:, 1:2]).astype(np.float32)


def parts():
    return [
        layers.Dense(3, "tanh", kernel_regularizer="l2", activity_regularizer="l1", input_dim=4),
        layers.Dense(1),
    ]


def made(kind=mg.Sequential, optimizer="adam", loss="mse", **compiled):
    mg.set_seed(0)
    model = kind(parts(), seed=0)
    model.compile(optimizer, loss, **compiled)
    return model


def assert_same_weights(model, other):
    for ours, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


class Explicit(mg.Sequential):
    """The step of Keras' guide, with its backward pass written out."""

    def train_step(self, data):
        x, y, sample_weight = mg.utils.unpack_x_y_sample_weight(data)
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
        loss.backward()
        trainable_weights = list(self.trainable_weights)
        gradients = [v.value.grad for v in trainable_weights]
        with mg.no_grad():
            self.optimizer.apply(gradients, trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class BySuper(mg.Sequential):
    """The usual step, with something beside it."""

    def train_step(self, data):
        return {**super().train_step(data), "mine": 10.0}

    def test_step(self, data):
        return {**super().test_step(data), "mine": 5.0}


@pytest.mark.parametrize("kind", [Explicit, BySuper])
@pytest.mark.parametrize("weights", [None, np.linspace(0, 2, len(X))])
def test_a_step_written_out_trains_bit_for_bit_as_the_usual_one(kind, weights):
    ours, usual = made(kind, metrics=["mae"]), made(metrics=["mae"])
    arguments = {"batch_size": 7, "epochs": 3, "verbose": 0, "sample_weight": weights}
    found, expected = ours.fit(X, Y, **arguments), usual.fit(X, Y, **arguments)
    assert_same_weights(ours, usual)
    for name in ("loss", "mae"):
        assert found.history[name] == pytest.approx(expected.history[name], rel=1e-6)


def test_what_a_step_returns_is_in_logs_history_and_progress(capsys):
    seen = []
    watch = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(dict(logs)))
    model = made(BySuper)
    history = model.fit(X, Y, epochs=2, verbose=2, callbacks=[watch], validation_data=(X, Y))
    assert history.history["mine"] == [10.0, 10.0]
    assert history.history["val_mine"] == [5.0, 5.0]
    assert all(logs["mine"] == 10.0 for logs in seen)
    assert "mine 10" in capsys.readouterr().out
    assert model.evaluate(X, Y, return_dict=True)["mine"] == 5.0
    assert model.evaluate(X, Y)[1] == 5.0
    assert model.train_on_batch(X, Y, return_dict=True)["mine"] == 10.0
    assert model.test_on_batch(X, Y, return_dict=True)["mine"] == 5.0


@pytest.mark.parametrize(
    ("arguments", "expected"), [((X,), 1), ((X, Y), 2), ((X, Y, np.ones(len(X))), 3)]
)
def test_data_are_what_fit_was_given(arguments, expected):
    seen = []

    class Looks(mg.Sequential):
        def train_step(self, data):
            seen.append(data)
            return {}

    x, *further = arguments
    names = ("y", "sample_weight")
    made(Looks).fit(x, **dict(zip(names, further, strict=False)), batch_size=12, verbose=0)
    assert len(seen) == 2
    assert all(len(data) == (12 if expected == 1 else expected) for data in seen)


def test_a_step_is_found_wherever_it_was_defined():
    def replaced(data):
        return {"loss": 7.0}

    model = made()
    model.fit(X, Y, epochs=5, verbose=0)  # is replayed by now
    model.train_step = replaced
    assert model.fit(X, Y, verbose=0).history == {"loss": [7.0]}
    del model.train_step
    assert model.fit(X, Y, verbose=0).history["loss"] != [7.0]


def test_a_step_of_ones_own_is_made_anew_each_time():
    class Counts(mg.Sequential):
        strength = 1.0

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return self.strength * super().compute_loss(x, y, y_pred, sample_weight, training)

    model, usual = made(Counts, "sgd"), made()
    model.fit(X, Y, epochs=6, verbose=0)
    model.strength = 100.0
    usual.set_weights(model.get_weights())
    assert model.evaluate(X, Y) == pytest.approx(100 * usual.evaluate(X, Y), rel=1e-5)
    before = model.get_weights()
    assert model.train_on_batch(X, Y) == pytest.approx(100 * usual.evaluate(X, Y), rel=1e-5)
    assert (model.get_weights()[0] != before[0]).any()


def test_a_compute_loss_without_the_argument_training_is_called_without_it():
    class Old(mg.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 2 * super().compute_loss(x, y, y_pred, sample_weight)

    model, usual = made(Old), made()
    assert model.evaluate(X, Y) == pytest.approx(2 * usual.evaluate(X, Y), rel=1e-6)
    model.fit(X, Y, verbose=0)


def test_a_predict_step_predicts():
    class Squares(mg.Sequential):
        def predict_step(self, data):
            return super().predict_step(data) ** 2

    model = made(Squares)
    expected = model(X).numpy() ** 2
    np.testing.assert_allclose(model.predict(X, batch_size=5), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict(iter([X[:9], X[9:]])), expected, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), expected, rtol=1e-5)


# ---- metrics ------------------------------------------------------------------------------------


class Counting(layers.Layer):
    """A layer with a metric of its own."""

    def __init__(self):
        super().__init__()
        self.mean = metrics.Mean("mean_output")

    def call(self, x):
        self.mean.update_state(x.detach().numpy().mean())
        return x


class Measured(mg.Model):
    def __init__(self):
        super().__init__(seed=0)
        self.hidden, self.counting, self.last = layers.Dense(3), Counting(), layers.Dense(1)
        self.trackers = [metrics.Mean("first"), {"second": metrics.Mean("second")}["second"]]

    def call(self, x):
        return self.last(self.counting(self.hidden(x)))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        for value, tracker in enumerate(self.trackers, 1):
            tracker.update_state(value)
        return super().compute_metrics(x, y, y_pred, sample_weight)


def test_metrics_in_attributes_lists_and_layers_are_tracked_and_reset():
    model = Measured()
    assert model.metrics_names == ["first", "second", "mean_output"]
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss", "mae", "first", "second", "mean_output"]
    history = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history
    assert list(history) == ["loss", "mae", "first", "second", "mean_output"]
    assert history["first"] == [1.0, 1.0]
    assert history["second"] == [2.0, 2.0]
    assert model.get_metrics_result().keys() == history.keys()
    model.reset_metrics()
    assert model.get_metrics_result()["first"] == 0.0


def test_the_loss_tracker_is_honest_without_steps_of_ones_own():
    model = made(metrics=["mae"])
    history = model.fit(X, Y, epochs=5, verbose=0).history
    assert model.metrics[0].result() == history["loss"][-1]
    assert model.get_metrics_result() == {name: series[-1] for name, series in history.items()}
    loss, mae = model.evaluate(X, Y)
    assert [metric.result() for metric in model.metrics] == [loss, mae]


def test_a_model_may_name_its_metrics_itself():
    class Autoencoder(mg.Model):
        def __init__(self):
            super().__init__(seed=0)
            self.inner = layers.Dense(4)
            self.loss_tracker = metrics.Mean(name="loss")

        @property
        def metrics(self):
            return [self.loss_tracker]

        def call(self, x):
            return self.inner(x)

        def train_step(self, data):
            self.zero_grad()
            loss = losses.mean_squared_error(data, self(data, training=True))
            loss.backward()
            self.optimizer.apply([w.grad for w in self.trainable_weights], self.trainable_weights)
            self.loss_tracker.update_state(loss)
            return {"loss": self.loss_tracker.result()}

    model = Autoencoder()
    model.compile(optimizer=optimizers.Adam(0.1))
    series = model.fit(X, epochs=20, batch_size=12, verbose=0).history["loss"]
    assert series[-1] < series[0] / 2
    assert model.metrics_names == ["loss"]


def test_a_layers_output_is_measured_in_a_step_of_ones_own():
    watching = [metrics.ActiveUnits("dense")]
    ours, usual = made(BySuper, metrics=watching), made(metrics=copy.deepcopy(watching))
    ours.fit(X, Y, verbose=0)
    usual.fit(X, Y, verbose=0)
    assert watching[0].result() == usual.metrics[1].result()

    class Never(mg.Sequential):
        def train_step(self, data):
            return self.compute_metrics(*data, y_pred=data[1])

    with pytest.raises(ValueError, match="looks at layer 'dense', which this step has not called"):
        made(Never, metrics=[metrics.ActiveUnits("dense")]).fit(X, Y, verbose=0)


def test_an_evaluation_in_the_midst_of_an_epoch_leaves_its_means_alone():
    class Evaluates(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(X[:3], Y[:3])
            self.model.test_on_batch(X[:3], Y[:3])

    disturbed, usual = made(metrics=["mae"]), made(metrics=["mae"])
    arguments = {"batch_size": 8, "epochs": 2, "verbose": 0}
    found = disturbed.fit(X, Y, callbacks=[Evaluates()], **arguments)
    assert found.history == usual.fit(X, Y, **arguments).history


# ---- penalties ----------------------------------------------------------------------------------


class InParts(mg.Model):
    """Calls its parts and never itself, as variational autoencoders do."""

    def __init__(self):
        super().__init__(seed=0)
        self.encoder = mg.Sequential(parts()[:1])
        self.decoder = layers.Dense(1)
        self.whole = mg.Sequential([self.encoder, self.decoder])

    def call(self, x):
        return self.whole(x)

    def train_step(self, data):
        x, y = data
        loss = self.compute_loss(y=y, y_pred=self.decoder(self.encoder(x, training=True)))
        assert self._backward(loss)
        self.optimizer.step()
        return {"loss": loss}


def test_penalties_of_parts_that_are_called_alone_count():
    mg.set_seed(0)
    model = InParts()
    model.compile("sgd", "mse")
    model(X)
    expected = model.evaluate(X, Y)
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-6)
    assert expected > losses.mean_squared_error(Y, model(X)).item()


def test_a_model_that_never_calls_itself_is_trained_and_saved(tmp_path):
    @mg.register_serializable()
    class Halves(mg.Model):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.encoder = layers.Dense(2, input_dim=4)
            self.decoder = layers.Dense(4, input_dim=2)

        def train_step(self, data):
            self.zero_grad()
            loss = losses.mean_squared_error(data, self.decoder(self.encoder(data)))
            loss.backward()
            weights = self.trainable_weights
            self.optimizer.apply([weight.grad for weight in weights], weights)
            return {"loss": loss}

        def get_config(self):
            return {"name": self.name}

    model = Halves()
    model.compile(optimizers.Adam(0.05))
    backup = BackupAndRestore(tmp_path, save_freq=1)
    series = model.fit(X, epochs=20, verbose=0, callbacks=[backup]).history["loss"]
    assert series[-1] < series[0] / 2
    model.save(tmp_path / "halves.npz")
    assert_same_weights(mg.load(tmp_path / "halves.npz"), model)


def test_losses_in_a_test_step_are_of_its_batch_and_afterwards_as_before():
    class Looks(mg.Sequential):
        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            data_term = losses.mean_squared_error(y, y_pred)
            return {"loss": data_term + sum(self.losses)}

    model, usual = made(Looks), made()
    model.train_on_batch(X[:5], Y[:5])
    usual.train_on_batch(X[:5], Y[:5])
    before = [float(term) for term in model.losses]
    assert model.evaluate(X, Y, batch_size=len(X)) == pytest.approx(
        usual.evaluate(X, Y, batch_size=len(X)), rel=1e-6
    )
    assert [float(term) for term in model.losses] == before


# ---- what goes wrong ----------------------------------------------------------------------------


def test_a_loss_that_becomes_nan_is_seen_before_the_step():
    model = made(Explicit, loss=lambda y, p: p.sum() * np.inf)
    before = model.get_weights()
    with pytest.raises(mg.NonFiniteLossError, match="The step was not made"):
        model.fit(X, Y, verbose=0)
    assert all((ours == was).all() for ours, was in zip(model.get_weights(), before, strict=True))


def test_a_nan_that_only_the_logs_show_says_that_the_step_has_been_made():
    class Lost(mg.Sequential):
        def train_step(self, data):
            return {"d_loss": np.nan}

    with pytest.raises(mg.NonFiniteLossError, match=r"'d_loss' is nan, and the step has been made"):
        made(Lost).fit(X, Y, verbose=0)
    history = made(Lost).fit(X, Y, verbose=0, callbacks=[TerminateOnNaN()]).history
    assert np.isnan(history["d_loss"]).all()


@pytest.mark.parametrize("returned", [None, 3.0, [("loss", 1.0)]])
def test_a_step_must_return_a_dict(returned):
    class Forgets(mg.Sequential):
        def train_step(self, data):
            return returned

    with pytest.raises(TypeError, match="train_step of model 'forgets': expected a dict"):
        made(Forgets).fit(X, Y, verbose=0)


@pytest.mark.parametrize("value", [[1.0, 2.0], "much", None])
def test_what_it_returns_are_numbers(value):
    class Returns(mg.Sequential):
        def train_step(self, data):
            return {"loss": value}

    with pytest.raises(ValueError, match="train_step of model 'returns': 'loss' gives"):
        made(Returns).fit(X, Y, verbose=0)


# ---- several optimizers -------------------------------------------------------------------------


@mg.register_serializable()
class Gan(mg.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.generator = mg.Sequential([layers.Dense(4, input_dim=2)], name="generator")
        self.discriminator = mg.Sequential([layers.Dense(1, input_dim=4)], name="discriminator")
        self.d_tracker, self.g_tracker = metrics.Mean("d_loss"), metrics.Mean("g_loss")

    def call(self, noise):
        return self.discriminator(self.generator(noise))

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn

    def train_step(self, data):
        noise = data[:, :2]
        images = np.concatenate([self.generator(noise).detach().numpy(), data])
        labels = np.repeat([[1.0], [0.0]], len(data), axis=0)
        self.discriminator.zero_grad()
        d_loss = self.loss_fn(labels, self.discriminator(images))
        d_loss.backward()
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply([w.value.grad for w in weights], weights)
        self.generator.zero_grad()
        g_loss = self.loss_fn(np.zeros((len(data), 1)), self(noise))
        g_loss.backward()
        weights = self.generator.trainable_weights
        self.g_optimizer.apply([w.value.grad for w in weights], weights)
        self.d_tracker.update_state(d_loss)
        self.g_tracker.update_state(g_loss)
        return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}

    def get_config(self):
        return {"name": self.name}


class CrashError(Exception):
    pass


class CrashAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        if self.loop.epoch == 1 and batch == self.step:
            raise CrashError

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and self.step == "end":
            raise CrashError


def train_gan(folder, crash_at=-1):
    mg.set_seed(0)
    model = Gan(name="gan", seed=0)
    model(X[:1, :2])
    loss = losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), optimizers.SGD(0.1, momentum=0.9), loss)
    backup = BackupAndRestore(folder, save_freq=1)
    callbacks = [backup, CrashAt(crash_at)]
    return model, model.fit(X, batch_size=5, epochs=3, verbose=0, callbacks=callbacks)


@pytest.mark.parametrize("crash_at", [0, 2, 4, "end"])
def test_a_model_of_several_optimizers_resumes_bit_for_bit(tmp_path, crash_at):
    expected, history = train_gan(tmp_path / "whole")
    with pytest.raises(CrashError):
        train_gan(tmp_path / "broken", crash_at)
    found, other = train_gan(tmp_path / "broken")
    assert other.record() == history.record()
    assert list(history.history) == ["d_loss", "g_loss"]
    assert_same_weights(found, expected)


def test_a_model_with_a_compile_of_its_own_is_loaded_without_it(tmp_path):
    model, _ = train_gan(tmp_path / "backup")
    model.save(tmp_path / "gan.npz")
    loaded = mg.load(tmp_path / "gan.npz")
    assert not loaded.compiled
    assert_same_weights(loaded, model)


# ---- run_eagerly --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["compile", "attribute"])
def test_run_eagerly_makes_each_step_anew_with_the_same_bits(how, monkeypatch):
    def refused(*arguments):
        raise AssertionError("a pass is recorded")

    ours, replayed = made(run_eagerly=how == "compile"), made()
    ours.run_eagerly = True
    assert ours.run_eagerly
    assert not replayed.run_eagerly
    replayed.fit(X, Y, epochs=6, verbose=0)
    monkeypatch.setattr("minigrad.training.recording.record_step", refused)
    ours.fit(X, Y, epochs=6, verbose=0)
    assert_same_weights(ours, replayed)
    assert copy.deepcopy(ours).run_eagerly
    ours.run_eagerly = False
    with pytest.raises(AssertionError, match="a pass is recorded"):
        ours.fit(X, Y, epochs=6, verbose=0)


def test_a_name_that_awaits_shapes_is_a_metric_for_a_step_of_ones_own():
    labels = (Y > 0).astype(np.float32)
    ours, usual = made(Explicit, metrics=["accuracy"]), made(metrics=["accuracy"])
    assert [metric.name for metric in ours.metrics] == ["loss", "accuracy"]
    assert ours.metrics[1].result() == 0.0
    found = ours.fit(X, labels, epochs=2, batch_size=9, verbose=0).history
    expected = usual.fit(X, labels, epochs=2, batch_size=9, verbose=0).history
    assert found["accuracy"] == expected["accuracy"]
    assert type(ours.metrics[1]) is metrics.BinaryAccuracy


@pytest.mark.parametrize("is_built", [False, True])
@pytest.mark.parametrize("copied", [lambda model: model, copy.deepcopy])
def test_the_compiled_optimizer_knows_the_parameters_by_itself(is_built, copied):
    model = mg.Sequential([layers.Dense(1), layers.BatchNormalization()])
    if is_built:
        model(X)
    model.compile("sgd", "mse")
    model = copied(model)
    model.optimizer.zero_grad()
    model.loss_terms(X, Y, training=True).total().backward()
    model.optimizer.step()
    assert model.optimizer.iterations == 1
    model.zero_grad()
    assert all(weight.grad is None for weight in model.weights)


class Stepping(mg.Sequential):
    def train_step(self, data):
        x, y = data
        self.optimizer.zero_grad()
        loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        loss.backward()
        self.optimizer.step()
        return {"loss": loss}


def test_a_train_step_may_let_the_compiled_optimizer_step():
    model, usual = made(Stepping, optimizer := optimizers.SGD(0.1)), made(optimizer="sgd")
    usual.optimizer.learning_rate = 0.1
    for trained in (model, usual):
        trained.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    assert optimizer.iterations == 6
    assert_same_weights(model, usual)
