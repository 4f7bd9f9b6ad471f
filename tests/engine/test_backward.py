import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from minigrad import Primitive, Tensor, grad
from minigrad.engine.backward import sum_to_shape
from minigrad.testing import check_grads


def test_backward_adds_up_over_calls():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
    assert x.grad.tolist() == [6, 12]


def test_grad_stores_nothing():
    x = Tensor([3.0], requires_grad=True)
    assert grad((x * x).sum(), x).tolist() == [6]
    assert x.grad is None


def test_shared_subexpressions_are_counted_once_for_each_use():
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    assert float(grad(y * y + y, x)) == 4 * 27 + 6


@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3))
def test_broadcasting_is_undone(shapes):
    x, y = (Tensor(np.ones(shape), requires_grad=True) for shape in shapes.input_shapes)
    gradients = grad((x + y).sum(), [x, y])
    size = int(np.prod(shapes.result_shape))
    for tensor, gradient in zip((x, y), gradients, strict=True):
        assert gradient.shape == tensor.shape
        np.testing.assert_allclose(gradient, size / tensor.size if tensor.size else 0)


def test_a_rule_of_an_impossible_shape_is_noticed():
    wrong = Primitive(lambda x: x * 1, lambda g, z, x: g[:1, :1], name="wrong")
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(RuntimeError, match=r"returned shape \(1, 1\)"):
        wrong(x).sum().backward()


def test_sum_to_shape_folds_added_and_stretched_axes():
    assert sum_to_shape(np.ones((4, 2, 3)), (2, 1)).tolist() == [[12], [12]]


def test_inputs_without_influence_get_zeros():
    x, y = Tensor([1.0], requires_grad=True), Tensor([[2.0]], requires_grad=True)
    assert grad(x.sum(), [x, y])[1].tolist() == [[0]]


def test_results_of_ops_can_be_inputs():
    x = Tensor([2.0], requires_grad=True)
    y = x * 3
    gx, gy = grad((y * y).sum(), [x, y])
    assert (gx.tolist(), gy.tolist()) == ([36], [12])


def test_only_what_leads_to_the_inputs_is_computed():
    ran = []
    spy = Primitive(lambda x: x * 1, lambda g, z, x: ran.append(1) or g, name="spy")
    x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    grad((x * spy(y)).sum(), x)
    assert not ran


def test_rules_of_constants_never_run():
    ran = []
    spy = Primitive(
        lambda x, y: x * y,
        lambda g, z, x, y: ran.append("x") or g * y,
        lambda g, z, x, y: g * x,
        name="spy",
    )
    y = Tensor([1.0], requires_grad=True)
    spy(Tensor([2.0]), y).sum().backward()
    assert not ran
    assert y.grad.tolist() == [2]


def test_a_second_walk_over_a_consumed_tape_names_keep_graph():
    x = Tensor([1.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="keep_graph=True"):
        loss.backward()


def test_keep_graph_allows_a_second_walk():
    x = Tensor([1.0], requires_grad=True)
    loss = (x * x).sum()
    loss.backward(keep_graph=True)
    loss.backward()
    assert x.grad.tolist() == [4]


def test_two_losses_on_a_shared_part_say_so_rather_than_lose_gradients():
    x = Tensor([1.0], requires_grad=True)
    shared = x * 3
    first, second = (shared * 2).sum(), (shared * 5).sum()
    first.backward()
    with pytest.raises(RuntimeError, match="keep_graph=True"):
        second.backward()


def test_parents_are_read_before_their_consumer_releases_them():
    # A prototype lost these gradients without a word.
    x, y = Tensor([2.0], requires_grad=True), Tensor([5.0], requires_grad=True)
    product = x * y
    (product + x + y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([6], [3])


def test_a_failing_rule_leaves_all_gradients_as_they_were():
    def fail(g, z, x):
        raise ZeroDivisionError

    broken = Primitive(lambda x: x * 1, fail, name="broken")
    x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    loss = (broken(x) + y).sum()
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    assert x.grad is None
    assert y.grad is None


def test_backward_needs_a_scalar_or_a_gradient():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"scalar. Received: shape \(2,\)"):
        (x * 2).backward()
    (x * 2).backward(gradient=[1.0, 10.0])
    assert x.grad.tolist() == [2, 20]
    with pytest.raises(ValueError, match="output's shape"):
        (x * 2).backward(gradient=np.ones(3))


def test_what_records_nothing_says_so():
    with pytest.raises(RuntimeError, match="records nothing"):
        Tensor(1.0).backward()
    with pytest.raises(RuntimeError, match="does not require gradients"):
        grad(Tensor(1.0, requires_grad=True) * 2, Tensor(1.0))
    with pytest.raises(TypeError, match="expected a Tensor"):
        grad(3.0, Tensor(1.0, requires_grad=True))


def test_an_operand_without_a_rule_says_so():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"'where'.*operand 0"):
        np.where(x, x, 2.0).sum().backward()


