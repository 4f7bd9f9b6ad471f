"""Orthogonal initial values: they turn a signal, and neither shrink nor stretch it."""

from __future__ import annotations

import math

import numpy as np

from minigrad.checks import number
from minigrad.initializers.initializer import Array, Initializer, Shape, registry
from minigrad.signatures import Setting


@registry.register("orthogonal", "OrthogonalInitializer")
class Orthogonal(Initializer):
    """A random matrix whose columns (or rows, where they are fewer) are orthonormal, times `gain`.

    All axes but the last are taken together as rows. The matrix is the Q of the QR decomposition
    of normally distributed numbers, with the signs that make all orthogonal matrices equally
    likely.

    Parameters
    ----------
    gain
        A number.
    seed
        For the same numbers at every call.

    Raises
    ------
    ValueError
        For a shape of fewer than two axes.

    References
    ----------
    A. Saxe, J. McClelland and S. Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks" (2014); F. Mezzadri, "How to generate random matrices from the
    classical compact groups" (2007), for the signs.

    Examples
    --------
    >>> kernel = Orthogonal(seed=0)((3, 2), "float64")
    >>> np.allclose(kernel.T @ kernel, np.eye(2))
    True
    """

    gain = Setting(number, 1.0)

    def values(self, shape: Shape, generator: np.random.Generator) -> Array:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a shape of two axes or more. Received: {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
