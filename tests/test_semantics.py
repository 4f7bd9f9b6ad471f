"""The rules of docs/semantics.md: what the loss terms are, in sentences and in numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import layers, regularizers
from minigrad.layers import Activation, ActivityRegularization, Dense, Flatten, Layer
from minigrad.optimizers import SGD
from minigrad.regularizers import L1, L2, KLDivergence

X = np.array([[1.0, 2.0], [3.0, -5.0]])
Y = np.array([[1.0], [0.0]])


def worked_example():
    model = mg.Sequential(
        Dense(
            3,
            "relu",
            kernel_initializer="ones",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer=L1(0.1),
            name="a",
            dtype="float64",
        ),
        Dense(1, kernel_initializer="ones", kernel_regularizer=L1(0.5), name="b", dtype="float64"),
    )
    model.compile(SGD(0.1), "mse")
    return model


def floats(losses):
    return [float(value) for value in losses]


# ---- worked examples -------------------------------------------------------------------------


def test_worked_example_1_dense_with_kernel_and_activity_penalty():
    layer = Dense(
        5, kernel_initializer="ones", kernel_regularizer=L1(0.01), activity_regularizer=L2(0.01)
    )
    for _ in range(2):  # a second call replaces the terms
        assert (layer(2 * np.ones((5, 5))).numpy() == 10).all()
        np.testing.assert_allclose(floats(layer.losses), [0.25, 5.0])
        assert sum(floats(layer.losses)) == pytest.approx(5.25)


def test_worked_example_3_terms():
    model = worked_example()
    terms = model.loss_terms(X, Y)
    assert model.predict(X).tolist() == [[12], [0]]
    assert list(terms) == ["data", "a/kernel", "a/bias", "a/activity", "b/kernel"]
    np.testing.assert_allclose(floats(terms.values()), [60.5, 0.06, 0.03, 0.6, 1.5], rtol=1e-14)
    np.testing.assert_allclose(float(terms.total()), 62.69, rtol=1e-14)


def test_worked_example_3_gradient_by_term():
    trace = worked_example().trace(X, Y)
    for term, rows in {
        "data": [11, 22],
        "a/kernel": [0.02, 0.02],
        "a/activity": [0.05, 0.1],
        "a/bias": [0, 0],
        "b/kernel": [0, 0],
    }.items():
        expected = np.tile(np.array(rows)[:, None], 3)
        np.testing.assert_allclose(trace.gradient("a/kernel", term), expected, rtol=1e-14)
    total = np.tile([[11.07], [22.12]], 3)
    np.testing.assert_allclose(trace.gradient("a/kernel"), total, rtol=1e-14)


def test_worked_example_3_one_step_of_sgd():
    model = worked_example()
    model.train_on_batch(X, Y)
    expected = {
        "a/kernel": np.tile([[-0.107], [-1.212]], 3),
        "a/bias": np.full(3, -0.106),
        "b/kernel": np.full((3, 1), -3.45),
        "b/bias": np.array([-1.1]),
    }
    for name, parameter in model.named_parameters().items():
        np.testing.assert_allclose(parameter.numpy(), expected[name], rtol=1e-13)


@given(st.integers(1, 6), st.integers(0, 5))
def test_worked_example_4_repeating_a_batch_changes_no_term_and_no_gradient(times, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, 2))
    y = rng.normal(size=(3, 1))
    once = worked_example().trace(x, y)
    often = worked_example().trace(np.tile(x, (times, 1)), np.tile(y, (times, 1)))
    for term, value in once.terms.items():
        np.testing.assert_allclose(often.terms[term], value, rtol=1e-12)
        for name in once.parameters:
            np.testing.assert_allclose(
                often.gradient(name, term), once.gradient(name, term), rtol=1e-11, atol=1e-12
            )


def test_worked_example_2_a_convolution_of_ones():
    conv = layers.Conv2D(
        2,
        2,
        kernel_initializer="ones",
        bias_initializer="ones",
        kernel_regularizer=L1(0.01),
        bias_regularizer=L2(0.5),
        activity_regularizer=L2(0.01),
        name="conv",
        dtype="float64",
    )
    outputs = conv(np.ones((4, 3, 3, 1)))
    assert outputs.shape == (4, 2, 2, 2)
    assert (outputs.numpy() == 5).all()
    terms = conv.loss_terms().values_as_floats()
    assert terms == pytest.approx({"conv/kernel": 0.08, "conv/bias": 1.0, "conv/activity": 2.0})


@pytest.mark.parametrize("kind", ["Dense", "Conv1D", "Conv2D", "Conv3D"])
def test_dense_and_convolutions_have_the_three_penalties_alike(kind):
    rank = 0 if kind == "Dense" else int(kind[-2])
    arguments = (2,) if kind == "Dense" else (2, 1)  # a window of one place is a Dense layer
    layer = getattr(layers, kind)(
        *arguments,
        kernel_initializer="ones",
        bias_initializer="ones",
        kernel_regularizer=L2(0.1),
        bias_regularizer=L1(0.1),
        activity_regularizer=L1(0.1),
        name="layer",
    )
    layer(np.ones((5, *(1,) * rank, 3)))
    terms = layer.loss_terms().values_as_floats()
    expected = {"layer/kernel": 0.6, "layer/bias": 0.2, "layer/activity": 0.8}
    assert terms == pytest.approx(expected, rel=1e-6)


def test_worked_example_5_integer_input_is_penalised():
    assert float(L2(0.1)(np.full((2, 2), 3))) == pytest.approx(3.6)


def test_worked_example_6_the_same_strength_by_hand():
    layer = Dense(4, "relu", activity_regularizer=L1(1e-3), input_dim=2, seed=0)
    codings = layer(np.ones((32, 2)))
    by_hand = 1e-3 / 32 * codings.abs().sum()
    np.testing.assert_allclose(floats(layer.losses), [float(by_hand)], rtol=1e-6)


def test_penalties_of_ones_from_the_documentation():
    class Half(regularizers.Regularizer):
        def __call__(self, x):
            return 0.5 * (x * x).sum()

    def absolute(x):
        return 0.01 * np.abs(x).sum()

    for regularizer, penalty in ((Half(), 12.5), (absolute, 0.25)):
        layer = Dense(5, input_dim=5, kernel_initializer="ones", kernel_regularizer=regularizer)
        np.testing.assert_allclose(floats(layer.losses), [penalty])


# ---- section 1, sentence by sentence -----------------------------------------------------------


def test_no_data_term_without_a_loss():
    model = mg.Sequential(Dense(2, kernel_regularizer="l2", input_dim=2))
    assert list(model.loss_terms(np.ones((1, 2)))) == ["dense/kernel"]


def test_generated_names_are_unique_and_nested_models_prefix_theirs():
    encoder = mg.Sequential(
        Dense(2, activity_regularizer="l1", input_dim=3), Dense(2), name="encoder"
    )
    model = mg.Sequential(encoder, Dense(3, kernel_regularizer="l2"), Dense(3), Activation("relu"))
    assert [layer.name for layer in model.layers] == ["encoder", "dense", "dense_1", "activation"]
    model(np.ones((2, 3)))
    assert list(model.loss_terms()) == ["encoder/dense/activity", "dense/kernel"]


def test_two_layers_of_one_name_are_refused():
    with pytest.raises(ValueError, match="already has a layer named 'same'"):
        mg.Sequential(Dense(2, name="same"), Dense(2, name="same"))


def test_a_weight_penalty_counts_once_and_an_activity_penalty_once_for_each_call():
    shared = Dense(
        2,
        kernel_initializer="ones",
        kernel_regularizer=L1(1.0),
        activity_regularizer=L1(1.0),
        input_dim=2,
        name="shared",
    )
    model = mg.Sequential(shared, shared)
    model(np.ones((4, 2)))  # outputs 2, then 4
    terms = model.loss_terms()
    assert terms.values_as_floats() == {"shared/kernel": 4, "shared/activity": (16 + 32) / 4}
    assert sum(floats(shared.losses)) == 4 + 12
    assert len(model.parameters()) == 2


def test_a_new_forward_pass_replaces_the_terms():
    layer = Dense(1, kernel_initializer="ones", activity_regularizer=L1(1.0))
    layer([[1.0]])
    layer([[5.0]])
    assert floats(layer.losses) == [5]


def test_a_forward_pass_that_fails_changes_nothing():
    class Fails(Layer):
        def call(self, x):
            raise ZeroDivisionError

    first = Dense(1, kernel_initializer="ones", activity_regularizer=L1(1.0), input_dim=1)
    first([[2.0]])
    with pytest.raises(ZeroDivisionError):
        mg.Sequential(first, Fails())([[7.0]])
    assert floats(first.losses) == [2]
    assert mg.engine.current_scope() == ""


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 5), (4, 2, 2, 2)])
def test_the_batch_size_is_the_length_of_the_first_axis_and_nothing_else(shape):
    layer = Activation("linear", activity_regularizer=L1(1.0))
    layer(np.ones(shape))
    assert floats(layer.losses) == [np.prod(shape) / shape[0]]


def test_a_scalar_output_is_not_divided():
    class Total(Layer):
        def call(self, x):
            return x.sum()

    layer = Total(activity_regularizer=L1(1.0))
    layer(np.ones((4, 2)))
    assert floats(layer.losses) == [8]


def test_a_layer_with_several_outputs_pays_for_each():
    class Both(Layer):
        def call(self, x):
            return x, 2 * x

    layer = Both(activity_regularizer=L1(1.0))
    layer(np.ones((4, 2)))
    assert floats(layer.losses) == [2, 4]
    assert layer.loss_terms().values_as_floats() == {"both/activity": 6}


@pytest.mark.parametrize("regularizer", ["l1", "l2", "kl_divergence"])
def test_a_batch_of_size_0_pays_0_and_not_nan(regularizer):
    layer = Dense(2, "sigmoid", activity_regularizer=regularizer, input_dim=3)
    layer(np.ones((0, 3)))
    assert floats(layer.losses) == [0]


def test_the_activity_regularizer_sees_the_output_by_both_paths_of_a_nested_model():
    seen = []

    def spy(output):
        seen.append(output.numpy())
        return output.sum()

    inner = mg.Sequential(
        Dense(2, "relu", kernel_initializer="ones", activity_regularizer=spy, input_dim=2),
        name="inner",
    )
    outer = mg.Sequential(inner)
    x = np.array([[1.0, 2.0], [-3.0, 1.0]])
    for model in (inner, outer):
        model(x)
        assert seen.pop().tolist() == [[3, 3], [0, 0]]
        assert floats(model.losses) == [3]


def test_losses_are_differentiable_and_give_the_total_in_a_hand_written_loop():
    by_fit, by_hand = worked_example(), worked_example()
    by_hand.build((None, 2))
    optimizer = SGD(0.1, parameters=by_hand.parameters())
    for _ in range(3):
        by_fit.train_on_batch(X, Y)
        loss = mg.losses.mean_squared_error(Y, by_hand(X)) + sum(by_hand.losses)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for left, right in zip(by_fit.parameters(), by_hand.parameters(), strict=True):
        np.testing.assert_allclose(left.numpy(), right.numpy(), rtol=1e-12)


def test_the_sum_of_losses_is_the_sum_of_the_named_terms():
    model = worked_example()
    model(X)
    assert sum(floats(model.losses)) == pytest.approx(float(model.loss_terms().total()))


def test_predict_and_evaluate_leave_the_losses_as_they_were():
    model = worked_example()
    model(X)
    before = floats(model.losses)
    model.predict(10 * X)
    model.evaluate(10 * X, Y)
    assert floats(model.losses) == before
    assert floats(model.layers[0].losses) == before[:3]


def test_calling_the_encoder_alone_leaves_the_autoencoders_losses():
    encoder = mg.Sequential(
        Dense(2, kernel_initializer="ones", activity_regularizer=L1(1.0), input_dim=2),
        name="encoder",
    )
    autoencoder = mg.Sequential(encoder, Dense(2))
    autoencoder(np.ones((1, 2)))
    encoder(10 * np.ones((1, 2)))
    assert floats(autoencoder.losses) == [4]
    assert floats(encoder.losses) == [40]


def test_weight_penalties_are_computed_from_the_weights_as_they_are_when_read():
    layer = Dense(1, kernel_initializer="ones", kernel_regularizer=L1(1.0), input_dim=1)
    assert floats(layer.losses) == [1]
    layer.kernel.data *= 3
    assert floats(layer.losses) == [3]


def test_evaluate_includes_the_penalties():
    model = worked_example()
    assert model.evaluate(X, Y) == pytest.approx(62.69)
    by_term = model.evaluate(X, Y, return_dict=True)
    assert by_term.pop("loss") == pytest.approx(sum(by_term.values()))


def test_a_penalty_that_is_no_scalar_names_regularizer_layer_and_shape():
    def elementwise(x):
        return x * x

    layer = Dense(2, kernel_regularizer=elementwise, input_dim=3, name="codings")
    with pytest.raises(ValueError, match=r"'codings'.*elementwise.*shape \(3, 2\)"):
        layer.losses  # noqa: B018
    layer = Dense(2, activity_regularizer=elementwise, input_dim=3, name="codings")
    with pytest.raises(ValueError, match=r"'codings'.*elementwise.*shape \(1, 2\)"):
        layer(np.ones((1, 3)))
    layer.activity_regularizer = lambda x: "much"
    with pytest.raises(TypeError, match="'much'"):
        layer(np.ones((1, 3)))


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3), np.array(3.0)])
def test_a_plain_number_is_a_penalty_without_a_gradient(number):
    layer = Dense(2, kernel_regularizer=lambda kernel: number, input_dim=3)
    (penalty,) = layer.losses
    assert float(penalty) == 3
    assert not penalty.requires_grad


def test_regularizers_can_be_assigned_at_any_time_and_are_checked_at_once():
    layer = Dense(2, kernel_initializer="ones", name="codings")
    layer.kernel_regularizer = "l2"  # before building
    layer(np.ones((1, 3)))
    assert floats(layer.losses) == pytest.approx([0.06])
    layer.kernel_regularizer = None
    layer.bias_regularizer = L1(1.0)
    layer.activity_regularizer = L1(1.0)
    assert floats(layer.losses) == [0]
    layer(np.ones((1, 3)))
    assert floats(layer.losses) == [0, 6]
    with pytest.raises(ValueError, match=r"'codings': kernel_regularizer: unknown.*'l4'"):
        layer.kernel_regularizer = "l4"
    with pytest.raises(TypeError, match="expected a regularizer"):
        layer.activity_regularizer = 7


def test_a_whole_sequential_has_an_activity_regularizer():
    model = mg.Sequential(Dense(2, kernel_initializer="ones", input_dim=2), name="model")
    model.activity_regularizer = "l1"
    model(np.ones((2, 2)))
    assert model.loss_terms().values_as_floats() == pytest.approx({"model/activity": 0.04})
    outer = mg.Sequential(model, name="outer")
    outer(np.ones((2, 2)))
    assert list(outer.loss_terms()) == ["model/activity"]


@pytest.mark.parametrize("name", ["weight_regularizer", "W_regularizer", "kernal_regularizer"])
def test_misspelt_and_old_names_say_which_was_meant(name):
    with pytest.raises(TypeError, match=f"'{name}'. Did you mean 'kernel_regularizer'"):
        Dense(2, **{name: "l2"})
    with pytest.raises(AttributeError, match="Did you mean 'kernel_regularizer'"):
        setattr(Dense(2), name, "l2")


def test_every_layer_has_an_activity_regularizer_whether_its_constructor_names_it_or_not():
    for layer in (Activation("relu"), Flatten(), ActivityRegularization(), Dense(2)):
        layer.activity_regularizer = L1(1.0)
        layer(np.ones((2, 2)))
        assert len(layer.losses) == 1


def test_frozen_layers_pay_for_their_output_but_not_for_their_weights():
    layer = Dense(
        2,
        kernel_initializer="ones",
        kernel_regularizer="l2",
        bias_regularizer="l2",
        activity_regularizer=L1(1.0),
        input_dim=2,
    )
    layer.trainable = False
    layer(np.ones((1, 2)))
    assert list(layer.loss_terms()) == ["dense/activity"]
    assert floats(layer.losses) == [4]
    layer.trainable = True
    assert len(layer.losses) == 3


def test_kl_is_not_divided_by_the_batch_size_and_neither_is_what_says_the_same_of_itself():
    layer = Dense(3, "sigmoid", kernel_initializer="zeros", input_dim=2)
    layer.activity_regularizer = KLDivergence(0.1, 0.5)
    layer(np.ones((32, 2)))
    assert floats(layer.losses) == pytest.approx([0.5521], abs=5e-5)

    class WrittenForKeras(regularizers.Regularizer):
        def __call__(self, x):
            return KLDivergence(0.1, 0.5)(x)

    layer.activity_regularizer = WrittenForKeras()
    layer(np.ones((32, 2)))
    assert floats(layer.losses) == pytest.approx([0.0173], abs=5e-5)

    def total_mean(x):
        return x.mean(axis=0).sum()

    layer.activity_regularizer = total_mean
    total_mean.averages_over_batch = True
    layer(np.ones((32, 2)))
    assert floats(layer.losses) == [1.5]
