"""Adam: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.layers import Parameter
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, number, registry


@registry.register("adam")
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2's end, as Keras computes it.

    ``m ← β₁ m + (1 − β₁) g``, ``v ← β₂ v + (1 − β₂) g²``,
    ``w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)``.

    Parameters
    ----------
    learning_rate
        η, positive.
    beta_1, beta_2
        How slowly the averages of the gradient and of its square forget; in (0, 1).
    epsilon
        Keeps the division finite; positive. (PyTorch adds it after the bias correction of v.)
    parameters
        What is to be trained.

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        parameters: Iterable[Parameter] | None = None,
    ) -> None:
        self.beta_1 = number("Adam", "beta_1", beta_1, above=0.0, below=1.0)
        self.beta_2 = number("Adam", "beta_2", beta_2, above=0.0, below=1.0)
        self.epsilon = number("Adam", "epsilon", epsilon, above=0.0)
        super().__init__(learning_rate, parameters)

    def update(self, values: Array, gradients: Array, **slots: Array) -> None:
        """Change `values` in place by one step."""
        m, v = slots["momentum"], slots["velocity"]
        step = self.iterations
        rate = self.learning_rate * math.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        scratch = gradients - m  # m ← m + (1 − β₁)(g − m), the same as above
        scratch *= 1 - self.beta_1
        m += scratch
        np.square(gradients, out=scratch)
        scratch -= v
        scratch *= 1 - self.beta_2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        values -= scratch

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
