import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import minigrad as mg
from minigrad import Tensor, grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp

vectors = arrays(np.float64, 3, elements=st.floats(-2, 2))
A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]])


def quartic(x):
    return (x**2 * (A @ x) ** 2).sum()


@given(vectors)
def test_the_gradient_and_hessian_of_a_quadratic_form(x):
    def form(x):
        return (x * (A @ x)).sum() / 2

    np.testing.assert_allclose(grad(form)(x).numpy(), A @ x, atol=1e-12)
    np.testing.assert_allclose(hessian(form)(x).numpy(), A, atol=1e-12)


@given(vectors, vectors)
def test_a_hessian_vector_product_is_the_hessian_times_the_vector(x, v):
    expected = hessian(quartic)(x).numpy() @ v
    np.testing.assert_allclose(hvp(quartic)(x, v).numpy(), expected, rtol=1e-9, atol=1e-9)


@given(vectors, vectors)
def test_jvp_and_vjp_are_the_jacobian_from_both_sides(x, v):
    def function(x):
        return np.sin(A @ x) * x[0]

    matrix = jacobian(function)(x).numpy()
    value, change = jvp(function, [x], [v])
    np.testing.assert_allclose(change.numpy(), matrix @ v, atol=1e-12)
    same, pull_back = vjp(function, x)
    np.testing.assert_allclose(pull_back(v).numpy(), v @ matrix, atol=1e-12)
    assert (value.numpy() == same.numpy()).all()


def test_derivatives_compose_to_any_order():
    function = np.exp
    for _ in range(5):
        function = grad(function)
    np.testing.assert_allclose(float(function(np.float64(0.5))), np.exp(0.5))


def test_an_inner_derivative_does_not_see_the_outer_use_of_the_same_variable():
    # d/dx [x · d(x y)/dy at y = x] = d/dx [x · x] = 2 x, and not 3 x or 4 x.
    result = grad(lambda x: x * grad(lambda y: x * y)(x))(np.float64(3.0))
    assert float(result) == 6


def test_value_and_grad_of_several_arguments():
    value, (gx, gy) = value_and_grad(lambda x, y: (x * x * y).sum(), (0, 1))([2.0], [3.0])
    assert (float(value), gx.tolist(), gy.tolist()) == (12, [12], [4])
    _, gy = value_and_grad(lambda x, y: (x * x * y).sum(), 1)(np.array([2.0]), [3.0])
    assert gy.tolist() == [4]


def test_results_are_cut_from_the_tape_unless_somebody_outside_differentiates():
    assert not grad(lambda x: (x * x).sum())([1.0]).requires_grad
    outer = Tensor([1.0], requires_grad=True)
    assert grad(lambda x: (x**3).sum())(outer).requires_grad


def test_a_function_that_ignores_its_argument_has_gradient_0():
    assert grad(lambda x: Tensor(3.0))([1.0, 2.0]).tolist() == [0, 0]
    assert jvp(lambda x: x * 0 + 1, [[1.0]], [[1.0]])[1].tolist() == [0]


def test_stop_gradient_counts_as_a_constant():
    assert grad(lambda x: (x * stop_gradient(x)).sum())([3.0]).tolist() == [3]
    assert stop_gradient([1.0]).tolist() == [1]


def test_misuse_is_explained():
    with pytest.raises(TypeError, match="must return a Tensor"):
        grad(lambda x: 3.0)([1.0])
    with pytest.raises(RuntimeError, match="scalar"):
        grad(lambda x: x * 2)([1.0, 2.0])
    with pytest.raises(ValueError, match="as many tangents"):
        jvp(lambda x: x, [[1.0]], [])
    with pytest.raises(ValueError, match=r"primal's shape \(1,\)"):
        jvp(lambda x: x * 1, [[1.0]], [[1.0, 2.0]])


def test_transforms_work_inside_no_grad():
    with mg.no_grad():
        assert grad(lambda x: (x * x).sum())([2.0]).tolist() == [4]


def test_a_contractive_penalty_can_be_trained():
    # The squared Jacobian of the codings, in the loss: second derivatives in a training step.
    encoder = mg.layers.Dense(2, "sigmoid", input_dim=3, dtype="float64", seed=0)
    x = Tensor(np.array([[0.3, -0.2, 0.9]]), requires_grad=True)

    def penalty():
        codings = encoder(x)
        rows = [mg.grad(codings[0, unit], x, create_graph=True) for unit in range(2)]
        return sum((row * row).sum() for row in rows)

    optimizer = mg.optimizers.SGD(0.5, parameters=encoder.parameters())
    values = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = penalty()
        loss.backward()
        optimizer.step()
        values.append(float(loss))
    assert values == sorted(values, reverse=True)


def test_grad_of_a_function_takes_no_options_that_it_would_ignore():
    with pytest.raises(TypeError, match="no options"):
        mg.grad(lambda x: x.sum(), 0, create_graph=True)
