"""Samples to train on, and samples that are held out to see what was learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def train_test_split(
    samples: Array, held_out: float = 0.2, seed: int = 0, *, labels: Array | None = None
) -> tuple[Array, ...]:
    """Return samples to train on and samples that are held out, in an order drawn from `seed`.

    Parameters
    ----------
    samples : ndarray, shape (n, …)
        At least two.
    held_out : float
        The fraction to hold out, in (0, 1); at least one sample stays on each side.
    seed : int
        The same seed gives the same split.
    labels : ndarray, shape (n, …), optional
        One for each sample; they are split alike.

    Returns
    -------
    tuple of ndarray
        ``(train, held out)``, and with labels ``(train, held out, train labels, held-out
        labels)``. All are copies.

    Raises
    ------
    ValueError
        If the fraction is out of range, there are fewer than two samples, or labels do not match.

    Examples
    --------
    >>> train, held_out = train_test_split(np.arange(10))
    >>> len(train), len(held_out)
    (8, 2)
    >>> x = np.arange(10)
    >>> train_x, held_out_x, train_y, held_out_y = train_test_split(x, 0.3, labels=x**2)
    >>> np.array_equal(train_y, train_x**2), np.array_equal(held_out_y, held_out_x**2)
    (True, True)
    """
    if np.ndim(held_out):
        raise ValueError(
            "held_out must be a number between 0 and 1. Received: an array of shape "
            f"{np.shape(held_out)}. Give labels by name: labels=..."
        )
    if not 0 < held_out < 1:
        raise ValueError(f"held_out must be between 0 and 1. Received: {held_out!r}")
    arrays = [np.asarray(samples)] if labels is None else [np.asarray(samples), np.asarray(labels)]
    n = len(arrays[0]) if arrays[0].ndim else 0
    if n < 2:
        raise ValueError(
            f"a split needs at least 2 samples. Received: an array of shape {arrays[0].shape}"
        )
    if arrays[-1].shape[:1] != (n,):
        raise ValueError(
            f"expected one label for each of the {n} samples. Received: labels of shape "
            f"{arrays[-1].shape}"
        )
    order = np.random.default_rng(seed).permutation(n)
    count = min(n - 1, max(1, round(held_out * n)))
    return tuple(part for array in arrays for part in (array[order[count:]], array[order[:count]]))
