"""Models by their Keras names: ``minigrad.models.load_model``; see `minigrad.training`."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from minigrad import optimizers
from minigrad.layers import Input, Layer
from minigrad.suggestions import speak_up
from minigrad.training.graph import Graph
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


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
) -> Model:
    """Return a new model of the same architecture, with new weights, compiled if the other is.

    Parameters
    ----------
    model
        Of any kind; but one that is computed by its own `call` is only cloned as a whole.
    input_tensors
        An `Input` to begin with, in place of a new one.
    clone_function
        From each layer to that which takes its place; by default a new one of the same config.

    Examples
    --------
    >>> from minigrad.layers import Dense
    >>> clone_model(Sequential([Dense(2, input_dim=3)])).count_params()
    8
    """
    if input_tensors is None and clone_function is None:
        copy = model.clone()
    elif model._is_drawn:
        copy = _clone_by_layers(model, input_tensors, clone_function)
    else:
        raise ValueError(
            f"clone_model: model {model.name!r} is computed by its own call, so it can only be "
            "cloned as a whole, without further arguments"
        )
    if model.compiled and type(model).compile is Model.compile:
        number, measured = model.unweighted_metrics, deepcopy(model.compiled_metrics)
        optimizer = optimizers.deserialize(optimizers.serialize(model.optimizer))
        copy.compile(
            optimizer, model.loss, model.loss_weights, measured[:number], measured[number:]
        )
        copy.reset_metrics()
    return copy


def _clone_by_layers(model: Model, input_tensors: Any, clone_function: Any) -> Model:
    copied = clone_function or (lambda layer: layer.from_config(layer.get_config()))
    copies = {id(layer): copied(layer) for layer in model.layers}
    is_list = isinstance(input_tensors, list | tuple) and len(input_tensors) == 1
    symbol = input_tensors[0] if is_list else input_tensors
    if symbol is None and model.input_shape is not None:
        symbol = Input(model.input_shape)
    if isinstance(model, Sequential):
        first = [] if symbol is None else [symbol]
        return Sequential([*first, *(copies[id(layer)] for layer in model.layers)], name=model.name)
    output = Graph(model.input, model.output).compute(
        symbol, lambda layer, inputs, further: copies[id(layer)](inputs, **further)
    )
    return Model(symbol, output, name=model.name)
