"""The global seed: the source of all randomness that was given no seed of its own."""

from __future__ import annotations

import numpy as np

_generator: np.random.Generator | None = None


def set_seed(seed: int) -> None:
    """Make everything random that follows repeatable: initial weights, shuffling, noise.

    One of the two global settings of minigrad (the other is the default dtype).

    Parameters
    ----------
    seed
        A non-negative integer.

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
    _generator = np.random.default_rng(seed)


def new_generator(seed: int | None = None) -> np.random.Generator:
    """Return a random generator: from `seed`, or a fresh child of the global one."""
    global _generator
    if seed is not None:
        return np.random.default_rng(seed)
    if _generator is None:  # made when it is needed: importing NumPy's generators takes a while
        _generator = np.random.default_rng()
    return np.random.default_rng(_generator.integers(2**63, size=2))
