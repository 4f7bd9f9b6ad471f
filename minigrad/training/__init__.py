"""Floor 5: models and how they are trained."""

from minigrad.training.history import History
from minigrad.training.sequential import Sequential

__all__ = ["History", "Sequential"]
