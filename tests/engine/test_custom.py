import numpy as np
import pytest

from minigrad import Primitive, Tensor, custom_gradient, implements
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
