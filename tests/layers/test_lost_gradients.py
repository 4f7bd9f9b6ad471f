"""Penalties, layers and losses that lose their tape on the way say so."""

import math
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers
from minigrad.engine import LostGradientWarning
from minigrad.layers import Dense

X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
Y = X[:, :2]


def by_float(x):
    return 0.1 * sum(float(value) ** 2 for value in np.reshape(x, -1))


def by_item(x):
    return math.sqrt((x * x).sum().item())


def by_numpy(x):
    return np.sum(x.numpy() ** 2)


def fitted(*made, loss="mse"):
    """Train for some steps; return what was warned of."""
    model = mg.Sequential(*made)
    model.compile("sgd", loss)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, Y, batch_size=4, epochs=3, verbose=0, validation_split=0.25)
        model.predict(X)
        model.train_on_batch(X, Y)
    return [each for each in caught if each.category is LostGradientWarning]


@pytest.mark.parametrize("lost", [by_float, by_item, by_numpy])
@pytest.mark.parametrize("slot", ["kernel", "activity"])
def test_a_regularizer_that_loses_its_tape_warns_once_of_the_place(lost, slot):
    (place,) = fitted(Dense(2, name="out", **{f"{slot}_regularizer": lost}))
    assert place.filename == __file__
    assert place.lineno == lost.__code__.co_firstlineno + 1
    assert f"in 'out/{slot}'" in str(place.message)


class Adding(layers.Layer):
    def call(self, x):
        self.add_loss(float((x * x).mean()), "size")
        return x


def by_data(x):
    return 0.1 * float(np.sum(np.square(x.data)))


@pytest.mark.parametrize("slot", ["kernel", "activity"])
def test_one_that_is_computed_from_data_warns_of_the_term(slot):
    (term,) = fitted(Dense(2, name="out", **{f"{slot}_regularizer": by_data}))
    assert f"layer 'out': the penalty '{slot}'" in str(term.message)
    assert "docs/diagnoses.md#penalty-without-a-path" in str(term.message)


def test_so_does_add_loss():
    (term,) = fitted(Dense(2), Adding(name="adding"))
    assert "layer 'adding': the penalty 'size'" in str(term.message)


class Scaling(layers.Layer):
    def call(self, x):
        return x * math.exp(x.mean())


class Gathering(layers.Layer):
    def call(self, x):
        parts = []
        parts.append(x * math.exp(x.mean()))
        return sum(parts)


def wrong_activation(x):
    return x / float(np.max(np.abs(x)))


def wrong_loss(y, p):
    return ((p - y) ** 2).mean() * math.log(2 + float((p * p).mean()))


@pytest.mark.parametrize(
    ("made", "loss", "where"),
    [
        ([Dense(2), Scaling(name="scaling")], "mse", "in 'scaling'"),
        ([Dense(2), Gathering()], "mse", "comes back"),
        ([Dense(2, wrong_activation, name="d")], "mse", "in 'd'"),
        ([Dense(2), layers.Lambda(wrong_activation, name="lam")], "mse", "in 'lam'"),
        ([Dense(2)], wrong_loss, "in 'data'"),
    ],
)
def test_layers_activations_and_losses_that_take_values_out_warn_once(made, loss, where):
    (warning,) = fitted(*made, loss=loss)
    assert where in str(warning.message)
    assert warning.filename == __file__


def constant(x):
    return 0.0


def strength_only(x):
    return 0.25


def spied_on(x):
    print(f"{np.mean(x):.3f}", float(np.mean(x)), x.numpy().shape)
    return 0.1 * (x * x).sum()


class Deciding(layers.Layer):
    def call(self, x):
        self.add_loss(0.5, "constant")
        return x * 2.0 if (x * x).sum() else x


class Checking(layers.Layer):
    def call(self, x):
        assert np.isfinite(x.numpy()).all()
        if np.isnan(x.numpy()).any() or float(x.sum()) < -1e9:
            raise ValueError
        shown = "small" if float(np.max(x)) < 10 else "large"
        return x * len(shown) + x[:, [int(np.argmax(x.numpy()[0]))]]


def checked_loss(y, p):
    loss = ((p - y) ** 2).mean()
    if math.isnan(loss):
        raise ValueError
    assert not np.isnan(loss.numpy())
    return loss


def cut_on_purpose(x):
    return 0.1 * float(np.sum(x.detach() ** 2))


@pytest.mark.parametrize(
    "made",
    [
        [Dense(2, kernel_regularizer=constant, activity_regularizer=constant)],
        [Dense(2, kernel_regularizer=strength_only)],
        [Dense(2, kernel_regularizer=spied_on, activity_regularizer=spied_on)],
        [Dense(2, kernel_regularizer=cut_on_purpose)],
        [Dense(2), Deciding()],
        [Dense(2), Checking()],
        [Dense(2, kernel_regularizer="l2", activity_regularizer="l1")],
    ],
)
def test_constants_and_what_is_only_looked_at_do_not_warn(made, capsys):
    assert not fitted(*made)


def test_a_loss_that_is_checked_does_not_warn():
    assert not fitted(Dense(2), loss=checked_loss)


def test_frozen_layers_do_not_warn():
    frozen = Dense(2, kernel_regularizer=by_float, activity_regularizer=by_item, trainable=False)
    assert not fitted(frozen, Dense(2, trainable=True))


def test_evaluation_and_prediction_do_not_warn():
    model = mg.Sequential(Dense(2, kernel_regularizer=by_float), Scaling())
    model.compile("sgd", wrong_loss)
    model.evaluate(X, Y, verbose=0)
    model.predict(X)


def test_each_of_two_layers_with_one_regularizer_is_named():
    found = fitted(
        Dense(3, kernel_regularizer=by_item, name="a"),
        Dense(2, kernel_regularizer=by_item, name="b"),
    )
    assert [str(f.message).split("'")[1] for f in found] == ["a/kernel", "b/kernel"]
