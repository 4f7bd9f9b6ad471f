"""Saving by its Keras names: ``minigrad.saving.load_model``; see `minigrad.training.saving`."""

from minigrad.serialization import register_keras_serializable
from minigrad.training.saving import load as load_model
from minigrad.training.saving import load_weights, save_weights
from minigrad.training.saving import save as save_model

__all__ = [
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
]
