"""Rows of functions that others express: what NumPy itself rearranges, and the formulary."""

import numpy as np

from minigrad.ops import rearranging
from tests.ops.row import Row, anything, distinct, inside, positive, spd

REARRANGED = [
    Row("pick", call, (anything,), (shape,), label=name)
    for name, shape, call in (
        ("atleast_1d", (), lambda x: np.atleast_1d(x)),
        ("atleast_2d", (3,), lambda x: np.atleast_2d(x)),
        ("atleast_3d", (2, 3), lambda x: np.atleast_3d(x)),
        ("atleast_several", (3,), lambda x: np.atleast_2d(x, x[0])[1] * x),
        ("append_flat", (2, 3), lambda x: np.append(x, x[0] * x[1])),
        ("append_number", (2, 3), lambda x: np.append(x, 2)),
        ("append_axis", (2, 3), lambda x: np.append(x, [[1.5, 2.5, 3.5]], axis=0)),
        ("block", (2, 2), lambda x: np.block([[x, np.ones((2, 1), x.dtype)], [x[:1], x[:1, :1]]])),
        ("choose", (2, 3), lambda x: np.choose([1, 0, 1], [x[0], x[1]])),
        ("column_stack", (2, 3), lambda x: np.column_stack([x[0], x[1], x.T])),
        ("compress", (2, 3), lambda x: np.compress([True, False, True], x, axis=1)),
        ("delete", (2, 3), lambda x: np.delete(x, [0, 2], axis=1)),
        ("diagflat", (2, 2), lambda x: np.diagflat(x, 1)),
        ("dsplit", (2, 2, 4), lambda x: np.dsplit(x, 2)[1]),
        ("dstack", (2, 3), lambda x: np.dstack([x, x * x])),
        ("extract", (2, 3), lambda x: np.extract([[True, False, True], [False, True, True]], x)),
        ("fliplr", (2, 3), lambda x: np.fliplr(x)),
        ("flipud", (2, 3), lambda x: np.flipud(x)),
        ("hsplit", (2, 4), lambda x: np.hsplit(x, [1, 2])[2]),
        ("insert", (2, 3), lambda x: np.insert(x, [1, 1], x[:, :1] * 2, axis=1)),
        ("insert_number", (2, 3), lambda x: np.insert(x, 4, 0.5)),
        ("linalg_diagonal", (2, 3, 3), lambda x: np.linalg.diagonal(x, offset=1)),
        ("meshgrid", (3,), lambda x: np.stack(np.meshgrid(x, x * x))),
        ("meshgrid_ij", (2, 2),
         lambda x: np.multiply(*np.meshgrid(*x, sparse=True, indexing="ij"))),
        ("resize", (2, 3), lambda x: np.resize(x, (3, 5))),
        ("rollaxis", (2, 3, 4), lambda x: np.rollaxis(x, 2)),
        ("rot90", (2, 3), lambda x: np.rot90(x)),
        ("rot90_axes", (2, 3, 4), lambda x: np.rot90(x, k=3, axes=(1, 2))),
        ("vsplit", (4, 2), lambda x: np.vsplit(x, 2)[0]),
        ("windows", (5,), lambda x: np.lib.stride_tricks.sliding_window_view(x, 2)),
        *([("unstack", (2, 3), lambda x: np.unstack(x, axis=1)[2])] * hasattr(np, "unstack")),
    )
] + [
    Row("put_back", lambda g: rearranging.put_back(g, np.array([[1, 0], [3, 1]]), shape=(3,)),
        (anything,), ((2, 2),), expected=lambda g: np.array([g[0, 0] + g[1, 1], 0, g[1, 0]])),
]  # fmt: skip


def with_nan(rng, shape):
    values = distinct(rng, shape)
    values.flat[[1, -2]] = np.nan
    return values


def several(*results):
    """One array of all results, so that a row sees each."""
    return np.concatenate([np.ravel(result) for result in results])


def newer(name):
    """Rows of a function that an older NumPy lacks."""
    return hasattr(np, name)


