"""The same gradients fed to PyTorch's optimizers."""

import numpy as np
import pytest

from minigrad.layers import Parameter
from minigrad.optimizers import SGD

torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

SHAPES = [(3, 4), (4,), ()]
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)], ids=["sgd", "mu", "nag"]
)
def test_sgd_agrees_over_20_steps(momentum, nesterov, dtype):
    # PyTorch multiplies the rate in after the momentum, which is the same while it is constant.
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    ours = [Parameter(start) for start in starts]
    theirs = [torch.tensor(start, requires_grad=True) for start in starts]
    optimizer = SGD(0.05, momentum, nesterov, parameters=ours)
    peer = torch.optim.SGD(theirs, 0.05, momentum=momentum, nesterov=nesterov)
    for _ in range(20):
        for p, q in zip(ours, theirs, strict=True):
            g = rng.normal(size=p.shape).astype(dtype)
            p.grad = g
            q.grad = torch.tensor(g)
        optimizer.step()
        peer.step()
    for p, q in zip(ours, theirs, strict=True):
        found, expected = p.numpy(), q.detach().numpy()
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_l2_penalty_in_our_loss_is_pytorchs_weight_decay(dtype):
    start = np.array([1.0, -3.0, 0.5], dtype)
    ours = Parameter(start)
    theirs = torch.tensor(start, requires_grad=True)
    strength = 0.15
    optimizer = SGD(0.1, 0.9, parameters=[ours])
    peer = torch.optim.SGD([theirs], 0.1, momentum=0.9, weight_decay=2 * strength)
    for _ in range(20):
        optimizer.zero_grad()
        (np.sin(ours).sum() + strength * (ours * ours).sum()).backward()
        optimizer.step()
        peer.zero_grad()
        torch.sin(theirs).sum().backward()
        peer.step()
    np.testing.assert_allclose(
        ours.numpy(), theirs.detach().numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )
