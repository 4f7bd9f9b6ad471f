"""Many runs at once: how a model changes along the strengths of its penalties."""

from minigrad.search.path import regularization_path
from minigrad.search.table import PathTable
from minigrad.suggestions import speak_up

__all__ = ["PathTable", "regularization_path"]

speak_up(__name__)
