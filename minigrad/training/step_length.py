"""How far the next step goes: a learning rate that is too large, told from weights that are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.optimizers import Optimizer
from minigrad.parameter import Parameter
from minigrad.tracing import Trace
from minigrad.tracing.diagnoses import Diagnosis

LONG_STEP = 1.0  # a step, relative to the weights, above which it throws them away
GROWN = 10.0  # times the scale of Glorot's initial weights


def too_long_a_step(
    optimizer: Optimizer, parameters: Mapping[str, Parameter], trace: Trace
) -> list[Diagnosis]:
    """Make a step from rest with copies of the kernels, and compare it with what they are."""
    kernels = {name: p._value for name, p in parameters.items() if p.trainable and p.ndim > 1}
    gradients = [trace.gradient(name) for name in kernels]
    size, rate = _norm(kernels.values()), float(optimizer.learning_rate)
    if not size or not np.isfinite(_norm(gradients)):
        return []
    try:
        twin = type(optimizer).from_config({**optimizer.get_config(), "learning_rate": rate})
    except TypeError:  # one of somebody's own that has another config
        return []
    copies = [Parameter(values) for values in kernels.values()]
    twin.apply(gradients, copies)
    step = _norm(c._value - k for c, k in zip(copies, kernels.values(), strict=True)) / size
    usual = _norm(np.full(k.shape, np.sqrt(2 / sum(k.shape[-2:]))) for k in kernels.values())
    growth = size / usual if optimizer.iterations else 1.0
    if step <= LONG_STEP and growth <= GROWN:
        return []
    text = (
        f"a step changes the kernels by {step:.2g} times what they are, and after "
        f"{optimizer.iterations} steps they are {growth:.2g} times as large as usual initial "
        "weights. A smaller learning rate helps, rather than other initial weights."
    )
    numbers = {"step": step, "growth": growth, "learning rate": rate}
    return [
        Diagnosis("learning rate too large", f"{type(twin).__name__}({rate:.3g})", text, numbers)
    ]


def _norm(arrays: Iterable[Any]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array, dtype=np.float64)) for array in arrays)))
