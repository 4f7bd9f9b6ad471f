"""How an op is tested: a row of the table, and where its operands come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Domain = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def anything(rng, shape):
    """Numbers in (−2, 2), away from 0 and ±1, where some ops have kinks."""
    values = rng.uniform(0.15, 0.85, shape) + rng.integers(0, 2, shape)
    return values * rng.choice([-1, 1], shape)


def positive(rng, shape):
    return rng.uniform(0.3, 2, shape)


def inside(rng, shape):
    """Numbers in (−1, 1)."""
    return rng.uniform(-0.9, 0.9, shape)


def above_one(rng, shape):
    return rng.uniform(1.2, 3, shape)


def condition(rng, shape):
    return rng.integers(0, 2, shape).astype(bool)


def distinct(rng, shape):
    """Numbers that are well apart, in random order."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) * 0.37 - 1.1


@dataclass(frozen=True)
class Row:
    """How an op is tested.

    `name` is the primitive's; `call` takes the operands; `expected` is the reference for its value,
    by default the same call on arrays with plain NumPy functions.
    """

    name: str
    call: Callable[..., Any]
    domains: tuple[Domain, ...]
    shapes: tuple[tuple[int, ...], ...] = ()
    expected: Callable[..., Any] | None = None
    label: str = ""
    elementwise: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name

    def operands(self, dtype=np.float64, seed=0):
        rng = np.random.default_rng(seed)
        shapes = self.shapes or ((2, 3),) * len(self.domains)
        drawn = [domain(rng, shape) for domain, shape in zip(self.domains, shapes, strict=True)]
        return [x if x.dtype.kind != "f" else x.astype(dtype) for x in drawn]


def unary(function, domain=anything, name=None):
    return Row(name or function.__name__, function, (domain,), expected=function, elementwise=True)


def binary(function, first=anything, second=anything, name=None):
    return Row(
        name or function.__name__, function, (first, second), expected=function, elementwise=True
    )


def spd(x):
    """A symmetric matrix with positive eigenvalues, well apart."""
    return x @ np.swapaxes(x, -1, -2) + np.diag([1.0, 3.0, 6.0]).astype(x.dtype)
