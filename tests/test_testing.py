import numpy as np
import pytest

from minigrad import Primitive, Tensor
from minigrad.engine.tensor import plain
from minigrad.testing import check_grads

X = np.array([0.3, 0.7, 1.9])

PLANTED = {
    "a wrong factor": lambda g, z, x: g * 3 * np.cos(x),
    "a wrong sign": lambda g, z, x: -g * np.cos(x),
    "a forgotten upstream gradient": lambda g, z, x: np.cos(x),
    "zero": lambda g, z, x: g * 0,
    "an almost right rule": lambda g, z, x: g * np.cos(x) * 1.0001,
    "the result in place of the operand": lambda g, z, x: g * np.cos(z),
}


@pytest.mark.parametrize("rule", PLANTED.values(), ids=PLANTED)
def test_planted_wrong_rules_are_caught(rule):
    planted = Primitive(lambda x: np.sin(x), rule, name="planted")
    with pytest.raises(AssertionError, match=r"order 1 with respect to operand 0"):
        check_grads(lambda x: planted(x), [X])


def test_a_right_first_and_wrong_second_derivative_is_caught():
    planted = Primitive(
        lambda x: np.sin(x), lambda g, z, x: g * np.cos(plain(x)), name="planted"
    )  # the rule leaves the tape: right on arrays, no second derivative on Tensors
    check_grads(lambda x: planted(x), [X], order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(lambda x: planted(x), [X])


def test_swapped_rules_are_caught():
    planted = Primitive(
        lambda x, y: x * y, lambda g, z, x, y: g * x, lambda g, z, x, y: g * y, name="planted"
    )
    with pytest.raises(AssertionError, match="operand 0"):
        check_grads(lambda x, y: planted(x, y), [X, X + 1])


def test_a_wrong_rule_of_the_second_operand_alone_is_caught():
    planted = Primitive(
        lambda x, y: x - y, lambda g, z, x, y: g, lambda g, z, x, y: g, name="planted"
    )
    with pytest.raises(AssertionError, match="operand 1"):
        check_grads(lambda x, y: planted(x, y), [X, X])


def test_a_function_that_leaves_the_tape_is_caught():
    with pytest.raises(AssertionError, match="cut from the tape"):
        check_grads(lambda x: Tensor(plain(x)) * 2, [X])


def test_right_rules_pass_with_other_operands_left_alone():
    check_grads(lambda x, index: x[index] * np.exp(x[0]), [X, np.array([2, 0, 2])])


def test_operands_that_are_python_floats_are_checked_too():
    check_grads(lambda x, y: x * y, [2.0, X])


@pytest.mark.parametrize("order", [0, 3])
def test_other_orders_are_refused(order):
    with pytest.raises(ValueError, match="1 or 2"):
        check_grads(np.sin, [X], order=order)


def test_operands_without_a_float_are_refused():
    with pytest.raises(ValueError, match="floating operand"):
        check_grads(np.sin, [np.array([1])])
