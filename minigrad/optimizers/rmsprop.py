"""RMSprop: gradients divided by the root of a running mean of their squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


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

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **arguments: Any,
    ) -> None:
        self.rho = fraction("RMSprop", "rho", rho)
        self.momentum = fraction("RMSprop", "momentum", momentum)
        self.epsilon = above_zero("RMSprop", "epsilon", epsilon)
        self.centered = bool(centered)
        self.slots = (
            "velocity",
            *(("momentum",) if self.momentum else ()),
            *(("average_gradient",) if self.centered else ()),
        )
        super().__init__(learning_rate, **arguments)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and averages in place."""
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

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
