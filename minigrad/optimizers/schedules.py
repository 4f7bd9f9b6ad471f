"""Learning-rate schedules: from the number of steps made so far to the size of the next."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from minigrad.checks import above_zero, boolean, not_negative, number, or_none
from minigrad.engine.tensor import plain
from minigrad.optimizers.readings import Reading
from minigrad.serialization import Registry
from minigrad.signatures import Check, Configurable, Setting
from minigrad.suggestions import speak_up

__all__ = ["CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay"]
__all__ += ["LearningRateSchedule", "PiecewiseConstantDecay", "PolynomialDecay"]
__all__ += ["deserialize", "get", "serialize"]

speak_up(__name__)

_registry = Registry("schedule", is_valid=lambda thing: isinstance(thing, LearningRateSchedule))
get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize


class LearningRateSchedule(Configurable):
    """Base of all schedules; a subclass defines ``__call__(step)``.

    The argument `name`, which all of minigrad's have, is only for the eye.

    Raises
    ------
    ValueError
        For an argument out of the range that a schedule states for it.

    Examples
    --------
    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / 2 ** (step // 1000)
    >>> Halving()(2500)
    0.025
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` steps, or those after several."""
        steps = plain(step)
        if np.ndim(steps):
            return np.array([self.after(n) for n in np.ravel(steps)]).reshape(np.shape(steps))
        return Reading(self.after(float(steps)))

    def after(self, step: float) -> float:
        """Return the learning rate after `step` steps."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(self, step)")


def _numbers(owner: str, argument: str, given: Any, check: Check) -> list[float]:
    """Return a list of numbers, each of which passes a check."""
    if not isinstance(given, list | tuple | np.ndarray):
        raise ValueError(f"{owner}: {argument} must be a list. Received: {given!r}")
    return [check(owner, argument, one) for one in given]


@_registry.register()
class ExponentialDecay(LearningRateSchedule):
    """``η = η₀ · r^(t / T)``, with r the `decay_rate` and T the `decay_steps`.

    Parameters
    ----------
    initial_learning_rate, decay_steps, decay_rate
        η₀, T and r, all positive.
    staircase
        Whether t / T is rounded down, so that the rate falls in jumps.

    Examples
    --------
    >>> ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(200)
    0.025
    """

    initial_learning_rate = Setting(above_zero)
    decay_steps = Setting(above_zero)
    decay_rate = Setting(above_zero)
    staircase = Setting(boolean, False)
    name = Setting(None, "ExponentialDecay")

    def after(self, step: float) -> float:
        passed = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (
            math.floor(passed) if self.staircase else passed
        )


@_registry.register()
class InverseTimeDecay(LearningRateSchedule):
    """``η = η₀ / (1 + r t / T)``; arguments and errors as `ExponentialDecay`, but r may be 0.

    Examples
    --------
    >>> InverseTimeDecay(0.1, decay_steps=100, decay_rate=1.0)(100)
    0.05
    """

    initial_learning_rate = Setting(above_zero)
    decay_steps = Setting(above_zero)
    decay_rate = Setting(not_negative)
    staircase = Setting(boolean, False)
    name = Setting(None, "InverseTimeDecay")

    def after(self, step: float) -> float:
        passed = step / self.decay_steps
        return self.initial_learning_rate / (
            1 + self.decay_rate * (math.floor(passed) if self.staircase else passed)
        )


@_registry.register()
class PolynomialDecay(LearningRateSchedule):
    """``η = (η₀ − η₁) (1 − t / T)^p + η₁``, and η₁ from T on.

    Parameters
    ----------
    initial_learning_rate, end_learning_rate
        η₀ and η₁, 0 or larger.
    decay_steps
        T, positive.
    power
        p, positive; 1 is a straight line.
    cycle
        Whether it begins again at each multiple of T, each time with a longer T.

    Examples
    --------
    >>> PolynomialDecay(0.1, decay_steps=100, end_learning_rate=0.0)(50)
    0.05
    """

    initial_learning_rate = Setting(not_negative)
    decay_steps = Setting(above_zero)
    end_learning_rate = Setting(not_negative, 0.0001)
    power = Setting(above_zero, 1.0)
    cycle = Setting(boolean, False)
    name = Setting(None, "PolynomialDecay")

    def after(self, step: float) -> float:
        length = self.decay_steps
        if self.cycle:
            length *= max(1, math.ceil(step / length))
        left = 1 - min(step / length, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left**self.power + self.end_learning_rate


@_registry.register()
class CosineDecay(LearningRateSchedule):
    """``η = η₀ ((1 − α) ½ (1 + cos(π t / T)) + α)``, and α η₀ from T on.

    Loshchilov and Hutter, "SGDR" (2017).

    Parameters
    ----------
    initial_learning_rate
        η₀; with a warm-up, where that begins. 0 or larger.
    decay_steps
        T, positive, without those of the warm-up.
    alpha
        Which fraction of η₀ is left at the end.
    warmup_target, warmup_steps
        To which rate, and in how many steps, a straight line leads before the decay begins there.

    Examples
    --------
    >>> schedule = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
    >>> schedule(5), schedule(10), round(schedule(60), 6), schedule(110)
    (0.05, 0.1, 0.05, 0.0)
    """

    initial_learning_rate = Setting(not_negative)
    decay_steps = Setting(above_zero)
    alpha = Setting(not_negative, 0.0)
    name = Setting(None, "CosineDecay")
    warmup_target = Setting(or_none(not_negative), None)
    warmup_steps = Setting(not_negative, 0)

    def after(self, step: float) -> float:
        top, passed = self.initial_learning_rate, step
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, passed = self.warmup_target, step - self.warmup_steps
        return top * _cosine(min(passed / self.decay_steps, 1.0), self.alpha)


def _cosine(passed: float, alpha: float, top: float = 1.0) -> float:
    """Half a wave of the cosine, `top` high before it is squeezed in above α: from 1 to α."""
    return (1 - alpha) * top * 0.5 * (1 + math.cos(math.pi * passed)) + alpha


@_registry.register()
class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decays one after the other, each `t_mul` times as long and `m_mul` times as high.

    Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017).

    Parameters
    ----------
    initial_learning_rate
        Where the first begins, positive.
    first_decay_steps
        How long it takes, positive.
    t_mul, m_mul
        Factors, positive; t_mul not below 1.
    alpha
        Which fraction of the initial rate is left at the end of each.

    Examples
    --------
    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=100)
    >>> schedule(0), round(schedule(50), 6), schedule(100), round(schedule(200), 6)
    (0.1, 0.05, 0.1, 0.05)
    """

    initial_learning_rate = Setting(above_zero)
    first_decay_steps = Setting(above_zero)
    t_mul = Setting(partial(number, least=1), 2.0)
    m_mul = Setting(above_zero, 1.0)
    alpha = Setting(not_negative, 0.0)
    name = Setting(None, "SGDRDecay")

    def after(self, step: float) -> float:
        passed = step / self.first_decay_steps
        if self.t_mul == 1:
            restarts = math.floor(passed)
            passed -= restarts
        else:
            # Before restart i, 1 + t_mul + … + t_mul^(i−1) first lengths have passed.
            growth = 1 - passed * (1 - self.t_mul)
            restarts = math.floor(math.log(growth) / math.log(self.t_mul) + 1e-12)
            before = (1 - self.t_mul**restarts) / (1 - self.t_mul)
            passed = (passed - before) / self.t_mul**restarts
        # As in Keras, α is a fraction of the first rate also where later waves are lower.
        return self.initial_learning_rate * _cosine(passed, self.alpha, self.m_mul**restarts)


@_registry.register()
class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including step ``boundaries[i]``, and the last value from there on.

    Parameters
    ----------
    boundaries
        Steps, in rising order.
    values
        Rates, one more than boundaries; 0 or larger.

    Raises
    ------
    ValueError
        If their numbers do not fit, or the boundaries do not rise.

    Examples
    --------
    >>> schedule = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> schedule(100), schedule(101), schedule(1000)
    (0.1, 0.01, 0.001)
    """

    boundaries = Setting(partial(_numbers, check=number))
    values = Setting(partial(_numbers, check=not_negative))
    name = Setting(None, "PiecewiseConstant")

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        kind = "PiecewiseConstantDecay"
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"{kind}: expected one value more than boundaries. Received: {len(self.values)} "
                f"values, {len(self.boundaries)} boundaries"
            )
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"{kind}: boundaries must rise. Received: {self.boundaries}")

    def after(self, step: float) -> float:
        return self.values[sum(step > boundary for boundary in self.boundaries)]
