"""Values and gradients of every op that PyTorch has too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor, grad
from minigrad.ops import neural
from minigrad.ops.convolution import convolution, transposed_convolution
from minigrad.ops.pooling import average_pool, max_pool, upsample
from minigrad.ops.reductions import logsumexp
from tests.ops.row import above_one, anything, distinct, inside, positive

torch = pytest.importorskip("torch", reason="the real PyTorch is not installed")

SAME_NAME = {
    "exp": anything, "exp2": anything, "expm1": anything, "log": positive, "log2": positive,
    "log10": positive, "log1p": positive, "sqrt": positive, "square": anything, "sin": anything,
    "cos": anything, "tan": inside, "arcsin": inside, "arccos": inside, "arctan": anything,
    "sinh": anything, "cosh": anything, "tanh": anything, "arcsinh": anything,
    "arccosh": above_one, "arctanh": inside, "absolute": anything, "sign": anything,
    "floor": anything, "ceil": anything, "trunc": anything, "reciprocal": anything,
    "negative": anything, "deg2rad": anything, "rad2deg": anything,
}  # fmt: skip
TWO = {
    "add": (anything, anything), "subtract": (anything, anything), "multiply": (anything, anything),
    "divide": (anything, anything), "power": (positive, anything), "maximum": (anything, anything),
    "minimum": (anything, anything), "fmax": (anything, anything), "fmin": (anything, anything),
    "logaddexp": (anything, anything), "logaddexp2": (anything, anything),
    "arctan2": (anything, anything), "hypot": (anything, anything),
    "remainder": (positive, positive), "fmod": (positive, positive), "matmul": (anything, anything),
}  # fmt: skip
TORCH_NAMES = {"power": "pow", "arctan2": "atan2"}


def compare(ours, theirs, *arrays, rtol=1e-12):
    """Hold value and gradients of a weighted sum against PyTorch's, in float64."""
    xs = [Tensor(array, requires_grad=True) for array in arrays]
    peers = [torch.tensor(array, requires_grad=True) for array in arrays]
    result, peer = ours(*xs), theirs(*peers)
    np.testing.assert_allclose(result.numpy(), peer.detach().numpy(), rtol=rtol, atol=1e-14)
    weights = np.cos(np.arange(result.size)).reshape(result.shape)
    found = grad((result * weights).sum(), xs)
    expected = torch.autograd.grad((peer * torch.tensor(weights)).sum(), peers)
    for left, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(left, right.numpy(), rtol=rtol, atol=1e-13)


@pytest.mark.parametrize(("name", "domain"), SAME_NAME.items())
def test_functions_of_one_operand_agree(name, domain):
    compare(getattr(np, name), getattr(torch, name), domain(np.random.default_rng(0), (3, 4)))


