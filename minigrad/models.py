"""Models by their Keras names: ``minigrad.models.load_model``; see `minigrad.training`."""

from minigrad.suggestions import speak_up
from minigrad.training.model import Model
from minigrad.training.saving import load as load_model
from minigrad.training.saving import model_from_json
from minigrad.training.saving import save as save_model
from minigrad.training.sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]

speak_up(__name__)


def clone_model(model: Model) -> Model:
    """Return a new model of the same architecture, with new weights and not compiled.

    Examples
    --------
    >>> from minigrad.layers import Dense
    >>> clone_model(Sequential([Dense(2, input_dim=3)])).count_params()
    8
    """
    return model.clone()
