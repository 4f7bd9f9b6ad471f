"""Floor 2: derivative rules by family. Importing it fills the engine's table."""

from minigrad.ops import (
    convolution,
    einsum,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    neural,
    plain,
    pooling,
    reductions,
    shapes,
    sorting,
)
from minigrad.suggestions import speak_up

__all__ = [
    "convolution",
    "einsum",
    "elementwise",
    "indexing",
    "joining",
    "linear_algebra",
    "neural",
    "plain",
    "pooling",
    "reductions",
    "shapes",
    "sorting",
]

speak_up(__name__)
