"""Every way to change a value that a live tape needs: a right gradient, or an error."""

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
