"""Values and gradients of the losses, in the real Keras 3 and in PyTorch below it."""

import inspect
import os
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, activations, grad, losses

os.environ["KERAS_BACKEND"] = "torch"
keras = pytest.importorskip("keras", reason="the real Keras is not installed")
torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

# The peer's own warnings about its dependencies are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

functional = torch.nn.functional


def clipped_bce(x, t):
    return functional.binary_cross_entropy(torch.clip(x, 1e-7, 1 - 1e-7), t)


# Ours; Keras, which takes its means in float32 whatever it is given; PyTorch, all in float64.
LOSSES = {
    "mse": (losses.mean_squared_error, keras.losses.mean_squared_error, functional.mse_loss),
    "mae": (losses.mean_absolute_error, keras.losses.mean_absolute_error, functional.l1_loss),
    "bce": (losses.binary_crossentropy, keras.losses.binary_crossentropy, clipped_bce),
    "bce_of_logits": (
        partial(losses.binary_crossentropy, from_logits=True),
        partial(keras.losses.binary_crossentropy, from_logits=True),
        functional.binary_cross_entropy_with_logits,
    ),
}
every_loss = st.sampled_from(sorted(LOSSES))
shapes = st.sampled_from([(1, 1), (5, 1), (4, 3), (2, 3, 2)])


def compare(name, targets, predictions):
    ours, in_keras, in_torch = LOSSES[name]
    x = Tensor(predictions, requires_grad=True)
    found = ours(targets, x)
    gradient = grad(found, x)
    t = torch.tensor(targets)
    for peer, tolerance in (
        (lambda p: in_keras(t, p).mean(), 1e-6),
        (lambda p: in_torch(p, t), 1e-11),
    ):
        p = torch.tensor(predictions, requires_grad=True)
        expected = peer(p)
        expected.backward()
        np.testing.assert_allclose(float(found), expected.item(), rtol=tolerance, atol=1e-13)
        np.testing.assert_allclose(gradient, p.grad.numpy(), rtol=tolerance, atol=1e-13)


@settings(max_examples=40)
@given(every_loss, shapes, st.integers(0, 999))
def test_values_and_gradients_agree(name, shape, seed):
    rng = np.random.default_rng(seed)
    predictions = rng.uniform(0.01, 0.99, shape) if name == "bce" else rng.normal(0, 3, shape)
    compare(name, rng.uniform(0, 1, shape), predictions)


@pytest.mark.parametrize("name", ["mse", "mae"])
def test_a_perfect_prediction_has_no_gradient(name):
    compare(name, np.array([[1.0, -2.0]]), np.array([[1.0, -2.0]]))


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("probability", [0.0, 1e-9, 1e-8, 1.0])
def test_saturated_probabilities_agree(target, probability):
    compare("bce", np.array([[target]]), np.array([[probability]]))


@pytest.mark.parametrize("logit", [-800.0, -30.0, 0.0, 30.0, 800.0])
def test_extreme_logits_agree(logit):
    compare("bce_of_logits", np.array([[1.0, 0.0]]), np.array([[logit, logit]]))


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("mse", keras.losses.MeanSquaredError),
        ("mae", keras.losses.MeanAbsoluteError),
        ("bce", keras.losses.BinaryCrossentropy),
    ],
)
def test_targets_of_one_axis_less_count_as_a_column_in_both(name, peer):
    targets, predictions = np.array([1.0, 0.0, 0.5]), np.array([[0.9], [0.2], [0.5]])
    expected = peer()(torch.tensor(targets), torch.tensor(predictions)).item()
    assert float(LOSSES[name][0](targets, predictions)) == pytest.approx(expected, rel=1e-6)


# ---- every class, with its options ---------------------------------------------------------------


def probabilities(rng, shape):
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1])


