import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import minigrad as mg
from minigrad import Tensor, regularizers
from minigrad.regularizers import L1, L1L2, L2, KLDivergence, OrthogonalRegularizer, Regularizer
from minigrad.testing import check_grads

W = np.array([[1.0, -2.0], [3.0, 4.0], [0.0, -1.0]])
ALL = [
    L1(0.1),
    L2(0.1),
    L1L2(0.1, 0.2),
    OrthogonalRegularizer(0.5),
    OrthogonalRegularizer(0.5, "columns"),
    KLDivergence(0.2, 0.5),
]
every = pytest.mark.parametrize("regularizer", ALL, ids=repr)


@pytest.mark.parametrize(
    ("regularizer", "penalty"),
    [
        (L1(0.1), 1.1),
        (L2(0.1), 3.1),
        (L1L2(0.1, 0.2), 7.3),
        # By hand: ½ (5/√125 + 2/√5 + 4/5) / 3, and ½ · 10 / √210.
        (OrthogonalRegularizer(0.5, "rows"), (1 / math.sqrt(5) + 2 / math.sqrt(5) + 0.8) / 6),
        (OrthogonalRegularizer(0.5, "columns"), 5 / math.sqrt(210)),
    ],
    ids=repr,
)
def test_the_penalty_of_the_example_kernel(regularizer, penalty):
    np.testing.assert_allclose(float(regularizer(W)), penalty, rtol=2e-15)


@pytest.mark.parametrize(
    ("mode", "penalty"), [("rows", 0.3569401502609253), ("columns", 0.3450327515602112)]
)
def test_the_orthogonal_penalty_of_the_example_kernel_in_float32(mode, penalty):
    # These numbers, from the specification, are what float32 gives.
    value = float(OrthogonalRegularizer(0.5, mode)(W.astype(np.float32)))
    np.testing.assert_allclose(value, penalty, rtol=1.2e-7)  # one unit in the last place


def test_more_numbers_that_can_be_checked_by_hand():
    assert float(L2(2.0)(np.ones((5, 5)))) == 50
    assert float(L2(0.1)(np.full((2, 2), 3))) == pytest.approx(3.6)
    assert float(KLDivergence(0.1, 0.5)(np.full((7, 3), 0.5))) == pytest.approx(
        1.5 * (0.1 * math.log(0.2) + 0.9 * math.log(1.8))
    )


def test_defaults():
    assert L1().l1 == L2().l2 == OrthogonalRegularizer().factor == 0.01
    assert (L1L2().l1, L1L2().l2) == (0, 0)
    assert OrthogonalRegularizer().mode == "rows"
    assert KLDivergence().target == 0.1


@pytest.mark.parametrize(
    ("identifiers", "config"),
    [
        (("l1", "L1"), {"l1": 0.01}),
        (("l2", "L2"), {"l2": 0.01}),
        (("l1_l2", "l1l2", "L1L2"), {"l1": 0.01, "l2": 0.01}),
        (("orthogonal_regularizer", "OrthogonalRegularizer"), {"factor": 0.01, "mode": "rows"}),
        (("kl_divergence", "KLDivergence"), {"target": 0.1, "strength": 0.01}),
    ],
)
def test_identifiers(identifiers, config):
    for identifier in identifiers:
        assert regularizers.get(identifier).get_config() == config


BAD = [-1, -0.001, math.nan, math.inf, "0.1", True, None, 1j, [0.1], np.array([0.1]), np.True_]


@pytest.mark.parametrize("bad", BAD, ids=repr)
@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda v: L1(v), "l1"),
        (lambda v: L2(v), "l2"),
        (lambda v: L1L2(l1=v), "l1"),
        (lambda v: L1L2(l2=v), "l2"),
        (lambda v: OrthogonalRegularizer(v), "factor"),
        (lambda v: KLDivergence(v), "target"),
        (lambda v: KLDivergence(strength=v), "strength"),
    ],
)
def test_strengths_are_finite_and_not_negative(make, argument, bad):
    with pytest.raises(ValueError, match=f"{argument} must be a finite number") as error:
        make(bad)
    assert repr(bad) in str(error.value)


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.int64(2), np.array(0.5), 0])
def test_numpy_scalars_are_strengths_and_are_kept_as_python_floats(value):
    assert type(L1(value).l1) is float
    assert L1(value).l1 == value


@pytest.mark.parametrize("target", [0, 1, 1.5])
def test_the_target_of_kl_is_a_probability(target):
    with pytest.raises(ValueError, match="target"):
        KLDivergence(target)


def test_orthogonal_knows_two_modes():
    with pytest.raises(ValueError, match=r"'rows'.*'columns'.*'diagonal'"):
        OrthogonalRegularizer(mode="diagonal")


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), ()])
def test_orthogonal_needs_a_matrix(shape):
    with pytest.raises(ValueError, match="matrix") as error:
        OrthogonalRegularizer()(np.ones(shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(("mode", "shape"), [("rows", (1, 3)), ("columns", (3, 1))])
def test_orthogonal_needs_two_vectors(mode, shape):
    with pytest.raises(ValueError, match=f"at least 2 {mode}"):
        OrthogonalRegularizer(mode=mode)(np.ones(shape))


def test_orthogonal_counts_antiparallel_as_parallel():
    regularizer = OrthogonalRegularizer(1.0)
    assert float(regularizer([[1.0, 2.0], [2.0, 4.0]])) == pytest.approx(1)
    assert float(regularizer([[1.0, 2.0], [-2.0, -4.0]])) == pytest.approx(1)
    assert float(regularizer([[1.0, 0.0], [0.0, 5.0]])) == 0


def test_a_zero_vector_gives_no_nan_in_value_or_gradient():
    x = Tensor(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]), requires_grad=True)
    penalty = OrthogonalRegularizer(3.0)(x)
    penalty.backward()
    assert float(penalty) == pytest.approx(0.6)
    assert np.isfinite(x.grad).all()
    assert x.grad[0].tolist() == [0, 0]


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_penalty_has_the_dtype_of_a_floating_input(regularizer, dtype):
    x = Tensor(np.abs(W).astype(dtype) / 10, requires_grad=True)
    penalty = regularizer(x)
    assert penalty.dtype == dtype
    penalty.backward()
    assert x.grad.dtype == dtype