@pytest.mark.parametrize("order", range(1, 5))
def test_every_order_of_derivative_follows_from_the_same_rules(order):
    x = Tensor(np.array(0.7), requires_grad=True)
    result = np.sin(x) + x**5
    for _ in range(order):
        result = grad(result, x, create_graph=True)
    powers = {1: 5 * 0.7**4, 2: 20 * 0.7**3, 3: 60 * 0.7**2, 4: 120 * 0.7}
    sines = {1: np.cos(0.7), 2: -np.sin(0.7), 3: -np.cos(0.7), 4: np.sin(0.7)}
    np.testing.assert_allclose(float(result), powers[order] + sines[order], rtol=1e-12)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.floats(-2, 2))
def test_the_gradient_is_linear_in_the_upstream_gradient(values, factor):
    def gradient(scale):
        x = Tensor(np.array(values), requires_grad=True)
        y = np.tanh(x) * x
        return grad(y, x, gradient=np.full(len(values), scale))

    np.testing.assert_allclose(gradient(factor), factor * gradient(1.0), atol=1e-12)


def test_float32_stays_float32_beside_float64():
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    y = Tensor(np.ones(2, np.float64), requires_grad=True)
    gx, gy = grad((x * y).sum(), [x, y])
    assert (gx.dtype, gy.dtype) == (np.float32, np.float64)


def test_a_result_that_was_an_input_keeps_the_tape_below_it():
    x = Tensor([1.0, 2.0], requires_grad=True)
    hidden = x * 3
    upstream = grad((hidden * hidden).sum(), hidden)
    hidden.backward(gradient=upstream)  # the chain rule by hand
    assert x.grad.tolist() == [18, 36]


def test_an_input_without_influence_consumes_nothing():
    x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    loss = (x * x).sum()
    assert grad(loss, y).tolist() == [0]
    loss.backward()
    assert x.grad.tolist() == [2]


def test_a_loss_may_be_an_input_of_itself():
    x = Tensor(3.0, requires_grad=True)
    loss = x * x
    assert [float(g) for g in grad(loss, [loss, x, x])] == [1, 6, 6]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("number", [2, 2.0, np.float32(2), np.float64(2), np.array(2.0)])
def test_a_rule_may_return_a_number_for_a_scalar(number, create_graph):
    planted = Primitive(lambda x: x * 2, lambda g, z, x: number, name="planted")
    x = Tensor(3.0, requires_grad=True)
    gradient = grad(planted(x), x, create_graph=create_graph)
    assert isinstance(gradient, Tensor if create_graph else np.ndarray)
    assert gradient.dtype == np.float32
    assert float(gradient) == 2


# A random tape: each entry makes a new value of two earlier ones.
steps = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["+", "*", "tanh", "view"])),
    min_size=1,
    max_size=8,
)


def run_tape(recipe, inputs, place=None, constant=None):
    """All values of a tape, inputs first; with `constant` in place of the one at `place`."""
    values = list(inputs)
    for left, right, kind in recipe:
        x, y = values[left % len(values)], values[right % len(values)]
        if len(values) == place:
            values.append(constant)
        elif kind == "+":
            values.append(x + y)
        elif kind == "*":
            values.append(x * y)
        elif kind == "tanh":
            values.append(np.tanh(x))
        else:
            values.append(x.reshape(2, 1).reshape(2))
    return values


@given(steps)
def test_any_tape_of_shared_parts_has_the_gradients_of_finite_differences(recipe):
    check_grads(
        lambda x, y: run_tape(recipe, [x, y])[-1], [np.array([0.3, -0.4]), np.array([0.5, 0.2])]
    )


@given(steps, st.data())
def test_what_goes_through_a_result_and_what_goes_past_it_add_up(recipe, data):
    x, y = (Tensor(np.array(v), requires_grad=True) for v in ([0.3, -0.4], [0.5, 0.2]))
    values = run_tape(recipe, [x, y])
    place = data.draw(st.integers(2, len(values) - 1))
    middle = values[place]
    total = grad(values[-1].sum(), [x, y], keep_graph=True)
    upstream = grad(values[-1].sum(), middle)
    through = grad(middle, [x, y], gradient=upstream)
    rest = run_tape(recipe, [x, y], place, middle.detach())[-1].sum()
    past = grad(rest, [x, y]) if rest.requires_grad else [np.zeros(2), np.zeros(2)]
    for whole, first, second in zip(total, through, past, strict=True):
        np.testing.assert_allclose(whole, first + second, rtol=1e-10, atol=1e-12)
