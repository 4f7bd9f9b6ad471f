import numpy as np
import pytest

from minigrad import Primitive, Tensor, custom_gradient, implements
from minigrad.engine.table import TABLE
from minigrad.testing import check_grads


def test_a_straight_through_estimator_passes_the_gradient_of_a_step():
    @custom_gradient(lambda g, z, x: g)
    def straight_through_round(x):
        return np.round(x)

    x = Tensor([0.2, 1.7], requires_grad=True)
    result = straight_through_round(x)
    (result * [1.0, 10.0]).sum().backward()
    assert result.tolist() == [0, 2]
    assert x.grad.tolist() == [1, 10]


def test_an_op_from_outside_is_as_short_as_one_inside_and_has_all_orders():
    def sinc_like(x, scale=1.0):
        return np.sin(x * scale)

    op = Primitive(sinc_like, lambda g, z, x, scale=1.0: g * (np.cos(x * scale) * scale))
    check_grads(lambda x: op(x, scale=3.0), [np.array([0.3, 1.1])])
    assert op(np.array([0.0])).tolist() == [0]


def test_implements_answers_for_a_numpy_function():
    with pytest.raises(NotImplementedError, match=r"np\.polyadd"):
        np.polyadd(Tensor([1.0, 4.0]), 1.0)

    @implements(np.polyadd)
    def sum_of_polynomials(p, q):
        return p + q

    x = Tensor([1.0, 4.0, 9.0], requires_grad=True)
    np.polyadd(x, x).sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_rules_come_one_for_each_operand_or_as_each():
    with pytest.raises(TypeError, match="not both"):
        Primitive(np.sin)
    with pytest.raises(TypeError, match="not both"):
        Primitive(np.sin, lambda g, z, x: g, each=lambda i, g, z, *xs: g)


@pytest.mark.parametrize(
    "function", [np.tanh, np.round, np.sum, np.spacing], ids=lambda f: f.__name__
)
def test_a_rule_of_ones_own_for_a_numpy_function_is_that_op_s_alone(function):
    before = dict(TABLE)
    op = custom_gradient(lambda g, z, x: 7 * np.ones_like(x) * g)(function)
    x = Tensor([0.3, 1.1], requires_grad=True)
    op(x).sum().backward()
    assert x.grad.tolist() == [7, 7]
    assert op.name == function.__name__
    np.testing.assert_array_equal(op(x).numpy(), function(x.numpy()))
    for numpy_function in TABLE:
        assert numpy_function is op.forward or TABLE[numpy_function] is before[numpy_function]
    y = Tensor([0.3, 1.1], requires_grad=True)
    np.tanh(y).sum().backward()
    np.testing.assert_allclose(y.grad, 1 - np.tanh(y.numpy()) ** 2, rtol=1e-6)
