"""Every way to change a value that a live tape needs: a right gradient, or an error."""

import operator
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import minigrad as mg
from minigrad import Tensor, no_grad
from minigrad.layers import Parameter
from minigrad.optimizers import SGD


def leaf():
    return Tensor(np.array([1.0, 2.0]), requires_grad=True)


def square_loss(x):
    return (x * x).sum()  # its gradient is 2 x, so it needs the values


def expect_right(x, loss):
    loss.backward()
    np.testing.assert_allclose(x.grad, [2, 4])


def test_data_subtracted_between_forward_and_backward_works():
    x = leaf()
    loss = square_loss(x)
    x.data -= 5
    expect_right(x, loss)
    assert x.tolist() == [-4, -3]


def test_data_item_written_between_forward_and_backward_works():
    x = leaf()
    loss = square_loss(x)
    x.data[0] = 50
    expect_right(x, loss)


def test_data_replaced_between_forward_and_backward_works():
    x = leaf()
    loss = square_loss(x)
    x.data = np.array([7.0, 7.0])
    expect_right(x, loss)


@pytest.mark.parametrize(
    "write",
    [
        lambda a: a.__setitem__(0, 9),
        lambda a: a.fill(9),
        lambda a: np.copyto(a, 9),
        lambda a: np.add(a, 9, out=a),
        lambda a: a[1:].__setitem__(0, 9),
        lambda a: a.flat.__setitem__(0, 9),
        lambda a: a.sort(),
    ],
)
def test_an_alias_of_data_taken_before_the_forward_pass_may_be_written(write):
    x = leaf()
    alias = x.data
    view = alias[:]
    loss = square_loss(x)
    write(alias)
    write(view)
    expect_right(x, loss)


def test_an_array_operand_may_be_written_after_the_forward_pass():
    x = leaf()
    batch = np.array([3.0, 4.0])
    loss = (x * batch).sum()
    batch[:] = 0
    loss.backward()
    assert x.grad.tolist() == [3, 4]


def test_a_constant_tensor_may_be_written_after_the_forward_pass():
    x = leaf()
    constant = Tensor(np.array([3.0, 4.0]))
    alias = constant.data
    loss = (x * constant).sum()
    alias[:] = 0
    constant.data += 1
    loss.backward()
    assert x.grad.tolist() == [3, 4]


def test_an_index_array_may_be_written_after_the_forward_pass():
    x = leaf()
    index = np.array([1])
    loss = x[index].sum()
    index[0] = 0
    loss.backward()
    assert x.grad.tolist() == [0, 1]


def stepped(make_loss):
    """An optimizer's step between forward and backward."""
    weight = Parameter(np.array([1.0, 2.0]), name="w")
    optimizer = SGD(0.1, parameters=[weight])
    weight.grad = np.ones(2)
    optimizer.step()  # from now on its values are a view of the optimizer's buffer
    loss = make_loss(weight)
    optimizer.step()
    return weight, loss


@pytest.mark.parametrize(
    "make_loss",
    [
        square_loss,
        lambda w: square_loss(w.reshape(2, 1)),
        lambda w: square_loss(w[:]),
        lambda w: square_loss(w.T),
    ],
)
def test_an_optimizer_step_before_backward_is_an_error_that_names_the_op(make_loss):
    _, loss = stepped(make_loss)
    with pytest.raises(RuntimeError, match=r"'w' were changed in place after op '\w+'"):
        loss.backward()


def test_a_view_of_a_stepped_weight_is_noticed_even_where_another_gradient_is_asked_for():
    other = leaf()
    weight = Parameter(np.array([1.0, 2.0]), name="w")
    optimizer = SGD(0.1, parameters=[weight])
    weight.grad = np.ones(2)
    optimizer.step()
    loss = (weight.reshape(2) * other).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        mg.grad(loss, other)


def test_what_no_grad_or_detach_took_of_a_weight_does_not_change_with_it():
    other = leaf()
    weight = Parameter(np.array([1.0, 2.0]), name="w")
    optimizer = SGD(0.1, parameters=[weight])
    weight.grad = np.ones(2)
    optimizer.step()
    values = weight.numpy()
    with no_grad():
        view = weight.reshape(2)
    loss = (view * other).sum() + (weight.detach() * other).sum()
    optimizer.step()
    loss.backward()
    np.testing.assert_allclose(other.grad, 2 * values)


def test_the_gradient_that_two_operands_share_is_not_shared_memory():
    x, y = leaf(), leaf()
    (x + y).sum().backward()
    x.grad *= 100
    assert y.grad.tolist() == [1, 1]


def test_in_place_update_without_recording_is_noticed_by_the_tape():
    x = leaf()
    loss = square_loss(x)
    with no_grad():
        x -= 5
    expect_right(x, loss)
    assert x.tolist() == [-4, -3]


