"""Convolution in any number of dimensions, channels last, and its two adjoints.

Convolution is linear in the input and in the kernel. Its adjoints are the transposed convolution
(for the input) and the correlation of input and result (for the kernel); the three are closed under
differentiation: each rule is one of the other two. All are sums over the positions of the window,
each position a matrix product over the channels.

Shapes: input (N, *spatial, C), kernel (*window, C / groups, F), result (N, *output, F).
V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.ops.indexing import getitem_
from minigrad.ops.joining import pad

Sizes = tuple[int, ...]


def _positions(
    window: Sizes, output: Sizes, strides: Sizes, dilation: Sizes
) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
    """Each place in the window, with the slices of the input that it meets."""
    for place in np.ndindex(*window):
        met = tuple(
            slice(p * d, p * d + (n - 1) * s + 1, s)
            for p, d, n, s in zip(place, dilation, output, strides, strict=True)
        )
        yield place, (slice(None), *met)


def _by_group(x: Any, groups: int) -> Any:
    """(…, C) → (groups, rows, C / groups)."""
    rows = x.reshape((-1, groups, x.shape[-1] // groups))
    return rows.transpose(1, 0, 2)


def _kernel_by_group(slab: Any, groups: int) -> Any:
    """(C / groups, F) → (groups, C / groups, F / groups)."""
    return slab.reshape(slab.shape[0], groups, -1).transpose(1, 0, 2)


def _ungroup(y: Any, shape: Sizes) -> Any:
    """(groups, rows, c) → `shape`, with groups · c channels."""
    return y.transpose(1, 0, 2).reshape(shape)


def _output_sizes(spatial: Sizes, window: Sizes, strides: Sizes, dilation: Sizes) -> Sizes:
    return tuple(
        max(0, (n - (k - 1) * d - 1) // s + 1)
        for n, k, s, d in zip(spatial, window, strides, dilation, strict=True)
    )


def _convolution(x: Any, w: Any, strides: Sizes, dilation: Sizes, groups: int) -> Any:
    window, filters = w.shape[:-2], w.shape[-1]
    output = _output_sizes(x.shape[1:-1], window, strides, dilation)
    shape = (x.shape[0], *output, filters)
    z = np.zeros(shape, np.result_type(x, w))
    for place, met in _positions(window, output, strides, dilation):
        # (groups, rows, C/G) · (groups, C/G, F/G) → (groups, rows, F/G)
        product = _by_group(x[met], groups) @ _kernel_by_group(w[place], groups)
        z += _ungroup(product, shape)
    return z


def _transposed(
    g: Any, w: Any, spatial: Sizes, strides: Sizes, dilation: Sizes, groups: int
) -> Any:
    window = w.shape[:-2]
    channels = w.shape[-2] * groups
    x = np.zeros((g.shape[0], *spatial, channels), np.result_type(g, w))
    rows = _by_group(g, groups)
    for place, met in _positions(window, g.shape[1:-1], strides, dilation):
        # (groups, rows, F/G) · (groups, F/G, C/G) → (groups, rows, C/G)
        product = rows @ _kernel_by_group(w[place], groups).transpose(0, 2, 1)
        x[met] += _ungroup(product, (*g.shape[:-1], channels))
    return x


def _correlation(
    x: Any, g: Any, window: Sizes, strides: Sizes, dilation: Sizes, groups: int
) -> Any:
    filters = g.shape[-1]
    w = np.zeros((*window, x.shape[-1] // groups, filters), np.result_type(x, g))
    rows = _by_group(g, groups)
    for place, met in _positions(window, g.shape[1:-1], strides, dilation):
        # (groups, C/G, rows) · (groups, rows, F/G) → (groups, C/G, F/G)
        product = _by_group(x[met], groups).transpose(0, 2, 1) @ rows
        w[place] = product.transpose(1, 0, 2).reshape(-1, filters)
    return w


convolution_ = Primitive(
    _convolution,
    lambda g, z, x, w, **o: transposed_(g, w, spatial=x.shape[1:-1], **o),
    lambda g, z, x, w, **o: correlation_(x, g, window=w.shape[:-2], **o),
)
transposed_: Primitive = Primitive(
    _transposed,
    lambda g, z, y, w, spatial, **o: convolution_(g, w, **o),
    lambda g, z, y, w, spatial, **o: correlation_(g, y, window=w.shape[:-2], **o),
    name="transposed_convolution",
)
correlation_: Primitive = Primitive(
    _correlation,
    lambda g, z, x, y, window, **o: transposed_(y, g, spatial=x.shape[1:-1], **o),
    lambda g, z, x, y, window, **o: convolution_(x, g, **o),
)


# ---- what layers and users call ------------------------------------------------------------------


def convolution(
    x: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Any:
    """Cross-correlate a kernel with an input, as deep learning means by convolution.

    Parameters
    ----------
    x : (N, *spatial, C)
        In 1 to 3 dimensions, channels last.
    kernel : (*window, C / groups, F)
        F filters.
    strides, dilation
        One number, or one for each dimension.
    padding
        ``"valid"``, ``"same"``, ``"causal"`` (in 1 dimension), or pairs of numbers of zeros.
    groups
        Into how many groups the channels are split, each with filters of its own.

    Raises
    ------
    ValueError
        If ranks, channels or groups do not fit, naming both shapes.

    Examples
    --------
    >>> convolution(np.arange(4.0).reshape(1, 4, 1), np.ones((2, 1, 1))).ravel().tolist()
    [1.0, 3.0, 5.0]
    """
    rank = np.ndim(kernel) - 2
    strides, dilation = per_axis("strides", strides, rank), per_axis("dilation", dilation, rank)
    if not 1 <= rank <= 3 or np.ndim(x) != rank + 2:
        raise ValueError(
            "convolution needs an input (N, *spatial, C) and a kernel (*window, C, F) of 1 to 3 "
            f"dimensions. Received: input {np.shape(x)}, kernel {np.shape(kernel)}"
        )
    if x.shape[-1] != kernel.shape[-2] * groups or kernel.shape[-1] % groups:
        raise ValueError(
            f"with groups={groups}, the kernel {kernel.shape} needs an input of "
            f"{kernel.shape[-2] * groups} channels, and filters divisible by {groups}. "
            f"Received: input {x.shape}"
        )
    widths = padding_widths(padding, x.shape[1:-1], kernel.shape[:-2], strides, dilation)
    if any(width != (0, 0) for width in widths):
        x = pad(x, ((0, 0), *widths, (0, 0)))
    return convolution_(x, kernel, strides=strides, dilation=dilation, groups=groups)


def transposed_convolution(
    x: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    output_padding: int | Sequence[int] | None = None,
) -> Any:
    """The adjoint of a convolution: spreads each input over a window of the result.

    Parameters
    ----------
    x : (N, *spatial, F)
        What would be the result of the convolution.
    kernel : (*window, C / groups, F)
        The same kernel as that of the convolution; so the result has C channels.
    strides, dilation, groups
        Those of the convolution.
    padding
        ``"valid"``: the result has (n − 1) · stride + max(window, stride) elements; ``"same"``:
        n · stride.
    output_padding
        Settles the length: (n − 1) · stride + window + output_padding for ``"valid"``, and
        (n − 1) · stride + window mod 2 + output_padding for ``"same"``, as in Keras.

    Raises
    ------
    ValueError
        If ranks or channels do not fit, naming both shapes.
    """
    rank = np.ndim(kernel) - 2
    strides, dilation = per_axis("strides", strides, rank), per_axis("dilation", dilation, rank)
    if not 1 <= rank <= 3 or np.ndim(x) != rank + 2 or x.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            "transposed_convolution needs an input (N, *spatial, F) and a kernel (*window, C, F). "
            f"Received: input {np.shape(x)}, kernel {np.shape(kernel)}"
        )
    reach = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    extra = (
        (None,) * rank
        if output_padding is None
        else per_axis("output_padding", output_padding, rank, least=0)
    )
    spans = [
        transposed_span(padding, n, *each)
        for n, *each in zip(x.shape[1:-1], reach, strides, extra, strict=True)
    ]
    full = tuple(
        max((n - 1) * s + r, before + length)
        for n, s, r, (before, length) in zip(x.shape[1:-1], strides, reach, spans, strict=True)
    )
    z = transposed_(x, kernel, spatial=full, strides=strides, dilation=dilation, groups=groups)
    if all(span == (0, length) for span, length in zip(spans, full, strict=True)):
        return z
    cut = [slice(before, before + length) for before, length in spans]
    return getitem_(z, index=(slice(None), *cut))


def transposed_span(
    padding: str, n: int, reach: int, stride: int, extra: int | None
) -> tuple[int, int]:
    """Return how much is cut off in front of a transposed convolution, and how much is kept.

    For `n` elements and a window that reaches over `reach`; `extra` is the output padding.

    Raises
    ------
    ValueError
        For another padding than the two that there are.
    """
    if padding == "valid":
        return 0, (n - 1) * stride + reach + (max(stride - reach, 0) if extra is None else extra)
    if padding != "same":
        raise ValueError(f"padding must be 'valid' or 'same'. Received: {padding!r}")
    if extra is None:
        return max(reach - stride, 0) // 2, n * stride
    # As Keras has it: an odd element of what is cut off comes off behind.
    around = reach + reach % 2 - 2 + extra
    return max(reach - 1 - (around + 1) // 2, 0), (n - 1) * stride + reach % 2 + extra


def per_axis(name: str, value: int | Sequence[int], rank: int, least: int = 1) -> Sizes:
    """Return a number, `least` or larger, for each dimension.

    Raises
    ------
    ValueError
        For smaller numbers, or not one for each dimension.
    """
    numbers = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(numbers) != rank or any(not isinstance(n, int) or n < least for n in numbers):
        raise ValueError(
            f"{name} must be {rank} integers, {least} or larger, or one. Received: {value!r}"
        )
    return numbers


def padding_widths(
    padding: str | Sequence[tuple[int, int]],
    spatial: Sizes,
    window: Sizes,
    strides: Sizes,
    dilation: Sizes,
) -> tuple[tuple[int, int], ...]:
    """Return how many elements to add before and after, for each dimension.

    ``"same"`` makes ⌈n / stride⌉ results; an odd element goes behind, as in TensorFlow and Keras.

    Raises
    ------
    ValueError
        For another padding than those that there are.
    """
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * len(window)
    if padding == "causal" and len(window) == 1:
        return ((reach[0] - 1, 0),)
    if padding == "same":
        totals = [
            max((ceil(n / s) - 1) * s + r - n, 0)
            for n, s, r in zip(spatial, strides, reach, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str) or len(padding) != len(window):
        raise ValueError(
            "padding must be 'valid', 'same', 'causal' (1 dimension), or a pair of numbers for "
            f"each of {len(window)} dimensions. Received: {padding!r}"
        )
    return tuple((int(before), int(after)) for before, after in padding)
