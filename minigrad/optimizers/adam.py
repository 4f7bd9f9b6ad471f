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

    # The averages are kept without their factors: s = m / (1 − β₁) and q = v / (1 − β₂), that is
    # s ← β₁ s + g. It takes two passes over all weights less, and m / (√v + ε) is a number times
    # s / (√q + ε / √(1 − β₂)).
    scalars: tuple[str, ...] = ("kept_with_beta_1", "kept_with_beta_2")

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
        self.beta_1 = self.kept_with_beta_1 = fraction(kind, "beta_1", beta_1)
        self.beta_2 = self.kept_with_beta_2 = fraction(kind, "beta_2", beta_2)
        self.epsilon = above_zero(kind, "epsilon", epsilon)
        self.amsgrad = bool(amsgrad)
        self.slots = ("momentum", "velocity", *(("largest_velocity",) if self.amsgrad else ()))
        self._numbers: dict[Any, tuple[Array, ...]] = {}
        super().__init__(learning_rate, **arguments)

    def begin_step(self) -> None:
        """Compute the numbers of this step; averages that began at 0 make it larger."""
        if (self.beta_1, self.beta_2) != (self.kept_with_beta_1, self.kept_with_beta_2):
            self._keep_otherwise()
        for buffer in self._buffers:
            dtype = buffer.values.dtype
            arrays = self._numbers.get(dtype)
            if arrays is None:  # as arrays, which NumPy need not convert
                arrays = self._numbers[dtype] = tuple(np.empty((), dtype) for _ in range(4))
            for array, value in zip(arrays, self._numbers_of(dtype), strict=True):
                array[...] = value

    def _numbers_of(self, dtype: Any) -> tuple[float, ...]:
        """Return β₁, β₂, ε and the step's size as averages without their factors need them."""
        beta_1, beta_2 = _rounded(self.beta_1, dtype), _rounded(self.beta_2, dtype)
        t, factor = self.iterations, math.sqrt(1 - beta_2)
        correction = math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        size = self.rate * correction * (1 - beta_1) / factor
        return beta_1, beta_2, self.epsilon / factor, size

    def _keep_otherwise(self) -> None:
        """Change what is kept so that the averages stay the same, after β₁ or β₂ has changed."""
        factors = [(1 - self.kept_with_beta_1) / (1 - self.beta_1)]
        factors += [(1 - self.kept_with_beta_2) / (1 - self.beta_2)] * 2
        for averages in self._averages:
            for array, factor in zip(averages, factors, strict=False):
                array *= factor
        self.kept_with_beta_1, self.kept_with_beta_2 = self.beta_1, self.beta_2

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change values and averages in place."""
        s, q, *largest = averages
        beta_1, beta_2, epsilon, size = self._numbers[w.dtype]
        np.multiply(s, beta_1, s)
        np.add(s, g, s)
        np.multiply(q, beta_2, q)
        np.multiply(g, g, scratch)
        np.add(q, scratch, q)
        if largest:
            q = np.maximum(largest[0], q, out=largest[0])
        np.sqrt(q, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(s, scratch, scratch)
        np.multiply(scratch, size, scratch)
        np.subtract(w, scratch, w)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


def _rounded(beta: float, dtype: Any) -> float:
    """Return β as `dtype` holds it, so that 1 − β fits what is computed with it, and is not 0.

    In float32, 1 − 0.999 would otherwise be off by 0.001 %.
    """
    rounded = dtype.type(beta)
    return float(rounded if rounded < 1 else np.nextafter(rounded, dtype.type(0)))


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
