import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, layers, regularizers
from minigrad.layers import Activation, Dense, ReLU

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (16, 6)).astype(np.float32)


def found(trace):
    return {(d.kind, d.where): d for d in trace.diagnoses()}


def compiled(*made, loss="mse"):
    model = mg.Sequential(*made)
    model.compile("sgd", loss)
    return model


def test_dead_units_and_who_killed_them():
    layer = Dense(
        4, "relu", activity_regularizer=regularizers.L1(5.0), name="codings", input_dim=6, seed=0
    )
    model = compiled(layer, Dense(6))
    layer.set_weights([np.abs(layer.kernel.numpy()), np.array([-99.0, 1, 1, -99])])
    trace = model.trace(X, X)
    diagnosis = found(trace)["dead units", "codings"]
    assert diagnosis.numbers["dead"] == 2
    assert diagnosis.numbers["units"] == 4
    assert "'codings/activity' the most" in diagnosis.text
    assert diagnosis.numbers["push"] > 0
    assert not trace.gradient("codings/bias")[[0, 3]].any()


def test_where_all_units_are_dead_nobody_is_accused_and_no_stronger_penalty_asked_for():
    layer = Dense(
        4, "relu", activity_regularizer=regularizers.L1(5.0), name="codings", input_dim=6, seed=0
    )
    model = compiled(layer, Dense(6))
    layer.set_weights([np.abs(layer.kernel.numpy()), np.full(4, -99.0)])
    diagnoses = found(model.trace(X, X))
    dead = diagnoses["dead units", "codings"]
    assert dead.numbers == {"dead": 4, "units": 4}
    assert "trace an earlier step" in dead.text
    idle = diagnoses["penalty without effect", "codings/activity"]
    assert idle.numbers == {"largest share": 0}
    assert "contributes exactly 0" in idle.text
    assert "stronger" not in idle.text


@pytest.mark.parametrize("activation", [ReLU(name="cut"), Activation("relu", name="cut")])
def test_dead_units_of_a_layer_that_is_nothing_but_an_activation(activation):
    before = Dense(4, input_dim=6, seed=0)
    model = compiled(before, activation, Dense(6))
    before.set_weights([np.abs(before.kernel.numpy()), np.array([-99.0, 1, 1, -99])])
    numbers = found(model.trace(X, X))["dead units", "cut"].numbers
    assert (numbers["dead"], numbers["units"]) == (2, 4)


def test_saturation_of_a_layer_that_is_nothing_but_an_activation():
    before = Dense(4, input_dim=6, seed=0)
    model = compiled(before, Activation("tanh", name="squash"), Dense(6))
    before.set_weights([30 * np.ones((6, 4)), np.full(4, 50.0)])
    assert ("saturated activations", "squash") in found(model.trace(X, X))


def test_a_penalty_that_rules_and_one_that_does_nothing():
    model = compiled(
        Dense(
            6,
            kernel_regularizer=regularizers.L2(10.0),
            bias_regularizer=regularizers.L1(1e-9),
            input_dim=6,
            name="a",
        )
    )
    diagnoses = found(model.trace(X, X))
    assert diagnoses["penalty dominates the data", "a/kernel"].numbers["share"] > 0.8
    assert ("penalty without effect", "a/bias") in diagnoses
    assert ("penalty without effect", "a/kernel") not in diagnoses


@pytest.mark.parametrize(("scale", "kind"), [(0.01, "vanishing"), (10.0, "exploding")])
def test_gradients_that_vanish_or_explode(scale, kind):
    chain = [
        Dense(
            6,
            kernel_initializer=mg.initializers.RandomNormal(0, scale, seed=i),
            name=f"layer{i}",
        )
        for i in range(6)
    ]
    diagnoses = found(compiled(*chain).trace(X, X))
    numbers = diagnoses[f"{kind} gradient", "layer5 → layer0"].numbers
    assert (numbers["ratio"] < 1e-3) == (kind == "vanishing")
    assert numbers["ratio"] == pytest.approx(numbers["first"] / numbers["last"])


def test_saturated_activations():
    big = mg.initializers.RandomNormal(0, 50.0, seed=0)
    diagnoses = found(
        compiled(
            Dense(8, "sigmoid", kernel_initializer=big, name="s"),
            Dense(6, "tanh", kernel_initializer=big, name="t"),
        ).trace(X, X)
    )
    assert diagnoses["saturated activations", "s"].numbers["fraction"] > 0.5
    assert ("saturated activations", "t") in diagnoses


