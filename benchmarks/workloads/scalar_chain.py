"""A chain of scalar float32 multiplications and additions, forward and backward."""

import autograd
import mygrad
import numpy as np
import torch

import minigrad as mg

TITLE = "chain of 20,000 scalar ops"
OPS = 20_000
A, B = 0.9999, 0.001


def minigrad(ops=OPS):
    """Return the gradient of the chain."""
    x, a, b = mg.Tensor(1.5, requires_grad=True), mg.Tensor(A), mg.Tensor(B)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(x.grad)


def pytorch(ops=OPS):
    """Return the gradient of the chain."""
    x, a, b = torch.tensor(1.5, requires_grad=True), torch.tensor(A), torch.tensor(B)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(x.grad)


def mygrad_chain(ops=OPS):
    """Return the gradient of the chain; walked by recursion, so it needs a deep stack."""
    x = mygrad.tensor(np.float32(1.5))
    a, b = mygrad.tensor(np.float32(A), constant=True), mygrad.tensor(np.float32(B), constant=True)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(x.grad)


def hips(ops=OPS):
    """Return the gradient of the chain."""
    a, b = np.float32(A), np.float32(B)

    def chain(x):
        y = x
        for _ in range(ops // 2):
            y = y * a
            y = y + b
        return y

    return float(autograd.grad(chain)(np.float32(1.5)))


def check():
    """Hold all gradients against each other before anything is timed."""
    for peer in (pytorch, mygrad_chain, hips):
        np.testing.assert_allclose(minigrad(), peer(), rtol=1e-4)


CONTENDERS = {
    "minigrad": minigrad,
    "PyTorch": pytorch,
    "MyGrad": mygrad_chain,
    "HIPS autograd": hips,
}
