"""Adagrad: gradients divided by the root of the sum of all their squares so far."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import above_zero, number
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


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

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **arguments: Any,
    ) -> None:
        self.slot_start = number(
            "Adagrad", "initial_accumulator_value", initial_accumulator_value, least=0
        )
        self.epsilon = above_zero("Adagrad", "epsilon", epsilon)
        super().__init__(learning_rate, **arguments)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and sums in place."""
        (accumulator,) = averages
        accumulator += np.multiply(g, g, out=scratch)
        np.add(accumulator, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.divide(g, scratch, out=scratch)
        scratch *= self.rate
        w -= scratch

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {
            **super().get_config(),
            "initial_accumulator_value": self.slot_start,
            "epsilon": self.epsilon,
        }
