"""Replayed steps are eager steps, to the last bit; and whatever changes ends them."""

import copy
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import layers, regularizers
from minigrad.training.recorded import RecordedStep
from minigrad.training.replay import Replays

# Numbers from anywhere are a tanh's or a relu's targets here.
pytestmark = pytest.mark.filterwarnings("ignore:.*(targets out of reach|of a softmax)")

X = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
IMAGES = np.random.default_rng(1).normal(size=(24, 6, 6, 1)).astype(np.float32)


class NoReplays(Replays):
    """Leaves every step eager."""

    def __init__(self):
        super().__init__()
        self._failures = 1_000_000


def autoencoder(**changes):
    mg.set_seed(3)
    made = mg.Sequential(
        layers.Dense(5, "relu", kernel_regularizer="l2", activity_regularizer="l1", name="codings"),
        layers.Dense(6, name="outputs"),
    )
    made.compile(mg.optimizers.Adam(0.01), changes.pop("loss", "mse"), **changes)
    return made


def replays(model):
    return [step for step in model._replays._known.values() if isinstance(step, RecordedStep)]


def is_replaying(model):
    return any(step.is_trusted for step in replays(model))


def train(model, x, y, steps=8, batch=8):
    return [
        model.train_on_batch(x[start : start + batch], y[start : start + batch], return_dict=True)
        for start in (batch * (step % (len(x) // batch)) for step in range(steps))
    ]


def assert_trains_alike(model, x, y, **options):
    """Train a model and its twin, of which one may replay; return whether it did."""
    model(x[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    for ours, expected in zip(
        train(model, x, y, **options), train(twin, x, y, **options), strict=True
    ):
        assert ours == expected
    for weight, other in zip(model.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), other.numpy())
    for leaf, other in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(leaf.grad, other.grad)
    values, others = ([float(v) for v in m.losses] for m in (model, twin))
    assert values == others
    return is_replaying(model)


def test_the_fourth_step_of_a_shape_is_a_program():
    model = autoencoder()
    for expected in (0, 1, 1):
        train(model, X, X, steps=1)
        assert len(replays(model)) == expected
    assert is_replaying(model)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_is_the_same_to_the_last_bit_with_and_without(dtype):
    mg.set_default_dtype(dtype)
    try:
        assert assert_trains_alike(autoencoder(), X.astype(dtype), X.astype(dtype), steps=20)
    finally:
        mg.set_default_dtype("float32")


ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "softplus", "elu", "silu", "softmax", "gelu"]
PENALTIES = [None, "l1", "l2", "l1_l2", regularizers.OrthogonalRegularizer(0.1, "columns")]
LOSSES = [
    *("mse", "mae", "mape", "msle", "huber", "log_cosh", "cosine_similarity", "poisson"),
    *("kl_divergence", "binary_crossentropy", "hinge", "squared_hinge", "categorical_hinge"),
]


@st.composite
def dense_models(draw):
    mg.set_seed(draw(st.integers(0, 99)))
    made = mg.Sequential()
    for _ in range(draw(st.integers(0, 3))):
        made.add(
            layers.Dense(
                draw(st.integers(2, 7)),
                draw(st.sampled_from(ACTIVATIONS)),
                use_bias=draw(st.booleans()),
                kernel_regularizer=draw(st.sampled_from(PENALTIES)),
                bias_regularizer=draw(st.sampled_from(PENALTIES[:4])),
                activity_regularizer=draw(
                    st.sampled_from([*PENALTIES[:4], regularizers.KLDivergence(0.2, 0.1)])
                ),
                trainable=draw(st.sampled_from([True, True, True, False])),
            )
        )
        if draw(st.booleans()):
            made.add(
                draw(
                    st.sampled_from(
                        [
                            layers.ActivityRegularization(0.01, 0.02),
                            layers.Activation("tanh"),
                            layers.LeakyReLU(0.3),
                            layers.Dropout(0.3, seed=1),
                            layers.BatchNormalization(),
                            layers.LayerNormalization(),
                            layers.GaussianNoise(0.1, seed=1),
                        ]
                    )
                )
            )
    made.add(layers.Dense(6, "sigmoid"))
    optimizer = draw(
        st.sampled_from(
            [
                mg.optimizers.SGD(0.01, momentum=0.9),
                mg.optimizers.Adam(0.01, clipnorm=0.1),
                mg.optimizers.RMSprop(0.01, weight_decay=0.1),
            ]
        )
    )
    metrics = draw(st.sampled_from([None, ["mae"], ["mse", "mae"]]))
    made.compile(copy.deepcopy(optimizer), draw(st.sampled_from(LOSSES)), metrics=metrics)
    return made


@settings(deadline=None, max_examples=60)
@given(model=dense_models())
def test_random_models_train_the_same_to_the_last_bit(model):
    x = 1 / (1 + np.exp(-X))
    assert_trains_alike(model, x, x)


LABELS = np.arange(24) * 5 % 6


def classifier(loss, activation, **changes):
    mg.set_seed(3)
    made = mg.Sequential(
        layers.Dense(5, "relu", kernel_regularizer="l2"), layers.Dense(6, activation)
    )
    made.compile(mg.optimizers.Adam(0.01), loss, **changes)
    return made


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("kind", "targets"),
    [
        ("SparseCategoricalCrossentropy", LABELS),
        ("SparseCategoricalCrossentropy", LABELS[:, None]),
        ("CategoricalCrossentropy", np.eye(6)[LABELS]),
        ("BinaryCrossentropy", np.eye(6)[LABELS]),
    ],
)
def test_classifiers_are_replayed(kind, targets, from_logits, weighted):
    options = {"label_smoothing": 0.1} if not kind.startswith("Sparse") and weighted else {}
    loss = getattr(mg.losses, kind)(from_logits=from_logits, **options)
    activation = None if from_logits else "sigmoid" if kind.startswith("Binary") else "softmax"
    model = classifier(loss, activation, metrics=["accuracy"])
    assert assert_trains_alike(model, X, targets)


@pytest.mark.parametrize(
    ("loss", "good", "bad", "message"),
    [
        ("sparse_categorical_crossentropy", LABELS, 6, "from 0 to 5"),
        ("sparse_categorical_crossentropy", LABELS, 0.5, "must be integers"),
        ("binary_crossentropy", np.eye(6)[LABELS], 1.5, "between 0 and 1"),
    ],
)
def test_a_program_looks_at_the_targets_of_every_batch(loss, good, bad, message):
    model = classifier(loss, "softmax")
    train(model, X, good)
    assert is_replaying(model)
    wrong = np.array(good[:8], np.float32)
    wrong.flat[-1] = bad
    before = [weight.numpy() for weight in model.weights]
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(X[:8], wrong)
    for weight, values in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), values)
    assert assert_trains_alike(model, X, good)


