"""Two hundred ops on vectors of 64 float32 numbers, with values used more than once."""

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import mygrad
import numpy as np
import torch

import minigrad as mg
from benchmarks.processes import on_a_deep_stack
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved

TITLE = "200 ops on vectors of 64"
TARGETS = {"PyTorch": 0.7}
START = np.linspace(-1, 1, 64, dtype=np.float32)
OTHER = np.linspace(0.5, 1.5, 64, dtype=np.float32)
BLOCKS = 22  # of nine ops each
OPS = 9 * BLOCKS + 2


def network(x, w, functions):
    """Return a scalar after 200 ops; x and w are used in every block."""
    y = x
    for _ in range(BLOCKS):
        h = functions.tanh(y * w)
        y = functions.maximum(h - x * 0.5, functions.exp(h) * 0.1) + y * 0.5
    return (y * y).sum()


def minigrad():
    """Return the value and both gradients."""
    x, w = mg.Tensor(START, requires_grad=True), mg.Tensor(OTHER, requires_grad=True)
    loss = network(x, w, np)
    loss.backward()
    return float(loss), x.grad, w.grad


def pytorch():
    """Return the value and both gradients."""
    x = torch.tensor(START, requires_grad=True)
    w = torch.tensor(OTHER, requires_grad=True)
    loss = network(x, w, torch)
    loss.backward()
    return loss.item(), x.grad.numpy(), w.grad.numpy()


def mygrad_vectors():
    """Return the value and both gradients."""
    x, w = mygrad.tensor(START), mygrad.tensor(OTHER)
    loss = network(x, w, mygrad)
    loss.backward()
    return float(loss), x.grad, w.grad


_hips = autograd.value_and_grad(lambda x, w: network(x, w, anp), argnum=(0, 1))


def hips():
    """Return the value and both gradients."""
    value, gradients = _hips(START, OTHER)
    return (float(value), *gradients)


_compiled = jax.jit(jax.value_and_grad(lambda x, w: network(x, w, jnp), argnums=(0, 1)))


def jax_jit():
    """Return the value and both gradients; compiled as a whole, so nothing is recorded."""
    value, gradients = _compiled(START, OTHER)
    return (float(value), *map(np.asarray, gradients))


CONTENDERS = {
    "minigrad": minigrad,
    "PyTorch": pytorch,
    "MyGrad": mygrad_vectors,
    "HIPS autograd": hips,
    "JAX (jit)": jax_jit,
}


def check():
    """Hold all values and gradients against each other before anything is timed."""
    ours = minigrad()
    for peer, function in CONTENDERS.items():
        for mine, theirs in zip(ours, function(), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4, err_msg=peer)


def measure():
    """Return the rows, and microseconds per op of each contender."""
    on_a_deep_stack(check)
    seconds = on_a_deep_stack(lambda: interleaved(CONTENDERS, rounds=31, calls=20))
    per_op = {name: median / OPS for name, median in seconds.items()}
    return peer_rows(TITLE, per_op, TARGETS, "µs per op"), {TITLE: per_op}
