"""A chain of scalar float32 multiplications and additions, forward and backward."""

import autograd
import mygrad
import numpy as np
import torch

import minigrad as mg

TITLE = "chain of 20,000 scalar ops"
OPS = 20_000
SHORT = 400  # the other two walk their tapes by recursion, which ends before 1,000 ops
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


def mygrad_short(ops=SHORT):
    """Return the gradient of a shorter chain."""
    x = mygrad.tensor(np.float32(1.5))
    a, b = mygrad.tensor(np.float32(A), constant=True), mygrad.tensor(np.float32(B), constant=True)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    y.backward()
    return float(x.grad)


def hips_short(ops=SHORT):
    """Return the gradient of a shorter chain."""
    a, b = np.float32(A), np.float32(B)

    def chain(x):
        y = x
        for _ in range(ops // 2):
            y = y * a
            y = y + b
        return y

    return float(autograd.grad(chain)(np.float32(1.5)))


def minigrad_short():
    """Return the gradient of a shorter chain."""
    return minigrad(SHORT)


def check():
    """Hold all gradients against each other before anything is timed."""
    np.testing.assert_allclose(minigrad(), pytorch(), rtol=1e-4)
    for peer in (mygrad_short, hips_short):
        np.testing.assert_allclose(peer(), minigrad_short(), rtol=1e-4)


CONTENDERS = {"minigrad": minigrad, "PyTorch": pytorch}
SHORT_CONTENDERS = {
    "minigrad": minigrad_short,
    "MyGrad": mygrad_short,
    "HIPS autograd": hips_short,
}
