"""Adagrad: gradients divided by the root of the sum of all their squares so far."""

from __future__ import annotations

import numpy as np

from minigrad.checks import above_zero, not_negative
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("adagrad")
class Adagrad(Optimizer):
    """``a ← a + g²``, ``w ← w − η g / √(a + ε)`` (Duchi, Hazan and Singer 2011).

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule.
    initial_accumulator_value
        What a begins with; 0 or larger.
    epsilon
        Keeps the division finite.
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.
    """

    learning_rate = LearningRate(0.001)
    initial_accumulator_value = Setting(not_negative, 0.1)
    epsilon = Setting(above_zero, 1e-7)

    slots = ("accumulator",)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        (accumulator,) = averages
        accumulator += np.multiply(g, g, out=scratch)
        np.add(accumulator, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= self.rate
        w -= scratch

    def start_of(self, slot: str) -> float:
        """Return what the sums begin with."""
        return self.initial_accumulator_value
