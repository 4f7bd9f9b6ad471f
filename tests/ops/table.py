"""One row for each op: how to call it, on which operands. The rows drive `test_ops.py`."""

import math

import numpy as np

from minigrad.engine.table import TABLE
from minigrad.ops import (
    convolution,
    indexing,
    linear_algebra,
    neural,
    pooling,
    reductions,
    shapes,
)
from minigrad.ops import elementwise as e
from tests.ops.composed_rows import FORMULAS, REARRANGED
from tests.ops.loss_rows import LOSSES
from tests.ops.row import (
    Row,
    above_one,
    anything,
    binary,
    condition,
    distinct,
    inside,
    positive,
    spd,
    unary,
)

# As shipped: this file is loaded before any test runs and puts planted ops into the table.
SHIPPED = dict(TABLE)

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
    binary(np.copysign),
    Row("heaviside", lambda x, y: np.heaviside(x, y) * y, (anything, anything)),
    Row("trunc", lambda x: np.modf(x)[0] * 2 + np.modf(x)[1], (anything,), label="modf"),
    Row("round", lambda x: np.around(x, 1), (anything,), label="around"),
    Row("round", np.round, (anything,), elementwise=True),
    Row("power", lambda x: x**3, (anything,), label="cube"),
    Row("power", lambda x: x**0, (anything,), label="zeroth"),
    Row("power", lambda x: x**-2, (anything,), label="negative"),
    Row("power", lambda x: 2.0**x, (anything,), label="base_two"),
    Row("clip", lambda x: np.clip(x, -0.5, 0.9), (anything,), elementwise=True),
    Row("where", np.where, (condition, anything, anything), elementwise=True),
    Row("where", lambda c, x: np.where(c, x, 0.0), (condition, anything), label="or_zero"),
]


def _reference_logsumexp(label):
    keywords = {"axis": {"axis": 1}, "axes": {"axis": (0, -1)}, "all": {}}.get(
        label, {"axis": -2, "keepdims": True}
    )
    return lambda x: np.log(np.sum(np.exp(x), **keywords))


# Reductions of one axis or several, with what NumPy calls them.
REDUCTIONS = [
    Row(
        name,
        call,
        (distinct,),
        ((2, 3, 4),),
        label=label,
        expected=_reference_logsumexp(label) if name == "logsumexp" else None,
    )
    for name, function in (
        ("sum", np.sum),
        ("mean", np.mean),
        ("max", np.max),
        ("min", np.min),
        ("prod", np.prod),
        ("var", np.var),
        ("std", np.std),
        ("median", np.median),
        ("logsumexp", reductions.logsumexp),
    )
    for label, call in (
        ("all", function),
        ("axis", lambda x, f=function: f(x, axis=1)),
        ("axes", lambda x, f=function: f(x, axis=(0, -1))),
        ("keepdims", lambda x, f=function: f(x, axis=-2, keepdims=True)),
    )
]

REDUCTIONS += [
    Row("var", lambda x: np.var(x, axis=1, ddof=1), (anything,), label="ddof"),
    Row("sum_of_squares", reductions.sum_of_squares, (anything,), expected=lambda x: (x * x).sum()),
    Row("sum_rows", reductions.sum_rows, (anything,), expected=lambda x: x.sum(axis=0)),
    Row("cumsum", lambda x: np.cumsum(x, axis=1), (anything,)),
    Row("cumsum", np.cumsum, (anything,), label="flat"),
    Row("cumprod", lambda x: np.cumprod(x, axis=0), (anything,), ((5, 2),)),
    Row("cumprod", np.cumprod, (anything,), label="flat"),
    Row("prod", lambda x: np.prod(x * np.array([1, 0, 2], x.dtype), axis=1), (anything,),
        label="zeros"),
    Row("median", np.median, (distinct,), ((5,),), label="odd"),
    Row("max", np.amax, (distinct,), label="amax"),
    Row("min", np.amin, (distinct,), label="amin"),
]  # fmt: skip

