"""Kinks, ties and second derivatives, where frameworks may choose differently: as PyTorch does."""

import numpy as np
import pytest

from minigrad import Tensor, grad
from minigrad.activations import relu
from minigrad.ops import neural
from minigrad.ops.reductions import logsumexp
from tests.ops.row import anything, positive

torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")


def both(ours, theirs, *arrays):
    """Gradients of the sum, ours and PyTorch's."""
    xs = [Tensor(np.array(array, float), requires_grad=True) for array in arrays]
    peers = [torch.tensor(np.array(array, float), requires_grad=True) for array in arrays]
    found = grad(ours(*xs).sum(), xs)
    return found, [peer.numpy() for peer in torch.autograd.grad(theirs(*peers).sum(), peers)]


@pytest.mark.parametrize(
    ("ours", "theirs", "arrays"),
    [
        (np.abs, torch.abs, ([-2, 0, 3],)),
        (np.sign, torch.sign, ([-2, 0, 3],)),
        (relu, torch.relu, ([-1, 0, 2],)),
        (neural.leaky_relu, lambda x: torch.nn.functional.leaky_relu(x, 0.2), ([-1, 2],)),
        (lambda x: np.clip(x, -1, 1), lambda x: torch.clamp(x, -1, 1), ([-2, -1, 0, 1, 2],)),
        (np.maximum, torch.maximum, ([2, 1, 3], [2, 5, 3])),
        (np.minimum, torch.minimum, ([2, 1, 3], [2, 5, 3])),
        (lambda x: np.max(x, axis=0), lambda x: torch.amax(x, 0), ([[3, 1], [3, 2], [1, 2]],)),
        (lambda x: np.min(x, axis=0), lambda x: torch.amin(x, 0), ([[3, 1], [3, 2], [1, 1]],)),
        (np.linalg.norm, torch.linalg.norm, ([0, 0],)),
        (lambda x: np.linalg.norm(x, 3), lambda x: torch.linalg.vector_norm(x, 3), ([0, 0],)),
        (lambda x: x**0, lambda x: x**0, ([0, 2],)),
        (lambda x: x**1, lambda x: x**1, ([0, 2],)),
        (lambda x: x**2, lambda x: x**2, ([0, 2],)),
        (np.power, torch.pow, ([0, 2, 3], [2, 0, 2])),
        (neural.sigmoid, torch.sigmoid, ([-700, -40, 0, 40, 700],)),
        (neural.softplus, torch.nn.functional.softplus, ([-700, -40, 0, 15, 700],)),
        (neural.log_softmax, lambda x: torch.log_softmax(x, -1), ([-1000, 0, 1000],)),
        (logsumexp, lambda x: torch.logsumexp(x, 0), ([-1000, 0, 1000],)),
        (np.prod, torch.prod, ([0, 2, 3],)),
        (np.prod, torch.prod, ([0, 0, 3],)),
        (lambda x: np.where(x > 0, x * x, 0), lambda x: torch.where(x > 0, x * x, 0), ([-1, 2],)),
    ],
)
def test_kinks_ties_and_extremes_agree(ours, theirs, arrays):
    found, expected = both(ours, theirs, *arrays)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("ours", "theirs", "domains"),
    [
        (np.tanh, torch.tanh, (anything,)),
        (neural.sigmoid, torch.sigmoid, (anything,)),
        (neural.softmax, lambda x: torch.softmax(x, -1), (anything,)),
        (neural.silu, torch.nn.functional.silu, (anything,)),
        (neural.gelu, torch.nn.functional.gelu, (anything,)),
        (np.multiply, torch.multiply, (anything, anything)),
        (np.divide, torch.divide, (anything, anything)),
        (np.power, torch.pow, (positive, anything)),
        (np.matmul, torch.matmul, (anything, anything)),
        (np.logaddexp, torch.logaddexp, (anything, anything)),
        (np.hypot, torch.hypot, (anything, anything)),
        (np.arctan2, torch.atan2, (anything, anything)),
        (lambda x: np.prod(x, axis=0), lambda x: x.prod(0), (anything,)),
        (lambda x: np.std(x, axis=0), lambda x: x.std(0, correction=0), (anything,)),
    ],
)
def test_second_derivatives_along_a_direction_agree(ours, theirs, domains):
    rng = np.random.default_rng(0)
    arrays = [domain(rng, (3, 3)) for domain in domains]
    weights, direction = rng.normal(size=(2, 3, 3))
    xs = [Tensor(array, requires_grad=True) for array in arrays]
    peers = [torch.tensor(array, requires_grad=True) for array in arrays]
    result, peer = ours(*xs), theirs(*peers)
    weights = weights.reshape(-1)[: result.size].reshape(result.shape)
    slope = grad((result * weights).sum(), xs[0], create_graph=True)
    (peer_slope,) = torch.autograd.grad(
        (peer * torch.tensor(weights)).sum(), peers[:1], create_graph=True
    )
    found = grad((slope * direction).sum(), xs)
    expected = torch.autograd.grad(
        (peer_slope * torch.tensor(direction)).sum(), peers, materialize_grads=True
    )
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right.numpy(), rtol=1e-10, atol=1e-12)
