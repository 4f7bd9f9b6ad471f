"""Metrics beside the loss: in the history, in evaluate, saved and loaded, as in Keras."""

import os

import numpy as np
import pytest

import minigrad as mg
from minigrad import metrics
from minigrad.layers import Dense

os.environ["KERAS_BACKEND"] = "torch"

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 20)
WEIGHTS = RNG.uniform(0.5, 2, 20).astype(np.float32)


def classifier(**compiled):
    mg.set_seed(0)
    model = mg.Sequential(
        Dense(6, "relu", activity_regularizer="l1", name="codings", input_dim=4),
        Dense(3, "softmax", name="classes"),
    )
    model.compile("adam", "sparse_categorical_crossentropy", **compiled)
    return model


def test_metrics_stand_in_the_history_beside_the_terms():
    model = classifier(
        metrics=["accuracy", metrics.ActiveUnits("codings"), metrics.DeadUnits("codings")]
    )
    history = model.fit(X, LABELS, epochs=2, batch_size=8, validation_split=0.25, verbose=0)
    units = ["codings/active_units", "codings/dead_units"]
    names = ["loss", "data", "codings/activity", "accuracy", *units]
    assert list(history.history) == [*names, *(f"val_{name}" for name in names)]
    evaluated = model.evaluate(X, LABELS, return_dict=True)
    hidden = mg.Sequential(model.layers[:1]).predict(X)
    assert evaluated["accuracy"] == (model.predict(X).argmax(axis=1) == LABELS).mean()
    assert evaluated["codings/active_units"] == pytest.approx((hidden > 0).sum(axis=1).mean())
    assert evaluated["codings/dead_units"] == (~(hidden > 0).any(axis=0)).sum()
    assert model.evaluate(X, LABELS)[:2] == [evaluated["loss"], evaluated["accuracy"]]


def test_a_function_is_a_metric():
    def largest(y_true, y_pred):
        return np.max(np.asarray(y_pred), axis=-1)

    model = classifier(metrics=[largest])
    found = model.evaluate(X, LABELS, return_dict=True)["largest"]
    assert found == pytest.approx(model.predict(X).max(axis=1).mean(), rel=1e-6)


def test_only_weighted_metrics_know_sample_weights():
    model = classifier(
        metrics=["accuracy"], weighted_metrics=[metrics.SparseCategoricalAccuracy("w")]
    )
    hits = model.predict(X).argmax(axis=1) == LABELS
    evaluated = model.evaluate(X, LABELS, sample_weight=WEIGHTS, return_dict=True)
    assert evaluated["accuracy"] == hits.mean()
    assert evaluated["w"] == pytest.approx((hits * WEIGHTS).sum() / WEIGHTS.sum())


def test_metrics_named_after_their_class_are_numbered():
    made = [metrics.SparseTopKCategoricalAccuracy(k) for k in (1, 2)]
    model = classifier(metrics=made, weighted_metrics=[metrics.SparseTopKCategoricalAccuracy(1)])
    found = model.evaluate(X, LABELS, return_dict=True)
    name = "sparse_top_k_categorical_accuracy"
    assert {name, f"{name}_1", f"weighted_{name}"} <= found.keys()


def test_metrics_are_saved_and_loaded(tmp_path):
    model = classifier(
        metrics=["accuracy", metrics.Sparsity("codings", threshold=0.1)], weighted_metrics=["ce"]
    )
    model.save(tmp_path / "fresh.npz")
    expected = model.evaluate(X, LABELS, sample_weight=WEIGHTS, return_dict=True)
    model.save(tmp_path / "used.npz")
    for name in ("fresh", "used"):
        loaded = mg.load(tmp_path / f"{name}.npz")
        assert loaded.evaluate(X, LABELS, sample_weight=WEIGHTS, return_dict=True) == expected


@pytest.mark.parametrize(
    ("compiled", "error", "message"),
    [
        ({"metrics": "accuracy"}, ValueError, "metrics must be a list. Received: 'accuracy'"),
        ({"metrics": ["acuracy"]}, ValueError, "Did you mean 'accuracy'"),
        ({"metrics": ["mse", "mse"]}, ValueError, "two values would be named 'mse'"),
        ({"metrics": [metrics.Mean("loss")]}, ValueError, "two values would be named 'loss'"),
        ({"metrics": [None]}, TypeError, "names or objects"),
    ],
)
def test_bad_metrics_are_refused_when_compiling(compiled, error, message):
    with pytest.raises(error, match=message):
        classifier(**compiled)


def test_a_metric_of_several_numbers_says_how_to_make_one_of_them():
    model = classifier(metrics=[metrics.Precision([0.2, 0.5], name="precisions")])
    with pytest.raises(ValueError, match=r"'precisions' gives 2 numbers.*Choose one class"):
        model.compile("adam", "mse", metrics=model.compiled_metrics)
        model.evaluate(X, np.eye(3)[LABELS])


def test_a_metric_of_a_layer_that_is_not_there_says_which_are():
    model = classifier(metrics=[metrics.ActiveUnits("coding")])
    with pytest.raises(ValueError, match=r"no layer 'coding'\. It has: codings"):
        model.evaluate(X, LABELS)


def test_histories_with_metrics_are_those_of_keras():
    keras = pytest.importorskip("keras", reason="the real Keras is not installed")
    model = classifier(
        metrics=["accuracy"], weighted_metrics=["acc", "sparse_categorical_crossentropy"]
    )
    dense = keras.layers.Dense
    peer = keras.Sequential([dense(6, "relu", activity_regularizer="l1"), dense(3, "softmax")])
    peer.build((None, 4))
    peer.set_weights(model.get_weights())
    peer.compile(
        "adam",
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["acc", "sparse_categorical_crossentropy"],
    )
    arguments = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
    found = model.fit(X, LABELS, sample_weight=WEIGHTS, **arguments).history
    expected = peer.fit(X, LABELS, sample_weight=WEIGHTS, **arguments).history
    for name in ("accuracy", "acc", "sparse_categorical_crossentropy"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, err_msg=name)
