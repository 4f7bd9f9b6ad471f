"""Adadelta: steps in the units of the weights, scaled by the steps made before."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


@registry.register("adadelta")
class Adadelta(Optimizer):
    """``a ← ρ a + (1 − ρ) g²``, ``δ = g √(d + ε) / √(a + ε)``, ``d ← ρ d + (1 − ρ) δ²``,
    ``w ← w − η δ`` (Zeiler 2012).

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule; 1 is what the paper does.
    rho
        ρ, in [0, 1): how slowly both means forget.
    epsilon
        Keeps the division finite, and lets the first steps be made.
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """  # noqa: D205  (the formula takes two lines)

    slots = ("accumulated_gradient", "accumulated_delta")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **arguments: Any,
    ) -> None:
        self.rho = fraction("Adadelta", "rho", rho)
        self.epsilon = above_zero("Adadelta", "epsilon", epsilon)
        super().__init__(learning_rate, **arguments)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and means in place."""
        of_gradients, of_steps = averages
        of_gradients *= self.rho
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        of_gradients += scratch
        delta = np.sqrt((of_steps + self.epsilon) / (of_gradients + self.epsilon))
        delta *= g
        of_steps *= self.rho
        np.multiply(delta, delta, out=scratch)
        scratch *= 1 - self.rho
        of_steps += scratch
        delta *= self.rate
        w -= delta

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
