"""Nadam: Adam that looks ahead, as Nesterov's momentum does."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("nadam")
class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat 2016).

    With m and v as in Adam, ``μₜ = β₁ (1 − ½ · 0.96ᵗ)`` and ``Πₜ = μ₁ ⋯ μₜ``:
    ``m̂ = μₜ₊₁ m / (1 − Πₜ₊₁) + (1 − μₜ) g / (1 − Πₜ)``, ``v̂ = v / (1 − β₂ᵗ)``,
    ``w ← w − η m̂ / (√v̂ + ε)``.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, **arguments
        See `Adam`.
    """

    learning_rate = LearningRate(0.001)
    beta_1 = Setting(fraction, 0.9)
    beta_2 = Setting(fraction, 0.999)
    epsilon = Setting(above_zero, 1e-7)

    slots = ("momentum", "velocity")
    scalars = ("product",)
    product = 1.0

    def build(self, parameters: Any) -> None:
        """Take charge of `parameters`, and start all running averages anew."""
        super().build(parameters)
        self.product = 1.0

    def begin_step(self) -> None:
        """Compute the weights of momentum and gradient in this step."""
        t = self._iterations
        now = self.beta_1 * (1 - 0.5 * 0.96**t)
        following = self.beta_1 * (1 - 0.5 * 0.96 ** (t + 1))
        self.product *= now
        self._of_momentum = self.rate * following / (1 - self.product * following)
        self._of_gradient = self.rate * (1 - now) / (1 - self.product)
        self._correction = 1 / (1 - self.beta_2**t)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        m, v = averages
        np.subtract(g, m, out=scratch)
        scratch *= 1 - self.beta_1
        m += scratch
        np.multiply(g, g, out=scratch)
        scratch -= v
        scratch *= 1 - self.beta_2
        v += scratch
        step = m * self._of_momentum
        step += np.multiply(g, self._of_gradient, out=scratch)
        np.multiply(v, self._correction, out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        step /= scratch
        w -= step
