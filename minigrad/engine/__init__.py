"""Floor 1: the tape, Tensor, Primitive and the reverse walk. Knows nothing but NumPy."""

import minigrad.engine.elsewhere  # noqa: F401  (it gives Tensor words for what it is not)
from minigrad.engine.anomaly import AnomalyError, detect_anomaly
from minigrad.engine.custom import custom_gradient
from minigrad.engine.dtypes import get_default_dtype, set_default_dtype
from minigrad.engine.lines import remember_lines
from minigrad.engine.node import Leaf, Node
from minigrad.engine.primitive import Primitive
from minigrad.engine.state import (
    current_scope,
    enable_grad,
    is_recording,
    no_grad,
    scope,
)
from minigrad.engine.table import implements
from minigrad.engine.taken import LostGradientWarning
from minigrad.engine.tensor import Tensor
from minigrad.engine.transforms import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)

__all__ = [
    "AnomalyError",
    "Leaf",
    "LostGradientWarning",
    "Node",
    "Primitive",
    "Tensor",
    "current_scope",
    "custom_gradient",
    "detect_anomaly",
    "enable_grad",
    "get_default_dtype",
    "grad",
    "hessian",
    "hvp",
    "implements",
    "is_recording",
    "jacobian",
    "jvp",
    "no_grad",
    "remember_lines",
    "scope",
    "set_default_dtype",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
