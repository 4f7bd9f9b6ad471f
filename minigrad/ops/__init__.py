"""Floor 2: derivative rules by family. Importing it fills the engine's table."""

from minigrad.ops import elementwise, indexing, linear_algebra, neural, plain, reductions, shapes

__all__ = [
    "elementwise",
    "indexing",
    "linear_algebra",
    "neural",
    "plain",
    "reductions",
    "shapes",
]
