"""Two hundred ops on vectors of 64 float32 numbers, with values used more than once."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

import minigrad as mg

TITLE = "200 ops on vectors of 64"
START = np.linspace(-1, 1, 64, dtype=np.float32)
OTHER = np.linspace(0.5, 1.5, 64, dtype=np.float32)
BLOCKS = 25  # of eight ops each


def network(x, w, tanh, maximum):
    """Return a scalar after 200 ops; x and w are used in every block."""
    y = x
    for _ in range(BLOCKS):
        h = tanh(y * w)
        y = maximum(h - x * 0.5, h * 0.1) + y * 0.5
    return (y * y).sum()


def minigrad():
    """Return both gradients."""
    x, w = mg.Tensor(START, requires_grad=True), mg.Tensor(OTHER, requires_grad=True)
    network(x, w, np.tanh, np.maximum).backward()
    return x.grad, w.grad


def pytorch():
    """Return both gradients."""
    x = torch.tensor(START, requires_grad=True)
    w = torch.tensor(OTHER, requires_grad=True)
    network(x, w, torch.tanh, torch.maximum).backward()
    return x.grad.numpy(), w.grad.numpy()


_compiled = jax.jit(jax.grad(lambda x, w: network(x, w, jnp.tanh, jnp.maximum), argnums=(0, 1)))


def jax_jit():
    """Return both gradients; compiled as a whole, so nothing is recorded."""
    return tuple(np.asarray(gradient) for gradient in _compiled(START, OTHER))


def check():
    """Hold all gradients against each other before anything is timed."""
    for peer in (pytorch, jax_jit):
        for ours, theirs in zip(minigrad(), peer(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


CONTENDERS = {"minigrad": minigrad, "PyTorch": pytorch, "JAX (jit)": jax_jit}
