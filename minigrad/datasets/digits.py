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
        Eight rows of eight pixels each. A pixel is the fraction of its block of 4×4 dots that is
        ink: a multiple of 1/16 from 0 (white) to 1 (black).
    labels : ndarray of int64, shape (1797,)
        The digits, 0 to 9.
    """

    images: Array
    labels: Array


def load_digits() -> Digits:
    """Return the test set of the UCI repository's optical digits, from a file of the package.

    The arrays are new at each call, so changing them changes nothing else.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository (1998), doi 10.24432/C50P49. The licences stand in ``DIGITS.md`` beside
    the file.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.images.shape, digits.images.dtype, float(digits.images.max())
    ((1797, 64), dtype('float32'), 1.0)
    >>> digits.labels[:3]
    array([0, 1, 2])
    >>> for row in digits.images[0].reshape(8, 8):
    ...     print("".join(" ·▒█"[int(3 * pixel + 0.5)] for pixel in row).rstrip())
      ·▒▒
      ▒█▒█·
     ·█  ▒▒
     ·▒  ▒▒
     ·▒  ▒▒
     ·▒  ▒·
      █·▒▒
      ·▒▒
    """
    packed = files("minigrad.datasets").joinpath("digits.csv.gz").read_bytes()
    table = np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",", dtype=np.int64)
    return Digits((table[:, :64] / 16).astype(np.float32), table[:, 64].copy())
