"""Lion: steps of one size, in the direction of the sign of a running average."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


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

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """

    slots = ("momentum",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **arguments: Any,
    ) -> None:
        self.beta_1 = fraction("Lion", "beta_1", beta_1)
        self.beta_2 = fraction("Lion", "beta_2", beta_2)
        super().__init__(learning_rate, **arguments)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and average in place."""
        (m,) = averages
        direction = m * self.beta_1
        direction += np.multiply(g, 1 - self.beta_1, out=scratch)
        np.sign(direction, out=direction)
        direction *= self.rate
        w -= direction
        m *= self.beta_2
        m += np.multiply(g, 1 - self.beta_2, out=scratch)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
