"""The gradient of a sum is the sum of the gradients: held for models of many shapes."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import Tensor
from minigrad.layers import Activation, ActivityRegularization, Dense, Layer
from minigrad.optimizers import SGD, Adam
from minigrad.regularizers import L1
from minigrad.tracing.table import Table, rows_of

ACTIVATIONS = [None, "relu", "tanh", "sigmoid", "softplus", "elu", "softmax"]
WEIGHTS = [None, "l1", "l2", "l1_l2", "orthogonal_regularizer"]
ACTIVITY = [None, "l1", "l2", "kl_divergence"]
LIMITS = {"float64": 1e-12, "float32": 1e-5}


class Bonus(Layer):
    """Adds a loss of its own, and passes its input on."""

    def call(self, x):
        self.add_loss(0.25 * (x * x).mean(), "bonus")
        return x

    def compute_output_shape(self, input_shape):
        return input_shape


def normed(rng, shape):
    return rng.normal(0, 0.7, shape)


@st.composite
def models(draw, dtype):
    """Depth, widths, activations, penalties, freezing, shared layers and nesting, all at random."""
    size = 3

    def dense(units, name):
        return Dense(
            units,
            draw(st.sampled_from(ACTIVATIONS)),
            use_bias=draw(st.booleans()),
            kernel_regularizer=draw(st.sampled_from(WEIGHTS)),
            bias_regularizer=draw(st.sampled_from([None, "l1", "l2"])),
            activity_regularizer=draw(st.sampled_from(ACTIVITY)),
            trainable=draw(st.sampled_from([True, True, True, False])),
            dtype=dtype,
            name=name,
        )

    built = []
    for index in range(draw(st.integers(1, 3))):
        size = draw(st.integers(2, 4))
        built.append(dense(size, f"layer{index}"))
        extra = draw(st.sampled_from(["none", "none", "shared", "bonus", "sparsity", "nested"]))
        if extra == "shared":
            shared = dense(size, f"shared{index}")
            built += [shared, Activation("tanh", dtype=dtype, name=f"between{index}"), shared]
        elif extra == "bonus":
            built.append(Bonus(dtype=dtype, name=f"bonus{index}"))
        elif extra == "sparsity":
            built.append(ActivityRegularization(0.1, 0.2, dtype=dtype, name=f"sparsity{index}"))
        elif extra == "nested":
            inner = mg.Sequential(dense(size, "inner"), name="inside", dtype=dtype)
            built.append(
                mg.Sequential(inner, activity_regularizer="l2", name=f"nested{index}", dtype=dtype)
            )
    model = mg.Sequential(*built, Dense(2, dtype=dtype, name="last"))
    model.compile("sgd", draw(st.sampled_from(["mse", "mae"])))
    model.build((None, 3))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    for parameter in model.parameters():
        parameter.data = normed(rng, parameter.shape)
    return model, normed(rng, (5, 3)), normed(rng, (5, 2))


@settings(max_examples=50)
@given(st.sampled_from(sorted(LIMITS)).flatmap(lambda d: st.tuples(st.just(d), models(d))))
def test_each_contribution_is_the_backward_pass_of_that_term_alone(drawn):
    dtype, (model, x, y) = drawn
    trace = model.trace(x, y)
    named = model.named_parameters()
    assert trace.parameters == list(named)
    sums = {name: np.zeros(parameter.shape) for name, parameter in named.items()}
    sizes = dict.fromkeys(named, 0.0)
    for term, value in trace.terms.items():
        for parameter in named.values():
            parameter._leaf.gradient = None
        alone = model.loss_terms(x, y)[term]  # a forward pass of its own
        assert float(alone) == pytest.approx(value, rel=1e-5)
        if alone.requires_grad:
            alone.backward()
        for name, parameter in named.items():
            expected = parameter.grad if parameter.grad is not None else np.zeros(parameter.shape)
            found = trace.gradient(name, term)
            assert found.dtype == dtype
            assert found.shape == parameter.shape
            size = np.linalg.norm(expected)
            assert np.linalg.norm(found - expected) <= LIMITS[dtype] * size
            sums[name] += expected
            sizes[name] += size
    for name in named:
        difference = np.linalg.norm(trace.gradient(name) - sums[name])
        assert difference <= LIMITS[dtype] * sizes[name]


@settings(max_examples=30)
@given(models("float64"))
def test_the_table_adds_up_and_looks_as_the_arrays_do(drawn):
    model, x, y = drawn
    trace = model.trace(x, y)
    table = trace.table()
    assert len(table) == len(trace.parameters) * len(trace.terms)
    for name in trace.parameters:
        rows = [row for row in table if row.parameter == name]
        assert [row.term for row in rows] == list(trace.terms)
        total = sum(np.linalg.norm(trace.gradient(name, term)) for term in trace.terms)
        assert sum(row.share for row in rows) == pytest.approx(1 if total else 0)
        data = trace.gradient(name, "data").ravel()
        for row in rows:
            part = trace.gradient(name, row.term).ravel()
            assert row.norm == pytest.approx(np.linalg.norm(part))
            if part.any():
                assert row.has_path
            if row.has_path and part.any() and data.any():
                cosine = part @ data / (np.linalg.norm(part) * np.linalg.norm(data))
                assert row.cosine == pytest.approx(cosine)
                assert abs(row.cosine) <= 1 + 1e-12
            else:
                assert math.isnan(row.cosine)


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-12), ("float32", 1e-6)])
def test_the_sum_law_holds_at_every_step_of_fit(dtype, limit):
    model = mg.Sequential(
        Dense(8, "relu", kernel_regularizer="l2", bias_regularizer="l1", dtype=dtype,
              activity_regularizer=L1(1e-2), input_dim=6, seed=0, name="codings"),
        Dense(6, "sigmoid", kernel_regularizer="l1", dtype=dtype, seed=1, name="pixels"),
    )  # fmt: skip
    model.compile(Adam(0.01), "mse")
    x = np.random.default_rng(0).uniform(0, 1, (16, 6))
    for _ in range(25):
        trace = model.trace(x, x)
        model.train_on_batch(x, x)  # leaves .grad, of the very same batch and weights
        for name, parameter in model.named_parameters().items():
            parts = [trace.gradient(name, term) for term in trace.terms]
            difference = np.linalg.norm(np.sum(parts, axis=0) - parameter.grad)
            assert difference <= limit * np.linalg.norm(parameter.grad)
            assert trace.residuals[name] <= limit
        assert trace.residual == max(trace.residuals.values())


# ---- worked example 3 of the semantics ---------------------------------------------------------


def worked_example():
    model = mg.Sequential(
        Dense(3, "relu", kernel_initializer="ones", bias_initializer="ones",
              kernel_regularizer="l2", bias_regularizer="l1",
              activity_regularizer=L1(0.1), name="a", dtype="float64"),
        Dense(1, kernel_initializer="ones", kernel_regularizer=L1(0.5), name="b", dtype="float64"),
    )  # fmt: skip
    model.compile(SGD(0.1), "mse")
    return model.trace([[1.0, 2.0], [3.0, -5.0]], [[1.0], [0.0]])


# The ops from term to parameter with the layer that they are in, and the last line of the text.
CHAINS = {
    ("a/kernel", "data"): (
        [("data", "mean_square"), ("b", "dense"),
         ("a", "relu"), ("a", "dense")],
        "[[11, 11, 11], [22, 22, 22]]",
    ),
    ("a/bias", "data"): (
        [("data", "mean_square"), ("b", "dense"),
         ("a", "relu"), ("a", "dense")],
        "[11, 11, 11]",
    ),
    ("b/kernel", "data"): (
        [("data", "mean_square"), ("b", "dense")],
        "[[44], [44], [44]]",
    ),
    ("a/kernel", "a/activity"): (
        [("a/activity", "divide"), ("a/activity", "multiply"), ("a/activity", "sum"),
         ("a/activity", "absolute"), ("a", "relu"), ("a", "dense")],
        "[[0.05, 0.05, 0.05], [0.1, 0.1, 0.1]]",
    ),
    ("b/kernel", "b/kernel"): (
        [("b/kernel", "multiply"), ("b/kernel", "sum"), ("b/kernel", "absolute")],
        "[[0.5], [0.5], [0.5]]",
    ),
}  # fmt: skip


def headings(text):
    """The (layer, op) of each step of a derivation, in order."""
    found = re.findall(r"^(\d+)\. (\w+)(?: in '([^']+)')?", text, flags=re.MULTILINE)
    assert [int(number) for number, _, _ in found] == list(range(1, len(found) + 1))
    return [(layer, op) for _, op, layer in found]


@pytest.mark.parametrize(("parameter", "term"), CHAINS)
def test_explain_lists_the_ops_in_the_order_of_the_walk_with_their_layers(parameter, term):
    ops, contribution = CHAINS[parameter, term]
    text = worked_example().explain(parameter, term)
    assert text.startswith(f"How {term!r} reaches {parameter!r}, in {len(ops)} steps")
    assert headings(text) == ops
    assert text.endswith(f"In all, {term!r} contributes {contribution} to {parameter!r}.")
    assert text.splitlines()[-3].endswith(f"→ {parameter}")  # the last step leads there


def test_explain_shows_the_numbers_of_the_worked_example():
    text = worked_example().explain("a/kernel", "data")
    for line in (
        "→ for p: g · 2 / n · (p − t)",
        "= 1 · 2 / 2 · ([[12], [0]] − [[1], [0]])",
        "= [[11], [0]] [[1], [1], [1]]ᵀ",
        "→ for x: g where z > 0, else 0",
        "→ for kernel: xᵀ g",
        "= [[1, 2], [3, −5]]ᵀ [[11, 11, 11], [0, 0, 0]]",
        "= [[11, 11, 11], [22, 22, 22]]   → a/kernel",
        "z = x @ self.kernel if self.bias is None else dense(x, self.kernel, self.bias)",
    ):
        assert line in text


def test_large_arrays_are_told_by_shape_and_norm():
    w = Tensor(np.ones((10, 10)), requires_grad=True)
    text = mg.trace({"data": (w * w).sum()}, {"w": w}).explain("w", "data")
    assert "→ for x: g · y\n     = (10, 10) ‖10‖   → w" in text


def test_terms_without_a_path_are_zeros_and_say_so():
    trace = worked_example()
    for parameter, term in (
        ("b/bias", "a/activity"),
        ("b/bias", "b/kernel"),
        ("a/bias", "a/kernel"),
    ):
        assert not trace.gradient(parameter, term).any()
        assert trace.explain(parameter, term) == (
            f"There is no path from {term!r} to {parameter!r}: its contribution is zero."
        )
    rows = {(row.parameter, row.term): row for row in trace.table()}
    assert not rows["b/bias", "a/activity"].has_path
    assert rows["b/bias", "data"].share == 1


def test_a_path_that_carries_zeros_is_still_a_path():
    w = Tensor([1.0, 2.0], requires_grad=True)
    trace = mg.trace({"data": (w * 0.0).sum(), "other": Tensor(1.0)}, {"w": w})
    first, second = trace.table()
    assert (first.has_path, first.norm, first.share) == (True, 0, 0)
    assert not second.has_path
    assert "op" in trace.explain("w", "data")


def test_of_three_ways_to_a_parameter_all_are_told():
    w = Tensor([2.0], requires_grad=True)
    text = mg.trace({"data": (w * w + np.sin(w)).sum()}, {"w": w}).explain("w", "data")
    assert text.count("→ w") == 3
    assert "g · cos(x)" in text


# ---- traces by hand ------------------------------------------------------------------------------


def test_plain_numbers_are_terms_without_a_gradient():
    w = Tensor([1.0], requires_grad=True)
    trace = mg.trace({"data": (w * w).sum(), "constant": 3.0, "array": np.float32(1)}, {"w": w})
    assert trace.terms == {"data": 1, "constant": 3, "array": 1}
    assert trace.gradient("w", "constant") == 0
    assert trace.residual == 0


def test_nothing_but_constants_has_no_gradient_and_no_residual():
    w = Tensor([1.0], requires_grad=True)
    trace = mg.trace({"constant": 3.0}, {"w": w})
    assert trace.residuals == {}
    assert trace.residual == 0
    assert trace.gradient("w").tolist() == [0]


@pytest.mark.parametrize(
    ("terms", "parameters", "message"),
    [
        (lambda w: (w * w).sum(), lambda w: {"w": w}, r"trace: terms .* Received: Tensor"),
        (lambda w: [(w * w).sum()], lambda w: {"w": w}, r"trace: terms .* Received: list"),
        (lambda w: {"data": w.sum()}, lambda w: [w], r"trace: parameters .* Received: list"),
        (lambda w: {"data": w.sum()}, lambda w: w, r"trace: parameters .* Received: Tensor"),
        (lambda w: {"data": "much"}, lambda w: {"w": w}, "real numbers"),
    ],
)
def test_what_is_no_mapping_of_tensors_is_refused(terms, parameters, message):
    w = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TypeError, match=message):
        mg.trace(terms(w), parameters(w))


def test_a_trace_through_a_changed_parameter_is_refused_as_backward_would():
    w = mg.Parameter([1.0], name="w")
    optimizer = SGD(0.1, parameters=[w])
    loss = (w * w).sum()
    w.grad = [1.0]
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"'w' were changed in place after op 'multiply'"):
        mg.trace({"data": loss}, {"w": w})


def test_names_come_from_the_tape_and_scopes_of_a_hand_written_loss():
    w = Tensor([1.0, -2.0], requires_grad=True)
    with mg.scope("encoder"), mg.scope("squares"):
        squared = w * w
    text = mg.trace({"data": squared.sum()}, {"w": w}).explain("w", "data")
    assert headings(text) == [("", "sum"), ("encoder/squares", "multiply")]


def test_a_long_chain_is_traced_without_recursion():
    w = Tensor(1.0, requires_grad=True)
    x = w
    for _ in range(20_000):
        x = x * 1.0
    trace = mg.trace({"data": x}, {"w": w})
    assert trace.gradient("w") == 1
    assert len(trace.steps) == 20_000


def test_results_of_gradient_are_the_callers_own():
    trace = worked_example()
    trace.gradient("a/kernel", "data")[:] = 7
    trace.gradient("a/kernel")[:] = 7
    assert trace.gradient("a/kernel", "data")[0, 0] == 11
    assert trace.gradient("a/kernel")[0, 0] == pytest.approx(11.07)


# ---- what a trace leaves alone -----------------------------------------------------------------


def test_a_run_with_traces_between_ends_bit_for_bit_as_one_without():
    def run(traced):
        model = mg.Sequential(
            Dense(4, "relu", activity_regularizer="l1", kernel_regularizer="l2", input_dim=3,
                  seed=0), Dense(3, seed=1), seed=2,
        )  # fmt: skip
        model.compile(Adam(0.01), "mse")
        x = np.random.default_rng(0).uniform(0, 1, (10, 3))
        histories = []
        for _ in range(4):
            histories.append(model.fit(x, x, batch_size=4, verbose=0).history)
            if traced:
                before = [parameter.grad.copy() for parameter in model.parameters()]
                str(model.trace(x, x).table())
                for parameter, g in zip(model.parameters(), before, strict=True):
                    assert (parameter.grad == g).all()
        return histories, [parameter.numpy().tobytes() for parameter in model.parameters()]

    assert run(traced=True) == run(traced=False)


def test_an_unbuilt_and_uncompiled_model_can_be_traced_for_its_penalties():
    model = mg.Sequential(Dense(2, kernel_regularizer="l2", activity_regularizer="l1"))
    trace = model.trace(np.ones((3, 4)))
    assert list(trace.terms) == ["dense/kernel", "dense/activity"]
    assert all(math.isnan(row.cosine) for row in trace.table())  # there is no data term
    with pytest.raises(ValueError, match="nothing to minimise"):
        mg.Sequential(Dense(2)).trace(np.ones((3, 4)))


def test_frozen_weights_have_zeros_and_are_called_frozen():
    model = mg.Sequential(
        Dense(3, "relu", activity_regularizer="l1", input_dim=2, name="a"), Dense(1, name="b")
    )
    model.compile("sgd", "mse")
    model.layers[0].kernel.trainable = False
    trace = model.trace(np.ones((2, 2)), np.ones((2, 1)))
    for term in (None, *trace.terms):
        assert not trace.gradient("a/kernel", term).any()
    assert trace.explain("a/kernel", "data") == (
        "'a/kernel' is frozen: no gradient is computed for it, and the path ends there."
    )
    assert "a/kernel" not in trace.residuals
    assert not any(row.has_path for row in trace.table() if row.parameter == "a/kernel")


# ---- names and printing --------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["gradient", "explain"])
def test_unknown_names_are_key_errors_with_the_nearest_known(call):
    look = getattr(worked_example(), call)
    with pytest.raises(
        KeyError, match=r"unknown parameter or tensor 'a/kernal'. Did you mean 'a/kernel'"
    ):
        look("a/kernal", "data")
    with pytest.raises(KeyError, match=r"unknown term 'dat'. Did you mean 'data'"):
        look("a/kernel", "dat")
    with pytest.raises(KeyError, match=r"Known: a/kernel, a/bias, b/kernel, b/bias"):
        look("zzz", "data")


class Balance(HTMLParser):
    """Checks that every tag that is opened is closed, and gathers the text between."""

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


names = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)


@given(st.lists(names, min_size=1, max_size=3, unique=True), names)
def test_html_is_well_formed_whatever_the_names(terms, parameter):
    w = Tensor([1.0], requires_grad=True)
    trace = mg.trace({term: (w * (i + 1)).sum() for i, term in enumerate(terms)}, {parameter: w})
    parser = Balance()
    parser.feed(trace._repr_html_())
    parser.close()
    assert parser.open == []
    parser = Balance()
    parser.feed(trace.table()._repr_html_())
    text = "".join(parser.texts)
    assert all(term in text for term in (*terms, parameter))


def test_the_table_is_a_sequence_of_rows_that_becomes_a_data_frame():
    table = worked_example().table()
    assert isinstance(table[:3], list)
    assert table[0].term == "data"
    assert table.as_dicts()[0] == {
        "parameter": "a/kernel", "term": "data", "norm": pytest.approx(np.sqrt(1815)),
        "share": pytest.approx(0.9943, abs=1e-4), "cosine": pytest.approx(1), "has_path": True,
    }  # fmt: skip


def test_the_printed_table_names_each_parameter_once_and_aligns():
    lines = str(worked_example().table()).splitlines()
    assert lines[0].split() == ["parameter", "term", "norm", "share", "cosine", "to", "data"]
    assert sum(line.startswith("a/kernel") for line in lines) == 1
    assert any(line.split() == ["a/bias", "0.01732", "0.1%", "+1.000"] for line in lines)
    assert sum("no path" in line for line in lines) == 11


def test_opposite_contributions_have_a_cosine_of_minus_1():
    rows = rows_of("w", {"data": np.ones(4), "against": -3 * np.ones(4), "none": None})
    assert [row.cosine for row in rows[:2]] == pytest.approx([1, -1])
    assert [row.share for row in rows] == [0.25, 0.75, 0]
    assert "no path" in repr(Table(rows))


def test_printing_a_trace_names_the_loss_its_terms_and_the_residual():
    text = repr(worked_example())
    assert text.startswith("Loss 62.69, the sum of\n  data  60.5\n  a/kernel  0.06\n")
    assert "relative residual" in text
