"""Strengths, samples and groups: questions that a trace answers without another pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import layers, regularizers
from minigrad.layers import Dense

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 1, (12, 6))
Y = RNG.uniform(0, 1, (12, 4))


def model(kernel=0.03, activity=0.02, seed=0):
    made = mg.Sequential(
        Dense(
            5,
            "tanh",
            kernel_regularizer=regularizers.L2(kernel),
            activity_regularizer=regularizers.L1(activity),
            name="codings",
            dtype="float64",
            seed=seed,
        ),
        Dense(4, kernel_regularizer=regularizers.L1(0.01), name="out", dtype="float64", seed=1),
    )
    made.compile("sgd", "mse")
    return made


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 10), st.floats(0, 10))
def test_other_strengths_give_what_a_fresh_pass_gives(kernel, activity):
    trace = (
        model().trace(X, Y).with_strengths({"codings/kernel": kernel, "codings/activity": activity})
    )
    fresh = model(0.03 * kernel, 0.02 * activity).trace(X, Y)
    assert trace.terms == pytest.approx(fresh.terms)
    for name in (*trace.parameters, *trace.tensors):
        for term in (None, *trace.terms):
            np.testing.assert_allclose(
                trace.gradient(name, term), fresh.gradient(name, term), rtol=1e-12, atol=1e-14
            )
    for ours, theirs in zip(trace.table(), fresh.table(), strict=True):
        assert ours[:2] == theirs[:2]
        np.testing.assert_allclose(ours[2:], theirs[2:], rtol=1e-9, atol=1e-12)
    for one, other in zip(trace.steps, fresh.steps, strict=False):
        if one.upstream.keys() == other.upstream.keys() and one.op == other.op:
            assert one.layer == other.layer


def test_factors_multiply_and_leave_the_first_trace_alone():
    trace = model().trace(X, Y)
    before = trace.gradient("codings/kernel")
    twice = trace.with_strengths({"codings/kernel": 2}).with_strengths({"codings/kernel": 3})
    np.testing.assert_allclose(
        twice.gradient("codings/kernel", "codings/kernel"),
        6 * trace.gradient("codings/kernel", "codings/kernel"),
    )
    assert (trace.gradient("codings/kernel") == before).all()
    assert twice.steps[-1] is not trace.steps[-1]


def test_wrong_strengths_are_refused():
    trace = model().trace(X, Y)
    with pytest.raises(KeyError, match="Did you mean 'codings/kernel'"):
        trace.with_strengths({"codings/kernal": 1})
    with pytest.raises(ValueError, match="a finite number for 'data'"):
        trace.with_strengths({"data": float("nan")})


# ---- samples -------------------------------------------------------------------------------------


def one_by_one(made, x, y, parameter, term):
    """The parts as separate passes give them: a mean over the batch is a sum of such parts."""
    parts = []
    for i in range(len(x)):
        trace = made.trace(x[i : i + 1], y[i : i + 1])
        parts.append(trace.gradient(parameter, term) / len(x))
    return np.array(parts)


def check(made, x, y, terms):
    trace = made.trace(x, y)
    for parameter in trace.parameters:
        for term in terms:
            parts = trace.per_sample(parameter, term)
            assert parts.shape == (len(x), *trace.gradient(parameter).shape)
            np.testing.assert_allclose(
                parts.sum(axis=0), trace.gradient(parameter, term), atol=1e-12
            )
            expected = one_by_one(made, x, y, parameter, term)
            np.testing.assert_allclose(parts, expected, rtol=1e-9, atol=1e-12)


def test_samples_of_dense_layers_add_up_and_are_those_of_single_passes():
    check(model(), X, Y, ["data", "codings/activity"])


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("rank", [1, 2])
def test_samples_of_convolutions(rank, groups):
    kinds = {1: (layers.Conv1D, layers.Conv1DTranspose), 2: (layers.Conv2D, layers.Conv2DTranspose)}
    down, up = kinds[rank]
    made = mg.Sequential(
        down(
            4,
            3,
            strides=2,
            padding="same",
            groups=groups,
            activation="tanh",
            dtype="float64",
            activity_regularizer="l2",
        ),
        up(2, 2, strides=2, dtype="float64"),
        layers.PReLU(dtype="float64"),
    )
    made.compile("sgd", "mse")
    x = RNG.normal(size=(3, *(6,) * rank, 2))
    made(x)
    check(made, x, x, ["data", f"{made.layers[0].name}/activity"])


def test_samples_of_tied_and_shared_weights():
    encoder = Dense(3, "tanh", dtype="float64", name="codings")
    made = mg.Sequential(
        encoder,
        layers.DenseTranspose(encoder, dtype="float64"),
        layers.LayerNormalization(dtype="float64"),
    )
    made.compile("sgd", "mse")
    made(X)
    check(made, X, X, ["data"])


def test_groups_of_samples_add_up():
    trace = model().trace(X, Y)
    labels = np.arange(12) % 3
    parts = trace.by_group("codings/kernel", labels)
    assert list(parts) == [0, 1, 2]
    np.testing.assert_allclose(sum(parts.values()), trace.gradient("codings/kernel", "data"))
    with pytest.raises(ValueError, match="a group for each of 12 samples"):
        trace.by_group("codings/kernel", labels[:3])


def test_what_does_not_come_by_way_of_the_samples_says_so():
    trace = model().trace(X, Y)
    with pytest.raises(ValueError, match="not come to 'codings/kernel' by way of the samples"):
        trace.per_sample("codings/kernel", "codings/kernel")
    assert not trace.per_sample("out/bias", "codings/activity").any()
    embedding = mg.Sequential(
        layers.Embedding(4, 2, dtype="float64", input_shape=(1,)), layers.Flatten(dtype="float64")
    )
    embedding.compile("sgd", "mse")
    other = embedding.trace(np.array([[1], [2]]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="cannot be taken apart"):
        other.per_sample(other.parameters[0])


def test_heads_and_classes_are_terms_as_good_as_any():
    body = Dense(4, "tanh", input_dim=6, dtype="float64")
    heads = {name: Dense(2, input_dim=4, dtype="float64") for name in ("left", "right")}
    h = body(X)
    terms = {name: (head(h) ** 2).mean() for name, head in heads.items()}
    trace = mg.trace(terms, {"body": body.kernel, "left": heads["left"].kernel})
    assert not trace.has_path("left", "right")
    assert trace.has_path("body", "right")
    np.testing.assert_allclose(
        trace.gradient("body"), mg.grad(sum(terms.values()), body.kernel, keep_graph=True)
    )
