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

__all__ = [
    "calculus", "convolution", "einsum", "elementwise", "formulas", "indexing", "joining",
    "linear_algebra", "neural", "plain", "pooling", "rearranging", "reductions", "shapes",
    "sorting", "statistics",
]  # fmt: skip