def test_the_upstream_gradient_may_be_written_after_a_recorded_walk():
    x = leaf()
    upstream = np.array([1.0, 1.0])
    first = mg.grad(x**3, x, gradient=upstream, create_graph=True)
    upstream[:] = 0
    np.testing.assert_allclose(mg.grad(first.sum(), x), [6, 12])


def test_recorded_gradients_of_two_inputs_are_tensors_of_their_own():
    x, y = leaf(), leaf()
    first, second = mg.grad((x + y).sum(), [x, y], create_graph=True)
    first.data[:] = 9
    first.requires_grad = True
    assert second.tolist() == [1, 1]
    assert not second.requires_grad


def test_a_hook_cannot_write_into_the_gradient_of_others():
    x, y = leaf(), leaf()

    def write(g):
        g *= 10

    x.register_hook(write)
    with pytest.raises(ValueError, match="read-only"):
        (x + y).sum().backward()


def test_gradients_switched_off_for_a_while_are_not_lost():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True, name="w")
    loss = square_loss(x)
    x.requires_grad = False
    assert not (x * 2).requires_grad
    x.requires_grad = True
    assert x.name == "w"
    expect_right(x, loss)


@pytest.mark.parametrize("trainable", [True, False])
def test_augmented_assignment_never_loses_a_parameter(trainable):
    weight = Parameter(np.eye(2), name="w", trainable=trainable)
    same = weight
    for operate in (
        operator.iadd,
        operator.isub,
        operator.imul,
        operator.itruediv,
        operator.ipow,
        operator.imatmul,
        operator.ifloordiv,
        operator.imod,
    ):
        with pytest.raises(RuntimeError, match=r"'w' requires gradients.*no_grad"):
            operate(weight, np.full((2, 2), 2.0))
        with no_grad():
            expected = getattr(operator, operate.__name__[1:])(weight.numpy(), np.full((2, 2), 2.0))
            weight = operate(weight, np.full((2, 2), 2.0))
        assert weight is same
        np.testing.assert_allclose(weight.numpy(), expected)


def test_options_are_constants_that_a_tensor_is_refused_as():
    slope = Tensor(0.1, requires_grad=True)
    with pytest.raises(TypeError, match=r"'leaky_relu'.*negative_slope= is a constant"):
        mg.ops.neural.leaky_relu(leaf(), slope)


@pytest.mark.parametrize(
    "operand",
    [1j, np.complex64(1), Fraction(1, 2), Decimal(1), "2", object(), {1: 2}, [[1], [2, 3]]],
)
@pytest.mark.parametrize("operate", [operator.add, operator.mul, operator.pow, operator.matmul])
def test_operands_that_are_no_real_numbers_are_refused_with_the_op(operand, operate):
    for x in (leaf(), Tensor([1.0, 2.0]), Tensor(3)):
        with pytest.raises((TypeError, ValueError), match=r"op '\w+' cannot take|inhomogeneous"):
            operate(x, operand)


def test_masked_arrays_are_refused_as_their_mask_would_be_lost():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for use in (lambda: leaf() * masked, lambda: Tensor(masked)):
        with pytest.raises(TypeError, match="filled"):
            use()


def test_matrices_and_other_arrays_are_taken_for_plain_arrays():
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = np.matrix([[5.0, 6.0], [7.0, 8.0]])
    result = x * matrix
    assert result.tolist() == [[5, 12], [21, 32]]
    assert mg.grad(result.sum(), x).tolist() == [[5, 6], [7, 8]]


def test_an_array_like_that_hands_out_its_own_memory_is_copied():
    class Sharing:
        def __init__(self):
            self.array = np.array([3.0, 4.0])

        def __array__(self, dtype=None, copy=None):
            return self.array

    x, operand = leaf(), Sharing()
    loss = (x * operand).sum()
    operand.array[:] = 0
    loss.backward()
    assert x.grad.tolist() == [3, 4]


def test_a_forward_must_return_one_array():
    two = mg.Primitive(lambda x: (x, x), lambda g, z, x: g, name="two_results")
    with pytest.raises(TypeError, match=r"'two_results'.*one array of numbers"):
        two(leaf())
    number = mg.Primitive(lambda x: float(x.sum()), lambda g, z, x: g + 0 * x, name="number")
    x = leaf()
    number(x).backward()
    assert x.grad.tolist() == [1, 1]


def test_the_result_of_an_op_does_not_become_a_new_tensor_silently():
    with pytest.raises(TypeError, match=r"detach\(\)"):
        Tensor(leaf() * 2)
    assert Tensor(leaf(), requires_grad=True).tolist() == [1, 2]