STEPS = (1.0, 1.5, 2.7, 3.0)
# Name, domains and shapes of the operands, call.
FORMULAS = [
    Row(name.partition(":")[0], call, domains, shapes_, label=name.partition(":")[2])
    for name, domains, shapes_, call in (
        ("vecdot", (anything,) * 2, ((2, 3), (3,)), np.vecdot),
        ("vecdot:linalg", (anything,) * 2, ((3, 2), (3, 2)),
         lambda x, y: np.linalg.vecdot(x, y, axis=0)),
        ("kron", (anything,) * 2, ((2, 3), (2, 2)), np.kron),
        ("kron:ranks", (anything,) * 2, ((3,), (2, 1, 2)), np.kron),
        ("cross", (anything,) * 2, ((2, 3), (3,)), np.cross),
        ("cross:axes", (anything,) * 2, ((3, 2), (2, 3)),
         lambda x, y: np.cross(x, y, axisa=0, axisc=0)),
        ("cross:linalg", (anything,) * 2, ((3, 2), (3, 2)),
         lambda x, y: np.linalg.cross(x, y, axis=0)),
        ("outer:linalg", (anything,) * 2, ((2,), (3,)), np.linalg.outer),
        ("matmul:linalg", (anything,) * 2, ((2, 3), (3, 2)), np.linalg.matmul),
        ("tensordot:linalg", (anything,) * 2, ((2, 3), (3, 2)),
         lambda x, y: np.linalg.tensordot(x, y, axes=1)),
        ("multi_dot", (anything,) * 3, ((2,), (2, 3), (3, 2)),
         lambda *xs: np.linalg.multi_dot(xs)),
        *[("matrix_power", (inside,), ((2, 3, 3),),
           lambda x, n=n: np.linalg.matrix_power(spd(x), n)) for n in (-2, -1, 0, 1, 2, 3, 5)],
        ("trace:linalg", (anything,), ((2, 3, 3),), lambda x: np.linalg.trace(x, offset=1)),
        ("matrix_norm", (distinct,), ((2, 3, 4),), lambda x: np.linalg.matrix_norm(x)),
        ("matrix_norm:nuclear", (distinct,), ((2, 3, 4),),
         lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True)),
        ("cond", (anything,), ((3, 3),), lambda x: np.linalg.cond(spd(x))),
        ("cond:smallest", (anything,), ((3, 3),), lambda x: np.linalg.cond(spd(x), -2)),
        ("cond:fro", (anything,), ((3, 3),), lambda x: np.linalg.cond(spd(x), "fro")),
        ("lstsq", (distinct, anything), ((4, 2), (4, 3)),
         lambda a, b: several(*np.linalg.lstsq(a, b)[:2], np.linalg.lstsq(a, b)[3])),
        ("lstsq:vector", (distinct, anything), ((4, 2), (4,)),
         lambda a, b: several(*np.linalg.lstsq(a, b)[:2])),
        ("lstsq:wide", (distinct, anything), ((2, 4), (2,)), lambda a, b: np.linalg.lstsq(a, b)[0]),
        ("tensorinv", (anything,), ((4, 4),),
         lambda x: np.linalg.tensorinv(np.reshape(x + 4 * np.eye(4, dtype=x.dtype), (2, 2, 4)))),
        ("tensorsolve", (anything, anything), ((4, 4), (2, 2)),
         lambda a, b: np.linalg.tensorsolve(
             np.reshape(a + 4 * np.eye(4, dtype=a.dtype), (2, 2, 4)), b)),
        ("tensorsolve:axes", (anything, anything), ((4, 4), (2, 2)),
         lambda a, b: np.linalg.tensorsolve(
             np.reshape(a + 4 * np.eye(4, dtype=a.dtype), (2, 4, 2)), b, axes=(1,))),
        ("norm:count", (anything,), ((3, 4),), lambda x: np.linalg.norm(x, 0, axis=1)),
        ("prod:nothing", (anything,), ((3, 2),),
         lambda x: np.prod(x[:0], axis=0, keepdims=True) * x),
        ("clip:limits", (anything, inside, anything), ((5, 3), (3,), (5, 1)), np.clip),
        ("cholesky:upper", (anything,), ((3, 3),),
         lambda x: np.linalg.cholesky(spd(x), upper=True)),
        ("ptp", (distinct,), ((2, 3, 4),), lambda x: np.ptp(x, axis=(0, 2), keepdims=True)),
        ("sinc", (anything,), ((2, 3),), np.sinc),
        ("sinc:near_zero", (anything,), ((3,),),
         lambda x: np.sinc(x * np.array([0, 1e-3, 9], x.dtype))),
        ("i0", (anything,), ((2, 3),), np.i0),
        ("divmod", (positive, positive), ((3,), (3,)), lambda x, y: several(*np.divmod(x, y))),
        ("fix", (anything,), ((3,),), lambda x: np.fix(x) * x),
        ("real", (anything,), ((3,),), lambda x: np.real(x) + np.imag(x) + np.conj(x) * np.copy(x)),
        ("angle", (anything,), ((4,),), lambda x: np.angle(x) * x + np.angle(x, deg=True)),
        ("norm:below_one", (anything,), ((3, 4),), lambda x: np.linalg.norm(x, 0.5, axis=1)),
        ("diff:never", (anything,), ((3, 4),), lambda x: np.diff(x, 0, prepend=1.0)),
        ("degrees", (anything,), ((3,),), lambda x: np.degrees(x) * np.radians(x)),
        ("ldexp", (anything,), ((3,),), lambda x: np.ldexp(x, [1, -2, 3])),
        ("frexp", (anything,), ((3,),), lambda x: np.frexp(x)[0]),
        ("polyval", (anything, anything), ((3,), (2,)), np.polyval),
        ("vander", (anything,), ((3,),), lambda x: np.vander(x, 4)),
        ("vander:increasing", (anything,), ((3,),), lambda x: np.vander(x, increasing=True)),
        ("linspace", (anything,) * 2, ((2,), ()), lambda a, b: np.linspace(a, b, 4)),
        ("linspace:open", (anything,) * 2, ((2,), (2,)),
         lambda a, b: several(*np.linspace(a, b, 4, endpoint=False, retstep=True, axis=1))),
        ("logspace", (inside,) * 2, ((2,), (2,)), lambda a, b: np.logspace(a, b, 3)),
        ("astype", (anything,), ((3,),), lambda x: np.astype(x, x.dtype)),
        ("full_like", (anything,), ((3,),), lambda x: np.full_like(x, x[0]) * x),
        ("full", (anything,), ((3,),), lambda x: np.full((2, 3), x, like=x)),
        ("select", (anything,) * 2, ((4,), (4,)),
         lambda x, y: np.select([x > 1, x > 0], [x * x, y], 3.0) * y),
        *[("average", (anything, positive), ((2, 3), (2, 3)),
           lambda x, w, a=axis: np.average(x, a, w)) for axis in (None, 0, -1)],
        ("average:returned", (anything, positive), ((2, 3), (3,)),
         lambda x, w: several(*np.average(x, 1, w, returned=True))),
        ("average:keepdims", (anything, positive), ((2, 3, 4), (2, 4)),
         lambda x, w: np.average(x, (0, 2), w, keepdims=True)),
        ("average:mean", (anything,), ((2, 3),), lambda x: np.average(x, axis=0)),
        ("cov", (anything,), ((3, 4),), np.cov),
        ("cov:two", (anything,) * 2, ((4,), (4,)), lambda x, y: np.cov(x, y, bias=True)),
        ("cov:columns", (anything,), ((4, 3),), lambda x: np.cov(x, rowvar=False, ddof=0)),
        ("cov:one", (anything,), ((4,),), np.cov),
        ("cov:weights", (anything, positive), ((2, 4), (4,)),
         lambda x, w: np.cov(x, fweights=[1, 2, 1, 3], aweights=w)),
        ("corrcoef", (anything,), ((3, 4),), np.corrcoef),
        *[("quantile", (distinct,), ((3, 4),),
           lambda x, m=method, o=options: np.quantile(x, [[0.0, 0.3], [0.62, 1.0]], method=m, **o))
          for method in ("linear", "lower", "higher", "midpoint", "nearest")
          for options in ({}, {"axis": 1, "keepdims": True}, {"axis": (0, -1)})],
        ("quantile:of_share", (distinct, lambda rng, shape: rng.uniform(0.1, 0.3, shape)),
         ((3, 4), (2,)), lambda x, q: np.quantile(x, q, axis=0)),
        ("percentile", (distinct,), ((3, 4),), lambda x: np.percentile(x, 30, axis=0)),
        ("median:odd", (distinct,), ((3, 5),), lambda x: np.median(x, axis=-1, keepdims=True)),
        *[(function.__name__, (with_nan,), ((3, 4),),
           lambda x, f=function, a=axis: f(x, axis=a))
          for function in (np.nansum, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd,
                           np.nanmedian)
          for axis in (None, 0, 1)],
        ("nanvar:ddof", (with_nan,), ((3, 4),),
         lambda x: np.nanvar(x, axis=1, ddof=1, keepdims=True)),
        ("nanquantile", (with_nan,), ((3, 4),), lambda x: np.nanquantile(x, 0.3, axis=0)),
        ("nanpercentile", (with_nan,), ((3, 4),), lambda x: np.nanpercentile(x, [30, 80])),
        ("diff", (anything,), ((3, 4),), lambda x: np.diff(x, 2)),
        ("diff:ends", (anything,), ((3, 4),),
         lambda x: np.diff(x, axis=0, prepend=0.5, append=x[:2])),
        *[("gradient" + ":coordinates" * bool(spacing[1:]), (anything,), ((4, 4),),
           lambda x, s=spacing, o=options: np.sum(np.stack(np.gradient(x, *s, **o)), 0))
          for spacing in ((), (0.5,), (2.0, STEPS))
          for options in ({}, {"edge_order": 2})],
        ("gradient:coordinates", (anything,), ((4, 3),), lambda x: np.gradient(x, STEPS, axis=0)),
        ("gradient:two_points", (anything,), ((2,),), lambda x: np.gradient(x, 3.0)),
        ("trapezoid", (anything,), ((3, 4),), lambda y: np.trapezoid(y, dx=0.5, axis=0)),
        ("trapezoid:coordinates", (anything, anything), ((3, 4), (3,)),
         lambda y, x: np.trapezoid(y, x, axis=0)),
        ("trapezoid:all_coordinates", (anything, anything), ((3, 4), (3, 4)), np.trapezoid),
        ("interp", (inside, distinct), ((2, 5), (4,)),
         lambda x, fp: np.interp(x, [-0.6, 0, 0.3, 0.5], fp)),
        ("interp:points", (inside, positive), ((6,), (3,)),
         lambda x, xp: np.interp(x, np.cumsum(xp) - 1.5, [1.0, 3.0, 2.0], left=0.0)),
        *[("convolve", (anything, anything), lengths, lambda a, v, m=mode: np.convolve(a, v, m))
          for mode in ("full", "same", "valid")
          for lengths in (((5,), (2,)), ((3,), (6,)), ((4,), (3,)))],
        *[("correlate", (anything, anything), lengths, lambda a, v, m=mode: np.correlate(a, v, m))
          for mode in ("full", "same", "valid")
          for lengths in (((5,), (2,)), ((3,), (6,)), ((2,), (4,)))],
        ("unique", (distinct,), ((4,),), np.unique),
        ("var:correction", (anything,), ((3, 4),), lambda x: np.var(x, axis=1, correction=1)),
        ("var:mean", (anything,), ((3, 4),),
         lambda x: np.std(x, axis=1, mean=np.mean(x, axis=1, keepdims=True))),
        ("take_along_axis:broadcast", (anything,), ((2, 3),),
         lambda x: np.take_along_axis(x, np.array([[0, 2, 2, 1]]), axis=1)),
        ("take_along_axis:broadcast_operand", (anything,), ((1, 3),),
         lambda x: np.take_along_axis(x, np.array([[0, 2], [1, 1], [2, 2]]), axis=1)),
        *([("matvec", (anything,) * 2, ((2, 3, 4), (4,)), np.matvec),
           ("vecmat", (anything,) * 2, ((3,), (2, 3, 4)), np.vecmat)] if newer("matvec") else []),
        *([("cumulative_sum", (anything,), ((2, 3),), lambda x: np.cumulative_sum(x, axis=1)),
           ("cumulative_prod", (anything,), ((3,),), np.cumulative_prod)]
          if newer("cumulative_sum") else []),
    )
]  # fmt: skip
