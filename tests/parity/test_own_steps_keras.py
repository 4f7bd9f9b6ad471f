"""Steps that a subclass defines: the same lines in both, with the same numbers."""

import os

import numpy as np
import pytest

import minigrad as mg

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype(np.float32)
Y = RNG.normal(size=(24, 2)).astype(np.float32)
W = RNG.uniform(0, 2, 24).astype(np.float32)
KERNELS = [RNG.normal(size=shape).astype(np.float32) for shape in ((4, 3), (3, 2))]


def written_out(package, no_grad):
    class Model(package.Sequential):
        def train_step(self, data):
            x, y, sample_weight = package.utils.unpack_x_y_sample_weight(data)
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
            loss.backward()
            trainable_weights = list(self.trainable_weights)
            gradients = [v.value.grad for v in trainable_weights]
            with no_grad():
                self.optimizer.apply(gradients, trainable_weights)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, sample_weight=sample_weight)
            return {m.name: m.result() for m in self.metrics}

    return Model


def by_super(package, no_grad):
    class Model(package.Sequential):
        def train_step(self, data):
            logs = super().train_step(data)
            logs["mine"] = 10.0
            return logs

        def test_step(self, data):
            logs = super().test_step(data)
            logs["mine"] = 5.0
            return logs

    return Model


def with_a_loss(package, no_grad):
    class Model(package.Sequential):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.tracker = package.metrics.Mean(name="twice")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = 2 * super().compute_loss(x, y, y_pred, sample_weight, training)
            self.tracker.update_state(loss)
            return loss

    return Model


def with_metrics(package, no_grad):
    class Model(package.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "samples": len(x)}

    return Model


def with_a_tracker_alone(package, no_grad):
    class Model(package.Sequential):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.loss_tracker = package.metrics.Mean(name="loss")
            self.error = package.metrics.MeanAbsoluteError(name="error")

        @property
        def metrics(self):
            return [self.loss_tracker, self.error]

        def train_step(self, data):
            x, y = data[:2]
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = ((y_pred - y) ** 2).mean() + sum(self.losses)
            loss.backward()
            weights = self.trainable_weights
            with no_grad():
                self.optimizer.apply([w.value.grad for w in weights], weights)
            self.loss_tracker.update_state(loss)
            self.error.update_state(y, y_pred)
            return {"loss": self.loss_tracker.result(), "error": self.error.result()}

    return Model


def trained(make, package, no_grad, weighted):
    dense = package.layers.Dense
    model = make(package, no_grad)(
        [
            dense(3, "tanh", kernel_regularizer="l2", activity_regularizer="l1"),
            dense(2),
        ]
    )
    model.build((None, 4))
    for layer, kernel in zip(model.layers, KERNELS, strict=True):
        layer.set_weights([kernel, np.zeros(kernel.shape[1], np.float32)])
    model.compile(package.optimizers.SGD(0.0625), "mse", metrics=["mae"], weighted_metrics=["mae"])
    weights = {"sample_weight": W} if weighted else {}
    settings = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **weights}
    history = model.fit(X, Y, **settings, validation_data=(X, Y)).history
    return model, history, model.evaluate(X, Y, batch_size=8, verbose=0, return_dict=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "make",
    [written_out, by_super, with_a_loss, with_metrics, with_a_tracker_alone],
    ids=lambda make: make.__name__,
)
def test_steps_of_ones_own_train_and_report_alike(make, weighted):
    ours, history, evaluated = trained(make, mg, mg.no_grad, weighted)
    theirs, expected, peer = trained(make, keras, torch.no_grad, weighted)
    terms = {"data", "dense/kernel", "dense/activity"}  # of our usual steps
    both = {
        name: series for name, series in history.items() if name.removeprefix("val_") not in terms
    }
    assert both.keys() == expected.keys()
    for name, series in both.items():
        np.testing.assert_allclose(series, expected[name], rtol=1e-4, err_msg=name)
    assert evaluated.keys() - terms == peer.keys()
    for name in peer:
        np.testing.assert_allclose(evaluated[name], peer[name], rtol=1e-4, err_msg=name)
    for found, weights in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(found, weights, rtol=1e-4, atol=1e-6)
    assert [m.name for m in ours.metrics][:1] == [m.name for m in theirs.metrics][:1]
