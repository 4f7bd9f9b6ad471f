"""What must hold for every op, driven by the rows of `table.py`."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from minigrad import Primitive, Tensor, grad, losses, ops
from minigrad.testing import check_grads
from tests.ops.table import COMPOSED, ROWS

ALL = [*ROWS, *COMPOSED]
every_row = pytest.mark.parametrize("row", ALL, ids=lambda row: row.id)
elementwise_rows = pytest.mark.parametrize(
    "row", [row for row in ROWS if row.elementwise], ids=lambda row: row.id
)


def tensors(operands):
    return [Tensor(x, requires_grad=x.dtype.kind == "f") for x in operands]


def gradients(row, operands):
    """The value, and the gradient of a weighted sum, for each floating operand."""
    given_ = tensors(operands)
    result = row.call(*given_)
    weights = np.cos(np.arange(result.size)).reshape(result.shape).astype(result.dtype)
    wanted = [tensor for tensor in given_ if tensor.requires_grad]
    return result, grad((result * weights).sum(), wanted)


def test_every_primitive_has_a_row():
    modules = [losses, *(vars(ops)[name] for name in ops.__all__)]
    shipped = {
        thing.name
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, Primitive)
    }
    assert shipped - {row.name for row in ROWS} == set()


@every_row
def test_the_value_is_numpys(row):
    operands = row.operands()
    expected = (row.expected or row.call)(*operands)
    np.testing.assert_allclose(row.call(*tensors(operands)).numpy(), expected, rtol=1e-12)


@every_row
def test_the_derivatives_of_both_orders_agree_with_finite_differences(row):
    check_grads(row.call, row.operands())


@every_row
def test_rules_give_the_same_on_arrays_and_on_tensors(row):
    operands = tensors(row.operands())
    wanted = [tensor for tensor in operands if tensor.requires_grad]
    loss = np.square(row.call(*operands)).sum()
    on_tensors = grad(loss, wanted, create_graph=True)
    for left, right in zip(grad(loss, wanted), on_tensors, strict=True):
        np.testing.assert_allclose(left, right.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "row",
    [
        row for row in ALL if row.name not in ("astype", "float_power")
    ],  # they are there to change it
    ids=lambda row: row.id,
)
def test_float32_stays_float32_in_value_and_gradients_on_both_paths(row):
    operands = row.operands(np.float32)
    result, found = gradients(row, operands)
    assert result.dtype == np.float32
    assert {gradient.dtype for gradient in found} == {np.dtype(np.float32)}
    given_ = tensors(operands)
    wanted = [tensor for tensor in given_ if tensor.requires_grad]
    for gradient in grad(row.call(*given_).sum(), wanted, create_graph=True):
        assert gradient.dtype == np.float32


@every_row
def test_operands_and_upstream_gradients_are_never_written_into(row):
    operands = row.operands()
    given_ = tensors(operands)
    for tensor in given_:
        tensor._value.flags.writeable = False
    result = row.call(*given_)
    upstream = np.ones(result.shape, result.dtype)
    upstream.flags.writeable = False
    wanted = [tensor for tensor in given_ if tensor.requires_grad]
    found = grad(result, wanted, gradient=upstream)
    assert [gradient.shape for gradient in found] == [tensor.shape for tensor in wanted]


@every_row
def test_the_memory_layout_of_operands_does_not_matter(row):
    operands = row.operands()
    value, expected = gradients(row, operands)
    for relaid in (
        [np.asfortranarray(x) for x in operands],
        [np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x for x in operands],
        [x[..., ::-1].copy()[..., ::-1] if x.ndim else x for x in operands],
    ):
        other, found = gradients(row, relaid)
        np.testing.assert_allclose(other.numpy(), value.numpy(), rtol=1e-12)
        for left, right in zip(found, expected, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-14)


@elementwise_rows
@given(data=st.data())
def test_broadcast_operands_get_gradients_of_their_own_shape(row, data):
    number = len(row.domains)
    shapes = data.draw(
        mutually_broadcastable_shapes(num_shapes=number, max_dims=3, min_side=0, max_side=3)
    )
    rng = np.random.default_rng(1)
    operands = [
        domain(rng, shape) for domain, shape in zip(row.domains, shapes.input_shapes, strict=True)
    ]
    result, found = gradients(row, operands)
    floating = [x for x in operands if x.dtype.kind == "f"]
    assert result.shape == shapes.result_shape
    assert [gradient.shape for gradient in found] == [x.shape for x in floating]
    if result.size:
        check_grads(row.call, operands, order=1)


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


def test_powers_at_0_have_the_right_derivative():
    assert slope(lambda x: x**0, [0]) == [0]
    assert slope(lambda x: x**1, [0]) == [1]
    assert slope(lambda x: x**2, [0]) == [0]
    assert slope(np.power, [0, 2], [2, 0]) == [[0, 0], [0, np.log(2)]]


def test_activations_saturate_without_overflow_or_warnings():
    from minigrad.ops import neural

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
