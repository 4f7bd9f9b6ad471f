import pytest

from minigrad import Tensor


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
