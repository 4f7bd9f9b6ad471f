"""Floor 5: models and how they are trained."""

from minigrad.training.history import History
from minigrad.training.saving import LoadError, load, save
from minigrad.training.sequential import Sequential

__all__ = ["History", "LoadError", "Sequential", "load", "save"]
