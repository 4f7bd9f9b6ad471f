"""A chain of scalar float32 multiplications and additions, forward and backward."""

import autograd
import jax
import mygrad
import numpy as np
import torch

import minigrad as mg
from benchmarks.processes import on_a_deep_stack
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved

TITLE = "chain of 20,000 scalar ops"
TARGETS = {"PyTorch": 0.5, "MyGrad": 1 / 8, "HIPS autograd": 1 / 8}
OPS = 20_000
A, B = 0.9999, 0.001


def minigrad(ops=OPS):
    """Return the value and the gradient of the chain."""
    x, a, b = mg.Tensor(1.5, requires_grad=True), mg.Tensor(A), mg.Tensor(B)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(y.item()), float(x.grad)


def pytorch(ops=OPS):
    """Return the value and the gradient of the chain."""
    x, a, b = torch.tensor(1.5, requires_grad=True), torch.tensor(A), torch.tensor(B)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(y.item()), float(x.grad)


def mygrad_chain(ops=OPS):
    """Return the value and the gradient of the chain; its walk recurses, on a deep stack."""
    x = mygrad.tensor(np.float32(1.5))
    a, b = mygrad.tensor(np.float32(A), constant=True), mygrad.tensor(np.float32(B), constant=True)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(y.item()), float(x.grad)


def hips(ops=OPS):
    """Return the value and the gradient of the chain."""
    a, b = np.float32(A), np.float32(B)

    def chain(x):
        y = x
        for _ in range(ops // 2):
            y = y * a
            y = y + b
        return y

    value, gradient = autograd.value_and_grad(chain)(np.float32(1.5))
    return float(value), float(gradient)


def _jax_chain(x, a, b):
    y = x
    for _ in range(OPS // 2):
        y = y * a
        y = y + b
    return y


_compiled = jax.jit(jax.value_and_grad(_jax_chain))


def jax_jit():
    """Return the value and the gradient of the chain; compiled as a whole: nothing is recorded."""
    value, gradient = _compiled(np.float32(1.5), np.float32(A), np.float32(B))
    return float(value), float(gradient)


CONTENDERS = {
    "minigrad": minigrad,
    "PyTorch": pytorch,
    "MyGrad": mygrad_chain,
    "HIPS autograd": hips,
    "JAX (jit)": jax_jit,
}


def check():
    """Hold all values and gradients against each other before anything is timed."""
    ours = minigrad()
    for peer, function in CONTENDERS.items():
        np.testing.assert_allclose(ours, function(), rtol=1e-4, err_msg=peer)


def measure():
    """Return the rows, and microseconds per op of each contender."""
    on_a_deep_stack(check)
    seconds = on_a_deep_stack(lambda: interleaved(CONTENDERS, rounds=15))
    per_op = {name: median / OPS for name, median in seconds.items()}
    return peer_rows(TITLE, per_op, TARGETS, "µs per op"), {TITLE: per_op}
