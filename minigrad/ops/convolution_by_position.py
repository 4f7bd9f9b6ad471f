"""Convolution and its two adjoints in their plain form: a sum over the positions of the window.

Each position is a matrix product over the channels. This is the form to read first, the one that
the fast form is tested against, and the one that runs where channels are split into groups.
"""

from typing import Any

import numpy as np

from minigrad.ops.geometry import Pairs, Sizes, inside, output_sizes, places_met


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


def _framed(x: Any, padding: Pairs) -> Any:
    return np.pad(x, ((0, 0), *padding, (0, 0)))


def convolution(
    x: Any, w: Any, bias: Any, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int
) -> Any:
    """(N, *spatial, C), (*window, C / groups, F), (F,) or None → (N, *output, F)."""
    window, filters = w.shape[:-2], w.shape[-1]
    output = output_sizes(x.shape[1:-1], window, strides, dilation, padding)
    shape = (x.shape[0], *output, filters)
    z, full = np.zeros(shape, np.result_type(x, w)), _framed(x, padding)
    for place, met in places_met(window, output, strides, dilation):
        # (groups, rows, C/G) · (groups, C/G, F/G) → (groups, rows, F/G)
        product = _by_group(full[met], groups) @ _kernel_by_group(w[place], groups)
        z += _ungroup(product, shape)
    return z if bias is None else z + bias


def transposed(
    g: Any, w: Any, spatial: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int
) -> Any:
    """(N, *output, F), (*window, C / groups, F) → (N, *spatial, C)."""
    channels = w.shape[-2] * groups
    lengths = [before + n + after for n, (before, after) in zip(spatial, padding, strict=True)]
    full = np.zeros((g.shape[0], *lengths, channels), np.result_type(g, w))
    rows = _by_group(g, groups)
    for place, met in places_met(w.shape[:-2], g.shape[1:-1], strides, dilation):
        # (groups, rows, F/G) · (groups, F/G, C/G) → (groups, rows, C/G)
        product = rows @ _kernel_by_group(w[place], groups).transpose(0, 2, 1)
        full[met] += _ungroup(product, (*g.shape[:-1], channels))
    return np.array(full[inside(spatial, padding)])


def correlation(
    x: Any, g: Any, window: Sizes, strides: Sizes, dilation: Sizes, padding: Pairs, groups: int
) -> Any:
    """(N, *spatial, C), (N, *output, F) → (*window, C / groups, F)."""
    filters = g.shape[-1]
    w = np.zeros((*window, x.shape[-1] // groups, filters), np.result_type(x, g))
    rows, full = _by_group(g, groups), _framed(x, padding)
    for place, met in places_met(window, g.shape[1:-1], strides, dilation):
        # (groups, C/G, rows) · (groups, rows, F/G) → (groups, C/G, F/G)
        product = _by_group(full[met], groups).transpose(0, 2, 1) @ rows
        w[place] = product.transpose(1, 0, 2).reshape(-1, filters)
    return w
