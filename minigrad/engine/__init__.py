"""Floor 1: the tape, Tensor, Primitive and the reverse walk. Knows nothing but NumPy."""

from minigrad.engine.backward import grad
from minigrad.engine.dtypes import get_default_dtype, set_default_dtype
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
from minigrad.engine.tensor import Tensor

__all__ = [
    "Leaf",
    "Node",
    "Primitive",
    "Tensor",
    "current_scope",
    "enable_grad",
    "get_default_dtype",
    "grad",
    "implements",
    "is_recording",
    "no_grad",
    "scope",
    "set_default_dtype",
]
