"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import above_zero, fraction
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, registry


@registry.register("adam")
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2's end, as Keras computes it.

    ``m ← β₁ m + (1 − β₁) g``, ``v ← β₂ v + (1 − β₂) g²``,
    ``w ← w − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)``.

    Parameters
    ----------
    learning_rate
        η, positive, or a schedule.
    beta_1, beta_2
        How slowly the averages of the gradient and of its square forget; in [0, 1).
    epsilon
        Keeps the division finite. (PyTorch adds it after the bias correction of v.)
    amsgrad
        Whether to divide by the largest v so far (Reddi, Kale and Kumar 2018).
    **arguments
        ``parameters``, ``weight_decay``, ``clipnorm`` and what else `Optimizer` takes.

    Raises
    ------
    ValueError
        For an argument outside of its range.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **arguments: Any,
    ) -> None:
        kind = type(self).__name__
        self.beta_1 = fraction(kind, "beta_1", beta_1)
        self.beta_2 = fraction(kind, "beta_2", beta_2)
        self.epsilon = above_zero(kind, "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)
        self.slots = ("momentum", "velocity", *(("largest_velocity",) if self.amsgrad else ()))
        self._size = 0.0
        self._numbers: dict[Any, tuple[Array, ...]] = {}
        super().__init__(learning_rate, **arguments)

    def begin_step(self) -> None:
        """Correct the step's size for averages that began at 0."""
        t = self.iterations
        self._size = self.rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and averages in place."""
        m, v, *largest = averages
        one_minus_beta_1, one_minus_beta_2, epsilon, size = self._as_arrays(w.dtype)
        np.subtract(g, m, scratch)  # m ← m + (1 − β₁)(g − m), the same as above
        np.multiply(scratch, one_minus_beta_1, scratch)
        np.add(m, scratch, m)
        np.multiply(g, g, scratch)
        np.subtract(scratch, v, scratch)
        np.multiply(scratch, one_minus_beta_2, scratch)
        np.add(v, scratch, v)
        if largest:
            v = np.maximum(largest[0], v, out=largest[0])
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, size, scratch)
        np.subtract(w, scratch, w)

    def _as_arrays(self, dtype: Any) -> tuple[Array, ...]:
        """Return 1 − β₁, 1 − β₂, ε and the step's size as arrays, which NumPy need not convert."""
        arrays = self._numbers.get(dtype)
        if arrays is None:
            arrays = self._numbers[dtype] = tuple(np.empty((), dtype) for _ in range(4))
        numbers = (1 - self.beta_1, 1 - self.beta_2, self.epsilon, self._size)
        for array, number in zip(arrays, numbers, strict=True):
            array[...] = number
        return arrays

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


@registry.register("adamw")
class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    An L2 penalty in the loss is divided by √v with the rest of the gradient, so that weights with
    large gradients are hardly decayed; here all are decayed alike: ``w ← w − η λ w``.

    Parameters
    ----------
    learning_rate, weight_decay
        η and λ.
    **arguments
        See `Adam`.
    """

    def __init__(
        self, learning_rate: Any = 0.001, weight_decay: float = 0.004, **arguments: Any
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **arguments)
