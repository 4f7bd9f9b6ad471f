"""Clipping: gradients that are too long are shortened before a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.checks import above_zero
from minigrad.optimizers.flat import FlatBuffer, Stretch


class Clipping:
    """One of three ways to keep a gradient from throwing the weights far away, or none.

    Parameters
    ----------
    owner
        The optimizer's name, for messages.
    clipnorm
        ``g ← g · min(1, clipnorm / ‖g‖)`` for each parameter.
    clipvalue
        ``g ← clip(g, ±clipvalue)`` for each number.
    global_clipnorm
        As `clipnorm`, with the length of all gradients together: their direction stays.

    Raises
    ------
    ValueError
        For a number that is not positive, or more than one of them.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks"
    (2013).
    """

    def __init__(self, owner: str, clipnorm: Any, clipvalue: Any, global_clipnorm: Any) -> None:
        given = {
            "clipnorm": clipnorm,
            "clipvalue": clipvalue,
            "global_clipnorm": global_clipnorm,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        if len(chosen) > 1:
            raise ValueError(
                f"{owner}: only one of clipnorm, clipvalue and global_clipnorm can be set. "
                f"Received: {', '.join(f'{name}={value}' for name, value in chosen.items())}"
            )
        self.kind, self.limit = None, 0.0
        for name, value in chosen.items():
            self.kind, self.limit = name, above_zero(owner, name, value)

    @property
    def is_on(self) -> bool:
        """Whether anything is clipped; then ``buffer.clipped`` is what counts."""
        return self.kind is not None

    def prepare(self, buffers: Sequence[FlatBuffer], gathered: Sequence[list[Stretch]]) -> None:
        """Write the clipped gradients of all stretches into ``buffer.clipped``."""
        if self.kind is None:
            return
        if self.kind == "global_clipnorm":
            squares = sum(
                _square(buffer.gradients[start:stop])
                for buffer, stretches in zip(buffers, gathered, strict=True)
                for start, stop in stretches
            )
            scale = self._scale(squares)
        for buffer, stretches in zip(buffers, gathered, strict=True):
            for start, stop in stretches:
                source, target = buffer.gradients[start:stop], buffer.clipped[start:stop]
                if self.kind == "clipvalue":
                    np.clip(source, -self.limit, self.limit, out=target)
                elif self.kind == "global_clipnorm":
                    np.multiply(source, scale, out=target)
                else:
                    self._clip_each(buffer, start, stop)

    def _clip_each(self, buffer: FlatBuffer, start: int, stop: int) -> None:
        for _, first, last in buffer.places():
            if start <= first < stop:
                source = buffer.gradients[first:last]
                np.multiply(source, self._scale(_square(source)), out=buffer.clipped[first:last])

    def _scale(self, squares: float) -> float:
        """Return by what to multiply; nan where the gradient is not finite, so that it shows."""
        norm = math.sqrt(squares) if squares >= 0 else math.nan
        if not math.isfinite(norm):
            return math.nan
        return min(1.0, self.limit / norm) if norm > 0 else 1.0

    def get_config(self) -> dict[str, Any]:
        """Return the three arguments."""
        names = ("clipnorm", "clipvalue", "global_clipnorm")
        return {name: self.limit if name == self.kind else None for name in names}


def _square(g: Any) -> float:
    """Return Σ g² as a Python float, which has the range for it."""
    return float(np.dot(g, g))
