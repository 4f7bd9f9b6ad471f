"""Floor 2: derivative rules by family. Importing it fills the engine's table."""

from minigrad.ops import (
    calculus,
    convolution,
    einsum,
    elementwise,
    formulas,
    indexing,
    joining,
    linear_algebra,
    neural,
    plain,
    pooling,
    rearranging,
    reductions,
    shapes,
    sorting,
    statistics,
)
from minigrad.suggestions import speak_up

__all__ = [
    "calculus", "convolution", "einsum", "elementwise", "formulas", "indexing", "joining",
    "linear_algebra", "neural", "plain", "pooling", "rearranging", "reductions", "shapes",
    "sorting", "statistics",
]  # fmt: skip

speak_up(__name__)
