"""Strengths, samples and groups: questions that a trace answers without another pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import Tensor, layers, regularizers
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


class LowRank(layers.Layer):
    """x @ (A @ B): its kernel is computed, and as long as the batch may be."""

    def build(self, input_shape):
        self.a = self.add_weight("a", (input_shape[-1], 2), "glorot_uniform")
        self.b = self.add_weight("b", (2, 3), "glorot_uniform")

    def call(self, x):
        return x @ (self.a @ self.b)


class Masked(LowRank):
    """A kernel that is cut to size by a constant array of the same shape."""

    def call(self, x):
        mask = np.tri(x.shape[-1], 3)
        return x @ (self.a @ self.b * mask)


class WeightNormalized(layers.Layer):
    """x @ (g · v / ‖v‖), each column for itself."""

    def build(self, input_shape):
        self.v = self.add_weight("v", (input_shape[-1], 3), "glorot_uniform")
        self.g = self.add_weight("g", (3,), "ones")

    def call(self, x):
        return x @ (self.g * self.v / np.sqrt(np.sum(self.v * self.v, axis=0, keepdims=True)))


@pytest.mark.parametrize("kind", [LowRank, Masked, WeightNormalized])
@pytest.mark.parametrize("first", ["dense", "embedding", "nothing"])
def test_samples_of_kernels_that_are_computed(kind, first):
    before = {
        "dense": [Dense(5, "tanh", dtype="float64")],
        "embedding": [layers.Embedding(9, 5, dtype="float64", trainable=False), layers.Flatten()],
        "nothing": [],
    }[first]
    x = RNG.integers(0, 9, (5, 1)) if first == "embedding" else RNG.normal(size=(5, 5))
    made = mg.Sequential(*before, kind(dtype="float64"), Dense(2, dtype="float64"))
    made.compile("sgd", "mse")
    made(x)
    check(made, x, RNG.normal(size=(5, 2)), ["data"])


def test_samples_of_a_loss_written_by_hand():
    x, y = RNG.normal(size=(4, 4)), RNG.normal(size=(4, 2))
    a, b = (Tensor(RNG.normal(size=(4, n)), requires_grad=True, name=str(n)) for n in (4, 2))

    def traced(x, y, scale):
        return mg.trace({"data": scale * ((x @ (a @ b) - y) ** 2).mean()}, {"a": a, "b": b})

    for inputs in (x, Tensor(x, requires_grad=True)):
        for name in ("a", "b"):
            expected = [traced(x[i : i + 1], y[i : i + 1], 0.25).gradient(name) for i in range(4)]
            np.testing.assert_allclose(traced(inputs, y, 1).per_sample(name), expected, rtol=1e-9)


def test_a_weight_with_a_row_for_each_sample_belongs_to_them_row_by_row():
    rows = Tensor(RNG.normal(size=(3, 2)), requires_grad=True)
    w = Tensor(RNG.normal(size=(4, 2)), requires_grad=True)
    data = ((RNG.normal(size=(3, 4)) @ w + rows) ** 2).sum()
    parts = mg.trace({"data": data}, {"rows": rows}).per_sample("rows")
    np.testing.assert_allclose(parts.sum(axis=0), mg.grad(data, rows))
    assert parts.shape == (3, 3, 2)
    assert np.count_nonzero(parts) == rows.size


def test_rows_that_an_embedding_looks_up_are_the_samples():
    x, y = RNG.integers(0, 7, (12, 4)), RNG.normal(size=(12, 1))
    tail = [layers.Flatten(dtype="float64"), Dense(1, dtype="float64")]
    made = mg.Sequential(layers.Embedding(7, 3, dtype="float64"), *tail)
    made.compile("sgd", "mse")
    trace = made.trace(x, y)
    for name in ("embedding/embeddings", "dense/kernel", "dense/bias"):
        each = [made.trace(x[i : i + 1], y[i : i + 1]).gradient(name) / 12 for i in range(12)]
        np.testing.assert_allclose(trace.per_sample(name, "data"), each, rtol=1e-9)


def test_without_a_path_there_is_a_zero_for_each_sample_or_an_error():
    trace = model().trace(X, Y)
    assert trace.per_sample("out/kernel", "codings/kernel").shape[0] == len(X)
    assert set(trace.by_group("out/bias", np.arange(len(X)), "codings/kernel")) == set(range(12))
    v, w = Tensor(np.ones((3, 2)), requires_grad=True), Tensor(2.0, requires_grad=True)
    with pytest.raises(ValueError, match="no other op on this tape tells how many samples"):
        mg.trace({"data": w * w}, {"v": v}).per_sample("v")


class OverTheBatch(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight("w", (input_shape[-1], 3), "glorot_uniform")

    def call(self, x):
        return x[:, :3] + x.mean(axis=0, keepdims=True) @ self.w


def test_a_weight_that_meets_no_single_sample_says_so():
    made = mg.Sequential(OverTheBatch(dtype="float64"))
    made.compile("sgd", "mse")
    made(X)
    with pytest.raises(ValueError, match=r"shape \(1, 3\), in which the 12 samples have no rows"):
        made.trace(X, X[:, :3]).per_sample(f"{made.layers[0].name}/w")


class OfAllPairs(OverTheBatch):
    """The products of all pairs of features: as many as there are pairs of samples, here."""

    def call(self, x):
        return np.transpose(x) @ x @ self.w


class WithinTheBatch(OverTheBatch):
    """Attention from each sample to all: a sample's part is what comes by way of its row."""

    def call(self, x):
        return (x @ np.transpose(x)) @ (x @ self.w)


def test_axes_are_not_told_by_their_lengths():
    x = X[:6]
    made = mg.Sequential(OfAllPairs(name="a", dtype="float64"))
    made.compile("sgd", "mse")
    made(x)
    with pytest.raises(ValueError, match=r"shape \(6, 3\), in which the 6 samples have no rows"):
        made.trace(x, x[:, :3]).per_sample("a/w")
    other = mg.Sequential(WithinTheBatch(name="a", dtype="float64"))
    other.compile("sgd", "mse")
    other(x)
    trace = other.trace(x, x[:, :3])
    parts = trace.per_sample("a/w")
    np.testing.assert_allclose(parts.sum(axis=0), trace.gradient("a/w"))


@pytest.mark.parametrize("wrong", [[-1.0] * 12, [1.0] * 11, [np.nan] * 12])
def test_trace_and_contributions_refuse_the_same_weights_of_samples(wrong):
    for look in (model().trace, model().contributions):
        with pytest.raises(ValueError, match="sample_weight"):
            look(X, Y, sample_weight=wrong)


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
