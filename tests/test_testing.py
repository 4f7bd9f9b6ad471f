import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

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


def test_a_missing_sum_over_broadcast_axes_is_caught():
    # The engine undoes broadcasting; an op that broadcasts by itself must do so, too.
    planted = Primitive(
        lambda x: np.broadcast_to(x, (4, 3)).copy(), lambda g, z, x: g[0], name="planted"
    )
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(lambda x: planted(x), [X])


def test_a_mean_in_place_of_the_sum_over_broadcast_axes_is_caught():
    planted = Primitive(
        lambda x, y: x + y,
        lambda g, z, x, y: g,
        lambda g, z, x, y: g.mean(axis=0),
        name="planted",
    )
    with pytest.raises(AssertionError, match="operand 1"):
        check_grads(lambda x, y: planted(x, y), [np.ones((4, 3)), X])


def test_a_wrong_rule_inside_a_right_one_shows_in_the_second_order_only():
    wrong_cosine = Primitive(lambda x: np.cos(x), lambda g, z, x: g * np.sin(x), name="wrong")
    planted = Primitive(lambda x: np.sin(x), lambda g, z, x: g * wrong_cosine(x), name="planted")
    check_grads(lambda x: planted(x), [X], order=1)
    with pytest.raises(AssertionError, match="order 2 with respect to operand 0"):
        check_grads(lambda x: planted(x), [X])


def test_a_rule_that_is_wrong_in_a_mixed_second_derivative_alone_is_caught():
    planted = Primitive(
        lambda x, y: x * y,
        lambda g, z, x, y: g * plain(y),  # forgets that y may vary, too
        lambda g, z, x, y: g * x,
        name="planted",
    )
    check_grads(lambda x, y: planted(x, y), [X, X + 1], order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(lambda x, y: planted(x, y), [X, X + 1])


def test_the_message_names_the_function_and_both_numbers():
    def slope_of_three(x):
        return planted(x).sum()

    planted = Primitive(lambda x: x * 3, lambda g, z, x: g * 4, name="planted")
    message = (
        r"slope_of_three: the derivative of order 1 with respect to operand 0 is wrong\. "
        r"Finite differences: (\S+); the rule: (\S+)"
    )
    with pytest.raises(AssertionError, match=message) as caught:
        check_grads(slope_of_three, [X])
    expected, received = map(float, re.search(message, str(caught.value)).groups())
    assert received / expected == pytest.approx(4 / 3)


def test_every_seed_catches_an_error_in_a_single_element_of_many():
    def rule(g, z, x):
        return g * np.where(np.arange(200) == 77, 2.01, 2.0)

    planted = Primitive(lambda x: x * 2, rule, name="planted")
    for seed in range(20):
        with pytest.raises(AssertionError):
            check_grads(lambda x: planted(x), [np.ones(200)], order=1, seed=seed)


@given(array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.integers(0, 5))
def test_right_rules_pass_for_every_shape_and_seed(shape, seed):
    values = np.random.default_rng(1).uniform(0.3, 2, shape)
    check_grads(lambda x, y: np.exp(x * y) / y, [values, values + 1], seed=seed)


def test_float32_operands_and_tensors_are_checked_in_float64():
    check_grads(lambda x, y, z: x * y * z, [X.astype(np.float32), Tensor(X), np.float32(2)])


def test_operands_without_influence_have_a_derivative_of_0():
    check_grads(lambda x, y: np.exp(x) + 0 * x, [X, X])
    check_grads(lambda x, y: (x * x).sum(), [X, X[:1]])


def test_a_function_that_hides_an_operand_from_the_tape_is_caught():
    with pytest.raises(AssertionError, match="order 1 with respect to operand 1"):
        check_grads(lambda x, y: x * plain(y), [X, X])
