"""Regularizers: penalties that a layer adds to the loss, as functions of its weights or output.

Any callable from a tensor to a scalar serves as one. The classes here have names, validated
strengths, and a config for saving.
"""

from __future__ import annotations

import math
from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from minigrad.checks import one_of
from minigrad.engine import Tensor
from minigrad.engine.watcher import constant
from minigrad.ops.conversion import as_float_tensor
from minigrad.ops.reductions import sum_of_squares
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting
from minigrad.suggestions import speak_up

_registry = Registry("regularizer")
get = _registry.get
serialize = _registry.serialize
deserialize = _registry.deserialize

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "KLDivergence",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "serialize",
]

speak_up(__name__)


class Regularizer(Configurable):
    """Base of all regularizers: ``__call__(x)`` returns a scalar.

    Attributes
    ----------
    averages_over_batch : bool
        Whether `__call__` takes the mean over the batch itself. An activity penalty is divided by
        the batch size unless this is True, so that its strength does not depend on it. May also
        be set on a plain function.

    Examples
    --------
    >>> class HalfL2(Regularizer):
    ...     def __call__(self, x):
    ...         return 0.5 * (x * x).sum()
    >>> float(HalfL2()(Tensor([3.0, 4.0])))
    12.5
    """

    averages_over_batch: ClassVar[bool] = False

    def __call__(self, x: Any) -> Any:
        """Return the penalty of `x`, a scalar."""
        raise NotImplementedError(
            f"{type(self).__name__} must define __call__(self, x), returning a scalar"
        )


def _strength(owner: str, argument: str, value: Any) -> float:
    """Return a finite, non-negative number as a Python float."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    try:
        strength = float(value) if is_number else math.nan
    except OverflowError:  # an integer beyond the range of floats
        strength = math.inf
    if not 0 <= strength < math.inf:
        raise ValueError(
            f"{owner}: {argument} must be a finite number, 0 or larger. "
            f"Received: {argument}={value!r}"
        )
    return strength


def _probability(owner: str, argument: str, value: Any) -> float:
    """Return a number strictly between 0 and 1."""
    probability = _strength(owner, argument, value)
    if not 0 < probability < 1:
        raise ValueError(
            f"{owner}: {argument} must be strictly between 0 and 1. Received: {argument}={value!r}"
        )
    return probability


@_registry.register("l1")
class L1(Regularizer):
    """``l1 · Σ|x|``: pulls every element towards 0 with the same force, and holds it there.

    The gradient is ``l1 · sign(x)``, and 0 at 0.

    Parameters
    ----------
    l1
        The strength; finite, 0 or larger.

    Notes
    -----
    The penalty of the lasso: R. Tibshirani, "Regression Shrinkage and Selection via the Lasso",
    J. R. Stat. Soc. B 58 (1996).

    Examples
    --------
    >>> round(float(L1(0.1)([[1, -2], [3, 4], [0, -1]])), 6)
    1.1
    """

    l1 = Setting(_strength, 0.01)

    def __call__(self, x: Any) -> Tensor:
        return self.l1 * np.abs(as_float_tensor(x)).sum()


@_registry.register("l2")
class L2(Regularizer):
    """``l2 · Σx²``: pulls every element towards 0 in proportion to its size.

    The gradient is ``2 · l2 · x``: there is no factor ½.

    Parameters
    ----------
    l2
        The strength; finite, 0 or larger.

    Notes
    -----
    A. Hoerl, R. Kennard, "Ridge Regression", Technometrics 12 (1970).

    Examples
    --------
    >>> round(float(L2(0.1)([[1, -2], [3, 4], [0, -1]])), 6)
    3.1
    """

    l2 = Setting(_strength, 0.01)

    def __call__(self, x: Any) -> Tensor:
        return self.l2 * sum_of_squares(as_float_tensor(x))


@_registry.register("l1_l2", "l1l2", default=lambda: L1L2(0.01, 0.01))
class L1L2(Regularizer):
    """``l1 · Σ|x| + l2 · Σx²``: both pulls at once.

    Parameters
    ----------
    l1, l2
        The strengths; finite, 0 or larger. Both are 0 by default, but 0.01 each when the
        regularizer is named by an identifier such as ``"l1_l2"``.

    Notes
    -----
    The elastic net: H. Zou, T. Hastie, J. R. Stat. Soc. B 67 (2005).

    Examples
    --------
    >>> round(float(L1L2(0.1, 0.2)([[1, -2], [3, 4], [0, -1]])), 6)
    7.3
    """

    l1 = Setting(_strength, 0.0)
    l2 = Setting(_strength, 0.0)

    def __call__(self, x: Any) -> Tensor:
        x = as_float_tensor(x)
        return self.l1 * np.abs(x).sum() + self.l2 * sum_of_squares(x)


l1, l2 = L1, L2  # the same by their other Keras names


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return ``L1L2(l1, l2)``, with 0.01 for both by default."""
    return L1L2(l1, l2)


