"""Adadelta: steps in the units of the weights, scaled by the steps made before."""

from __future__ import annotations

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


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
    """  # noqa: D205  (the formula takes two lines)

    learning_rate = LearningRate(0.001)
    rho = Setting(fraction, 0.95)
    epsilon = Setting(above_zero, 1e-7)

    slots = ("accumulated_gradient", "accumulated_delta")

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
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
