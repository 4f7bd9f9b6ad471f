"""What must hold for every op, driven by the rows of `table.py`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from minigrad import Primitive, Tensor, grad
from minigrad.engine.table import TABLE
from minigrad.ops.plain import _OF_SHAPES, _PLAIN
from minigrad.testing import check_grads
from tests.ops.table import COMPOSED, ROWS, SHIPPED

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


def test_every_primitive_of_the_table_has_a_row():
    primitives = {thing.name for thing in SHIPPED.values() if isinstance(thing, Primitive)}
    assert len(primitives) > 90
    assert primitives - {row.name for row in ROWS} == set()


class Witness:
    """Stands in the table for a function, and notes that it was reached."""

    def __init__(self, key, stands_for, reached):
        self.key, self.stands_for, self.reached = key, stands_for, reached

    def __call__(self, *args, **keywords):
        self.reached.add(self.key)
        return self.stands_for(*args, **keywords)

    def __getattr__(self, name):
        self.reached.add(self.key)
        return getattr(self.stands_for, name)


def test_every_numpy_function_of_the_table_is_reached_by_a_row(monkeypatch):
    public = {
        getattr(module, name)
        for module in (np, np.linalg)
        for name in dir(module)
        if not name.startswith("_") and callable(getattr(module, name))
    }
    expected = {key for key in SHIPPED if key in public} - {*_PLAIN, *_OF_SHAPES}
    reached = set()
    for key, stands_for in SHIPPED.items():
        monkeypatch.setitem(TABLE, key, Witness(key, stands_for, reached))
    for row in ALL:
        row.call(*tensors(row.operands()))
    assert {key.__name__ for key in expected - reached} == set()


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
    for tensor in (tensor for tensor in given_ if tensor.ndim):
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
