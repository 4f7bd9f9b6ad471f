"""Models by their Keras names: ``minigrad.models.load_model``; see `minigrad.training`."""

from collections.abc import Callable
from typing import Any

from minigrad.layers import Input, Layer
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


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
) -> Model:
    """Return a new model of the same architecture, with new weights and not compiled.

    Parameters
    ----------
    model
        A `Sequential`, or one of inputs and outputs. A subclass is only cloned as a whole.
    input_tensors
        An `Input` to begin with, in place of a new one.
    clone_function
        From each layer to that which takes its place; by default a new one of the same config.
    call_function
        Called as ``call_function(layer, inputs)`` to get the output of each new layer.

    Raises
    ------
    ValueError
        If one of these is given for a model that is computed by its own `call`.

    Examples
    --------
    >>> from minigrad.layers import Dense
    >>> clone_model(Sequential([Dense(2, input_dim=3)])).count_params()
    8
    """
    if input_tensors is None and clone_function is None and call_function is None:
        return model.clone()
    if not model._is_drawn:
        raise ValueError(
            f"clone_model: model {model.name!r} is computed by its own call, so it can only be "
            "cloned as a whole, without further arguments"
        )
    copy = clone_function or (lambda layer: layer.from_config(layer.get_config()))
    copies = {id(layer): copy(layer) for layer in model.layers}
    if isinstance(model, Sequential) and call_function is None:
        first = [] if input_tensors is None else [only_one(input_tensors)]
        if not first and model.input_shape is not None:
            first = [Input(model.input_shape)]
        return Sequential([*first, *(copies[id(layer)] for layer in model.layers)], name=model.name)
    symbol = Input(model.input_shape) if input_tensors is None else only_one(input_tensors)
    call = call_function or (lambda layer, inputs: layer(inputs))
    output = Graph(model.input, model.output).compute(
        symbol, lambda layer, inputs: call(copies[id(layer)], inputs)
    )
    return Model(symbol, output, name=model.name)


def only_one(symbols: Any) -> Any:
    """Return a Symbol, out of the list that it may be alone in."""
    return symbols[0] if isinstance(symbols, list | tuple) and len(symbols) == 1 else symbols
