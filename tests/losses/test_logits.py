"""Cross-entropies of what comes straight from a softmax or sigmoid: those of its logits."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, activations, layers, losses
from minigrad.layers import Dense
from minigrad.testing import check_grads

RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 1, 2, 0])
ONE_HOT = np.eye(3)[LABELS]
SMOOTH = {"label_smoothing": 0.1}

CASES = {
    "categorical": (losses.CategoricalCrossentropy, activations.softmax, ONE_HOT, {}),
    "smoothed": (losses.CategoricalCrossentropy, activations.softmax, ONE_HOT, SMOOTH),
    "sparse": (losses.SparseCategoricalCrossentropy, activations.softmax, LABELS, {}),
    "binary": (losses.BinaryCrossentropy, activations.sigmoid, ONE_HOT, {}),
    "binary smoothed": (losses.BinaryCrossentropy, activations.sigmoid, ONE_HOT, SMOOTH),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def logits(scale=1.0):
    return Tensor(scale * RNG.normal(size=(5, 3)), requires_grad=True)


@every_case
@pytest.mark.parametrize("scale", [1, 30, 1000])
@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 2.0, 0.5, 3.0]])
def test_value_and_gradient_are_those_of_from_logits(case, scale, weights):
    kind, squash, target, options = case
    x = logits(scale)
    found = kind(**options)(target, squash(x), weights)
    expected = kind(from_logits=True, **options)(target, x, weights)
    np.testing.assert_allclose(float(found), float(expected), rtol=1e-12)
    np.testing.assert_allclose(mg.grad(found, x), mg.grad(expected, x), atol=1e-12)


@every_case
@pytest.mark.parametrize("scale", [1, 100])
def test_so_are_all_orders_of_derivatives(case, scale):
    kind, squash, target, options = case
    x = logits(scale)
    found, expected = (
        kind(**options)(target, squash(x)),
        kind(from_logits=True, **options)(target, x),
    )
    for _ in range(3):
        found, expected = (
            (mg.grad(loss, x, create_graph=True) * np.arange(15.0).reshape(5, 3)).sum()
            for loss in (found, expected)
        )
        np.testing.assert_allclose(float(found), float(expected), rtol=1e-9, atol=1e-9)
    check_grads(lambda x: kind(**options)(target, squash(x)), [RNG.normal(size=(5, 3))])


@every_case
def test_the_probabilities_stay_on_the_path_with_the_gradient_that_they_have_anyway(case):
    kind, squash, target, options = case
    p = squash(logits())
    free = Tensor(p.numpy(), requires_grad=True)
    expected = mg.grad(kind(**options)(target, free), free)
    np.testing.assert_allclose(mg.grad(kind(**options)(target, p), p), expected, rtol=1e-9)


@every_case
def test_a_hook_on_the_probabilities_is_heard(case):
    kind, squash, target, options = case
    x = logits()
    p = squash(x)
    seen = []
    p.register_hook(lambda g: seen.append(np.array(g)) or g * 0)
    kind(**options)(target, p).backward()
    assert np.abs(seen[0]).max() > 0
    assert not x.grad.any()


@every_case
def test_a_hook_stops_the_gradient_of_saturated_probabilities(case):
    kind, squash, target, options = case
    x = Tensor(np.tile([100.0, 0.0, -100.0], (5, 1)), requires_grad=True)
    p = squash(x)
    p.register_hook(lambda g: g * 0)
    kind(**options)(target, p).backward()
    assert not x.grad.any()


@every_case
def test_no_gradient_flows_out_of_no_grad(case):
    kind, squash, target, options = case
    x = logits(100)
    with mg.no_grad():
        p = squash(x)
    loss = kind(**options)(target, p)
    assert not loss.requires_grad
    assert float(loss) == float(kind(**options)(target, squash(x)))


@every_case
def test_probabilities_that_are_used_twice_get_both_gradients(case):
    kind, squash, target, options = case
    x = logits()
    p = squash(x)
    both = mg.grad(kind(**options)(target, p) + (p * p).sum(), x)
    alone = mg.grad(kind(**options)(target, squash(x)), x)
    np.testing.assert_allclose(both, alone + mg.grad((squash(x) ** 2).sum(), x), atol=1e-12)


@every_case
def test_what_is_not_straight_from_it_is_taken_as_it_is(case):
    kind, squash, target, options = case
    x = logits(1000)
    clipped = float(kind(**options)(target, squash(x).numpy()))
    for prediction in (squash(x).detach(), squash(x) * 1):
        assert float(kind(**options)(target, prediction)) == pytest.approx(clipped)
    other = activations.softmax if squash is activations.sigmoid else activations.sigmoid
    assert float(kind(**options)(target, other(x))) == pytest.approx(
        float(kind(**options)(target, other(x).numpy()))
    )


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_saturated_predictions_of_small_dtypes_get_their_gradient(case, dtype):
    kind, squash, target, options = case
    values = RNG.choice([-30.0, -9.0, 0.0, 9.0, 30.0], (5, 3))
    x = Tensor(values, dtype=dtype, requires_grad=True)
    exact = Tensor(values, dtype="float64", requires_grad=True)
    found = mg.grad(kind(**options)(target, squash(x)), x)
    expected = mg.grad(kind(from_logits=True, **options)(target, exact), exact)
    np.testing.assert_allclose(found, expected, atol=2e-3 if dtype == "float16" else 1e-6)


def test_a_softmax_along_another_axis_is_none_of_classes():
    x = logits(5)
    p = activations.softmax(x, axis=0)
    assert float(losses.categorical_crossentropy(ONE_HOT, p)) == pytest.approx(
        float(losses.categorical_crossentropy(ONE_HOT, p.numpy()))
    )


@every_case
def test_without_recording_the_value_is_the_same(case):
    kind, squash, target, options = case
    x = logits(100)
    recorded = float(kind(**options)(target, squash(x)))
    with mg.no_grad():
        assert float(kind(**options)(target, squash(x))) == recorded


HEADS = {
    "dense": lambda: [Dense(3, "softmax")],
    "Activation": lambda: [Dense(3), layers.Activation("softmax")],
    "Softmax": lambda: [Dense(3), layers.Softmax()],
    "frozen": lambda: [Dense(3, "softmax", trainable=False)],
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_fit_and_evaluate_take_the_logits_below_the_last_layer(head):
    x = RNG.normal(size=(20, 4)) * 200
    y = RNG.integers(0, 3, 20)
    model = mg.Sequential(Dense(4, seed=0), *head())
    model.compile(mg.optimizers.SGD(1e-9), "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="is the input scaled"):
        fitted = model.fit(x, y, batch_size=20, verbose=0).history["loss"][0]
    below = mg.Sequential(model.layers[0], Dense(3, dtype="float64"))
    below(x[:1])
    below.layers[1].set_weights([weight.numpy() for weight in model.layers[1].weights])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert fitted == pytest.approx(float(loss(y, below(x))), rel=1e-4)
    assert fitted > 30  # 16.1 is all that clipped probabilities come to
    assert model.evaluate(x, y, verbose=0) == pytest.approx(fitted, rel=1e-3)


def test_training_on_unscaled_inputs_goes_on():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 256)
    x = rng.uniform(0, 255, (256, 64)) + 60 * np.eye(10)[y] @ rng.normal(size=(10, 64))
    model = mg.Sequential(Dense(32, "relu", seed=0), Dense(10, "softmax", seed=1))
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="is the input scaled"):
        losses_ = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses_[-1] < losses_[0] / 5


@pytest.mark.parametrize(
    ("loss", "activation"),
    [("sparse_categorical_crossentropy", "softmax"), ("binary_crossentropy", "sigmoid")],
)
def test_a_classifier_is_still_replayed_to_the_last_bit(loss, activation):
    x = RNG.normal(size=(64, 5))
    y = RNG.integers(0, 3, 64) if activation == "softmax" else np.eye(3)[RNG.integers(0, 3, 64)]

    def trained(replayed):
        model = mg.Sequential(Dense(4, "tanh", seed=0), Dense(3, activation, seed=1))
        model.compile("adam", loss)
        model._replays._failures = 0 if replayed else 99
        history = model.fit(x, y, batch_size=16, epochs=3, verbose=0, shuffle=False).history
        steps = [run for run in model._replays._known.values() if run is not None]
        assert all(run.is_trusted for run in steps)
        assert bool(steps) == replayed
        return history["loss"], model.evaluate(x, y, verbose=0), model.get_weights()

    (first, value, weights), (again, same_value, same_weights) = trained(True), trained(False)
    assert first == again
    assert value == same_value
    for ours, theirs in zip(weights, same_weights, strict=True):
        assert (ours == theirs).all()


def test_a_trace_shows_the_softmax_and_p_minus_y_below_it():
    model = mg.Sequential(Dense(3, "softmax", name="out", dtype="float64"))
    model.compile("sgd", "categorical_crossentropy")
    x = RNG.normal(size=(5, 4))
    trace = model.trace(x, ONE_HOT)
    p = model(x).numpy()
    np.testing.assert_allclose(trace.gradient("out/pre_activation", "data"), (p - ONE_HOT) / 5)
    np.testing.assert_allclose(
        trace.gradient("out/output", "data"), (1 - ONE_HOT / p) / 5, rtol=1e-9
    )
    assert "softmax" in [step.op for step in trace.path("out/kernel", "data")]
    assert trace.residual < 1e-12
