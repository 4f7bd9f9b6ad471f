import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import Node, Primitive


class Witness(np.ndarray):
    """An array that can be watched being freed."""

    @classmethod
    def of(cls, values):
        return np.array(values).view(cls)


def live_nodes():
    return sum(type(thing) is Node for thing in gc.get_objects())


def test_a_chain_of_a_million_ops_goes_forward_and_back():
    x = mg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(500_000):
        y = y * 1.0
        y = y + 0.0
    y.backward()
    assert float(x.grad) == 1


def test_a_long_tape_that_is_never_walked_is_freed_at_once_and_without_recursion():
    gc.disable()
    try:
        y = mg.Tensor(1.0, requires_grad=True)
        nodes = []
        for step in range(300_000):
            y = y + 0.0
            if step % 1000 == 0:
                nodes.append(weakref.ref(y._node))
        assert all(node() is not None for node in nodes)
        del y
        assert all(node() is None for node in nodes)
    finally:
        gc.enable()


def test_the_nodes_of_a_long_tape_are_taken_off_the_collectors_list_and_of_a_short_one_are_not():
    def tape(ops):
        y = mg.Tensor(1.0, requires_grad=True)
        for _ in range(ops):
            y = y + 0.0
        return y

    short = tape(900)
    assert all(gc.is_tracked(node) for node in ancestors(short))
    long = tape(20_000)
    tracked = [node for node in ancestors(long) if gc.is_tracked(node)]
    assert len(tracked) <= 2048 + 1
    hidden = [node for node in ancestors(long) if not gc.is_tracked(node)]
    assert all(node.hidden for node in hidden)
    long.backward()
    assert all(node.released for node in hidden)


def ancestors(tensor):
    node, found = tensor._node, []
    while isinstance(node, Node):
        found.append(node)
        node = node.parents[0]
    return found


def test_a_hook_puts_its_node_back_on_the_collectors_list():
    x = mg.Tensor(1.0, requires_grad=True)
    y, kept = x, []
    for _ in range(10_000):
        y = y + 0.0
        kept.append(y)
    hidden = next(tensor for tensor in kept if not gc.is_tracked(tensor._node))
    hidden.register_hook(lambda g: g * 2)
    assert gc.is_tracked(hidden._node)
    y.backward()
    assert float(x.grad) == 2


def test_a_training_step_leaves_nothing_for_the_garbage_collector():
    model = mg.Sequential(
        mg.layers.Dense(4, "relu", activity_regularizer="l1", kernel_regularizer="l2", input_dim=3),
        mg.layers.Dense(3),
    )
    model.compile("adam", "mse")
    x = np.ones((5, 3), np.float32)
    model.train_on_batch(x, x)
    gc.collect()
    gc.disable()
    try:
        model.train_on_batch(x, x)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_dropping_the_loss_frees_the_whole_tape_at_once():
    gc.disable()
    try:
        before = live_nodes()
        x = mg.Tensor(np.ones(10), requires_grad=True)
        loss = np.tanh(x * 2).sum()
        value = weakref.ref(loss)
        assert live_nodes() == before + 3
        del loss
        assert value() is None
        assert live_nodes() == before
    finally:
        gc.enable()


def test_the_walk_releases_what_it_has_consumed():
    x = mg.Tensor(np.ones(10), requires_grad=True)
    y = x * 2
    loss = y.sum()
    loss.backward()
    assert y._node.released
    assert y._node.parents == ()


def test_dropping_the_loss_frees_the_arrays_on_its_tape():
    gc.disable()
    try:
        keep = Primitive(lambda x: Witness.of(x), lambda g, z, x: g, name="keep")
        x = mg.Tensor(np.ones(10), requires_grad=True)
        hidden = keep(x)
        value = weakref.ref(hidden._value)
        loss = (hidden * hidden).sum()
        del hidden
        assert value() is not None
        del loss
        assert value() is None
    finally:
        gc.enable()


def test_a_walk_frees_the_arrays_it_has_consumed_while_the_loss_lives():
    gc.disable()
    try:
        keep = Primitive(lambda x: Witness.of(x), lambda g, z, x: g, name="keep")
        x = mg.Tensor(np.ones(10), requires_grad=True)
        hidden = keep(x)
        value = weakref.ref(hidden._value)
        loss = (hidden * hidden).sum()
        del hidden
        loss.backward()
        assert value() is None
        assert float(loss) == 10
    finally:
        gc.enable()


def test_recorded_gradients_leave_nothing_for_the_garbage_collector():
    def second_order():
        x = mg.Tensor(np.ones(10), requires_grad=True)
        (first,) = mg.grad(np.tanh(x * x).sum(), [x], create_graph=True)
        return mg.grad((first * first).sum(), x)

    second_order()
    gc.collect()
    gc.disable()
    try:
        second_order()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_an_error_on_the_way_back_leaves_no_gradient_and_no_garbage():
    def fail(g, z, x):
        raise ZeroDivisionError

    broken = Primitive(lambda x: x * 1, fail, name="broken")
    x = mg.Tensor(np.ones(3), requires_grad=True)
    before = live_nodes()
    with pytest.raises(ZeroDivisionError):
        (np.exp(broken(x)) + x).sum().backward()
    assert x.grad is None
    gc.collect()  # the traceback holds frames
    assert live_nodes() == before