@_registry.register("orthogonal_regularizer", "orthogonal")
class OrthogonalRegularizer(Regularizer):
    """``factor · mean over pairs of |cos(vᵢ, vⱼ)|``: drives vectors towards right angles.

    The vectors are the rows or the columns of a matrix; each pair counts once. Antiparallel
    vectors cost as much as parallel ones.

    Parameters
    ----------
    factor
        The strength; finite, 0 or larger.
    mode
        ``"rows"`` or ``"columns"``. A Dense kernel has shape (input_dim, units): its rows belong
        to the inputs, its columns to the units, so ``"columns"`` makes the units' weight vectors
        orthogonal.

    Raises
    ------
    ValueError
        For another factor or mode; when called, for an input that is not a matrix, or that has
        fewer than two vectors.

    Notes
    -----
    A zero vector has no direction: its cosines, and the gradient through it, count as 0.

    Examples
    --------
    >>> round(float(OrthogonalRegularizer(0.5, "rows")([[1.0, -2.0], [3.0, 4.0], [0.0, -1.0]])), 6)
    0.35694
    """

    factor = Setting(_strength, 0.01)
    mode = Setting(partial(one_of, known=("rows", "columns")), "rows")

    def __call__(self, x: Any) -> Tensor:
        x = as_float_tensor(x)
        if x.ndim != 2:
            raise ValueError(
                "OrthogonalRegularizer needs a matrix (2 axes). "
                f"Received: shape {x.shape}. Reshape the kernel in a regularizer of your own."
            )
        vectors = x if self.mode == "rows" else x.T
        number = vectors.shape[0]
        if number < 2:
            raise ValueError(
                f"OrthogonalRegularizer needs at least 2 {self.mode} to compare. "
                f"Received: shape {x.shape}"
            )
        squares = np.square(vectors).sum(axis=1, keepdims=True)
        there = squares > 0
        lengths = np.sqrt(np.where(there, squares, 1.0))  # 1 for a zero vector: no 0/0
        directions = vectors / lengths
        cosines = np.abs(directions @ directions.T)  # (n, d) · (d, n) → (n, n)
        each_pair_twice = (cosines * constant(1 - np.eye(number, dtype=x.dtype))).sum()
        return self.factor * each_pair_twice / (number * (number - 1))


@_registry.register("kl_divergence")
class KLDivergence(Regularizer):
    """``strength · Σ KL(Bernoulli(target) ‖ Bernoulli(ρ̂))``, ρ̂ each unit's mean over the batch.

    Drives every unit to be active with probability `target`, whatever the batch size: the mean
    over the batch is part of the penalty, so as an activity regularizer it is not divided by the
    batch size once more (see `Regularizer.averages_over_batch`).

    Parameters
    ----------
    target
        The wanted mean activation ρ, strictly between 0 and 1.
    strength
        Finite, 0 or larger.

    Raises
    ------
    ValueError
        For other values, or when called with a scalar.

    Notes
    -----
    For activations in (0, 1), such as those of a sigmoid. A mean outside of (1e-7, 1 − 1e-7) is
    clipped for the logarithm, and gets no gradient there. A. Ng, "Sparse autoencoder", CS294A
    lecture notes, Stanford (2011).

    Examples
    --------
    >>> round(float(KLDivergence(0.1, strength=0.5)([[0.5, 0.5, 0.5]])), 4)
    0.5521
    """

    averages_over_batch = True

    target = Setting(_probability, 0.1)
    strength = Setting(_strength, 0.01)

    def __call__(self, x: Any) -> Tensor:
        x = as_float_tensor(x)
        if x.ndim == 0:
            raise ValueError("KLDivergence needs a batch of activations. Received: a scalar")
        if x.shape[0] == 0:
            return x.sum()  # an empty batch has no mean, and no penalty
        mean = np.clip(x.mean(axis=0), 1e-7, 1 - 1e-7)
        rho = self.target
        divergence = rho * (math.log(rho) - np.log(mean)) + (1 - rho) * (
            math.log(1 - rho) - np.log(1 - mean)
        )
        return self.strength * divergence.sum()
