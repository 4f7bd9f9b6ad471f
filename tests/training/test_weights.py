"""Sample, class and loss weights act on the data term, and on nothing else."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers import Dense
from minigrad.optimizers import SGD

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (12, 3))
Y = RNG.uniform(0, 1, (12, 2))
W = RNG.uniform(0, 2, 12)


def model(loss="mse", **arguments):
    made = mg.Sequential(
        Dense(2, kernel_regularizer="l2", activity_regularizer="l1", input_dim=3, seed=0,
              dtype="float64", name="a"),
        seed=0,
    )  # fmt: skip
    made.compile(SGD(0.1), loss, **arguments)
    return made


def test_sample_weights_multiply_each_samples_share_and_leave_the_penalties():
    made = model()
    plain, weighted = made.loss_terms(X, Y), made.loss_terms(X, Y, sample_weight=W)
    errors = ((made.predict(X) - Y) ** 2).mean(axis=1)
    assert float(weighted["data"]) == pytest.approx((errors * W).mean())
    for name in ("a/kernel", "a/activity"):
        assert float(weighted[name]) == float(plain[name])


def test_a_weight_of_0_leaves_a_sample_out_of_the_data_term():
    weights = np.where(np.arange(12) < 6, 2.0, 0.0)
    made = model()
    assert float(made.loss_terms(X, Y, weights)["data"]) == pytest.approx(
        float(made.loss_terms(X[:6], Y[:6])["data"])
    )


def test_fit_evaluate_and_train_on_batch_use_the_weights_of_their_samples():
    by_fit, by_step = model(), model()
    history = by_fit.fit(X, Y, batch_size=12, verbose=0, sample_weight=W, shuffle=False)
    values = by_step.train_on_batch(X, Y, sample_weight=W, return_dict=True)
    assert history.history["data"][0] == pytest.approx(values["data"])
    assert (by_fit.parameters()[0].numpy() == by_step.parameters()[0].numpy()).all()
    in_parts = by_fit.evaluate(X, Y, batch_size=5, sample_weight=W, return_dict=True)["data"]
    assert in_parts == pytest.approx(float(by_fit.loss_terms(X, Y, W)["data"]))


def test_weights_may_stand_in_a_column():
    first, second = model(), model()
    assert first.train_on_batch(X, Y, W[:, None]) == second.train_on_batch(X, Y, W)


def test_weights_follow_their_samples_through_shuffling_and_splits():
    doubled = [model(), model()]
    for made, weights in zip(doubled, (np.full(12, 2.0), None), strict=True):
        made.compile(SGD(0.05 if weights is not None else 0.1), "mse")
        made.layers[0].kernel_regularizer = made.layers[0].activity_regularizer = None
        made.fit(X, Y, batch_size=4, verbose=0, sample_weight=weights, validation_split=0.25)
    left, right = (made.parameters()[0].numpy() for made in doubled)
    np.testing.assert_allclose(left, right, rtol=1e-12)


def test_class_weights_are_sample_weights_by_label():
    labels = np.array([0, 1] * 6, float)
    made = mg.Sequential(Dense(1, "sigmoid", input_dim=3, seed=0, dtype="float64"))
    made.compile(SGD(0.1), "binary_crossentropy")
    by_class = made.train_on_batch(X, labels, class_weight={0: 1.0, 1: 3.0}, return_dict=True)
    made = mg.Sequential(Dense(1, "sigmoid", input_dim=3, seed=0, dtype="float64"))
    made.compile(SGD(0.1), "binary_crossentropy")
    by_sample = made.train_on_batch(X, labels, sample_weight=1 + 2 * labels, return_dict=True)
    assert by_class == by_sample
    one_hot = np.eye(2)[labels.astype(int)]
    made = model()
    twice = made.train_on_batch(X, one_hot, class_weight={0: 2, 1: 2}, return_dict=True)
    assert twice["data"] == pytest.approx(2 * float(model().loss_terms(X, one_hot)["data"]))


def test_loss_weights_scale_the_data_term_alone():
    terms, scaled = model().loss_terms(X, Y), model(loss_weights=3.0).loss_terms(X, Y)
    assert float(scaled["data"]) == pytest.approx(3 * float(terms["data"]))
    assert float(scaled["a/kernel"]) == float(terms["a/kernel"])


def test_a_loss_of_ones_own_is_weighted_by_sample_or_takes_the_weights_itself():
    def by_sample(y, prediction):
        return np.square(prediction - y).mean(axis=-1)

    def knowing(y, prediction, sample_weight=None):
        return mg.losses.mean_squared_error(y, prediction, sample_weight)

    expected = float(model().loss_terms(X, Y, W)["data"])
    for loss in (by_sample, knowing):
        assert float(model(loss).loss_terms(X, Y, W)["data"]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="one number for the whole batch"):
        model(lambda y, p: np.square(p - y).mean()).loss_terms(X, Y, W)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"sample_weight": np.ones(5)}, "for each of 12 samples"),
        ({"sample_weight": np.ones((12, 2))}, "for each of 12 samples"),
        ({"sample_weight": -W}, "0 or larger"),
        ({"sample_weight": np.full(12, np.nan)}, "nan or infinite"),
        ({"class_weight": [1, 2]}, "must be a dict"),
        ({"class_weight": {0: 1.0}}, "no weight for class 1"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, np.eye(2)[[0, 1] * 6], verbose=0, **weights)
    with pytest.raises(ValueError, match="loss_weights"):
        model(loss_weights="much")
    with pytest.raises(ValueError, match="for each of 12 samples"):
        mg.losses.mean_squared_error(Y, Y, np.ones(3))
