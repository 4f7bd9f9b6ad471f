"""RMSprop: gradients divided by the root of a running mean of their squares."""

from __future__ import annotations

import numpy as np

from minigrad.checks import above_zero, boolean, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("rmsprop")
class RMSprop(Optimizer):
    """``v ← ρ v + (1 − ρ) g²``, ``w ← w − η g / √(v + ε)`` (Hinton 2012).

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule.
    rho
        ρ, in [0, 1): how slowly the mean of the squares forgets.
    momentum
        μ, in [0, 1): ``u ← μ u + η g / √(v + ε)``, ``w ← w − u``.
    epsilon
        Keeps the division finite. (PyTorch adds it to the root.)
    centered
        Whether to subtract the square of the mean gradient from v: the variance.
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.
    """

    learning_rate = LearningRate(0.001)
    rho = Setting(fraction, 0.9)
    momentum = Setting(fraction, 0.0)
    epsilon = Setting(above_zero, 1e-7)
    centered = Setting(boolean, False)

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean of the squares; with momentum and where it is centered, two more."""
        more = {"momentum": self.momentum, "average_gradient": self.centered}
        return ("velocity", *(slot for slot, is_kept in more.items() if is_kept))

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        others = dict(zip(self.slots, averages, strict=True))
        v = others["velocity"]
        v *= self.rho
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        v += scratch
        if self.centered:
            mean = others["average_gradient"]
            mean *= self.rho
            mean += np.multiply(g, 1 - self.rho, out=scratch)
            np.multiply(mean, mean, out=scratch)
            np.subtract(v, scratch, out=scratch)
            scratch += self.epsilon
        else:
            np.add(v, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= self.rate
        if self.momentum:
            velocity = others["momentum"]
            velocity *= self.momentum
            velocity += scratch
            w -= velocity
        else:
            w -= scratch
