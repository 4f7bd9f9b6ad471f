"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import above_zero, boolean, fraction, not_negative
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer
from minigrad.optimizers.settings import LearningRate, registry
from minigrad.signatures import Setting


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
    """

    learning_rate = LearningRate(0.001)
    beta_1 = Setting(fraction, 0.9)
    beta_2 = Setting(fraction, 0.999)
    epsilon = Setting(above_zero, 1e-7)
    amsgrad = Setting(boolean, False)

    # The averages are kept without their factors: s = m / (1 − β₁) and q = v / (1 − β₂), that is
    # s ← β₁ s + g. It takes two passes over all weights less, and m / (√v + ε) is a number times
    # s / (√q + ε / √(1 − β₂)).
    scalars = ("kept_with_beta_1", "kept_with_beta_2")
    kept_with_beta_1 = kept_with_beta_2 = 0.0

    @property
    def slots(self) -> tuple[str, ...]:
        """The averages of the gradient and of its square, and the latter's maximum with amsgrad."""
        return ("momentum", "velocity", *(("largest_velocity",) if self.amsgrad else ()))

    def _follow_settings(self) -> None:
        super()._follow_settings()
        self._numbers: dict[Any, tuple[Array, ...]] = {}

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
        t, factor = self._iterations, math.sqrt(1 - beta_2)
        correction = math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        size = self.rate * correction * (1 - beta_1) / factor
        return beta_1, beta_2, self.epsilon / factor, size

    def _keep_otherwise(self) -> None:
        """Change what is kept so that the averages stay the same, after β₁ or β₂ has changed."""
        of_squares = (1 - self.kept_with_beta_2) / (1 - self.beta_2)
        for averages in self._averages:
            averages["momentum"] *= (1 - self.kept_with_beta_1) / (1 - self.beta_1)
            for slot in self.slots[1:]:
                averages[slot] *= of_squares
        self.kept_with_beta_1, self.kept_with_beta_2 = self.beta_1, self.beta_2

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
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

    learning_rate = LearningRate(0.001)
    weight_decay = Setting(not_negative, 0.004)
