"""Kinks, empty and 0-d operands, axes, and what once was wrong without a word."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import Tensor, grad
from minigrad.ops import indexing, neural
from minigrad.testing import check_grads
from tests.ops.row import anything
from tests.ops.test_ops import tensors

# ---- kinks and corners -----------------------------------------------------------------------


def slope(function, *values):
    """The gradient of a sum at some values."""
    xs = [Tensor(np.array(value, float), requires_grad=True) for value in values]
    found = grad(function(*xs).sum(), xs)
    return found[0].tolist() if len(found) == 1 else [gradient.tolist() for gradient in found]


def test_the_derivative_of_the_absolute_value_at_0_is_0():
    assert slope(np.abs, [-2, 0, 3]) == [-1, 0, 1]


def test_the_derivative_of_relu_at_0_is_0():
    from minigrad.activations import relu

    assert slope(relu, [-1, 0, 2]) == [0, 0, 1]


def test_ties_share_the_gradient_of_the_extreme():
    assert slope(np.max, [3, 1, 3]) == [0.5, 0, 0.5]
    assert slope(np.min, [[1, 1], [2, 5]]) == [[0.5, 0.5], [0, 0]]
    assert slope(np.maximum, [2, 1], [2, 5]) == [[0.5, 0], [0.5, 1]]


def test_clip_passes_the_gradient_inside_and_on_its_limits():
    assert slope(lambda x: np.clip(x, -1, 1), [-2, -1, 0, 1, 2]) == [0, 1, 1, 1, 0]


def test_the_number_beside_a_nan_wins_in_fmax_and_gets_the_gradient():
    assert slope(np.fmax, [np.nan, 1], [2, np.nan]) == [[0, 1], [1, 0]]


def test_the_size_of_a_float_has_derivative_0_at_0_too():
    assert slope(np.fabs, [-2, 0, 3]) == [-1, 0, 1]


def test_what_nan_to_num_replaces_gets_no_gradient():
    assert slope(np.nan_to_num, [np.nan, 2.0, np.inf, -np.inf]) == [0, 1, 0, 0]


def test_0_to_the_power_of_0_has_derivative_0_in_both():
    assert slope(np.power, [0.0], [0.0]) == [[0], [0]]


def test_powers_at_0_have_the_right_derivative():
    assert slope(lambda x: x**0, [0]) == [0]
    assert slope(lambda x: x**1, [0]) == [1]
    assert slope(lambda x: x**2, [0]) == [0]
    assert slope(np.power, [0, 2], [2, 0]) == [[0, 0], [0, np.log(2)]]


def test_activations_saturate_without_overflow_or_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (
            neural.sigmoid,
            neural.softplus,
            neural.softmax,
            neural.log_softmax,
            neural.elu,
            neural.silu,
        ):
            x = Tensor(np.array([[-1000.0, 0.0, 1000.0]]), requires_grad=True)
            function(x).sum().backward()
            assert np.isfinite(x.grad).all(), function


def test_the_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="empty tensor"):
        np.mean(Tensor(np.ones((0, 3)), requires_grad=True))


def test_reductions_refuse_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"'sum' cannot take operands \(2,\)"):
        np.sum(Tensor([1.0, 2.0]), axis=3)


@given(st.data())
def test_basic_indexing_agrees_with_numpy(data):
    from hypothesis.extra.numpy import array_shapes, basic_indices

    shape = data.draw(array_shapes(max_dims=3, max_side=4))
    index = data.draw(basic_indices(shape, allow_newaxis=True))
    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    x = Tensor(values, requires_grad=True)
    result = x[index]
    np.testing.assert_array_equal(result.numpy(), values[index])
    result.sum().backward()
    expected = np.zeros(shape)
    expected[index] = 1
    np.testing.assert_array_equal(x.grad, expected)


# ---- empty, 0-d, axes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (np.sum, (0, 3)),
        (np.prod, (0, 3)),
        (lambda x: np.sum(x, axis=0), (0, 3)),
        (lambda x: np.prod(x, axis=0), (0, 3)),
        (lambda x: np.cumsum(x, axis=0), (0, 3)),
        (lambda x: np.cumprod(x, axis=0), (0, 3)),
        (lambda x: np.max(x, axis=1), (0, 3)),
        (lambda x: np.sort(x, axis=0), (0, 3)),
        (np.transpose, (0, 3)),
        (np.ravel, (0, 3)),
        (lambda x: x[1:], (1, 3)),
        (lambda x: x[[]], (2, 3)),
        (lambda x: x[x > 9], (2, 3)),
        (lambda x: np.concatenate([x, x]), (0, 3)),
        (lambda x: x @ np.ones((3, 2)), (0, 3)),
        (lambda x: np.ones((2, 0)) @ x, (0, 3)),
        (lambda x: np.einsum("ij->j", x), (0, 3)),
        (lambda x: neural.dense(x, np.ones((3, 2)), np.ones(2)), (0, 3)),
        (neural.softmax, (0, 3)),
        (neural.erf, (0, 3)),
    ],
)
def test_empty_tensors_have_numpys_value_and_a_gradient_of_their_shape(function, shape):
    values = np.ones(shape)
    x = Tensor(values, requires_grad=True)
    result = function(x)
    np.testing.assert_array_equal(result.numpy(), function(values))
    assert grad(result.sum(), x).shape == shape


@pytest.mark.parametrize(
    "function",
    [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.median, np.ravel, np.transpose, np.cumsum,
     np.cumprod, np.flip, lambda x: x[...], lambda x: x[None], lambda x: np.expand_dims(x, 0),
     lambda x: np.broadcast_to(x, (2, 3)), lambda x: x.reshape(1, 1), np.linalg.norm,
     neural.relu, neural.sigmoid, neural.erf, lambda x: np.stack([x, x * x])],
)  # fmt: skip
def test_scalars_are_tensors_like_any_other(function):
    value = np.array(0.7)
    np.testing.assert_allclose(function(Tensor(value)).numpy(), function(value), rtol=1e-15)
    check_grads(function, [value])


@pytest.mark.parametrize(
    "function",
    [np.sum, np.prod, np.max, np.min, np.ptp, np.nansum, np.nanmax, np.cumsum, np.cumprod, np.any,
     np.argmax, np.mean, np.var],
)  # fmt: skip
@pytest.mark.parametrize("axis", [0, -1])
def test_a_scalar_may_be_folded_along_0_as_in_numpy(function, axis):
    value = np.array(0.7)
    x = Tensor(value, requires_grad=True)
    result = function(x, axis=axis)
    expected = function(value) if function in (np.mean, np.var) else function(value, axis=axis)
    if isinstance(result, Tensor):
        # NumPy itself refuses an axis in the mean of a plain scalar, so it is given Tensors only.
        check_grads(lambda x: function(x * Tensor(1.0), axis=axis), [value])
        result = result.numpy()
    np.testing.assert_allclose(result, expected)
    for other in (1, -2):
        with pytest.raises((np.exceptions.AxisError, ValueError)):
            function(x, axis=other)


ALONG_AXES = [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.median, np.flip]
ALONG_AXIS = [
    np.cumsum, np.cumprod, np.sort, np.linalg.norm,
    lambda x, axis: np.repeat(x, 2, axis=axis), lambda x, axis: np.take(x, [0, 0], axis=axis),
    lambda x, axis: np.roll(x, 1, axis=axis), lambda x, axis: np.split(x, 1, axis=axis)[0],
    lambda x, axis: np.moveaxis(x, axis, 0), lambda x, axis: np.expand_dims(x, axis),
    lambda x, axis: np.take_along_axis(x, np.zeros((1, 1, 1), int), axis=axis),
    lambda x, axis: np.concatenate([x, x], axis=axis), lambda x, axis: np.stack([x], axis=axis),
    lambda x, axis: np.tensordot(x, np.ones(2), axes=(axis, 0)),
    lambda x, axis: np.linalg.vector_norm(x, axis=axis),
]  # fmt: skip


@given(st.sampled_from(ALONG_AXES), st.data())
def test_any_choice_of_axes_agrees_with_numpy(function, data):
    values = np.random.default_rng(0).uniform(1, 2, (2, 2, 2))
    axes = data.draw(st.lists(st.integers(0, 2), unique=True, min_size=1))
    axes = tuple(data.draw(st.sampled_from([a, a - 3])) for a in axes)
    axis = data.draw(st.sampled_from([axes, axes[0], np.int64(axes[0]), None]))
    result = function(Tensor(values), axis=axis)
    np.testing.assert_allclose(result.numpy(), function(values, axis=axis), rtol=1e-12)
    check_grads(lambda x: function(x, axis=axis), [values], order=1)


@pytest.mark.parametrize("function", ALONG_AXIS)
@pytest.mark.parametrize("axis", [0, 2, -1, -3, np.int64(1), np.int64(-2)])
def test_an_axis_may_be_any_integer(function, axis):
    values = np.random.default_rng(0).uniform(1, 2, (2, 2, 2))
    np.testing.assert_allclose(
        function(Tensor(values), axis=axis).numpy(), function(values, axis=axis), rtol=1e-12
    )
    check_grads(lambda x: function(x, axis=axis), [values], order=1)


@pytest.mark.parametrize("function", [*ALONG_AXES, *ALONG_AXIS])
@pytest.mark.parametrize("axis", [7, -8])
def test_an_axis_that_is_not_there_is_refused_rather_than_taken_round(function, axis):
    with pytest.raises((np.exceptions.AxisError, IndexError, ValueError), match=r"axis|rang"):
        function(Tensor(np.ones((2, 2, 2))), axis=axis)


# ---- once wrong: each of these gave a wrong value or gradient without a word ------------------


@pytest.mark.parametrize(
    ("index", "numpys"),
    [
        (((0, 0, 1),), ((0, 0, 1),)),
        (range(3), range(3)),
        ([0, 0, 1], [0, 0, 1]),
        ([], np.empty(0, np.intp)),
        ((Tensor([0, 0, 1]),), ([0, 0, 1],)),
        ([Tensor(0), Tensor(0)], [0, 0]),
        (memoryview(np.array([0, 0, 1])), [0, 0, 1]),
        (np.int64(1), 1),
        (np.array(1), 1),
        (True, True),
        (np.True_, np.True_),
        ((slice(np.int64(0), np.array(2)),), slice(0, 2)),
    ],
    ids=repr,
)
def test_any_kind_of_index_reads_and_scatters_as_numpys(index, numpys):
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    x = Tensor(values, requires_grad=True)
    result = x[index]
    np.testing.assert_array_equal(result.numpy(), values[numpys])
    result.sum().backward()
    expected = np.zeros(values.shape)
    np.add.at(expected, numpys, 1)
    np.testing.assert_array_equal(x.grad, expected)


def test_scatter_is_the_adjoint_of_getitem():
    rng = np.random.default_rng(0)
    index, x = (slice(None), np.array([0, 2, 2])), rng.normal(size=(2, 3))
    y = rng.normal(size=(2, 3))
    left = np.sum(x[index] * y)
    assert left == pytest.approx(np.sum(x * indexing.scatter(y, index=index, shape=(2, 3))))


@pytest.mark.parametrize("x", [0.5, 2.0])
def test_the_mixed_second_derivative_of_a_power_is_right_at_exponent_0(x):
    base, exponent = Tensor(np.array(x), requires_grad=True), Tensor(np.array(0.0), None, True)
    slope_ = grad(base**exponent, base, create_graph=True)
    assert float(grad(slope_, exponent)) == pytest.approx(1 / x)  # xʸ⁻¹ (1 + y ln x)


def test_sigmoid_keeps_small_values_in_float32():
    x = Tensor(np.array([-80.0, -20.0], np.float32), requires_grad=True)
    expected = np.exp([-80.0, -20.0])
    np.testing.assert_allclose(neural.sigmoid(x).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(grad(neural.sigmoid(x).sum(), x), expected, rtol=1e-5)
    np.testing.assert_allclose(grad(neural.softplus(x).sum(), x), expected, rtol=1e-5)
    np.testing.assert_allclose(grad(np.log(neural.sigmoid(x)).sum(), x), 1, rtol=1e-5)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 1.5, 0.5, -1, -2])
def test_the_derivative_of_a_length_at_0_is_0(order):
    assert slope(lambda x: np.linalg.norm(x, order), [0, 0]) == [0, 0]


@pytest.mark.parametrize("order", [0, 0.5, -1])
def test_an_element_of_0_has_no_part_in_the_derivative_of_a_length(order):
    x = Tensor(np.array([0.0, 2.0]), requires_grad=True)
    with np.errstate(divide="ignore"):
        expected = np.linalg.norm(x.numpy(), order)
    length = np.linalg.norm(x, order)
    assert float(length.detach()) == expected
    assert grad(length, x).tolist() == pytest.approx([0, 1 if order == 0.5 else 0])


def test_the_median_beside_a_nan_is_nan():
    assert np.isnan(np.median(Tensor([np.nan, 1.0, 2.0])).item())


@pytest.mark.parametrize(
    "function",
    [
        neural.relu,
        lambda x: np.maximum(x, 0.0),
        lambda x: -np.minimum(-x, 0.0),
        lambda x: np.fmax(x, 0.0),
        lambda x: np.clip(x, 0, None),
        lambda x: np.where(x > 0, x, 0.0),
    ],
)
def test_an_infinite_gradient_does_not_reach_what_was_not_chosen(function):
    with np.errstate(divide="ignore"):
        assert slope(lambda x: np.sqrt(function(x)), [-1, 4]) == [0, 0.25]


def test_where_with_a_condition_alone_gives_places():
    (places,) = np.where(Tensor([0.0, 3.0]))
    assert places.tolist() == [1]


def test_nan_to_num_never_writes_into_its_operand():
    x = Tensor([np.nan, 1.0])
    with pytest.raises(TypeError, match="copy=False"):
        np.nan_to_num(x, copy=False)
    assert np.isnan(x.numpy()[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: np.tensordot(Tensor(np.ones((2, 3))), np.ones((3, 2)), axes=([0, 1], [0, 1])),
        lambda: np.vdot(Tensor(np.ones(1)), np.ones(3)),
        lambda: np.einsum("ii->i", Tensor(np.ones((2, 3)))),
        lambda: np.diag(Tensor(np.ones((2, 2, 2)))),
        lambda: neural.dense(Tensor(np.ones((3, 3, 3))), np.ones((3, 3, 3)), np.ones(3)),
    ],
)
def test_shapes_that_numpy_refuses_are_refused(call):
    with pytest.raises(ValueError, match=r"length|needs|expected"):
        call()


def test_pad_takes_a_dict_of_axes_counted_from_the_end():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    result = np.pad(x, {-1: (1, 2)}, constant_values=5.0)
    assert result.shape == (2, 6)
    # Arrays take a dict only since NumPy 2.2, so that a list says what is expected.
    upstream = np.arange(24.0).reshape(4, 6)
    by_dict, by_list = (
        grad(lambda x, widths=widths: (np.pad(x, widths) * upstream).sum())(np.ones((2, 3)))
        for widths in ({0: 1, -1: (1, 2)}, [(1, 1), (1, 2)])
    )
    np.testing.assert_array_equal(by_dict, by_list)


def test_a_singular_matrix_raises_numpys_own_error_with_the_op():
    with pytest.raises(np.linalg.LinAlgError, match="'inv'"):
        np.linalg.inv(Tensor(np.zeros((2, 2))))


def test_integers_and_booleans_are_constants_cut_from_the_tape():
    x = Tensor(np.array([1.5, 2.5]), requires_grad=True)
    whole = x.astype(int)
    assert not whole.requires_grad
    assert grad((whole * 0.5 * x).sum(), x).tolist() == [0.5, 1]
    with pytest.raises(TypeError, match="real numbers"):
        x.astype(complex)


@given(st.data())
def test_products_by_einsum_agree_with_numpy_and_finite_differences(data):
    letters = st.text("ijk", min_size=1, max_size=3)
    terms = data.draw(st.lists(letters, min_size=1, max_size=3))
    output = "".join(
        data.draw(st.lists(st.sampled_from(sorted(set("".join(terms)))), unique=True, max_size=3))
    )
    lengths = {"i": 2, "j": 3, "k": 1}
    rng = np.random.default_rng(0)
    arrays = [anything(rng, tuple(lengths[letter] for letter in term)) for term in terms]
    subscripts = ",".join(terms) + "->" + output
    expected = np.einsum(subscripts, *arrays)
    result = np.einsum(subscripts, *tensors(arrays))
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-10, atol=1e-12)
    check_grads(lambda *xs: np.einsum(subscripts, *xs), arrays)


@given(st.data(), st.booleans())
def test_reductions_over_any_axes_agree_with_numpy_and_finite_differences(data, keepdims):
    from hypothesis.extra.numpy import array_shapes, valid_tuple_axes

    shape = data.draw(array_shapes(max_dims=4, max_side=3))
    axes = data.draw(valid_tuple_axes(len(shape)))
    values = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape) * 0.3 + 0.4
    for function in (np.sum, np.mean, np.max, np.prod, np.var, np.median):
        result = function(Tensor(values, requires_grad=True), axis=axes, keepdims=keepdims)
        expected = function(values, axis=axes, keepdims=keepdims)
        assert result.shape == np.shape(expected)
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12)
        check_grads(lambda x, f=function: f(x, axis=axes, keepdims=keepdims), [values], order=1)