SHAPES = [
    Row("broadcast_to", lambda x: np.broadcast_to(x, (4, 2, 3)), (anything,)),
    Row("reshape", lambda x: np.reshape(x, (3, -1)), (anything,)),
    Row("reshape", np.ravel, (anything,), label="ravel"),
    Row("reshape", lambda x: np.squeeze(x, 1), (anything,), ((2, 1, 3),), label="squeeze"),
    Row("reshape", lambda x: np.expand_dims(x, (0, -1)), (anything,), label="expand_dims"),
    Row("transpose", np.transpose, (anything,)),
    Row("transpose", lambda x: x.transpose(1, -1, 0), (anything,), ((2, 3, 4),), label="axes"),
    Row("transpose", lambda x: np.swapaxes(x, 0, -1), (anything,), ((2, 3, 4),), label="swapaxes"),
    Row("transpose", np.matrix_transpose, (anything,), ((2, 3, 4),), label="matrix"),
    Row("transpose", np.linalg.matrix_transpose, (anything,), label="linalg_matrix"),
    Row(
        "broadcast_to",
        lambda x, y: np.multiply(*np.broadcast_arrays(x, y)),
        (anything, anything),
        ((2, 1), (3,)),
        label="arrays",
    ),
    Row("astype", lambda x: x.astype(np.float64), (anything,)),
]

JOINING = [
    Row("concatenate", lambda x, y: np.concatenate([x, y], axis=1), (anything, anything),
        ((2, 3), (2, 1))),
    Row("concatenate", lambda x, y: np.concatenate((x, y), axis=None), (anything, anything),
        label="flat"),
    Row("concatenate", lambda x, y: np.stack([x, y], axis=1), (anything, anything), label="stack"),
    Row("concatenate", lambda x, y: np.vstack([x, y]), (anything, anything), ((3,), (2, 3)),
        label="vstack"),
    Row("concatenate", lambda x, y: np.hstack([x, y]), (anything, anything), label="hstack"),
    Row("getitem", lambda x: np.split(x, [1, 2], axis=1)[1] * 2, (anything,), label="split"),
    Row("getitem", lambda x: np.array_split(x, 2, axis=1)[0] * 2, (anything,), label="array_split"),
    Row("getitem", lambda x: np.take(x, [[0, 1], [1, 1]], axis=1), (anything,), label="take"),
    Row("getitem", lambda x: np.take(x, [0, 4]), (anything,), label="take_flat"),
    Row("getitem", lambda x: np.repeat(x, 2, axis=0), (anything,), label="repeat"),
    Row("getitem", lambda x: np.repeat(x, [1, 0, 2], axis=1), (anything,), label="repeats"),
    Row("pick", lambda x: np.tile(x, (2, 1, 2)), (anything,), label="tile"),
    Row("getitem", lambda x: np.flip(x, 1), (anything,), label="flip"),
    Row("getitem", lambda x: np.flip(x), (anything,), label="flip_all"),
    Row("pick", lambda x: np.roll(x, 2, axis=1), (anything,), label="roll"),
    Row("pick", lambda x: np.roll(x, 1), (anything,), label="roll_flat"),
    Row("pick", lambda x: np.roll(x, (1, 2), axis=(0, 1)), (anything,), label="roll_axes"),
    Row("pad", lambda x: np.pad(x, ((1, 0), (2, 1)), constant_values=3.0), (anything,)),
    *[
        Row("getitem", lambda x, mode=mode: np.pad(x, ((1, 1), (2, 1)), mode=mode), (anything,),
            label=f"pad_{mode}")
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ],
    Row("pick", lambda x: np.diagonal(x, 1), (anything,), label="diagonal"),
    Row("pick", lambda x: np.diag(x, -1), (anything,), label="diag"),
    Row("pick", lambda x: np.diag(x, 1), (anything,), ((3,),), label="diag"),
    Row("pick", lambda x: np.tril(x, 1), (anything,), ((2, 3, 4),), label="tril"),
    Row("pick", lambda x: np.triu(x), (anything,), ((3, 3),), label="triu"),
    Row("transpose", lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (anything,), ((2, 3, 4),),
        label="moveaxis"),
    Row("getitem", lambda x: np.sort(x, axis=0), (distinct,), ((4, 2),), label="sort"),
    Row("getitem", lambda x: np.take_along_axis(x, np.array([[0, 2], [1, 1]]), axis=1), (anything,),
        label="take_along_axis"),
]  # fmt: skip

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


