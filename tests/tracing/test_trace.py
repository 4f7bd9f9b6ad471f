from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import Primitive, Tensor, regularizers
from minigrad.engine.table import TABLE
from minigrad.layers import Activation, ActivityRegularization, Dense
from minigrad.optimizers import SGD, Adam
from minigrad.tracing.rule_source import rule_source, rule_summary

PENALTIES = [None, "l1", "l2", "l1_l2", "orthogonal_regularizer"]


def autoencoder(dtype="float64", seed=0):
    model = mg.Sequential(
        Dense(5, "relu", kernel_regularizer="l2", bias_regularizer="l1",
              activity_regularizer=regularizers.L1(1e-2), input_dim=6, name="codings",
              dtype=dtype, seed=seed),
        Dense(6, "sigmoid", kernel_regularizer="orthogonal_regularizer", name="pixels",
              dtype=dtype, seed=seed + 1),
    )  # fmt: skip
    model.compile(Adam(0.01), "mse")
    return model


X = np.random.default_rng(0).uniform(0, 1, (8, 6))


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-12), ("float32", 1e-6)])
def test_contributions_add_up_to_the_gradient_at_every_step_of_a_run(dtype, limit):
    model = autoencoder(dtype)
    for _ in range(30):
        trace = model.trace(X, X)
        assert 0 <= trace.residual <= limit
        model.optimizer.zero_grad()
        model.loss_terms(X, X).total().backward()
        for name, parameter in model.named_parameters().items():
            total = sum(trace.gradient(name, term) for term in trace.terms)
            scale = np.linalg.norm(parameter.grad)
            assert np.linalg.norm(total - parameter.grad) <= limit * scale
        model.train_on_batch(X, X)


@st.composite
def models(draw):
    """Random models: depth, width, activations, penalties, a shared and a nested layer."""
    widths = draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    built = []
    size = 3
    for index, width in enumerate(widths):
        built.append(
            Dense(
                width,
                draw(st.sampled_from(["relu", "tanh", "sigmoid", "softplus", None])),
                kernel_regularizer=draw(st.sampled_from(PENALTIES)),
                bias_regularizer=draw(st.sampled_from([None, "l1", "l2"])),
                activity_regularizer=draw(st.sampled_from([None, "l1", "l2", "kl_divergence"])),
                input_dim=size,
                seed=draw(st.integers(0, 99)),
                bias_initializer="random_normal",
                dtype="float64",
                name=f"layer{index}",
            )
        )
        size = width
    if draw(st.booleans()):
        shared = Dense(size, "tanh", activity_regularizer="l2", kernel_regularizer="l1",
                       dtype="float64", seed=3, name="shared")  # fmt: skip
        built += [shared, shared]
    if draw(st.booleans()):
        built = [mg.Sequential(built, name="nested", activity_regularizer="l1")]
    return mg.Sequential(*built, Dense(1, dtype="float64", seed=1, name="last"))


@settings(max_examples=40)
@given(models(), st.integers(0, 99))
def test_the_sum_law_holds_for_random_models(model, seed):
    rng = np.random.default_rng(seed)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
    trace = model.trace(x, y)
    assert trace.residual <= 1e-12
    for term in trace.terms:
        alone = model.loss_terms(x, y)[term]
        for name, parameter in model.named_parameters().items():
            expected = mg.grad(alone, parameter, keep_graph=True) if alone.requires_grad else 0
            found = trace.gradient(name, term)
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_shares_add_up_to_1_and_cosines_are_those_of_the_arrays():
    trace = autoencoder().trace(X, X)
    table = trace.table()
    for parameter in trace.parameters:
        rows = [row for row in table if row.parameter == parameter]
        assert sum(row.share for row in rows) == pytest.approx(1)
    row = next(r for r in table if (r.parameter, r.term) == ("codings/kernel", "codings/activity"))
    a = trace.gradient("codings/kernel", "codings/activity").ravel()
    b = trace.gradient("codings/kernel", "data").ravel()
    assert row.norm == pytest.approx(np.linalg.norm(a))
    assert row.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_a_term_without_a_path_contributes_zeros_and_is_shown_as_such():
    trace = autoencoder().trace(X, X)
    assert (trace.gradient("pixels/bias", "codings/activity") == 0).all()
    assert "no path" in str(trace.table())
    assert "no path" in trace.explain("pixels/bias", "codings/activity")
    row = next(r for r in trace.table() if (r.parameter, r.term) == ("pixels/bias", "codings/bias"))
    assert not row.has_path
    assert np.isnan(row.cosine)