def test_signs_or_classes_are_told_apart_anew_in_each_batch():
    model = classifier("hinge", "tanh")
    classes = np.eye(6)[LABELS]
    train(model, X, classes)
    assert is_replaying(model)
    assert assert_trains_alike(model, X, np.concatenate([classes[:8], 2 * classes[8:] - 1]))


def test_a_tie_that_comes_later_shares_its_gradient():
    x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)
    program_of = mg.Sequential(layers.Dense(6, use_bias=False, kernel_initializer="identity"))
    program_of.compile(mg.optimizers.SGD(1e-12), "hinge")  # max(1 − t p, 0), which ties at p = t
    signs = np.sign(x)
    for _ in range(4):
        program_of.train_on_batch(x, signs)
    assert is_replaying(program_of)
    assert assert_trains_alike(program_of, np.ones((24, 6)), np.ones((24, 6)), batch=4)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_random_convolutional_models_train_the_same_to_the_last_bit(data):
    mg.set_seed(0)
    draw = data.draw
    middle = draw(
        st.sampled_from(
            [layers.MaxPooling2D(2), layers.AveragePooling2D(2), layers.UpSampling2D(2),
             layers.ZeroPadding2D(1), layers.Cropping2D(1), layers.Activation("relu")]
        )
    )  # fmt: skip
    model = mg.Sequential(
        layers.Conv2D(
            draw(st.integers(1, 4)),
            draw(st.integers(1, 3)),
            strides=draw(st.integers(1, 2)),
            padding=draw(st.sampled_from(["same", "valid"])),
            activation=draw(st.sampled_from(["relu", "sigmoid"])),
            kernel_regularizer="l2",
            activity_regularizer="l1",
        ),
        copy.deepcopy(middle),
        layers.Flatten(),
        layers.Dense(6),
    )
    model.compile("adam", "mse")
    assert_trains_alike(model, IMAGES, X)


