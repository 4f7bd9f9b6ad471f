"""What students want to do, from end to end."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import layers, regularizers
from minigrad.layers import Dense
from minigrad.optimizers import SGD
from minigrad.regularizers import L1, L2, KLDivergence


def floats(losses):
    return [float(loss) for loss in losses]


def trained_codings(activation, penalty):
    """Return codings of digits that were held out, 100 units each, and the error."""
    mg.set_seed(0)
    images = mg.datasets.load_digits().images
    train, held_out = mg.datasets.train_test_split(images, seed=0)
    model = mg.Sequential(
        Dense(100, activation, activity_regularizer=penalty, name="codings"),
        Dense(64, "sigmoid", name="pixels"),
    )
    model.compile(mg.optimizers.Adam(3e-3), loss="mse")
    model.fit(train, train, epochs=20, batch_size=64, verbose=0)
    error = float(np.mean((model.predict(held_out, verbose=0) - held_out) ** 2))
    return model.layers[0](held_out).numpy(), error


def test_l1_leaves_ten_units_of_a_hundred_active_and_still_restores_the_images():
    codings, error = trained_codings("relu", L1(2.5e-3))
    twins, twins_error = trained_codings("relu", None)
    active, twins_active = ((values > 0).sum(axis=1).mean() for values in (codings, twins))
    images = mg.datasets.load_digits().images
    assert 7 < active < 13
    assert twins_active > 60
    assert twins_error < error < 0.5 * images.var(axis=0).mean()


def test_kl_brings_the_mean_activity_of_sigmoid_codings_to_its_target_and_kills_none():
    codings, error = trained_codings("sigmoid", KLDivergence(0.1, 1e-2))
    twins, twins_error = trained_codings("sigmoid", None)
    assert codings.mean() == pytest.approx(0.1, abs=0.03)
    assert (codings.mean(axis=0) > 0.03).all()
    assert twins.mean() > 0.4
    assert twins_error < error < 0.5 * mg.datasets.load_digits().images.var(axis=0).mean()


@pytest.mark.parametrize("slot", ["kernel", "bias", "activity"])
def test_functions_and_classes_of_ones_own_are_penalties_in_each_place(slot, tmp_path):
    class Halved:
        def __init__(self, strength):
            self.strength = strength

        def __call__(self, x):
            return 0.5 * self.strength * (x * x).sum()

    @mg.register_serializable(f"test>halved_{slot}")
    class Kept(Halved, regularizers.Regularizer):
        def get_config(self):
            return {"strength": self.strength}

    def absolute(x):
        return 0.01 * abs(x).sum()

    def pays(penalty):
        ones = {"kernel_initializer": "ones", "bias_initializer": "ones", "input_dim": 5}
        model = mg.Sequential(Dense(5, **ones, **{f"{slot}_regularizer": penalty}))
        model(np.zeros((2, 5)))  # so that the outputs are ones, too
        return model, floats(model.losses)

    numbers = {"kernel": 25, "bias": 5, "activity": 2 * 5 / 2}[slot]
    assert pays(absolute)[1] == pytest.approx([0.01 * numbers])
    for penalty in (Halved(1.0), Kept(1.0)):
        model, losses = pays(penalty)
        assert losses == [0.5 * numbers]
    model.save(tmp_path / "model.npz")
    twin = mg.load(tmp_path / "model.npz")
    twin(np.zeros((2, 5)))
    assert floats(twin.losses) == [0.5 * numbers]


def test_small_weights_and_huge_outputs_are_helped_by_an_activity_penalty_not_by_a_kernel_penalty():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (64, 2000))

    def outputs(**penalty):
        layer = Dense(4, "relu", input_dim=2000, dtype="float64", name="wide", **penalty)
        layer.kernel.data = rng.uniform(0, 0.3, (2000, 4))
        model = mg.Sequential(layer)
        model.compile(SGD(5e-3))
        before = float(np.abs(layer(x).numpy()).mean())
        for _ in range(20):
            model.train_on_batch(x)
        return before, float(np.abs(layer(x).numpy()).mean()), model

    before, after, model = outputs(kernel_regularizer=L2(1e-2))
    assert before > 100
    assert after > 0.99 * before
    before, after, model = outputs(activity_regularizer=L2(1e-2))
    assert after < 0.5 * before
    model.layers[0].kernel.data = rng.uniform(0, 0.3, (2000, 4))
    model.layers[0].kernel_regularizer = L2(1e-2)
    norms = {row.term: row.norm for row in model.trace(x).table() if row.parameter == "wide/kernel"}
    assert norms["wide/activity"] > 100 * norms["wide/kernel"]


def test_an_encoder_and_a_decoder_in_a_hand_written_loop():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (20, 6))
    encoder = mg.Sequential(Dense(4, "relu", input_dim=6, seed=0), name="encoder")
    decoder = mg.Sequential(Dense(6, input_dim=4, seed=1), name="decoder")
    autoencoder = mg.Sequential(encoder, decoder)
    optimizer = mg.optimizers.Adam(1e-2, parameters=autoencoder.parameters())
    history = []
    for _ in range(60):
        codings = encoder(x)
        loss = mg.losses.mean_squared_error(x, decoder(codings)) + 1e-3 * codings.abs().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    assert history[-1] < 0.5 * history[0]


def test_activity_regularization_is_a_layer_of_its_own():
    model = mg.Sequential(
        Dense(2, kernel_initializer="ones", input_dim=2),
        layers.ActivityRegularization(l1=1.0, l2=0.5),
    )
    assert (model(np.ones((4, 2))).numpy() == 2).all()
    assert model.loss_terms().values_as_floats() == {"activity_regularization/activity": 4 + 4}