def test_huge_outputs_from_small_weights():
    x = np.ones((4, 1000), np.float32)
    model = compiled(Dense(3, kernel_initializer=mg.initializers.Constant(0.3), name="sum"))
    diagnosis = found(model.trace(x, np.zeros((4, 3))))["huge outputs from small weights", "sum"]
    assert diagnosis.numbers == pytest.approx({"mean |output|": 300, "largest |weight|": 0.3})
    assert "activity_regularizer on this layer can" in diagnosis.text
    model.layers[0].activity_regularizer = "l2"
    diagnosis = found(model.trace(x, np.zeros((4, 3))))["huge outputs from small weights", "sum"]
    assert "the layer's activity penalty can" in diagnosis.text


def test_a_sparsity_target_that_is_missed():
    model = compiled(
        Dense(5, "sigmoid", activity_regularizer=regularizers.KLDivergence(0.05), name="c"),
        Dense(6),
    )
    numbers = found(model.trace(X, X))["sparsity target missed", "c"].numbers
    assert numbers["target"] == 0.05
    assert numbers["mean activation"] > 0.1


@pytest.mark.parametrize(
    ("penalty", "depends"),
    [
        (lambda h: 0.01 * np.abs(h).sum(), True),
        (lambda h: 0.01 * (h**2).sum(), True),
        (lambda h: 0.01 * np.abs(h).sum(axis=1).sum(), True),
        (lambda h: 0.01 * (2 * (h**2).sum(axis=-1)).sum(), True),
        (lambda h: 0.01 * np.abs(h).sum(axis=0).sum(), True),
        (lambda h: 0.01 * np.abs(h).sum(axis=1).mean(), False),
        (lambda h: 0.01 * np.abs(h.mean(axis=0)).sum(), False),
        (lambda h: 0.01 * np.abs(h).sum() / len(h), False),
        (lambda h: 0.01 / len(h) * np.abs(h).sum(), False),
        (lambda h: 0.01 * np.abs(h).mean(), False),
        (lambda h: 0.01 * np.abs(h).sum() / h.size, False),
    ],
)
def test_a_penalty_by_hand_that_depends_on_the_batch_size(penalty, depends):
    layer = Dense(5, "relu", input_dim=6, seed=0)
    with mg.remember_lines():
        h = layer(X)
        terms = {"data": (h**2).mean(), "sparsity": penalty(h)}
    trace = mg.trace(terms, {"kernel": layer.kernel})
    diagnoses = found(trace)
    assert (("penalty depends on the batch size", "sparsity") in diagnoses) == depends
    if depends:
        text = diagnoses["penalty depends on the batch size", "sparsity"].text
        assert "16 samples" in text
        assert "test_diagnoses.py" in text


def test_a_penalty_behind_many_branches_that_meet_again_is_looked_at_once():
    weight = Tensor(np.ones((3, 3)), requires_grad=True)
    grown = weight
    for _ in range(60):  # as many ways as 2 to the 60
        grown = grown + grown * 1e-3
    terms = {"data": grown.mean(), "penalty": np.abs(grown).sum()}
    assert ("penalty depends on the batch size", "penalty") not in found(
        mg.trace(terms, {"weight": weight})
    )


def test_what_layers_do_themselves_is_not_complained_about():
    model = compiled(
        Dense(5, "tanh", activity_regularizer="l2", kernel_regularizer="l1", input_dim=6),
        layers.ActivityRegularization(0.01),
        Dense(6),
    )
    kinds = {kind for kind, _ in found(model.trace(X, X))}
    assert "penalty depends on the batch size" not in kinds


def test_a_healthy_model_has_no_diagnosis():
    mg.set_seed(0)
    model = compiled(
        Dense(8, "tanh", kernel_regularizer=regularizers.L2(0.01), input_dim=6), Dense(6)
    )
    assert model.trace(X, X).diagnoses() == []


class Outside(layers.Layer):
    """Adds a penalty whose values were taken off the tape, and a constant of 0."""

    def call(self, x):
        self.add_loss(float(np.sum(x.detach() ** 2)), "lost")
        self.add_loss(0.0, "nothing")
        return x


def test_a_penalty_without_a_path_is_found():
    model = compiled(
        Dense(6, kernel_regularizer=lambda w: float(np.sum(w.detach() ** 2)), name="a"),
        Outside(name="outside"),
        Dense(6, kernel_regularizer="l2", activity_regularizer="l2"),
    )
    trace = model.trace(X, X)
    pathless = {where: d for (kind, where), d in found(trace).items() if "a path" in kind}
    assert set(pathless) == {"a/kernel", "outside/lost"}
    assert pathless["a/kernel"].numbers["value"] == pytest.approx(trace.terms["a/kernel"])


