"""Any sequence of changes between any forward pass and its backward pass: right, or an error."""

from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import Tensor, no_grad
from minigrad.engine.node import clock
from minigrad.layers import Parameter
from minigrad.optimizers import SGD


class World:
    """What a loss is made of, each in one of the ways in which a user may hold it."""

    def __init__(self, values=None):
        x, w, c, batch = values or ([1.0, 2.0], [3.0, 5.0], [7.0, 11.0], [13.0, 17.0])
        self.source = np.array(x)
        self.x = Tensor(self.source, requires_grad=True)
        self.w = Parameter(np.array(w), name="w")
        self.c = Tensor(np.array(c))
        self.batch = np.array(batch).view(Subclass)
        self.index = np.array([1, 1, 0])
        self.optimizer = SGD(0.1, parameters=[self.w])
        self.leaves = self.x._node, self.w._node

    def values(self):
        return [self.x.numpy(), self.w.numpy(), self.c.numpy(), np.array(self.batch)]

    def step(self):
        self.w._leaf.gradient = np.ones(2)
        self.optimizer.step()
        self.w._leaf.gradient = None

    def gradients(self):
        return [leaf.gradient for leaf in self.leaves]


class Subclass(np.ndarray):
    """An array that is no plain ndarray, such as a memory-mapped file."""


def without_recording(function):
    def call(world):
        with no_grad():
            taken = function(world)
        return (taken * world.x * world.w).sum()

    return call


@cache
def scaled():
    """An op with an option that is an array of the caller's."""
    return mg.Primitive(lambda x, by: x * by, lambda g, z, x, by: g * by, name="scaled")


LOSSES = {
    "square": lambda t: (t.x * t.x * t.w * t.w).sum(),
    "batch": lambda t: (t.x * t.batch * t.w / t.c).sum(),
    "index": lambda t: (t.x[t.index] * t.w[(t.index,)] * t.x[t.index]).sum(),
    "views": lambda t: (t.x.reshape(2, 1) * t.w.T[None] * t.w[::-1] * t.x[:]).sum(),
    "joined": lambda t: np.square(np.concatenate([t.x, t.w, t.batch, t.c])).sum(),
    "power": lambda t: (t.x**t.w).sum() + (t.w**2).sum(),
    "detached": lambda t: (t.w.detach() * t.w * t.x.detach() * t.x).sum(),
    "no_grad": without_recording(lambda t: t.w * t.x),
    "no_grad_view": without_recording(lambda t: t.w.reshape(2)),
    "no_grad_index": without_recording(lambda t: t.w[:] + t.x[...]),
    "constant_data": lambda t: (t.x * t.w.data * t.w * t.x.data).sum(),
    "option": lambda t: scaled()(t.x * t.w, by=t.batch),
}


def change(target, attribute, value):
    setattr(target, attribute, value)


def in_no_grad(world):
    x = world.x
    with no_grad():
        x -= 1
    assert x is world.x


def by_hand_as_optimizers_do(world):
    world.w._value -= 1
    world.w._leaf.changed = next(clock)


def frozen_and_freed(world):
    world.w.trainable = False
    w = world.w
    with no_grad():
        w *= 2
    world.w.trainable = True


CHANGES = {
    "x.data -=": lambda t, a: change(t.x, "data", t.x.data.__isub__(1)),
    "x.data[0] =": lambda t, a: t.x.data.__setitem__(0, 9),
    "x.data =": lambda t, a: change(t.x, "data", [9, 9]),
    "x alias": lambda t, a: a and a[0].fill(9),
    "x view of alias": lambda t, a: a and a[0][1:].fill(9),
    "w.data -=": lambda t, a: change(t.w, "data", t.w.data.__isub__(1)),
    "w alias": lambda t, a: a and a[1].fill(9),
    "source": lambda t, a: t.source.fill(9),
    "batch": lambda t, a: t.batch.fill(9),
    "index": lambda t, a: t.index.fill(0),
    "c.data": lambda t, a: t.c.data.fill(9),
    "x -= in no_grad": lambda t, a: in_no_grad(t),
    "x frozen and freed": lambda t, a: (
        change(t.x, "requires_grad", False), change(t.x, "requires_grad", True)),
    "w frozen and freed": lambda t, a: frozen_and_freed(t),
    "step": lambda t, a: t.step(),
    "flat buffer": lambda t, a: by_hand_as_optimizers_do(t),
}  # fmt: skip
NOTICED = {"step", "flat buffer"}  # these write where tapes look: an error is what we want


@settings(max_examples=500)
@given(
    loss=st.sampled_from(sorted(LOSSES)),
    before=st.lists(st.sampled_from(sorted(CHANGES)), max_size=3),
    aliased=st.booleans(),
    between=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=4),
)
def test_whatever_is_changed_the_gradient_is_right_or_an_error(loss, before, aliased, between):
    world = World()
    aliases = (world.x.data, world.w.data) if aliased else None
    for name in before:
        CHANGES[name](world, aliases)
    twin = World(world.values())
    twin.index = world.index.copy()
    LOSSES[loss](twin).sum().backward()
    output = LOSSES[loss](world).sum()
    for name in between:
        CHANGES[name](world, aliases)
    try:
        output.backward()
    except RuntimeError as error:
        assert "changed in place after op" in str(error)  # noqa: PT017  (either outcome is right)
        assert NOTICED & set(between)
        assert world.gradients() == [None, None]
        return
    for found, expected in zip(world.gradients(), twin.gradients(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
