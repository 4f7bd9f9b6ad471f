"""What a layer's config holds: the arguments of its constructor, as JSON can hold them."""

from __future__ import annotations

import inspect
import json
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


def is_ours(kind: type) -> bool:
    """Whether a class is this package's, and not a user's."""
    return str(getattr(kind, "__module__", "")).partition(".")[0] == __name__.partition(".")[0]


class Given:
    """What a user's layer was made of; no dict, as layers in it are not yet its own."""

    def __init__(self, kind: type, by_place: tuple[Any, ...], by_name: dict[str, Any]) -> None:
        try:
            self.arguments = inspect.signature(kind).bind(*by_place, **by_name).arguments
        except TypeError:  # which the constructor says in better words
            self.arguments = {}


def config_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments that make a layer again.

    Those of this package's constructors are what the layer keeps under their names. A user's class
    may keep something else there, so that its own are what it was given.
    """
    ours = {
        name
        for kind in type(layer).__mro__
        if "__init__" in vars(kind) and is_ours(kind)
        for name in inspect.signature(vars(kind)["__init__"]).parameters
    }
    settings = {
        name: layer._setting(name)
        for name, parameter in inspect.signature(type(layer)).parameters.items()
        if name in ours and parameter.kind is not parameter.VAR_POSITIONAL
    }
    settings = {name: value for name, value in settings.items() if value is not UNKNOWN}
    if not is_ours(type(layer)) and is_ours(_definer_of_get_config(type(layer))):
        given = layer._given.arguments
        settings |= {name: described(name, given[name]) for name in given if name not in ours}
        try:
            json.dumps(settings)
        except TypeError as error:
            raise ValueError(
                f"layer {layer.name!r} must define get_config() to be saved, as it was made of "
                f"more than numbers and words: {error}"
            ) from None
    return settings


def _definer_of_get_config(kind: type) -> type:
    return next(base for base in kind.__mro__ if "get_config" in vars(base))


def described(name: str, value: Any) -> Any:
    """Return an argument as it stands in a config, by what its name ends with."""
    part = _PARTS.get(name.rpartition("_")[2])
    if part is not None and value is not UNKNOWN:
        return part.serialize(value)
    return value.name if isinstance(value, np.dtype) else value
