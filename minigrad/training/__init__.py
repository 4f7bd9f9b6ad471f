"""Floor 5: models and how they are trained. `minigrad.training.saving` has what files need."""

from minigrad.training.history import History
from minigrad.training.model import Model
from minigrad.training.objective import FirstBatchWarning, NonFiniteLossError
from minigrad.training.sequential import Sequential

__all__ = ["FirstBatchWarning", "History", "Model", "NonFiniteLossError", "Sequential"]
