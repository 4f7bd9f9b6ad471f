"""Random programs of NumPy's functions against PyTorch: value and gradients to the third order.

A program starts from a few tensors of random shapes, applies 3 to 12 ops to what it has so far, and
sums up all that was computed. Everything is float64, so agreement means ten digits or so.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import Tensor, grad

KIND = "programs"

Step = tuple[str, Callable[..., Any], Callable[..., Any]]  # its name, ours, PyTorch's


@dataclass
class Value:
    """One tensor of a program, here and there."""

    ours: Any
    theirs: Any


def run(cases: int, seed: int) -> list[str]:
    """Run random programs; return a description of each that does not agree."""
    return [
        text for case in range(cases) if (text := _failure(np.random.default_rng([seed, case])))
    ]


def _failure(rng: np.random.Generator) -> str:
    import torch

    shapes = _shapes(rng)
    leaves = []
    for shape in shapes:
        array = rng.uniform(-1.5, 1.5, shape)
        theirs = torch.tensor(array, requires_grad=True)
        leaves.append(Value(Tensor(array, requires_grad=True), theirs))
    values, names = list(leaves), []
    for _ in range(rng.integers(3, 13)):
        operands = [values[i] for i in rng.integers(0, len(values), 2)]
        name, ours, theirs = _step(rng, *(value.ours.shape for value in operands))
        names.append(f"{name} of {', '.join(str(value.ours.shape) for value in operands)}")
        there = theirs(*(value.theirs for value in operands))
        if there.numel() == 0 or not _is_tame(there.detach()):
            names.pop()
            continue
        try:
            here = ours(*(value.ours for value in operands))
        except Exception as error:
            return f"{_told(shapes, names)}: {type(error).__name__}: {error}"
        if here.shape != tuple(there.shape):
            return f"{_told(shapes, names)}: shape {here.shape}, not {tuple(there.shape)}"
        values.append(Value(here, there))
    for order, (here, there) in enumerate(_derivatives(rng, values, leaves)):
        scale = max([1.0, *(float(np.max(np.abs(b), initial=0.0)) for b in there)])
        if not np.isfinite(scale) or scale > 1e8:
            return ""  # too steep for a comparison
        for left, right in zip(here, there, strict=True):
            if not np.allclose(left, right, rtol=1e-6, atol=1e-8 * scale):
                worst = float(np.max(np.abs(left - right)))
                return (
                    f"{_told(shapes, names)}: order {order} differs by {worst:.3g} of {scale:.3g}"
                )
    return ""


def _shapes(rng: np.random.Generator) -> list[tuple[int, ...]]:
    """A few shapes that broadcast: each is the end of a common one, with some lengths 1."""
    common = rng.integers(1, 4, rng.integers(1, 4))
    cut = [common[rng.integers(0, len(common) + 1) :] for _ in range(rng.integers(1, 4))]
    return [tuple(int(n) if rng.random() < 0.8 else 1 for n in shape) for shape in cut]


def _told(shapes: list[tuple[int, ...]], names: list[str]) -> str:
    return f"leaves {shapes}, then {'; '.join(names)}"


def _is_tame(values: Any) -> bool:
    return bool(values.isfinite().all()) and float(values.abs().max()) < 50


def _derivatives(
    rng: np.random.Generator, values: list[Value], leaves: list[Value]
) -> Iterator[tuple[list[Any], list[Any]]]:
    """The sum of everything, and three times the gradient of what was there along a direction."""
    import torch

    here: Any = 0.0
    there: Any = 0.0
    for value in values:
        weights = rng.uniform(0.5, 1.5, value.ours.shape)
        here = here + (value.ours * weights).sum()
        there = there + (value.theirs * torch.tensor(weights)).sum()
    yield [here.numpy()], [there.detach().numpy()]
    ours, theirs = [leaf.ours for leaf in leaves], [leaf.theirs for leaf in leaves]
    for _ in range(3):
        if here.requires_grad != there.requires_grad:  # one knows that it is constant
            here = here + sum((leaf * 0.0).sum() for leaf in ours)
            there = there + sum((leaf * 0.0).sum() for leaf in theirs)
        if not here.requires_grad:
            return
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            slopes = grad(here, ours, create_graph=True)
            peers = torch.autograd.grad(
                there, theirs, create_graph=True, allow_unused=True, materialize_grads=True
            )
        yield (
            [slope.numpy() for slope in slopes],
            [peer.detach().numpy(force=True) for peer in peers],
        )
        here, there = 0.0, 0.0
        for slope, peer in zip(slopes, peers, strict=True):
            direction = rng.uniform(0.5, 1.5, slope.shape)
            here = here + (slope * direction).sum()
            there = there + (peer * torch.tensor(direction)).sum()


# ---- the ops -------------------------------------------------------------------------------------


def _step(rng: np.random.Generator, shape: tuple[int, ...], other: tuple[int, ...]) -> Step:
    """Draw an op that operands of these shapes can take."""
    kinds = [_elementwise, _elementwise, _reduction, _shape, _index]
    if _broadcast(shape, other):
        kinds += [_pair, _pair]
    if len(shape) >= 2:
        kinds += [_matrix, _square]
    step: Step | None = None
    while step is None:
        step = kinds[rng.integers(len(kinds))](rng, shape, other)
    return step


def _broadcast(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(shape, other))) <= 200
    except ValueError:
        return False


def _pick(rng: np.random.Generator, choices: list[Step]) -> Step:
    return choices[rng.integers(len(choices))]


def _elementwise(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    return _pick(
        rng,
        [
            ("sin", lambda x, _: np.sin(x), lambda x, _: x.sin()),
            ("cos", lambda x, _: np.cos(x), lambda x, _: x.cos()),
            ("tanh", lambda x, _: np.tanh(x), lambda x, _: x.tanh()),
            ("arctan", lambda x, _: np.arctan(x), lambda x, _: x.atan()),
            ("exp", lambda x, _: np.exp(x * 0.3), lambda x, _: (x * 0.3).exp()),
            ("expm1", lambda x, _: np.expm1(x * 0.3), lambda x, _: (x * 0.3).expm1()),
            ("log", lambda x, _: np.log(1 + x * x), lambda x, _: (1 + x * x).log()),
            ("log1p", lambda x, _: np.log1p(x**2), lambda x, _: (x**2).log1p()),
            ("sqrt", lambda x, _: np.sqrt(x * x + 1), lambda x, _: (x * x + 1).sqrt()),
            ("reciprocal", lambda x, _: np.reciprocal(x * x + 2), lambda x, _: 1 / (x * x + 2)),
            ("cube", lambda x, _: (x * 0.5) ** 3, lambda x, _: (x * 0.5) ** 3),
            ("power", lambda x, _: np.power(x * x + 0.5, 1.7), lambda x, _: (x * x + 0.5) ** 1.7),
            ("exponent", lambda x, _: 1.3**x, lambda x, _: 1.3**x),
            ("abs", lambda x, _: np.abs(x), lambda x, _: x.abs()),
            ("relu", lambda x, _: np.maximum(x, 0.0), lambda x, _: x.relu()),
            ("clip", lambda x, _: np.clip(x, -0.7, 0.9), lambda x, _: x.clamp(-0.7, 0.9)),
            # Near 0, PyTorch's third derivative of sinc loses its digits.
            ("sinc", lambda x, _: np.sinc(x * x + 0.5), lambda x, _: torch.sinc(x * x + 0.5)),
            ("square", lambda x, _: np.square(x), lambda x, _: x.square()),
            ("negative", lambda x, _: -x, lambda x, _: -x),
            ("floor", lambda x, _: np.floor(x) + x, lambda x, _: x.floor() + x),
        ],
    )


def _pair(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    return _pick(
        rng,
        [
            ("add", lambda x, y: x + y, lambda x, y: x + y),
            ("subtract", lambda x, y: x - y, lambda x, y: x - y),
            ("multiply", lambda x, y: x * y, lambda x, y: x * y),
            ("divide", lambda x, y: x / (2 + np.cos(y)), lambda x, y: x / (2 + y.cos())),
            ("pow", lambda x, y: (x * x + 1) ** (y * 0.5), lambda x, y: (x * x + 1) ** (y * 0.5)),
            ("maximum", np.maximum, torch.maximum),
            ("minimum", np.minimum, torch.minimum),
            ("logaddexp", np.logaddexp, torch.logaddexp),
            ("hypot", lambda x, y: np.hypot(x, y * y + 1), lambda x, y: torch.hypot(x, y * y + 1)),
            (
                "arctan2",
                lambda x, y: np.arctan2(x, y * y + 1),
                lambda x, y: torch.atan2(x, y * y + 1),
            ),
            (
                "where",
                lambda x, y: np.where(x > y, x * y, y),
                lambda x, y: torch.where(x > y, x * y, y),
            ),
            (
                "stack",
                lambda x, y: np.stack(np.broadcast_arrays(x, y), axis=-1),
                lambda x, y: torch.stack(torch.broadcast_tensors(x, y), dim=-1),
            ),
            (
                "concatenate",
                lambda x, y: np.concatenate([np.ravel(x), np.ravel(y)]),
                lambda x, y: torch.cat([x.ravel(), y.ravel()]),
            ),
        ],
    )


def _reduction(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    if not shape:
        return ("sum", lambda x, _: np.sum(x, axis=-1), lambda x, _: x.sum(-1))
    axis, keep = int(rng.integers(-len(shape), len(shape))), bool(rng.integers(2))
    a: Any = {"axis": axis, "keepdims": keep}
    d: Any = {"dim": axis, "keepdim": keep}
    choices: list[Step] = [
        ("sum", lambda x, _: np.sum(x, **a), lambda x, _: x.sum(**d)),
        ("mean", lambda x, _: np.mean(x, **a), lambda x, _: x.mean(**d)),
        ("max", lambda x, _: np.max(x, **a), lambda x, _: x.amax(**d)),
        ("min", lambda x, _: np.min(x, **a), lambda x, _: x.amin(**d)),
        ("prod", lambda x, _: np.prod(x, **a), lambda x, _: x.prod(**d)),
        ("var", lambda x, _: np.var(x, **a), lambda x, _: x.var(correction=0, **d)),
        ("all", lambda x, _: np.sum(x), lambda x, _: x.sum()),
        ("cumsum", lambda x, _: np.cumsum(x, axis), lambda x, _: x.cumsum(axis)),
        ("cumprod", lambda x, _: np.cumprod(x, axis), lambda x, _: x.cumprod(axis)),
        (
            "norm",
            lambda x, _: np.linalg.norm(x * x + 0.3, **a),
            lambda x, _: torch.linalg.vector_norm(x * x + 0.3, **d),
        ),
        (
            "quantile",
            lambda x, _: np.quantile(x, 0.3, **a),
            lambda x, _: torch.quantile(x, 0.3, **d),
        ),
        ("sort", lambda x, _: np.sort(x, axis), lambda x, _: x.sort(dim=axis, stable=True).values),
        ("diff", lambda x, _: np.diff(x, axis=axis), lambda x, _: x.diff(dim=axis)),
        (
            "trapezoid",
            lambda x, _: np.trapezoid(x, axis=axis),
            lambda x, _: torch.trapezoid(x, dim=axis),
        ),
        ("nansum", lambda x, _: np.nansum(x, **a), lambda x, _: x.nansum(**d)),
    ]
    return _pick(rng, choices)


def _shape(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    order = tuple(map(int, rng.permutation(len(shape))))
    axis = int(rng.integers(len(shape))) if shape else 0
    choices: list[Step] = [
        ("ravel", lambda x, _: np.ravel(x), lambda x, _: x.ravel()),
        ("transpose", lambda x, _: np.transpose(x, order), lambda x, _: x.permute(order)),
        ("expand_dims", lambda x, _: np.expand_dims(x, axis), lambda x, _: x.unsqueeze(axis)),
        (
            "broadcast_to",
            lambda x, _: np.broadcast_to(x, (2, *shape)),
            lambda x, _: x.broadcast_to((2, *shape)),
        ),
    ]
    if shape:
        choices += [
            ("flip", lambda x, _: np.flip(x, axis), lambda x, _: x.flip(axis)),
            ("roll", lambda x, _: np.roll(x, 2, axis), lambda x, _: x.roll(2, axis)),
            ("tile", lambda x, _: np.tile(x, 2), lambda x, _: x.tile(2)),
            (
                "repeat",
                lambda x, _: np.repeat(x, 2, axis),
                lambda x, _: x.repeat_interleave(2, axis),
            ),
            (
                "split",
                lambda x, _: np.array_split(x, 2, axis)[0],
                lambda x, _: torch.tensor_split(x, 2, axis)[0],
            ),
            (
                "pad",
                lambda x, _: np.pad(x, [(0, 0)] * (len(shape) - 1) + [(1, 2)]),
                lambda x, _: torch.nn.functional.pad(x, (1, 2)),
            ),
        ]
    return _pick(rng, choices)


def _index(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    if not shape:
        return ("[None]", lambda x, _: x[None], lambda x, _: x[None])
    length = shape[0]
    places = rng.integers(-length, length, 3)
    start = int(rng.integers(length))
    return _pick(
        rng,
        [
            (f"[{start}]", lambda x, _: x[start], lambda x, _: x[start]),
            (f"[{start}:]", lambda x, _: x[start:], lambda x, _: x[start:]),
            ("[..., None]", lambda x, _: x[..., None], lambda x, _: x[..., None]),
            (f"[{places}]", lambda x, _: x[places], lambda x, _: x[torch.tensor(places)]),
            ("[x > 0]", lambda x, _: x[x > 0], lambda x, _: x[x > 0]),
        ],
    )


def _matrix(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    k = int(rng.integers(-1, 2))
    choices: list[Step] = [
        ("x @ x.T", lambda x, _: x @ np.matrix_transpose(x), lambda x, _: x @ x.mT),
        ("tril", lambda x, _: np.tril(x, k), lambda x, _: x.tril(k)),
        ("triu", lambda x, _: np.triu(x, k), lambda x, _: x.triu(k)),
        (
            "einsum",
            lambda x, _: np.einsum("...ij,...kj->...ik", x, np.sin(x)),
            lambda x, _: torch.einsum("...ij,...kj->...ik", x, x.sin()),
        ),
        (
            "diagonal",
            lambda x, _: np.diagonal(x, 0, -2, -1),
            lambda x, _: x.diagonal(0, -2, -1),
        ),
        ("rot90", lambda x, _: np.rot90(x), lambda x, _: x.rot90()),
        (
            "pinv",
            lambda x, _: np.linalg.pinv(x + np.eye(*shape[-2:])),
            lambda x, _: torch.linalg.pinv(x + torch.eye(*shape[-2:], dtype=x.dtype)),
        ),
    ]
    if len(other) >= 1 and shape[-1] == other[0] and len(other) <= 2:
        choices += [("matmul", np.matmul, torch.matmul)] * 3
    return _pick(rng, choices)


def _square(rng: np.random.Generator, shape: Any, other: Any) -> Step:
    import torch

    size = np.diag(np.arange(shape[-2]) + 1.0)
    grown = torch.tensor(size)

    def ours(x: Any) -> Any:
        """Positive definite, with eigenvalues apart."""
        return x @ np.matrix_transpose(x) * 0.1 + size

    def theirs(x: Any) -> Any:
        return x @ x.mT * 0.1 + grown

    linalg = torch.linalg
    return _pick(
        rng,
        [
            ("inv", lambda x, _: np.linalg.inv(ours(x)), lambda x, _: linalg.inv(theirs(x))),
            ("det", lambda x, _: np.linalg.det(ours(x)), lambda x, _: linalg.det(theirs(x))),
            (
                "slogdet",
                lambda x, _: np.linalg.slogdet(ours(x))[1],
                lambda x, _: linalg.slogdet(theirs(x))[1],
            ),
            (
                "solve",
                lambda x, _: np.linalg.solve(ours(x), x),
                lambda x, _: linalg.solve(theirs(x), x),
            ),
            (
                "cholesky",
                lambda x, _: np.linalg.cholesky(ours(x)),
                lambda x, _: linalg.cholesky(theirs(x)),
            ),
            (
                "eigvalsh",
                lambda x, _: np.linalg.eigvalsh(ours(x)),
                lambda x, _: linalg.eigvalsh(theirs(x)),
            ),
            (
                "svdvals",
                lambda x, _: np.linalg.svdvals(ours(x)),
                lambda x, _: linalg.svdvals(theirs(x)),
            ),
            ("qr", lambda x, _: np.linalg.qr(ours(x))[1], lambda x, _: linalg.qr(theirs(x))[1]),
            (
                "matrix_power",
                lambda x, _: np.linalg.matrix_power(ours(x) * 0.3, 3),
                lambda x, _: linalg.matrix_power(theirs(x) * 0.3, 3),
            ),
            (
                "nuclear",
                lambda x, _: np.linalg.norm(ours(x), "nuc", axis=(-2, -1)),
                lambda x, _: linalg.matrix_norm(theirs(x), "nuc"),
            ),
        ],
    )