def test_explain_tells_the_steps_of_the_worked_example():
    model = mg.Sequential(
        Dense(3, "relu", kernel_initializer="ones", bias_initializer="ones",
              activity_regularizer=regularizers.L1(0.1), name="a", dtype="float64"),
        Dense(1, kernel_initializer="ones", name="b", dtype="float64"),
    )  # fmt: skip
    model.compile(SGD(0.1), "mse")
    trace = model.trace([[1.0, 2.0], [3.0, -5.0]], [[1.0], [0.0]])
    steps = trace.path("a/kernel", "data")
    assert [(step.layer, step.op) for step in steps] == [
        ("data", "mean_square"), ("b", "dense"), ("a", "relu"), ("a", "dense"),
    ]  # fmt: skip
    assert steps[0].formula(0) == "g · 2 / n · (p − t)"
    assert steps[0].rule(0) == "g * (2 / p.size) * (p - t)"
    assert steps[-1].line.file == "dense.py"
    steps = trace.explain("a/kernel", "a/activity")
    assert "g · sign(x)" in steps
    assert "a/activity" in steps


def test_a_trace_leaves_weights_gradients_and_optimizer_alone():
    model = autoencoder()
    model.train_on_batch(X, X)
    before = [(p.numpy(), p.grad.copy()) for p in model.parameters()]
    model.trace(X, X)
    assert model.optimizer.iterations == 1
    for (values, gradient), parameter in zip(before, model.parameters(), strict=True):
        assert (parameter.numpy() == values).all()
        assert (parameter.grad == gradient).all()


def test_hand_written_losses_are_traced_and_can_still_be_walked():
    w = Tensor(np.array([1.0, -2.0]), requires_grad=True)
    hidden = w * 3
    terms = {"data": (hidden * hidden).sum(), "sparsity": 0.5 * np.abs(hidden).sum()}
    trace = mg.trace(terms, {"w": w, "hidden": hidden})
    assert trace.gradient("w", "data").tolist() == [18, -36]
    assert trace.gradient("hidden", "sparsity").tolist() == [0.5, -0.5]
    assert trace.residual == 0
    sum(terms.values()).backward()
    assert w.grad.tolist() == trace.gradient("w").tolist()


def test_tracing_a_consumed_tape_says_how_to_keep_it():
    w = Tensor([1.0], requires_grad=True)
    loss = (w * w).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="keep_graph=True"):
        mg.trace({"data": loss}, {"w": w})


def test_bad_terms_and_names_are_refused():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"term 'data' must be a scalar. Received: shape \(2,\)"):
        mg.trace({"data": w * 2}, {"w": w})
    with pytest.raises(ValueError, match="nothing to minimise"):
        mg.trace({}, {"w": w})
    trace = autoencoder().trace(X, X)
    with pytest.raises(KeyError, match="Did you mean 'codings/kernel'"):
        trace.gradient("coding/kernel")
    with pytest.raises(KeyError, match="Did you mean 'codings/activity'"):
        trace.explain("codings/kernel", "codings/activty")


def test_frozen_layers_say_so():
    model = autoencoder()
    model.layers[0].trainable = False
    trace = model.trace(X, X)
    assert "frozen" in trace.explain("codings/kernel", "data")
    assert (trace.gradient("codings/kernel") == 0).all()


def test_layers_without_weights_are_no_obstacle():
    model = mg.Sequential(
        Dense(2, input_dim=6, dtype="float64"),
        Activation("tanh", dtype="float64"),
        ActivityRegularization(0.1, dtype="float64", name="sparsity"),
    )
    model.compile("sgd")
    assert model.trace(X).terms.keys() == {"sparsity/activity"}


class Balance(HTMLParser):
    """Checks that every tag that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("br", "img", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_html_is_well_formed_and_escaped():
    w = Tensor([1.0], requires_grad=True)
    trace = mg.trace({"<data>": (w * w).sum()}, {"a&b": w})
    parser = Balance()
    parser.feed(trace._repr_html_())
    assert parser.open == []
    text = trace.table()._repr_html_()
    parser.feed(text)
    assert parser.open == []
    assert "&lt;data&gt;" in text
    assert "a&amp;b" in text
    assert "<data>" not in text


def test_printing_shows_terms_table_and_residual():
    text = str(autoencoder().trace(X, X))
    assert "codings/activity" in text
    assert "share" in text
    assert "residual" in text


def test_every_rule_of_the_package_can_show_its_source():
    shown = 0
    for primitive in list(TABLE.values()):
        if not isinstance(primitive, Primitive) or not isinstance(primitive.rules, tuple):
            continue
        for rule in primitive.rules:
            if rule is not None and (rule.__module__ or "").startswith("minigrad."):
                assert "not available" not in rule_source(rule), primitive
                assert rule_summary(rule)
                shown += 1
    assert shown > 80


def test_rules_on_one_line_are_told_apart():
    first, second = (lambda g, z, x: g * 1), (lambda g, z, x: g * 2)
    assert (rule_source(first), rule_source(second)) == ("g * 1", "g * 2")
