"""Losses between distributions and for counts: Kullback-Leibler and Poisson."""

from __future__ import annotations

import numpy as np

from minigrad.engine import Tensor
from minigrad.losses.loss import SMALLEST, ShapedLoss, as_function, mean_of_last_axis, registry


@registry.register()
class KLDivergence(ShapedLoss):
    """``Σ t ln(t / p)`` over the last axis; both are clipped to [1e-7, 1], as in Keras.

    Parameters, shapes and errors are those of `Loss`.

    References
    ----------
    S. Kullback and R. A. Leibler, "On Information and Sufficiency", Annals of Mathematical
    Statistics 22 (1951).

    Examples
    --------
    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]])), 4)
    0.5108
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        t, p = np.clip(y_true, SMALLEST, 1), np.clip(y_pred, SMALLEST, 1)
        return np.sum(t * np.log(t / p), axis=-1)


@registry.register()
class Poisson(ShapedLoss):
    """Mean of ``p − t ln(p + 1e-7)``: for counts t, of which p are the expected ones.

    Examples
    --------
    >>> round(float(Poisson()([[2.0, 0.0]], [[2.0, 1.0]])), 4)
    0.8069
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return mean_of_last_axis(y_pred - y_true * np.log(y_pred + SMALLEST))


kl_divergence = as_function(KLDivergence, "kld", "KLD", "kullback_leibler_divergence")
poisson = as_function(Poisson)
