import numpy as np
import pytest

from minigrad import Tensor, grad


def test_a_hook_sees_the_whole_gradient_that_arrives_and_may_replace_it():
    x = Tensor([1.0], requires_grad=True)
    hidden = x * 3
    seen = []
    hidden.register_hook(lambda g: seen.append(g.tolist()))
    hidden.register_hook(lambda g: g * 10)
    (hidden * 2 + hidden).sum().backward()
    assert seen == [[3]]
    assert x.grad.tolist() == [90]


def test_a_hook_on_a_leaf_runs_once_for_each_backward_pass_until_it_is_removed():
    x = Tensor([1.0], requires_grad=True)
    remove = x.register_hook(lambda g: g * 0)
    (x * 2 + x).sum().backward()
    assert x.grad.tolist() == [0]
    remove()
    remove()
    (x * 2 + x).sum().backward()
    assert x.grad.tolist() == [3]


def test_a_hook_must_keep_the_shape_and_needs_a_gradient():
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g[:1])
    with pytest.raises(ValueError, match=r"returned shape \(1,\); expected \(2,\)"):
        (x * 1).sum().backward()
    with pytest.raises(RuntimeError, match="none arrives"):
        Tensor([1.0]).register_hook(print)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "replace",
    [
        lambda g: g * np.float64(2),
        lambda g: np.full(2, 2.0),
        lambda g: [2.0, 2.0],
        lambda g: Tensor([2.0, 2.0]),
    ],
)
def test_what_a_hook_returns_becomes_a_gradient_of_the_same_kind(replace, create_graph):
    x = Tensor([1.0, 2.0], requires_grad=True)
    hidden = x * 3
    for tensor in (x, hidden):
        tensor.register_hook(replace)
    gradient = grad(hidden.sum(), x, create_graph=create_graph)
    assert isinstance(gradient, Tensor if create_graph else np.ndarray)
    assert gradient.dtype == np.float32
    assert gradient.tolist() in ([2, 2], [12, 12])


def test_a_hook_may_keep_what_it_sees():
    x = Tensor([1.0, 2.0], requires_grad=True)
    seen = []
    x.register_hook(seen.append)
    (x * 3).sum().backward()
    x.grad[:] = 0
    assert seen[0].tolist() == [3, 3]
