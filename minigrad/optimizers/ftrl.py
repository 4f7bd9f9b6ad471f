"""Ftrl: the weights that would have been best for all gradients so far, many of them 0."""

from __future__ import annotations

from functools import partial

import numpy as np

from minigrad.checks import not_negative, number
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


@registry.register("ftrl")
class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al. 2013).

    ``a ← a + g²``, ``z ← z + g + 2 λ w − (aₜ^p − aₜ₋₁^p) / η · w``,
    ``w ← (clip(z, ±λ₁) − z) / (aₜ^p / η + 2 λ₂ + β / η)``: weights with ``|z| ≤ λ₁`` are 0.

    Parameters
    ----------
    learning_rate
        η, above 0, or a schedule.
    learning_rate_power
        −p: how quickly steps become smaller; 0 or below.
    initial_accumulator_value
        What a begins with; 0 or larger.
    l1_regularization_strength, l2_regularization_strength
        λ₁ and λ₂. They are no loss terms, so a trace does not show them.
    l2_shrinkage_regularization_strength
        λ, which is added to the gradient alone.
    beta
        β, a steadier beginning.
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.

    Raises
    ------
    ValueError
        For an argument outside of its range; from `step`, for a learning rate of 0.
    """

    learning_rate = LearningRate(0.001)
    learning_rate_power = Setting(partial(number, most=0), -0.5)
    initial_accumulator_value = Setting(not_negative, 0.1)
    l1_regularization_strength = Setting(not_negative, 0.0)
    l2_regularization_strength = Setting(not_negative, 0.0)
    l2_shrinkage_regularization_strength = Setting(not_negative, 0.0)
    beta = Setting(not_negative, 0.0)

    slots = ("accumulator", "linear")

    def start_of(self, slot: str) -> float:
        """Return what the sums begin with."""
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def begin_step(self) -> None:
        """Refuse to divide by a learning rate of 0."""
        if not self.rate:
            raise ValueError("Ftrl: the learning rate must be above 0, as it divides by it")

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        accumulator, linear = averages
        before = accumulator**-self.learning_rate_power
        accumulator += np.multiply(g, g, out=scratch)
        after = accumulator**-self.learning_rate_power
        before -= after
        before /= self.rate
        before += 2 * self.l2_shrinkage_regularization_strength
        before *= w
        linear += g
        linear += before
        after += self.beta
        after /= self.rate
        after += 2 * self.l2_regularization_strength
        l1 = self.l1_regularization_strength
        np.clip(linear, -l1, l1, out=w)
        w -= linear
        w /= after
