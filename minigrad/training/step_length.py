"""How far the next step goes: a learning rate that is too large, told from weights that are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
) -> Iterator[Diagnosis]:
    """Compare what a step from rest would do to copies of the kernels with what they are."""
    kernels = {name: p._value for name, p in parameters.items() if p.trainable and p.ndim > 1}
    gradients = [trace.gradient(name) for name in kernels]
    size = _norm(kernels.values())
    if not size or not np.isfinite(_norm(gradients)):
        return
    config = {**optimizer.get_config(), "learning_rate": optimizer.learning_rate}
    copies = [Parameter(values) for values in kernels.values()]
    try:
        twin = type(optimizer).from_config(config)
    except TypeError:  # one of somebody's own that has another config
        return
    twin.apply(gradients, copies)
    moves = (copy._value - kernel for copy, kernel in zip(copies, kernels.values(), strict=True))
    step = _norm(moves) / size
    begun = _norm(np.sqrt(2 / sum(k.shape[-2:])) * np.ones(k.shape) for k in kernels.values())
    growth = size / begun if optimizer.iterations else 1.0
    if step > LONG_STEP or growth > GROWN:
        name, rate = type(optimizer).__name__, optimizer.learning_rate
        yield Diagnosis(
            "learning rate too large",
            f"{name}({rate:.3g})",
            f"a step changes the kernels by {step:.2g} times what they are, and after "
            f"{optimizer.iterations} steps they are {growth:.2g} times as large as usual initial "
            "weights. A smaller learning rate helps, rather than other initial weights.",
            {"step": step, "growth": growth, "learning rate": rate},
        )


def _norm(arrays: Iterable[Any]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array, dtype=np.float64)) for array in arrays)))