def one_hot(rng, shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


def any_numbers(rng, shape):
    return rng.normal(0, 2, shape)


def inside(rng, shape):
    return rng.uniform(0.01, 0.99, shape)


logits = st.fixed_dictionaries(
    {"from_logits": st.booleans(), "label_smoothing": st.sampled_from([0.0, 0.1, 0.5])}
)
only_logits = st.fixed_dictionaries({"from_logits": st.booleans()})
plain = st.just({})
CLASSES = {  # targets, predictions, options
    "MeanSquaredError": (any_numbers, any_numbers, plain),
    "MeanAbsoluteError": (any_numbers, any_numbers, plain),
    "MeanAbsolutePercentageError": (any_numbers, any_numbers, plain),
    "MeanSquaredLogarithmicError": (any_numbers, any_numbers, plain),
    "Huber": (any_numbers, any_numbers, st.fixed_dictionaries({"delta": st.floats(0.25, 4)})),
    "LogCosh": (any_numbers, any_numbers, plain),
    "CosineSimilarity": (any_numbers, any_numbers, plain),
    "BinaryCrossentropy": (inside, inside, logits),
    "CategoricalCrossentropy": (probabilities, inside, logits),
    "SparseCategoricalCrossentropy": (
        lambda rng, shape: rng.integers(0, shape[-1], shape[:-1]),
        inside,
        only_logits,
    ),
    "KLDivergence": (probabilities, probabilities, plain),
    "Poisson": (inside, inside, plain),
    "Hinge": (lambda rng, shape: rng.choice([0.0, 1.0], shape), any_numbers, plain),
    "SquaredHinge": (lambda rng, shape: rng.choice([-1.0, 1.0], shape), any_numbers, plain),
    "CategoricalHinge": (one_hot, any_numbers, plain),
}


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(CLASSES)),
    st.sampled_from([(5, 3), (1, 2), (2, 3, 4)]),
    st.sampled_from(["sum_over_batch_size", "sum", "mean_with_sample_weight", "none"]),
    st.booleans(),
    st.integers(0, 999),
    st.data(),
)
def test_classes_agree_with_keras(name, shape, reduction, is_weighted, seed, data):
    draw_targets, draw_predictions, options = CLASSES[name]
    arguments = {"reduction": reduction, **data.draw(options)}
    rng = np.random.default_rng(seed)
    targets, predictions = draw_targets(rng, shape), draw_predictions(rng, shape)
    weights = rng.uniform(0.5, 2, shape[0]) if is_weighted else None
    if is_weighted and len(shape) > 2 and reduction == "mean_with_sample_weight":
        weights = rng.uniform(0.5, 2, shape[:-1])

    x = Tensor(predictions, requires_grad=True)
    found = getattr(losses, name)(**arguments)(targets, x, weights)
    p = torch.tensor(predictions, requires_grad=True)
    sample_weight = None if weights is None else torch.tensor(weights)
    if weights is not None and weights.ndim < len(shape) - 1:
        sample_weight = sample_weight[:, None].expand(shape[:-1])  # Keras wants all axes
    peer = getattr(keras.losses, name)(**arguments, dtype="float64")
    expected = peer(torch.tensor(targets), p, sample_weight)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-6, atol=1e-9)
    expected.sum().backward()
    np.testing.assert_allclose(grad(found.sum(), x), p.grad.numpy(), rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("weights", [2.0, [2.0], [[0.5], [1.0], [2.0]], [[0.5, 1.0, 0.0, 3.0]] * 3])
@pytest.mark.parametrize("name", ["MeanSquaredError", "Huber", "BinaryCrossentropy"])
def test_weights_are_broadcast_alike(name, weights):
    rng = np.random.default_rng(0)
    y, p = rng.uniform(size=(3, 4, 2)), rng.uniform(0.1, 0.9, (3, 4, 2))
    peer = getattr(keras.losses, name)(dtype="float64")
    expected = peer(torch.tensor(y), torch.tensor(p), torch.tensor(weights)).item()
    assert float(getattr(losses, name)()(y, p, weights)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_names_and_arguments_are_those_of_keras(name):
    keras.utils.clear_session()
    ours, theirs = getattr(losses, name), getattr(keras.losses, name)
    assert ours().name == theirs().name or name == "Huber"  # which Keras calls huber_loss
    # Classes are the last axis here, and samples to be left out have weight 0.
    left_out = {"ignore_class"} | ({"axis"} if "ross" in name else set())
    expected = inspect.signature(theirs).parameters.keys() - left_out
    assert inspect.signature(ours).parameters.keys() == expected


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_default_configs_are_those_of_keras(name):
    expected = inspect.signature(getattr(keras.losses, name)).parameters
    for key, value in getattr(losses, name)().get_config().items():
        assert key == "name" or value == expected[key].default


@settings(max_examples=30)
@given(st.integers(0, 999), st.sampled_from([0.0, 0.1, 0.5]))
def test_softmax_cross_entropy_agrees_with_pytorch(seed, smoothing):
    rng = np.random.default_rng(seed)
    predictions, labels = rng.normal(0, 3, (6, 4)), rng.integers(0, 4, 6)
    x, p = Tensor(predictions, requires_grad=True), torch.tensor(predictions, requires_grad=True)
    ours = losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    found = ours(np.eye(4)[labels], x)
    expected = functional.cross_entropy(p, torch.tensor(labels), label_smoothing=smoothing)
    expected.backward()
    assert float(found) == pytest.approx(expected.item(), rel=1e-11)
    np.testing.assert_allclose(grad(found, x), p.grad.numpy(), rtol=1e-10, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 999),
    st.sampled_from(
        ["CategoricalCrossentropy", "SparseCategoricalCrossentropy", "BinaryCrossentropy"]
    ),
    st.sampled_from([1.0, 10.0, 100.0, 1000.0]),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
)
def test_a_cross_entropy_of_a_softmax_or_sigmoid_is_that_of_keras_from_logits(
    seed, name, scale, weighted, dtype
):
    """What Keras computes on TensorFlow, where the activation is the last op; in its own words."""
    rng = np.random.default_rng(seed)
    logits, labels = (rng.normal(size=(6, 4)) * scale).astype(dtype), rng.integers(0, 4, 6)
    targets = labels if name.startswith("Sparse") else np.eye(4, dtype=dtype)[labels]
    weights = rng.uniform(0, 2, 6).astype(dtype) if weighted else None
    x, p = Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    squash = activations.sigmoid if name.startswith("Binary") else activations.softmax
    found = getattr(losses, name)()(targets, squash(x), weights)
    peer = getattr(keras.losses, name)(from_logits=True, dtype=dtype)
    expected = peer(torch.tensor(targets), p, None if weights is None else torch.tensor(weights))
    expected.backward()
    rounding = 1e-5 if dtype == "float32" else 1e-7  # Keras takes its means in float32
    np.testing.assert_allclose(float(found), expected.item(), rtol=rounding, atol=1e-6)
    np.testing.assert_allclose(grad(found, x), p.grad.numpy(), rtol=rounding, atol=2e-7)
