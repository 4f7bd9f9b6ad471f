"""Adamax: Adam with the largest gradient in the place of the root of the mean square."""

from __future__ import annotations

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("adamax")
class Adamax(Optimizer):
    """``m ← β₁ m + (1 − β₁) g``, ``u ← max(β₂ u, |g|)``, ``w ← w − η m / ((1 − β₁ᵗ) (u + ε))``
    (Kingma and Ba 2015, section 7).

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, **arguments
        See `Adam`.
    """  # noqa: D205  (the formula takes two lines)

    learning_rate = LearningRate(0.001)
    beta_1 = Setting(fraction, 0.9)
    beta_2 = Setting(fraction, 0.999)
    epsilon = Setting(above_zero, 1e-7)

    slots = ("momentum", "norm")

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        m, u = averages
        m *= self.beta_1
        m += np.multiply(g, 1 - self.beta_1, out=scratch)
        u *= self.beta_2
        np.maximum(u, np.abs(g, out=scratch), out=u)
        np.add(u, self.epsilon, out=scratch)
        np.divide(m, scratch, out=scratch)
        scratch *= self.rate / (1 - self.beta_1**self._iterations)
        w -= scratch