@pytest.mark.parametrize(("name", "domains"), TWO.items())
def test_functions_of_two_operands_agree(name, domains):
    rng = np.random.default_rng(0)
    first, second = (domain(rng, (4, 4)) for domain in domains)
    compare(getattr(np, name), getattr(torch, TORCH_NAMES.get(name, name)), first, second)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (neural.relu, torch.relu),
        (neural.sigmoid, torch.sigmoid),
        (neural.softplus, torch.nn.functional.softplus),
        (neural.silu, torch.nn.functional.silu),
        (neural.elu, torch.nn.functional.elu),
        (neural.selu, torch.selu),
        (neural.leaky_relu, lambda x: torch.nn.functional.leaky_relu(x, 0.2)),
        (neural.gelu, torch.nn.functional.gelu),
        (
            lambda x: neural.gelu(x, approximate=True),
            lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
        ),
        (neural.hard_sigmoid, lambda x: torch.clamp(x / 6 + 0.5, 0, 1)),
        (neural.softmax, lambda x: torch.softmax(x, -1)),
        (neural.log_softmax, lambda x: torch.log_softmax(x, -1)),
    ],
)
def test_activations_agree(ours, theirs):
    compare(ours, theirs, anything(np.random.default_rng(0), (3, 4)) * 3)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda x: x.sum(axis=1), lambda x: x.sum(1)),
        (lambda x: x.mean(axis=(0, 2), keepdims=True), lambda x: x.mean((0, 2), keepdim=True)),
        (lambda x: x.max(axis=1), lambda x: x.amax(1)),
        (lambda x: x.min(axis=(0, 1)), lambda x: x.amin((0, 1))),
        (lambda x: x.reshape(4, 6).T, lambda x: x.reshape(4, 6).T),
        (lambda x: x[:, [0, 0, 2]], lambda x: x[:, [0, 0, 2]]),
        (lambda x: x[x > 0], lambda x: x[x > 0]),
        (lambda x: np.clip(x, -0.3, 0.8), lambda x: torch.clamp(x, -0.3, 0.8)),
    ],
)
def test_reductions_and_shapes_agree(ours, theirs):
    compare(ours, theirs, distinct(np.random.default_rng(0), (2, 3, 4)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda x: np.prod(x, axis=1), lambda x: x.prod(1)),
        (lambda x: np.var(x, axis=1, ddof=1), lambda x: x.var(1)),
        (lambda x: np.std(x, axis=(0, 2)), lambda x: x.std((0, 2), correction=0)),
        (lambda x: np.cumsum(x, axis=2), lambda x: x.cumsum(2)),
        (lambda x: np.cumprod(x, axis=1), lambda x: x.cumprod(1)),
        (lambda x: logsumexp(x, axis=(0, 1)), lambda x: x.logsumexp((0, 1))),
        (lambda x: np.sort(x, axis=1), lambda x: x.sort(1).values),
        (lambda x: np.median(x[:1, :, :3], axis=1), lambda x: x[:1, :, :3].median(1).values),
        (lambda x: np.linalg.norm(x), lambda x: x.norm()),
        (lambda x: np.linalg.norm(x, 1, axis=1), lambda x: torch.linalg.vector_norm(x, 1, 1)),
        (lambda x: np.flip(x, (0, 2)), lambda x: x.flip(0, 2)),
        (lambda x: np.roll(x, 2, 1), lambda x: x.roll(2, 1)),
        (lambda x: np.tile(x, (2, 1, 2)), lambda x: x.tile((2, 1, 2))),
        (lambda x: np.repeat(x, 2, 1), lambda x: x.repeat_interleave(2, 1)),
        (lambda x: np.tril(x), lambda x: x.tril()),
        (lambda x: np.pad(x, ((0, 0), (0, 0), (1, 2)), mode="reflect"),
         lambda x: torch.nn.functional.pad(x, (1, 2), mode="reflect")),
        (lambda x: np.moveaxis(x, 0, -1), lambda x: x.movedim(0, -1)),
    ],
)  # fmt: skip
def test_more_reductions_and_shapes_agree(ours, theirs):
    compare(ours, theirs, distinct(np.random.default_rng(0), (2, 3, 4)) + 2)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.linalg.inv, torch.linalg.inv),
        (np.linalg.det, torch.linalg.det),
        (lambda x: np.linalg.slogdet(x)[1], lambda x: torch.linalg.slogdet(x)[1]),
        (np.linalg.cholesky, torch.linalg.cholesky),
        (np.linalg.eigvalsh, torch.linalg.eigvalsh),
        (lambda x: np.linalg.svdvals(x), torch.linalg.svdvals),
        (lambda x: np.square(np.linalg.eigh(x)[1]), lambda x: torch.linalg.eigh(x)[1] ** 2),
    ],
)
def test_decompositions_agree(ours, theirs):
    root = anything(np.random.default_rng(0), (3, 3))
    matrix = root @ root.T + np.diag([1.0, 3.0, 6.0])

    def symmetric(function):
        return lambda x: function((x + x.T) / 2)

    compare(symmetric(ours), symmetric(theirs), matrix, rtol=1e-9)


def channels_first(x, rank):
    return x.permute(0, rank + 1, *range(1, rank + 1))


def channels_last(x, rank):
    return x.permute(0, *range(2, rank + 2), 1)


