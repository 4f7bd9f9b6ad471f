"""The handwritten digits that come with the package."""

from __future__ import annotations

import gzip
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Digits(NamedTuple):
    """Images of handwritten digits, and which digits they are.

    Attributes
    ----------
    images : ndarray of float32, shape (1797, 64)
        Eight rows of eight pixels each, from 0 (white) to 1 (black).
    labels : ndarray of int64, shape (1797,)
        The digits, 0 to 9.
    """

    images: Array
    labels: Array


def load_digits() -> Digits:
    """Return the test set of the UCI repository's optical digits, from a file of the package.

    Source and licences stand in ``DIGITS.md`` beside the file: E. Alpaydin and C. Kaynak, UCI
    Machine Learning Repository (1998).

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.images.shape, digits.images.dtype, float(digits.images.max())
    ((1797, 64), dtype('float32'), 1.0)
    >>> digits.labels[:3]
    array([0, 1, 2])
    """
    packed = files("minigrad.datasets").joinpath("digits.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",", dtype=np.int64)
    return Digits((table[:, :64] / 16).astype(np.float32), table[:, 64])


def train_test_split(samples: Array, held_out: float = 0.2, seed: int = 0) -> tuple[Array, Array]:
    """Return samples to train on and samples that are held out, in an order drawn from `seed`.

    Parameters
    ----------
    samples : ndarray, shape (n, …)
        At least two.
    held_out : float
        The fraction to hold out, in (0, 1); at least one sample stays on each side.
    seed : int
        The same seed gives the same split.

    Raises
    ------
    ValueError
        If the fraction is out of range or there are fewer than two samples.

    Examples
    --------
    >>> train, test = train_test_split(np.arange(10))
    >>> len(train), len(test)
    (8, 2)
    """
    if not 0 < held_out < 1:
        raise ValueError(f"held_out must be between 0 and 1. Received: {held_out!r}")
    if len(samples) < 2:
        raise ValueError(f"a split needs at least 2 samples. Received: {len(samples)}")
    order = np.random.default_rng(seed).permutation(len(samples))
    count = min(len(samples) - 1, max(1, round(held_out * len(samples))))
    return samples[order[count:]], samples[order[:count]]
