"""NumPy's functions on Tensors as PyTorch's on its tensors: value, gradient, gradient of that."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad

torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")


def eye(x):
    """Of the dtype and kind of x, three times."""
    return 3.0 * (np.eye(x.shape[-1]) if isinstance(x, Tensor) else torch.eye(x.shape[-1]).double())


def known(x):
    """With nan where the operand's fraction says so; the gradient is 0 there."""
    bad = np.array([False, True, False, False])[: x.shape[-1]]
    hole = np.where(bad, np.nan, 0.0)
    return x + (hole if isinstance(x, Tensor) else torch.tensor(hole))


# Ours, PyTorch's, and the shapes of the operands; n, m and k are drawn.
PAIRS = {
    "fliplr": (np.fliplr, torch.fliplr, "nm"),
    "flipud": (np.flipud, torch.flipud, "nm"),
    "rot90": (lambda x: np.rot90(x, 3), lambda x: torch.rot90(x, 3), "nm"),
    "roll": (lambda x: np.roll(x, (1, 2), (0, 1)), lambda x: x.roll((1, 2), (0, 1)), "nm"),
    "tile": (lambda x: np.tile(x, (2, 1, 2)), lambda x: x.tile((2, 1, 2)), "nm"),
    "tril": (lambda x: np.tril(x, -1), lambda x: x.tril(-1), "knm"),
    "diagonal": (lambda x: np.diagonal(x, 1, 1, 2), lambda x: x.diagonal(1, 1, 2), "knm"),
    "diagflat": (np.diagflat, torch.diagflat, "nm"),
    "dstack": (lambda x, y: np.dstack([x, y]), lambda x, y: torch.dstack([x, y]), "nm nm"),
    "column_stack": (
        lambda x, y: np.column_stack([x, y]), lambda x, y: torch.column_stack([x, y]), "n nm",
    ),
    "vsplit": (lambda x: np.split(x, [1])[0], lambda x: torch.tensor_split(x, [1])[0], "nm"),
    "kron": (np.kron, torch.kron, "nm km"),
    "meshgrid": (
        lambda x, y: np.stack(np.meshgrid(x, y)),
        lambda x, y: torch.stack(torch.meshgrid(x, y, indexing="xy")), "n m",
    ),
    "atleast_3d": (np.atleast_3d, torch.atleast_3d, "nm"),
    "cross": (lambda x, y: np.cross(x, y), lambda x, y: torch.linalg.cross(x, y), "n3 n3"),
    "vecdot": (np.linalg.vecdot, torch.linalg.vecdot, "nm nm"),
    "tensordot": (np.tensordot, torch.tensordot, "knm nmk"),
    "sinc": (np.sinc, torch.sinc, "nm"),
    "i0": (np.i0, torch.special.i0, "nm"),
    "copysign": (np.copysign, torch.copysign, "nm m"),
    "angle": (lambda x: np.angle(x) + x, lambda x: torch.angle(x) + x, "nm"),
    "clip": (np.clip, torch.clamp, "nm m n1"),
    "where": (lambda x, y: np.where(x > y, x, y), lambda x, y: torch.where(x > y, x, y), "nm m"),
    "diff": (
        lambda x, y: np.diff(x, 2, append=y), lambda x, y: torch.diff(x, 2, append=y), "n3 nm",
    ),
    "gradient": (
        lambda x: np.gradient(x, 0.5, edge_order=2),
        lambda x: torch.gradient(x, spacing=0.5, edge_order=2)[0],
        "4",
    ),
    "trapezoid": (np.trapezoid, torch.trapezoid, "nm nm"),
    "nansum": (lambda x: np.nansum(known(x), 0), lambda x: known(x).nansum(0), "nm"),
    "nanmean": (lambda x: np.nanmean(known(x), 1), lambda x: known(x).nanmean(1), "n3"),
    "nanquantile": (
        lambda x: np.nanquantile(known(x), 0.4, axis=1),
        lambda x: torch.nanquantile(known(x), 0.4, dim=1), "n4",
    ),
    "quantile": (
        lambda x: np.quantile(x, [0.1, 0.6], axis=0),
        lambda x: torch.quantile(x, torch.tensor([0.1, 0.6], dtype=x.dtype), dim=0), "nm",
    ),
    "percentile": (
        lambda x: np.percentile(x, 30, method="nearest"),
        lambda x: torch.quantile(x, 0.3, interpolation="nearest"), "nm",
    ),
    "cumprod": (lambda x: np.cumprod(x, 1), lambda x: x.cumprod(1), "nm"),
    "cov": (np.cov, torch.cov, "n4"),
    "corrcoef": (np.corrcoef, torch.corrcoef, "24"),
    "sort": (lambda x: np.sort(x, axis=0), lambda x: x.sort(dim=0).values, "nm"),
    "take_along_axis": (
        lambda x: np.take_along_axis(x, np.array([[0, -1]]), axis=1),
        lambda x: torch.take_along_dim(x, torch.tensor([[0, x.shape[1] - 1]]), dim=1), "nm",
    ),
    "linspace": (
        lambda x: np.stack(np.linspace(x[0], x[1], 5)),
        lambda x: torch.stack([x[0] + (x[1] - x[0]) * t / 4 for t in range(5)]), "2m",
    ),
    "convolve": (
        lambda x, y: np.convolve(x, y),
        lambda x, y: torch.nn.functional.conv1d(
            x[None, None], y.flip(0)[None, None], padding=len(y) - 1
        )[0, 0], "4 n",
    ),
    "pinv": (np.linalg.pinv, torch.linalg.pinv, "n4"),
    "qr": (lambda x: np.linalg.qr(x)[1], lambda x: torch.linalg.qr(x)[1], "3m"),
    "q": (lambda x: np.linalg.qr(x)[0], lambda x: torch.linalg.qr(x)[0], "4m"),
    "lstsq": (
        lambda a, b: np.linalg.lstsq(a, b)[0],
        lambda a, b: torch.linalg.lstsq(a, b)[0], "4m 4n",
    ),
    "matrix_power": (
        lambda x: np.linalg.matrix_power(x + eye(x), -2),
        lambda x: torch.linalg.matrix_power(x + eye(x), -2), "kmm",
    ),
    "multi_dot": (
        lambda *xs: np.linalg.multi_dot(xs), lambda *xs: torch.linalg.multi_dot(xs), "nm mk kn",
    ),
    "cond": (lambda x: np.linalg.cond(x + eye(x)), lambda x: torch.linalg.cond(x + eye(x)), "kmm"),
    "tensorinv": (
        lambda x: np.linalg.tensorinv((x + eye(x)).reshape(2, 2, 4)),
        lambda x: torch.linalg.tensorinv((x + eye(x)).reshape(2, 2, 4)), "44",
    ),
    "vector_norm": (
        lambda x: np.linalg.norm(x, 0.5, axis=1),
        lambda x: torch.linalg.vector_norm(x, 0.5, 1), "nm",
    ),
    "solve": (
        lambda x, y: np.linalg.solve(x + eye(x), y),
        lambda x, y: torch.linalg.solve(x + eye(x), y), "mm mk",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=10)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_value_gradient_and_gradient_of_the_gradient_agree(name, n, m, k, seed):
    ours, theirs, letters = PAIRS[name]
    sizes = {"n": n, "m": m, "k": k}
    rng = np.random.default_rng(seed)
    shapes = [[sizes.get(c) or int(c) for c in word] for word in letters.split()]
    arrays = [rng.uniform(0.2, 1.8, shape) * rng.choice([-1, 1], shape) for shape in shapes]
    xs = [Tensor(array, requires_grad=True) for array in arrays]
    peers = [torch.tensor(array, requires_grad=True) for array in arrays]
    here, there = ours(*xs), theirs(*peers)
    for _ in range(2):
        np.testing.assert_allclose(here.numpy(), there.detach().numpy(), rtol=1e-8, atol=1e-9)
        if not here.size:
            return
        weights = np.cos(np.arange(here.size)).reshape(here.shape)
        slopes = grad((here * weights).sum(), xs, create_graph=True)
        peer_slopes = torch.autograd.grad(
            (there * torch.tensor(weights)).sum(), peers,
            create_graph=True, materialize_grads=True,
        )  # fmt: skip
        for slope, peer in zip(slopes, peer_slopes, strict=True):
            expected = peer.detach().numpy(force=True)
            np.testing.assert_allclose(slope.numpy(), expected, rtol=1e-7, atol=1e-8)
        here = sum((slope * slope).sum() for slope in slopes)
        there = sum((slope * slope).sum() for slope in peer_slopes)
        if not (here.requires_grad and there.requires_grad):
            return