def symmetric(x):
    return x + np.swapaxes(x, -1, -2) + np.diag([-4.0, 1.0, 6.0]).astype(x.dtype)


LINEAR_ALGEBRA += [
    Row("matmul", np.dot, (anything, anything), ((2, 3), (4, 3, 2)), label="dot"),
    Row("matmul", np.inner, (anything, anything), ((2, 3), (4, 3)), label="inner"),
    Row("multiply", np.outer, (anything, anything), ((2,), (3,)), label="outer"),
    Row("matmul", lambda x, y: np.tensordot(x, y, axes=([0, 2], [1, 0])), (anything, anything),
        ((2, 3, 4), (4, 2, 5)), label="tensordot"),
    Row("sum", np.trace, (anything,), label="trace"),
    Row("matmul", np.vdot, (anything, anything), label="vdot"),
    Row("eigenvalues", lambda x: np.linalg.eigvalsh(symmetric(x)), (inside,), ((3, 3),),
        label="eigvalsh"),
    Row("singular_values", np.linalg.svdvals, (distinct,), ((4, 3),), label="svdvals"),
    *[
        Row("norm", lambda x, k=keywords: np.linalg.vector_norm(x, **k), (distinct,), ((2, 3, 4),),
            label=f"vector_{keywords}")
        for keywords in (
            {}, {"ord": 1}, {"axis": 1}, {"axis": (0, 2)}, {"axis": (0, -1), "ord": 1},
            {"axis": (0, 2), "keepdims": True}, {"keepdims": True}, {"axis": (0, 1), "ord": np.inf},
        )
    ],
    Row("inv", lambda x: np.linalg.inv(spd(x)), (anything,), ((2, 3, 3),)),
    Row("solve", lambda a, b: np.linalg.solve(spd(a), b), (anything, anything), ((3, 3), (3, 2))),
    Row("solve", lambda a, b: np.linalg.solve(spd(a), b), (anything, anything), ((3, 3), (3,)),
        label="vector"),
    Row("det", lambda x: np.linalg.det(spd(x)), (inside,), ((2, 3, 3),)),
    Row("log_determinant", lambda x: np.linalg.slogdet(spd(x))[1], (anything,), ((2, 3, 3),)),
    Row("cholesky", lambda x: np.linalg.cholesky(spd(x)), (anything,), ((2, 3, 3),)),
    Row("eigenvalues", lambda x: np.linalg.eigh(symmetric(x))[0], (inside,), ((2, 3, 3),)),
    Row("eigenvectors", lambda x: np.square(np.linalg.eigh(symmetric(x))[1]), (inside,),
        ((2, 3, 3),)),
    Row("singular_values", lambda x: np.linalg.svd(x, full_matrices=False)[1], (distinct,),
        ((4, 3),)),
    Row("left_vectors", lambda x: np.square(np.linalg.svd(x, full_matrices=False)[0]), (distinct,),
        ((4, 3),)),
    Row("right_vectors", lambda x: np.square(np.linalg.svd(x, full_matrices=False)[2]), (distinct,),
        ((3, 4),)),
    *[
        Row("norm", lambda x, k=keywords: np.linalg.norm(x, **k), (distinct,), ((3, 4),),
            label=str(keywords))
        for keywords in (
            {}, {"axis": 1}, {"ord": 1, "axis": 0}, {"ord": np.inf, "axis": 1},
            {"ord": 3, "axis": 1},
            {"ord": "fro"}, {"ord": "nuc"}, {"ord": 2}, {"ord": 1}, {"ord": np.inf},
            {"axis": (0, 1), "keepdims": True},
        )
    ],
    Row("pinv", np.linalg.pinv, (distinct,), ((2, 4, 3),), label="tall"),
    Row("pinv", np.linalg.pinv, (distinct,), ((2, 3),), label="wide"),
    *[
        Row(f"{part}_factor", lambda x, i=index: np.linalg.qr(x)[i], (distinct,), (shape,),
            label=label)
        for index, part in enumerate("qr")
        for label, shape in (("tall", (2, 4, 3)), ("square", (3, 3)), ("wide", (2, 4)))
    ],
    *[
        Row("einsum", lambda *xs, s=subscripts: np.einsum(s, *xs), (anything,) * len(shapes_),
            shapes_, label=subscripts)
        for subscripts, shapes_ in (
            ("ij,jk->ik", ((2, 3), (3, 4))),
            ("ij,kj", ((2, 3), (4, 3))),
            ("...i,ij->...j", ((5, 2, 3), (3, 4))),
            ("ii->", ((3, 3),)),
            ("iij->ij", ((3, 3, 2),)),
            ("ij->j", ((2, 3),)),
            ("i,j,ij->", ((2,), (3,), (2, 3))),
            ("bij,bjk->bki", ((2, 3, 4), (2, 4, 2))),
            ("ij,ij->", ((1, 3), (2, 3))),
            ("...i,...i->...", ((1, 3), (5, 3))),
            ("i->", ((3,),)),
        )
    ],
]  # fmt: skip


