"""One row for each op: how to call it, on which operands. The rows drive `test_ops.py`."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import losses
from minigrad.ops import elementwise as e
from minigrad.ops import indexing, linear_algebra, neural, reductions, shapes

Domain = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def anything(rng, shape):
    """Numbers in (−2, 2), away from 0 and ±1, where some ops have kinks."""
    values = rng.uniform(0.15, 0.85, shape) + rng.integers(0, 2, shape)
    return values * rng.choice([-1, 1], shape)


def positive(rng, shape):
    return rng.uniform(0.3, 2, shape)


def inside(rng, shape):
    """Numbers in (−1, 1)."""
    return rng.uniform(-0.9, 0.9, shape)


def above_one(rng, shape):
    return rng.uniform(1.2, 3, shape)


def condition(rng, shape):
    return rng.integers(0, 2, shape).astype(bool)


def distinct(rng, shape):
    """Numbers that are well apart, in random order."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) * 0.37 - 1.1


@dataclass(frozen=True)
class Row:
    """How an op is tested.

    `name` is the primitive's; `call` takes the operands; `expected` is the reference for its value,
    by default the same call on arrays with plain NumPy functions.
    """

    name: str
    call: Callable[..., Any]
    domains: tuple[Domain, ...]
    shapes: tuple[tuple[int, ...], ...] = ()
    expected: Callable[..., Any] | None = None
    label: str = ""
    elementwise: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name

    def operands(self, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        shapes = self.shapes or ((2, 3),) * len(self.domains)
        drawn = [domain(rng, shape) for domain, shape in zip(self.domains, shapes, strict=True)]
        return [x if x.dtype.kind != "f" else x.astype(dtype) for x in drawn]


def unary(function, domain=anything, name=None):
    return Row(name or function.__name__, function, (domain,), expected=function, elementwise=True)


def binary(function, first=anything, second=anything, name=None):
    return Row(
        name or function.__name__, function, (first, second), expected=function, elementwise=True
    )


ELEMENTWISE = [
    binary(np.add),
    binary(np.subtract),
    binary(np.multiply),
    binary(np.divide),
    binary(np.power, positive),
    binary(np.float_power, positive),
    binary(np.remainder, positive, positive),
    binary(np.fmod, positive, positive),
    binary(np.floor_divide, positive, positive),
    binary(np.logaddexp),
    binary(np.logaddexp2),
    binary(np.arctan2),
    binary(np.hypot),
    binary(np.maximum),
    binary(np.minimum),
    binary(np.fmax),
    binary(np.fmin),
    unary(np.negative),
    unary(np.positive),
    unary(np.square),
    unary(np.sqrt, positive),
    unary(np.cbrt),
    unary(np.reciprocal),
    unary(np.exp),
    unary(np.exp2),
    unary(np.expm1),
    unary(np.log, positive),
    unary(np.log2, positive),
    unary(np.log10, positive),
    unary(np.log1p, positive),
    unary(np.sin),
    unary(np.cos),
    unary(np.tan, inside),
    unary(np.arcsin, inside),
    unary(np.arccos, inside),
    unary(np.arctan),
    unary(np.sinh),
    unary(np.cosh),
    unary(np.tanh),
    unary(np.arcsinh),
    unary(np.arccosh, above_one),
    unary(np.arctanh, inside),
    unary(np.deg2rad),
    unary(np.rad2deg),
    unary(np.absolute),
    unary(np.fabs),
    unary(np.sign),
    unary(np.floor),
    unary(np.ceil),
    unary(np.trunc),
    unary(np.rint),
    unary(np.nan_to_num),
    Row("round", np.round, (anything,), elementwise=True),
    Row("power", lambda x: x**3, (anything,), label="cube"),
    Row("power", lambda x: x**0, (anything,), label="zeroth"),
    Row("power", lambda x: x**-2, (anything,), label="negative"),
    Row("power", lambda x: 2.0**x, (anything,), label="base_two"),
    Row("clip", lambda x: np.clip(x, -0.5, 0.9), (anything,), elementwise=True),
    Row("where", np.where, (condition, anything, anything), elementwise=True),
]

REDUCTIONS = [
    Row(name, call, (distinct,), ((2, 3, 4),), label=label)
    for name, function in (
        ("sum", np.sum),
        ("mean", np.mean),
        ("max", np.max),
        ("min", np.min),
    )
    for label, call in (
        ("all", function),
        ("axis", lambda x, f=function: f(x, axis=1)),
        ("axes", lambda x, f=function: f(x, axis=(0, -1))),
        ("keepdims", lambda x, f=function: f(x, axis=-2, keepdims=True)),
    )
]

SHAPES = [
    Row("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)), (anything,)),
    Row("reshape", lambda x: np.reshape(x, (3, -1)), (anything,)),
    Row("reshape", np.ravel, (anything,), label="ravel"),
    Row("reshape", lambda x: np.squeeze(x, 1), (anything,), ((2, 1, 3),), label="squeeze"),
    Row("reshape", lambda x: np.expand_dims(x, (0, -1)), (anything,), label="expand_dims"),
    Row("transpose", np.transpose, (anything,)),
    Row("transpose", lambda x: x.transpose(1, -1, 0), (anything,), ((2, 3, 4),), label="axes"),
    Row("transpose", lambda x: np.swapaxes(x, 0, -1), (anything,), ((2, 3, 4),), label="swapaxes"),
    Row("astype", lambda x: x.astype(np.float64), (anything,)),
]

INDEXING = [
    Row("getitem", lambda x: x[1], (anything,), label="integer"),
    Row("getitem", lambda x: x[:, ::-2], (anything,), label="slice"),
    Row("getitem", lambda x: x[..., None, 0], (anything,), label="newaxis"),
    Row("getitem", lambda x: x[np.array([0, 1, 0, 0])], (anything,), label="repeated"),
    Row("getitem", lambda x: x[[0, 1], [2, 0]], (anything,), label="pairs"),
    Row(
        "getitem",
        lambda x: x[np.array([[True, False, True], [False, True, True]])],
        (anything,),
        label="mask",
    ),
    Row(
        "scatter",
        lambda x: indexing.scatter(x, index=np.array([1, 1]), shape=(3, 3)),
        (anything,),
        expected=lambda x: np.stack([0 * x[0], x[0] + x[1], 0 * x[0]]),
    ),
]

LINEAR_ALGEBRA = [
    Row("matmul", np.matmul, (anything, anything), shapes_, label=label)
    for label, shapes_ in (
        ("matrices", ((2, 3), (3, 4))),
        ("batches", ((5, 1, 2, 3), (4, 3, 2))),
        ("vectors", ((3,), (3,))),
        ("row", ((3,), (2, 3, 4))),
        ("column", ((2, 4, 3), (3,))),
    )
]


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


NEURAL = [
    Row(
        "dense",
        neural.dense,
        (anything, anything, anything),
        ((5, 2, 3), (3, 4), (4,)),
        expected=lambda x, w, b: x @ w + b,
    ),
    Row("relu", neural.relu, (anything,), expected=lambda x: np.maximum(x, 0), elementwise=True),
    Row("sigmoid", neural.sigmoid, (anything,), expected=_sigmoid, elementwise=True),
    Row(
        "softplus",
        neural.softplus,
        (anything,),
        expected=lambda x: np.log1p(np.exp(x)),
        elementwise=True,
    ),
    Row("erf", neural.erf, (anything,), expected=np.vectorize(math.erf)),
    Row("softmax", neural.softmax, (anything,), expected=_softmax),
    Row("log_softmax", neural.log_softmax, (anything,), expected=lambda x: np.log(_softmax(x))),
    Row("silu", neural.silu, (anything,), expected=lambda x: x * _sigmoid(x), elementwise=True),
    Row(
        "elu",
        neural.elu,
        (anything,),
        expected=lambda x: np.where(x > 0, x, np.exp(x) - 1),
        elementwise=True,
    ),
    Row(
        "leaky_relu",
        neural.leaky_relu,
        (anything,),
        expected=lambda x: np.where(x > 0, x, 0.2 * x),
        elementwise=True,
    ),
    Row(
        "sigmoid_cross_entropy",
        losses.sigmoid_cross_entropy,
        (anything, lambda rng, shape: rng.uniform(0.1, 0.9, shape)),
        expected=lambda x, t: -t * np.log(_sigmoid(x)) - (1 - t) * np.log(1 - _sigmoid(x)),
        elementwise=True,
    ),
]

ROWS = [*ELEMENTWISE, *REDUCTIONS, *SHAPES, *INDEXING, *LINEAR_ALGEBRA, *NEURAL]

# Composed of others: checked like them, without a rule of their own.
COMPOSED = [
    Row("selu", neural.selu, (anything,), expected=lambda x: neural.SELU_SCALE * np.where(
        x > 0, x, neural.SELU_ALPHA * (np.exp(x) - 1))),
    Row("hard_sigmoid", neural.hard_sigmoid, (anything,), expected=lambda x: np.clip(
        x / 6 + 0.5, 0, 1)),
    Row("gelu", neural.gelu, (anything,), expected=lambda x: 0.5 * x * (
        1 + np.vectorize(math.erf)(x / np.sqrt(2)))),
    Row("gelu", lambda x: neural.gelu(x, approximate=True), (anything,), label="approximate",
        expected=lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
]  # fmt: skip

__all__ = ["COMPOSED", "ROWS", "Row", "e", "linear_algebra", "reductions", "shapes"]