@settings(max_examples=40)
@given(st.data())
def test_convolutions_of_random_configurations_agree(data):
    rank = data.draw(st.integers(1, 3))
    groups = data.draw(st.integers(1, 2))
    sizes = st.integers(1, 3)
    window = [data.draw(sizes) for _ in range(rank)]
    strides = [data.draw(sizes) for _ in range(rank)]
    dilation = [data.draw(st.integers(1, 2)) for _ in range(rank)]
    spatial = [(k - 1) * d + data.draw(st.integers(1, 4)) for k, d in
               zip(window, dilation, strict=True)]  # fmt: skip
    padding = [(p, p) for p in (data.draw(st.integers(0, 2)) for _ in range(rank))]
    rng = np.random.default_rng(0)
    x = anything(rng, (2, *spatial, 2 * groups))
    w = anything(rng, (*window, 2, 3 * groups))
    function = getattr(torch.nn.functional, f"conv{rank}d")

    def peer(x, w):
        kernel = w.permute(rank + 1, rank, *range(rank))
        result = function(
            channels_first(x, rank), kernel, stride=strides, dilation=dilation, groups=groups,
            padding=[p for p, _ in padding],
        )  # fmt: skip
        return channels_last(result, rank)

    compare(
        lambda x, w: convolution(x, w, strides, padding, dilation, groups), peer, x, w, rtol=1e-10
    )


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_convolutions_agree(rank, stride):
    rng = np.random.default_rng(0)
    x, w = anything(rng, (2, *[3] * rank, 4)), anything(rng, (*[3] * rank, 2, 4))
    function = getattr(torch.nn.functional, f"conv_transpose{rank}d")

    def peer(x, w):
        kernel = w.permute(rank + 1, rank, *range(rank))
        return channels_last(function(channels_first(x, rank), kernel, stride=stride), rank)

    compare(lambda x, w: transposed_convolution(x, w, stride), peer, x, w, rtol=1e-10)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_pooling_and_upsampling_agree(rank):
    x = distinct(np.random.default_rng(0), (2, *[4] * rank, 3))
    functional = torch.nn.functional

    def both_ways(function):
        return lambda x: channels_last(function(channels_first(x, rank)), rank)

    for size, strides in ((2, 2), (3, 1)):
        for ours, theirs in (
            (max_pool, getattr(functional, f"max_pool{rank}d")),
            (average_pool, getattr(functional, f"avg_pool{rank}d")),
        ):
            compare(
                lambda x, f=ours, n=size, s=strides: f(x, n, s),
                both_ways(lambda x, f=theirs, n=size, s=strides: f(x, n, s)),
                x,
            )
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
    compare(
        lambda x: upsample(x, 2, "linear"),
        both_ways(lambda x: functional.interpolate(x, scale_factor=2, mode=linear)),
        x,
    )
    compare(upsample, both_ways(lambda x: functional.interpolate(x, scale_factor=2)), x)
    if rank == 2:
        compare(
            lambda x: upsample(x, 2, "cubic"),
            both_ways(lambda x: functional.interpolate(x, scale_factor=2, mode="bicubic")),
            x,
        )


def test_a_training_step_of_a_penalised_autoencoder_agrees():
    import minigrad as mg

    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, (8, 6))
    model = mg.Sequential(
        mg.layers.Dense(4, "relu", kernel_regularizer=mg.regularizers.L2(1e-2), input_dim=6,
                        activity_regularizer=mg.regularizers.L1(1e-2), dtype="float64", name="a"),
        mg.layers.Dense(6, "sigmoid", dtype="float64", name="b"),
    )  # fmt: skip
    model.compile("sgd", "mse")
    w1, b1, w2, b2 = peers = [torch.tensor(p.numpy(), requires_grad=True)
                              for p in model.parameters()]  # fmt: skip
    inputs = torch.tensor(x)
    codings = torch.relu(inputs @ w1 + b1)
    output = torch.sigmoid(codings @ w2 + b2)
    loss = ((output - inputs) ** 2).mean() + 1e-2 * (w1**2).sum() + 1e-2 / 8 * codings.abs().sum()
    loss.backward()
    terms = model.loss_terms(x, x)
    np.testing.assert_allclose(float(terms.total()), loss.item(), rtol=1e-12)
    terms.total().backward()
    for parameter, peer in zip(model.parameters(), peers, strict=True):
        np.testing.assert_allclose(parameter.grad, peer.grad.numpy(), rtol=1e-10, atol=1e-14)