def test_a_penalty_on_the_output_of_frozen_layers_has_a_path_to_the_input():
    model = compiled(Dense(6, activity_regularizer="l2", trainable=False), Dense(6))
    assert "penalty without a path" not in {d.kind for d in model.trace(X, X).diagnoses()}


@pytest.mark.parametrize(
    ("activation", "loss", "kind", "numbers"),
    [
        (None, "sparse_categorical_crossentropy", "outputs that are no probabilities", "off"),
        ("relu", "sparse_categorical_crossentropy", "relu before a cross-entropy", "zeros"),
        (
            "softmax",
            mg.losses.SparseCategoricalCrossentropy(from_logits=True),
            "softmax applied twice",
            "limit",
        ),
    ],
)
def test_outputs_that_a_cross_entropy_does_not_expect(activation, loss, kind, numbers):
    model = compiled(Dense(3, activation, name="head", seed=0), loss=loss)
    diagnosis = found(model.trace(X, np.arange(16) % 3))[kind, "head"]
    assert any(numbers in name for name in diagnosis.numbers)


def test_a_second_softmax_reaches_no_more_than_the_limit_that_is_named():
    model = compiled(Dense(3, name="a"), layers.Softmax(), layers.Softmax(name="b"))
    diagnosis = found(model.trace(X, X[:, :3]))["softmax applied twice", "b"]
    sure = mg.activations.softmax(np.array([1.0, 0.0, 0.0])).max()
    assert diagnosis.numbers["limit"] == pytest.approx(sure)


@pytest.mark.parametrize(("scale", "hint"), [(255, "is the input scaled"), (1, "smaller initial")])
def test_saturated_outputs(scale, hint):
    model = compiled(Dense(3, "softmax", name="head"), loss="sparse_categorical_crossentropy")
    model(X)
    kernel = np.random.default_rng(1).normal(size=(6, 3)) * 200 / scale
    model.layers[0].set_weights([kernel, np.zeros(3)])
    diagnosis = found(model.trace(X * scale, np.arange(16) % 3))["saturated outputs", "head"]
    assert hint in diagnosis.text
    assert diagnosis.numbers["fraction"] > 0.5
    assert diagnosis.numbers["loss"] > 2 * np.log(3)
    assert diagnosis.numbers["largest |input|"] == pytest.approx(X.max() * scale)


def test_a_learning_rate_that_throws_the_weights_away():
    def steps(optimizer):
        model = mg.Sequential(Dense(8, "tanh", seed=0), Dense(6, seed=1))
        model.compile(optimizer, "mse")
        trace = model.trace(X, X)
        before = model.get_weights()
        kinds = {d.kind: d for d in trace.diagnoses()}
        assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
        model.train_on_batch(X, X)
        moved = zip(model.get_weights()[::2], before[::2], strict=True)
        step = np.sqrt(sum(((a - b) ** 2).sum() for a, b in moved))
        size = np.sqrt(sum((b**2).sum() for b in before[::2]))
        return kinds.get("learning rate too large"), step / size

    for optimizer in (mg.optimizers.Adam(3.0), mg.optimizers.SGD(300.0)):
        diagnosis, taken = steps(optimizer)
        assert "rather than other initial weights" in diagnosis.text
        assert diagnosis.numbers["step"] == pytest.approx(taken, rel=1e-4)
        assert diagnosis.numbers["learning rate"] == optimizer.learning_rate
    for optimizer in ("adam", "sgd", "rmsprop", "adadelta", mg.optimizers.Adam(0.01)):
        assert steps(optimizer)[0] is None


def test_weights_that_a_learning_rate_has_blown_up():
    model = mg.Sequential(Dense(8, "tanh", seed=0), Dense(6, seed=1))
    model.compile(mg.optimizers.Adam(2.0), "mse")
    assert model.fit(X, X, epochs=30, verbose=0)
    assert found(model.trace(X, X))["learning rate too large", "Adam(2)"].numbers["growth"] > 10


def test_every_kind_has_a_heading_in_the_docs():
    package = Path(mg.__file__).parent
    files = ("tracing/diagnoses.py", "tracing/classifiers.py", "training/step_length.py")
    source = "".join((package / file).read_text() for file in files)
    kinds = set(re.findall(r'(?:Diagnosis|return|found =) ?\(\s*"([^"]+)"', source)) | {
        "vanishing gradient",
        "exploding gradient",
    }
    docs = (Path(__file__).parents[2] / "docs" / "diagnoses.md").read_text()
    assert len(kinds) == 18
    for kind in kinds:
        assert f"\n## {kind}\n" in docs
