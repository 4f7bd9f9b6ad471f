"""Constraints: what a weight must satisfy after each step.

Each is a function from an array to an array of the same shape. A layer's ``kernel_constraint`` is
applied by the optimizer, after the update, as a projection: it is no part of the loss, and no
gradient flows through it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minigrad.checks import not_negative, number
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting
from minigrad.suggestions import speak_up

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]
__all__ += ["deserialize", "get", "serialize"]

speak_up(__name__)

Array = np.ndarray[Any, Any]

_registry = Registry("constraint")
get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize

# Keeps the division finite where a vector is zero, as in Keras.
_EPSILON = 1e-7


def _axes(owner: str, argument: str, axis: Any) -> int | list[int]:
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if not axes or not all(isinstance(a, int) and not isinstance(a, bool) for a in axes):
        raise ValueError(f"{owner}: axis must be an integer or several. Received: {axis!r}")
    return axes if isinstance(axis, list | tuple) else int(axis)


class Constraint(Configurable):
    """Base of all constraints: ``w ← constraint(w)``. A subclass defines ``__call__``."""

    def __call__(self, w: Array) -> Array:
        """Return the constrained values of `w`; by default as they are."""
        return w


@_registry.register("non_neg", "nonneg")
class NonNeg(Constraint):
    """``w ← max(w, 0)``: no weight below 0.

    Examples
    --------
    >>> NonNeg()(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __call__(self, w: Array) -> Array:
        return np.maximum(w, 0)


@_registry.register("max_norm", "maxnorm")
class MaxNorm(Constraint):
    """``w ← w · min(‖w‖, max_value) / ‖w‖``: no vector longer than `max_value`.

    Parameters
    ----------
    max_value
        The greatest Euclidean length, 0 or larger.
    axis
        The axis (or axes) along which a vector lies: 0 for the columns of a Dense kernel, each of
        which feeds one unit; ``[0, 1, 2]`` for the filters of a Conv2D kernel.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15 (2014).

    Examples
    --------
    >>> MaxNorm(1.0)(np.array([[3.0, 0.1], [4.0, 0.2]])).round(3)
    array([[0.6, 0.1],
           [0.8, 0.2]])
    """

    max_value = Setting(not_negative, 2.0)
    axis = Setting(_axes, 0)

    def __call__(self, w: Array) -> Array:
        norms = _norms(w, self.axis)
        return w * (np.minimum(norms, self.max_value) / (norms + _EPSILON))


@_registry.register("unit_norm", "unitnorm")
class UnitNorm(Constraint):
    """``w ← w / ‖w‖``: every vector along `axis` gets length 1 (see `MaxNorm` on the axis).

    Dictionary learning and sparse autoencoders keep their decoder so: otherwise an activity
    penalty is evaded by small activations and large decoder weights.

    Examples
    --------
    >>> UnitNorm()(np.array([[3.0], [4.0]])).round(3)
    array([[0.6],
           [0.8]])
    """

    axis = Setting(_axes, 0)

    def __call__(self, w: Array) -> Array:
        return w / (_norms(w, self.axis) + _EPSILON)


@_registry.register("min_max_norm")
class MinMaxNorm(Constraint):
    """Lengths along `axis` are moved towards [min_value, max_value], by the fraction `rate`.

    Raises
    ------
    ValueError
        For lengths that are negative or in the wrong order, or a rate outside of [0, 1].
    """

    min_value = Setting(not_negative, 0.0)
    max_value = Setting(not_negative, 1.0)
    rate = Setting(partial(number, least=0, most=1), 1.0)
    axis = Setting(_axes, 0)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if self.min_value > self.max_value:
            raise ValueError(
                "MinMaxNorm: expected min_value ≤ max_value. Received: "
                f"min_value={self.min_value!r}, max_value={self.max_value!r}"
            )

    def __call__(self, w: Array) -> Array:
        norms = _norms(w, self.axis)
        wanted = np.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * wanted + (1 - self.rate) * norms
        return w * (wanted / (norms + _EPSILON))


def _norms(w: Array, axis: int | list[int]) -> Array:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return np.asarray(np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True)))


# The same by their other Keras names.
non_neg, max_norm, unit_norm, min_max_norm = NonNeg, MaxNorm, UnitNorm, MinMaxNorm