def _naive_convolution(x, w, strides, dilation, groups):
    """The definition, by loops over every place of the result."""
    window, filters = w.shape[:-2], w.shape[-1]
    output = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    z = np.zeros((len(x), *output, filters))
    per_group, size = filters // groups, w.shape[-2]
    for place in np.ndindex(*output):
        for f in range(filters):
            start = f // per_group * size
            for k in np.ndindex(*window):
                at = tuple(
                    p * s + i * d for p, s, i, d in zip(place, strides, k, dilation, strict=True)
                )
                z[(slice(None), *place, f)] += (
                    x[(slice(None), *at, slice(start, start + size))] @ w[(*k, slice(None), f)]
                )
    return z


def _conv_row(label, shapes_, strides, dilation, groups):
    options = {"strides": strides, "dilation": dilation, "groups": groups}
    return Row(
        "convolution",
        lambda x, w: convolution.convolution(x, w, **options),
        (anything, anything),
        shapes_,
        label=label,
        expected=lambda x, w: _naive_convolution(x, w, strides, dilation, groups),
    )


def _adjoint_reference(y, w, spatial, strides):
    """The transposed convolution by its definition: ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for all unit x."""
    shape = (len(y), *spatial, w.shape[-2])
    out = np.zeros(shape)
    for place in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[place] = 1
        ones = (1,) * len(spatial)
        out[place] = np.sum(_naive_convolution(unit, w, strides, ones, 1) * y)
    return out


# Two windows: in the first the second element is the largest, in the other both are.
LARGEST = (np.array([[[1.0], [3.0], [2.0], [2.0]]]), np.array([[[3.0], [2.0]]]))

