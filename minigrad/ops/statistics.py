"""Averages, covariances and quantiles."""

from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.table import TABLE, implements
from minigrad.engine.tensor import Tensor, plain
from minigrad.ops.joining import together
from minigrad.ops.reductions import count
from minigrad.ops.shapes import axes_of, folded_last
from minigrad.ops.sorting import sort


@implements(np.average)
def average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Σ w x / Σ w over `axis`; the mean without weights."""
    if weights is None:
        mean = np.mean(x, axis=axis, keepdims=keepdims)
        return (mean, np.full_like(plain(mean), count(x, axis))) if returned else mean
    if np.shape(weights) != np.shape(x):  # one for each place along the axes, in their order
        axes = axes_of(x, axis, "average")
        if np.shape(weights) != tuple(np.shape(x)[a] for a in axes):
            raise ValueError(
                f"np.average of shape {np.shape(x)} over axis {axis} cannot take weights of shape "
                f"{np.shape(weights)}"
            )
        weights = np.transpose(weights, tuple(map(int, np.argsort(axes))))
        weights = np.expand_dims(weights, tuple(a for a in range(np.ndim(x)) if a not in axes))
    total = np.sum(np.broadcast_to(weights, np.shape(x)), axis=axis, keepdims=keepdims)
    mean = np.sum(x * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


@implements(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: Any = None, aweights: Any = None,
) -> Any:  # fmt: skip
    """How much each pair of variables varies together: (variables, samples) → a square matrix."""
    parts = [np.atleast_2d(part) for part in (m, y) if part is not None]
    parts = [part if rowvar or np.ndim(part) == 1 else np.transpose(part) for part in parts]
    x = np.concatenate(parts)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w: Any = 1.0
    total: Any = x.shape[1]
    freedom: Any = total - ddof
    if fweights is not None or aweights is not None:
        a = np.ones_like(x[0]) if aweights is None else aweights
        w = a if fweights is None else a * np.asarray(fweights, x.dtype)  # counts
        total = np.sum(w)
        freedom = total - ddof * np.sum(w * a) / total if ddof else total
    if plain(freedom) <= 0:
        raise ValueError(f"the covariance of {x.shape[1]} samples has no degree of freedom left")
    centred = x - np.sum(x * w, axis=1, keepdims=True) / total
    return np.squeeze((centred * w) @ np.transpose(centred) / freedom)


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """Covariances divided by both standard deviations."""
    c = np.atleast_2d(cov(x, y, rowvar))
    deviation = np.sqrt(np.diagonal(c))
    return np.squeeze(c / np.outer(deviation, deviation))


def _quantile(
    x: Any, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False,
    scale: float = 1.0, skips_nan: bool = False,
) -> Any:  # fmt: skip
    """What a share q / scale of the elements lies below; between two of them, on a line."""
    (x,) = together((x,))
    q = (q if isinstance(q, Tensor) else np.asarray(q, np.float64)) / scale
    rows, folded = folded_last(x, axis)
    if rows.size == 0 or np.any(abs(plain(q) - 0.5) > 0.5):
        raise ValueError(
            f"quantiles need elements, and a share from 0 to {scale:g}. Received: "
            f"{plain(q) * scale} of shape {x.shape}"
        )
    rows = sort(np.reshape(rows, (1,) * np.ndim(q) + rows.shape))  # nan come last
    known = np.sum(~np.isnan(plain(rows)), axis=-1, keepdims=True)
    place = np.reshape(q, np.shape(q) + (1,) * (rows.ndim - np.ndim(q))) * np.maximum(known - 1, 0)
    low, high = (function(plain(place)).astype(int) for function in (np.floor, np.ceil))
    weights = {
        "linear": place - low, "lower": 0.0, "higher": 1.0, "midpoint": 0.5,
        "nearest": np.rint(plain(place)) - low,
    }  # fmt: skip
    if method not in weights:
        raise NotImplementedError(f"no quantile of a Tensor by method {method!r}: {list(weights)}")
    weight = np.where(low == high, 0.5, weights[method])  # ½ of the same element twice
    weight = weight.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    lower, upper = (np.take_along_axis(rows, index, axis=-1) for index in (low, high))
    result = (1 - weight) * lower + weight * upper
    if not skips_nan:
        result = np.where(known < rows.shape[-1], np.nan, result)
    kept = (1 if a in folded else n for a, n in enumerate(x.shape) if keepdims or a not in folded)
    return np.reshape(result, (*np.shape(q), *kept))


for _function, _options in (
    (np.quantile, {}), (np.nanquantile, {"skips_nan": True}),
    (np.percentile, {"scale": 100.0}), (np.nanpercentile, {"scale": 100.0, "skips_nan": True}),
    (np.median, {"q": 0.5}), (np.nanmedian, {"q": 0.5, "skips_nan": True}),
):  # fmt: skip
    TABLE[_function] = partial(_quantile, **_options)
