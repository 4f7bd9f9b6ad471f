"""Clipping: gradients that are too long are shortened before a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.optimizers.flat import Array, FlatBuffer, Stretch

# ``g ← g · min(1, clipnorm / ‖g‖)`` for each parameter; ``g ← clip(g, ±clipvalue)`` for each
# number; as clipnorm, with the length of all gradients together, so that their direction stays.
# (Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013)
KINDS = ("clipnorm", "clipvalue", "global_clipnorm")


def clip(
    kind: str,
    limit: float,
    buffers: Sequence[FlatBuffer],
    gathered: Sequence[list[Stretch]],
    gradients: Sequence[Array],
) -> list[Array]:
    """Write the clipped `gradients` of all stretches into ``buffer.prepared``, and return these."""
    if kind == "global_clipnorm":
        scale = _scale(limit, sum(
            _square(g[start:stop])
            for g, stretches in zip(gradients, gathered, strict=True)
            for start, stop in stretches
        ))  # fmt: skip
    for buffer, stretches, g in zip(buffers, gathered, gradients, strict=True):
        for start, stop in stretches:
            source, target = g[start:stop], buffer.prepared[start:stop]
            if kind == "clipvalue":
                np.clip(source, -limit, limit, out=target)
            elif kind == "global_clipnorm":
                np.multiply(source, scale, out=target)
            else:
                _clip_each(limit, buffer, start, stop, g)
    return [buffer.prepared for buffer in buffers]


def _clip_each(limit: float, buffer: FlatBuffer, start: int, stop: int, gradients: Array) -> None:
    for _, first, last in buffer.places():
        if start <= first < stop:
            g = gradients[first:last]
            np.multiply(g, _scale(limit, _square(g)), out=buffer.prepared[first:last])


def _scale(limit: float, squares: float) -> float:
    """Return by what to multiply; nan where the gradient is not finite, so that it shows."""
    norm = math.sqrt(squares) if squares >= 0 else math.nan
    if not math.isfinite(norm):
        return math.nan
    return min(1.0, limit / norm) if norm > 0 else 1.0


def _square(g: Any) -> float:
    """Return Σ g² as a Python float, which has the range for it."""
    return float(np.dot(g, g))