def test_a_functional_model_with_a_shared_layer_and_a_tied_one():
    mg.set_seed(0)
    entry = layers.Input((6,))
    shared = layers.Dense(6, "tanh", activity_regularizer="l2", kernel_regularizer="l1")
    hidden = shared(shared(entry))
    model = mg.Model(entry, layers.Add()([hidden, layers.Dense(6)(entry)]))
    model.compile("sgd", "mse")
    assert assert_trains_alike(model, X, X)
    encoder = layers.Dense(3, "relu", name="encoder", input_dim=6)
    tied = mg.Sequential(encoder, layers.DenseTranspose(encoder))
    tied.compile("sgd", "mse")
    assert assert_trains_alike(tied, X, X)


def test_nested_models_and_sample_weights():
    mg.set_seed(0)
    inner = mg.Sequential(layers.Dense(4, "relu", activity_regularizer="l1"), name="encoder")
    model = mg.Sequential(inner, layers.Dense(6))
    model.compile("adam", "mse")
    model(X[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    weights = np.linspace(0, 2, len(X))
    for each in (model, twin):
        each.fit(X, X, sample_weight=weights, epochs=5, batch_size=7, verbose=0)
    assert is_replaying(model)
    for weight, other in zip(model.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), other.numpy())


# ---- what ends a program -------------------------------------------------------------------------

CHANGES = {
    "the strength of a penalty": lambda m: setattr(m.layers[0].activity_regularizer, "l1", 0.5),
    "a regularizer": lambda m: setattr(m.layers[0], "kernel_regularizer", "l1"),
    "no regularizer": lambda m: setattr(m.layers[0], "kernel_regularizer", None),
    "a frozen layer": lambda m: setattr(m.layers[0], "trainable", False),
    "a frozen parameter": lambda m: setattr(m.layers[0].bias, "trainable", False),
    "an activation": lambda m: setattr(m.layers[0], "activation", np.tanh),
    "a loss weight": lambda m: setattr(m, "loss_weights", 3.0),
    "a penalty of the model": lambda m: setattr(m, "activity_regularizer", "l2"),
    "another optimizer": lambda m: m.compile(mg.optimizers.SGD(0.1), "mse"),
    "another loss": lambda m: m.compile(mg.optimizers.Adam(0.01), "mae"),
    "values": lambda m: m.layers[0].kernel.assign(m.layers[0].kernel.numpy() * 2),
    "values in place": lambda m: m.layers[0].kernel.data.__imul__(2.0),
    "all values": lambda m: m.set_weights([w + 1 for w in m.get_weights()]),
    "the learning rate": lambda m: setattr(m.optimizer, "learning_rate", 0.5),
    "a hook": lambda m: m.layers[0].kernel.register_hook(lambda g: g * 10),
    "a layer's call": lambda m: setattr(m.layers[1], "call", lambda x: x[:, :1] * 2.0 + 0 * X[:8]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_takes_effect_in_the_next_step(change):
    model = autoencoder()
    model(X[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    for each in (model, twin):
        train(each, X, X, steps=6)
    assert is_replaying(model)
    for each in (model, twin):
        change(each)
    assert train(model, X, X, steps=6) == train(twin, X, X, steps=6)
    for weight, other in zip(model.weights, twin.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), other.numpy())


def test_a_users_own_parts_stay_eager_and_are_called_in_every_step():
    calls = []

    class Mine(layers.Layer):
        def call(self, x):
            calls.append(1)
            return x * len(calls)

    def penalty(w):
        calls.append(2)
        return 0.01 * (w * w).sum()

    def loss(y, p):
        calls.append(3)
        return ((y - p) ** 2).mean()

    for made in (
        mg.Sequential(layers.Dense(6), Mine()),
        mg.Sequential(layers.Dense(6, kernel_regularizer=penalty)),
        mg.Sequential(layers.Dense(6), layers.Lambda(lambda x: calls.append(4) or x)),
        mg.Sequential(layers.Dense(6, lambda z: calls.append(5) or np.tanh(z))),
    ):
        made.compile("sgd", "mse")
        made(X[:1])
        calls.clear()
        train(made, X, X, steps=8)
        assert len(calls) == 8
        assert not replays(made)
    made = mg.Sequential(layers.Dense(6))
    made.compile("sgd", loss)
    calls.clear()
    train(made, X, X, steps=8)
    assert len(calls) == 8


def test_noise_is_drawn_once_in_each_step():
    made = mg.Sequential(layers.Dense(6), layers.Dropout(0.5, seed=4))
    made.compile("sgd", "mse")
    assert not assert_trains_alike(made, X, X)


def test_settings_that_change_all_the_time_are_left_alone_after_a_while():
    model = autoencoder()
    for step in range(30):
        model.layers[0].activity_regularizer = regularizers.L1(0.01 * step)
        train(model, X, X, steps=1)
    assert not is_replaying(model)
    assert model._replays._failures >= 3


def test_a_loss_that_is_not_finite_raises_and_changes_nothing():
    model = autoencoder()
    train(model, X, X, steps=6)
    assert is_replaying(model)
    before = model.get_weights()
    bad = np.full((8, 6), 3e38, np.float32)
    with pytest.raises(mg.NonFiniteLossError, match="'data' is nan"), np.errstate(all="ignore"):
        model.train_on_batch(bad, bad)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_losses_after_a_replayed_step_are_those_of_its_batch_and_say_that_their_tape_is_spent():
    model = autoencoder()
    values = train(model, X, X, steps=6)[-1]
    assert is_replaying(model)
    assert float(model.layers[0].losses[1]) == values["codings/activity"]
    with pytest.raises(RuntimeError, match="keep_graph=True"):
        model.layers[0].losses[1].backward()
    kept = model.layers[0].losses[1]
    train(model, X * 3, X, steps=1)
    assert float(kept) == values["codings/activity"]


def test_gradients_that_somebody_keeps_are_not_written_over():
    model = autoencoder()
    train(model, X, X, steps=6)
    kept = model.layers[0].kernel.grad
    copied = kept.copy()
    train(model, X * 3, X, steps=1)
    np.testing.assert_array_equal(kept, copied)


def test_metrics_see_the_predictions_of_each_step():
    def made():
        model = autoencoder(metrics=["mae", mg.metrics.ActiveUnits("codings")])
        model(X[:1])
        return model

    model, twin = made(), made()
    twin._replays = NoReplays()
    assert train(model, X, X) == train(twin, X, X)
    assert is_replaying(model)


def test_detect_anomaly_and_tracing_see_every_op_of_a_model_that_replays():
    model = autoencoder()
    train(model, X, X, steps=6)
    with mg.detect_anomaly():
        train(model, X, X, steps=2)
    trace = model.trace(X[:8], X[:8])
    assert trace.residual < 1e-5
    assert train(model, X, X, steps=1)


# ---- prediction and evaluation -----------------------------------------------------------------


@pytest.mark.parametrize("metrics", [None, ["mae", mg.metrics.ActiveUnits("codings")]])
def test_predict_and_evaluate_give_the_same_bits_with_and_without(metrics):
    model = autoencoder(metrics=metrics)
    model(X[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    for _ in range(3):
        np.testing.assert_array_equal(model.predict(X, 5), twin.predict(X, 5))
        assert model.evaluate(X, X, batch_size=5) == twin.evaluate(X, X, batch_size=5)
        for each in (model, twin):
            train(each, X, X, steps=2)
    kinds = {key[0].__name__ for key, step in model._replays._known.items() if step is not None}
    assert kinds == {"eager_step", "eager_prediction", "eager_evaluation"}


def test_predictions_that_somebody_keeps_are_not_written_over():
    model = autoencoder()
    batches = [X[:8], X[8:16] * 2, X[16:] * 3, X[:8], X[8:16]]
    kept = [model.predict_on_batch(batch) for batch in batches]
    copied = [values.copy() for values in kept]
    model.predict(X * 5, batch_size=8)
    for values, copied_values in zip(kept, copied, strict=True):
        np.testing.assert_array_equal(values, copied_values)
    together = model.predict(np.concatenate(batches[1:3]), batch_size=8)
    np.testing.assert_array_equal(np.concatenate(kept[1:3]), together)


def test_predict_and_evaluate_leave_losses_as_they_were():
    model = autoencoder()
    train(model, X, X, steps=1)
    before = [float(value) for value in model.losses]
    model.predict(X * 3, batch_size=4)
    model.evaluate(X * 3, X, batch_size=4)
    assert [float(value) for value in model.losses] == before


def test_noise_is_off_in_prediction_which_may_replay_while_the_step_cannot():
    made = mg.Sequential(layers.Dense(6), layers.Dropout(0.5, seed=4))
    made.compile("sgd", "mse")
    train(made, X, X, steps=6)
    for _ in range(4):
        made.predict(X, batch_size=8)
    assert [step.is_trusted for step in made._replays._known.values() if step is not None] == [True]


# ---- contributions -----------------------------------------------------------------------------


def test_contributions_are_the_same_bits_with_and_without_and_leave_all_as_it_was():
    model = autoencoder()
    model(X[:1])
    twin = copy.deepcopy(model)
    twin._replays = NoReplays()
    train(model, X, X, steps=1)
    train(twin, X, X, steps=1)
    before = [float(value) for value in model.losses]
    gradients = [parameter.grad for parameter in model.parameters()]
    for start in (0, 4, 8, 12, 16):
        x = X[start : start + 4]
        ours, expected = model.contributions(x, x), twin.contributions(x, x)
        assert ours.keys() == expected.keys()
        for name, by_term in expected.items():
            assert by_term.keys() == ours[name].keys()
            for term, array in by_term.items():
                np.testing.assert_array_equal(ours[name][term], array)
    assert [step.is_trusted for step in model._replays._known.values() if step] == [True]
    assert [float(value) for value in model.losses] == before
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(parameter.grad, gradient)


def test_contributions_add_up_to_the_gradient_of_a_step():
    model = autoencoder()
    train(model, X, X, steps=6)
    for start in (0, 8, 16, 0, 8):
        x = X[start : start + 8]
        found = model.contributions(x, x)
        train(model, x, x, steps=1)
        for name, parameter in model.named_parameters().items():
            parts = [array for array in found[name].values() if array is not None]
            np.testing.assert_allclose(sum(parts), parameter.grad, rtol=1e-4, atol=1e-6)


def test_a_thread_keeps_a_dozen_shapes_and_leaves_those_of_others():
    model = autoencoder()
    other = threading.Thread(target=lambda: [model.predict(X[:2]) for _ in range(5)])
    other.start()
    other.join()
    for size in range(1, 20):
        for _ in range(3):
            model.predict(X[:size])
            assert len(model._replays._known) <= 13
    of_others = [key for key in model._replays._known if key[-1] == other.ident]
    assert len(of_others) == 1