@every
def test_lists_integers_and_booleans_are_promoted(regularizer):
    floats = [[1.0, 0.0], [1.0, 1.0]]
    expected = float(regularizer(np.array(floats, np.float32)))
    for values in (floats, [[1, 0], [1, 1]], np.array(floats, bool), np.array(floats, np.int8)):
        penalty = regularizer(values)
        assert penalty.dtype == np.float32
        assert float(penalty) == expected


@every
def test_the_derivatives_agree_with_finite_differences(regularizer):
    check_grads(regularizer, [np.array([[0.3, 0.6], [0.45, 0.2], [0.7, 0.55]])], order=1)
    check_grads(regularizer, [np.array([[0.3, 0.6], [0.45, 0.2], [0.7, 0.55]])])


matrices = arrays(np.float64, (3, 2), elements=st.floats(-5, 5))


@given(matrices, st.floats(0, 10), st.floats(0, 10))
def test_the_gradients_have_their_closed_forms(values, l1, l2):
    x = Tensor(values, requires_grad=True)
    np.testing.assert_allclose(mg.grad(L1(l1)(x), x), l1 * np.sign(values))
    np.testing.assert_allclose(mg.grad(L2(l2)(x), x), 2 * l2 * values)
    np.testing.assert_allclose(
        mg.grad(L1L2(l1, l2)(x), x), l1 * np.sign(values) + 2 * l2 * values, atol=1e-12
    )


def test_kl_clips_activations_outside_of_0_and_1():
    x = Tensor(np.array([[-0.5, 2.0, 0.5]]), requires_grad=True)
    penalty = KLDivergence(0.1, 1.0)(x)
    penalty.backward()
    assert np.isfinite(float(penalty))
    assert x.grad[0, :2].tolist() == [0, 0]
    assert x.grad[0, 2] != 0


def test_kl_of_an_empty_batch_is_0_and_a_scalar_is_refused():
    assert float(KLDivergence()(np.ones((0, 3)))) == 0
    with pytest.raises(ValueError, match="batch of activations"):
        KLDivergence()(0.5)


@given(arrays(np.float64, (4, 3), elements=st.floats(0.01, 0.99)), st.integers(1, 4))
def test_kl_does_not_depend_on_how_often_the_batch_is_repeated(values, times):
    once = float(KLDivergence()(values))
    np.testing.assert_allclose(float(KLDivergence()(np.tile(values, (times, 1)))), once, atol=1e-12)


@every
def test_configs_round_trip(regularizer):
    for twin in (
        regularizers.deserialize(regularizers.serialize(regularizer)),
        regularizers.get(regularizers.serialize(regularizer)),
        type(regularizer).from_config(regularizer.get_config()),
        copy.deepcopy(regularizer),
    ):
        assert type(twin) is type(regularizer)
        assert twin.get_config() == regularizer.get_config()
        assert float(twin(W / 10 + 0.5)) == float(regularizer(W / 10 + 0.5))


def test_strengths_in_configs_are_exact():
    assert regularizers.serialize(L1(0.1)) == {"class_name": "L1", "config": {"l1": 0.1}}


def test_get_takes_everything_that_may_stand_for_a_regularizer():
    def by_hand(x):
        return 0.01 * np.abs(x).sum()

    instance = L1(0.3)
    assert regularizers.get(None) is None
    assert regularizers.get(instance) is instance
    assert regularizers.get(by_hand) is by_hand
    assert isinstance(regularizers.get(L2), L2)
    with pytest.raises(TypeError, match="expected a regularizer"):
        regularizers.get(3)


def test_unknown_names_are_answered_with_the_nearest_known_ones():
    with pytest.raises(ValueError, match=r"unknown regularizer 'l3'\. Did you mean 'l"):
        regularizers.get("l3")
    with pytest.raises(ValueError, match="kl_divergence"):
        regularizers.get("kl_divergance")


def test_the_short_functions():
    assert regularizers.l1(0.2).l1 == 0.2
    assert regularizers.l2(0.2).l2 == 0.2
    assert regularizers.l1_l2().get_config() == {"l1": 0.01, "l2": 0.01}


def test_a_subclass_must_define_its_call_and_config():
    class Half(Regularizer):
        def __init__(self, strength):
            self.half = strength / 2

    with pytest.raises(NotImplementedError, match="Half must define __call__"):
        Half(1)(W)
    with pytest.raises(NotImplementedError, match=r"Half must define get_config.*strength"):
        Half(1).get_config()
    assert repr(Half(1)) == "Half()"
    assert Regularizer().get_config() == {}


def test_repr_shows_the_strengths():
    assert repr(L1L2(0.1, 0.2)) == "L1L2(l1=0.1, l2=0.2)"
