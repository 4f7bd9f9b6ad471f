"""Lion: steps of one size, in the direction of the sign of a running average."""

from __future__ import annotations

import numpy as np

from minigrad.checks import fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("lion")
class Lion(Optimizer):
    """``w ← w − η sign(β₁ m + (1 − β₁) g)``, ``m ← β₂ m + (1 − β₂) g`` (Chen et al. 2023).

    Every weight moves by η, so the rate should be three to ten times smaller than Adam's.

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule.
    beta_1, beta_2
        How much the average counts in the direction, and how slowly it forgets; in [0, 1).
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.
    """

    learning_rate = LearningRate(0.001)
    beta_1 = Setting(fraction, 0.9)
    beta_2 = Setting(fraction, 0.99)

    slots = ("momentum",)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        (m,) = averages
        direction = m * self.beta_1
        direction += np.multiply(g, 1 - self.beta_1, out=scratch)
        np.sign(direction, out=direction)
        direction *= self.rate
        w -= direction
        m *= self.beta_2
        m += np.multiply(g, 1 - self.beta_2, out=scratch)
