"""What a layer's config holds: the arguments of its constructor, as JSON can hold them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import activations, constraints, initializers, regularizers

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

UNKNOWN = object()  # an argument that the layer does not keep under its name

_PARTS: dict[str, Any] = {
    "activation": activations,
    "constraint": constraints,
    "initializer": initializers,
    "regularizer": regularizers,
}


def config_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments of this package's constructors that the layer's own takes."""
    package = __name__.partition(".")[0]
    ours = {
        name
        for kind in type(layer).__mro__
        if "__init__" in vars(kind) and kind.__module__.partition(".")[0] == package
        for name in inspect.signature(vars(kind)["__init__"]).parameters
    }
    settings = {
        name: layer._setting(name)
        for name, parameter in inspect.signature(type(layer)).parameters.items()
        if name in ours and parameter.kind is not parameter.VAR_POSITIONAL
    }
    return {name: value for name, value in settings.items() if value is not UNKNOWN}


def described(name: str, value: Any) -> Any:
    """Return an argument as it stands in a config, by what its name ends with."""
    part = _PARTS.get(name.rpartition("_")[2])
    if part is not None and value is not UNKNOWN:
        return part.serialize(value)
    return value.name if isinstance(value, np.dtype) else value
