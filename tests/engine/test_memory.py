import gc
import weakref

import numpy as np

import minigrad as mg
from minigrad.engine import Node


class Witness(np.ndarray):
    """An array that can be watched being freed."""


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


def test_a_long_tape_that_is_never_walked_is_freed_without_recursion():
    x = mg.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(300_000):
        y = y + 0.0
    before = live_nodes()
    del y
    assert before - live_nodes() == 300_000


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
