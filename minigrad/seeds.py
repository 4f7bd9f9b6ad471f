"""The global seed: the source of all randomness that was given no seed of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_generator: np.random.Generator | None = None


def set_seed(seed: int) -> None:
    """Make everything random that follows repeatable: initial weights, shuffling, noise.

    One of the two global settings of minigrad (the other is the default dtype).

    Parameters
    ----------
    seed
        A non-negative integer; anything else is an error.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.set_seed(7)
    >>> first = mg.layers.Dense(2, input_dim=3).kernel.numpy()
    >>> mg.set_seed(7)
    >>> bool((mg.layers.Dense(2, input_dim=3).kernel.numpy() == first).all())
    True
    """
    global _generator
    _generator = np.random.default_rng(_checked(seed))


def new_generator(seed: int | None = None) -> np.random.Generator:
    """Return a random generator: from `seed`, or a fresh child of the global one."""
    global _generator
    if seed is not None:
        return np.random.default_rng(_checked(seed))
    if _generator is None:  # made when it is needed: importing NumPy's generators takes a while
        _generator = np.random.default_rng()
    return np.random.default_rng(_generator.integers(2**63, size=2))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever is drawn inside, what comes after the block is as if it had not been."""
    global _generator
    before, _generator = _generator, np.random.default_rng(0)
    try:
        yield
    finally:
        _generator = before


def _checked(seed: int) -> int:
    is_whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_whole or seed < 0:
        kind = ValueError if is_whole else TypeError
        raise kind(f"a seed must be an integer, 0 or larger. Received: seed={seed!r}")
    return seed
