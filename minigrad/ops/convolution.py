"""Convolution in any number of dimensions, channels last, and its two adjoints.

Convolution is linear in the input and in the kernel. Its adjoints are the transposed convolution
(for the input) and the correlation of input and result (for the kernel); the three are closed under
differentiation: each rule is one of the other two. All are sums over the positions of the window,
each position a matrix product over the channels: `convolution_by_position` has that plain form,
`convolution_by_blocks` the fast one.

Shapes: input (N, *spatial, C), kernel (*window, C / groups, F), result (N, *output, F). Padding is
part of the op, pairs of numbers of zeros, so that no padded copy of the input is kept on the tape.
V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning" (2016).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine.primitive import Primitive
from minigrad.ops import convolution_by_blocks as by_blocks
from minigrad.ops import convolution_by_position as by_position
from minigrad.ops.blas import ALONE
from minigrad.ops.geometry import Pairs, Sizes, padding_widths, per_axis, transposed_span
from minigrad.ops.reductions import sum_rows
from minigrad.ops.shapes import broadcast_to_


def _convolution(
    x: Any, w: Any, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int, bias: Any = None
) -> Any:
    if groups == 1:
        return by_blocks.convolution(x, w, bias, strides, dilation, padding)
    return by_position.convolution(x, w, bias, strides, dilation, padding, groups)


def _transposed(
    g: Any, w: Any, spatial: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int
) -> Any:
    if groups == 1:
        return by_blocks.transposed(g, w, spatial, strides, dilation, padding)
    return by_position.transposed(g, w, spatial, strides, dilation, padding, groups)


def _correlation(
    x: Any, g: Any, window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int
) -> Any:
    if groups == 1:
        return by_blocks.correlation(x, g, window, strides, dilation, padding)
    return by_position.correlation(x, g, window, strides, dilation, padding, groups)


def _sum_of_places(x: Any) -> Any:
    """(N, *spatial, C) → (C,)."""
    with ALONE:  # as BLAS's threads would stand in the way of ours for a while
        return sum_rows(x.reshape(-1, x.shape[-1]))


sum_of_places_ = Primitive(
    _sum_of_places, lambda g, z, x: broadcast_to_(g, shape=x.shape), name="sum_of_places"
)
convolution_ = Primitive(
    _convolution,
    lambda g, z, x, w, **o: transposed_(g, w, spatial=x.shape[1:-1], **o),
    lambda g, z, x, w, **o: correlation_(x, g, window=w.shape[:-2], **o),
)
# With the bias in the same op, there is one node on the tape, and no result without it.
biased_convolution_ = Primitive(
    lambda x, w, b, **o: _convolution(x, w, bias=b, **o),
    lambda g, z, x, w, b, **o: transposed_(g, w, spatial=x.shape[1:-1], **o),
    lambda g, z, x, w, b, **o: correlation_(x, g, window=w.shape[:-2], **o),
    lambda g, z, x, w, b, **o: sum_of_places_(g),
    name="biased_convolution",
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
    bias: Any = None,
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
    bias : (F,), optional
        What is added to each filter's results.

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
    options = {
        "strides": strides,
        "dilation": dilation,
        "padding": padding_widths(padding, x.shape[1:-1], kernel.shape[:-2], strides, dilation),
        "groups": groups,
    }
    if bias is None:
        return convolution_(x, kernel, **options)
    if np.shape(bias) != (kernel.shape[-1],):
        raise ValueError(
            f"the kernel {kernel.shape} needs a bias of shape ({kernel.shape[-1]},). "
            f"Received: {np.shape(bias)}"
        )
    return biased_convolution_(x, kernel, bias, **options)


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
    lengths = tuple(length for _, length in spans)
    # What is cut off is what the convolution, whose adjoint this is, would take as padding.
    padding_ = tuple(
        (before, max((n - 1) * s + r - before - length, 0))
        for n, s, r, (before, length) in zip(x.shape[1:-1], strides, reach, spans, strict=True)
    )
    return transposed_(
        x,
        kernel,
        spatial=lengths,
        strides=strides,
        dilation=dilation,
        padding=padding_,
        groups=groups,
    )
