"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

import numpy as np

from minigrad.checks import boolean, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


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

    learning_rate = LearningRate(0.01)
    momentum = Setting(fraction, 0.0)
    nesterov = Setting(boolean, False)

    @property
    def slots(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
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
