"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


@registry.register("sgd")
class SGD(Optimizer):
    """``w ← w − η g``; with momentum μ: ``v ← μ v − η g``, ``w ← w + v``.

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule.
    momentum
        μ, in [0, 1): how much of the last step's velocity goes on.
    nesterov
        Whether to look ahead: ``w ← w + μ v − η g`` (Nesterov 1983).
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.

    Raises
    ------
    ValueError
        For a learning rate or momentum outside of its range.

    Examples
    --------
    >>> from minigrad.layers import Parameter
    >>> w = Parameter([1.0, -2.0])
    >>> optimizer = SGD(0.1, parameters=[w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy()
    array([ 0.8, -1.6], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **arguments: Any,
    ) -> None:
        self.momentum = fraction("SGD", "momentum", momentum)
        self.nesterov = bool(nesterov)
        self.slots = ("velocity",) if self.momentum else ()
        super().__init__(learning_rate, **arguments)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and velocity in place."""
        step = np.multiply(g, self.rate, out=scratch)
        if not averages:
            w -= step
            return
        (velocity,) = averages
        velocity *= self.momentum
        velocity -= step
        if self.nesterov:
            w -= step
            w += np.multiply(velocity, self.momentum, out=scratch)
        else:
            w += velocity

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