CONVOLUTION = [
    _conv_row("1d", ((2, 6, 2), (3, 2, 3)), (1,), (1,), 1),
    _conv_row("2d", ((2, 5, 6, 2), (2, 3, 2, 3)), (2, 1), (1, 2), 1),
    _conv_row("3d", ((1, 3, 4, 3, 2), (2, 2, 1, 2, 2)), (1, 2, 1), (1, 1, 1), 1),
    _conv_row("groups", ((2, 5, 4), (2, 2, 6)), (1,), (2,), 2),
    _conv_row("depthwise", ((1, 3, 3, 4), (2, 2, 1, 4)), (1, 1), (1, 1), 4),
    Row(
        "biased_convolution",
        lambda x, w, b: convolution.convolution(x, w, padding="same", bias=b),
        (anything, anything, anything),
        ((2, 4, 3), (3, 3, 2), (2,)),
        expected=lambda x, w, b: (
            b + _naive_convolution(np.pad(x, ((0, 0), (1, 1), (0, 0))), w, (1,), (1,), 1)
        ),
    ),
    Row(
        "sum_of_places",
        convolution.sum_of_places_,
        (anything,),
        ((2, 4, 3),),
        expected=lambda x: x.sum(axis=(0, 1)),
    ),
    Row(
        "transposed_convolution",
        lambda y, w: convolution.transposed_convolution(y, w, 2),
        (anything, anything),
        ((1, 3, 2), (3, 2, 2)),
        expected=lambda y, w: _adjoint_reference(y, w, (7,), (2,)),
    ),
    Row(
        "correlation",
        lambda x, g: convolution.correlation_(
            x, g, window=(2,), strides=(1,), dilation=(1,), padding=((0, 0),), groups=1
        ),
        (anything, anything),
        ((2, 4, 2), (2, 3, 3)),
        expected=lambda x, g: np.stack(
            [np.tensordot(x[:, k : k + 3], g, axes=((0, 1), (0, 1))) for k in range(2)]
        ),
    ),
    Row(
        "window_sum",
        lambda x: pooling.window_sum_(x, window=(2,), strides=(1,), padding=((1, 0),)),
        (anything,),
        ((2, 4, 3),),
        expected=lambda x: x + np.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1],
    ),
    Row(
        "window_spread",
        lambda y: pooling.window_spread_(
            y, spatial=(4,), window=(2,), strides=(1,), padding=((0, 0),)
        ),
        (anything,),
        ((2, 3, 3),),
        expected=lambda y: (
            np.pad(y, ((0, 0), (0, 1), (0, 0))) + np.pad(y, ((0, 0), (1, 0), (0, 0)))
        ),
    ),
    Row(
        "unpick",
        lambda g: pooling.unpick_(g, *LARGEST, window=(2,), strides=(2,), padding=((0, 0),)),
        (anything,),
        ((1, 2, 1),),
        expected=lambda g: np.stack([0 * g[:, 0], g[:, 0], g[:, 1] / 2, g[:, 1] / 2], axis=1),
    ),
    Row(
        "pick_largest",
        lambda h: pooling.pick_largest_(h, *LARGEST, window=(2,), strides=(2,), padding=((0, 0),)),
        (anything,),
        ((1, 4, 1),),
        expected=lambda h: np.stack([h[:, 1], (h[:, 2] + h[:, 3]) / 2], axis=1),
    ),
    Row(
        "max_pool",
        pooling.max_pool,
        (distinct,),
        ((2, 4, 6, 2),),
        expected=lambda x: x.reshape(2, 2, 2, 3, 2, 2).max(axis=(2, 4)),
    ),
    Row(
        "average_pool",
        pooling.average_pool,
        (anything,),
        ((2, 4, 6, 2),),
        expected=lambda x: x.reshape(2, 2, 2, 3, 2, 2).mean(axis=(2, 4)),
    ),
    Row(
        "upsample",
        lambda x: pooling.upsample(x, (1, 2)),
        (anything,),
        ((2, 2, 3, 2),),
        expected=lambda x: np.repeat(x, 2, axis=2),
    ),
    Row(
        "upsample",
        lambda x: pooling.upsample(x, 2, "linear"),
        (anything,),
        ((1, 3, 2),),
        label="linear",
        expected=lambda x: np.stack(
            [
                x[:, 0],
                0.75 * x[:, 0] + 0.25 * x[:, 1],
                0.25 * x[:, 0] + 0.75 * x[:, 1],
                0.75 * x[:, 1] + 0.25 * x[:, 2],
                0.25 * x[:, 1] + 0.75 * x[:, 2],
                x[:, 2],
            ],
            axis=1,
        ),
    ),
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
]

ROWS = [
    *ELEMENTWISE,
    *REDUCTIONS,
    *SHAPES,
    *JOINING,
    *REARRANGED,
    *INDEXING,
    *LINEAR_ALGEBRA,
    *CONVOLUTION,
    *NEURAL,
    *LOSSES,
]

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
    *FORMULAS,
]  # fmt: skip

__all__ = ["COMPOSED", "ROWS", "SHIPPED", "Row", "e", "linear_algebra", "reductions", "shapes"]
