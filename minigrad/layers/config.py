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


def is_ours(kind: Any) -> bool:
    """Whether a class is this package's, and not a user's."""
    return str(getattr(kind, "__module__", "")).partition(".")[0] == __name__.partition(".")[0]


def config_of(layer: Layer) -> dict[str, Any]:
    """Return the arguments that make a layer again.

    Those of this package's constructors are what the layer keeps under their names. A user's class
    may keep something else there, so that its own are what it was given, unless it says itself.
    """
    kinds = type(layer).__mro__
    ours = {
        name
        for kind in kinds
        if "__init__" in vars(kind) and is_ours(kind)
        for name in inspect.signature(vars(kind)["__init__"]).parameters
    }
    signature = inspect.signature(type(layer))
    names = [p.name for p in signature.parameters.values() if p.kind is not p.VAR_POSITIONAL]
    found = {name: layer._setting(name) for name in names if name in ours}
    found = {name: value for name, value in found.items() if value is not UNKNOWN}
    definer = next(kind for kind in kinds if "get_config" in vars(kind))
    if is_ours(definer) and not is_ours(type(layer)):
        given = signature.bind_partial(*layer._given.args, **layer._given.keywords).arguments
        found |= {name: described(name, given[name]) for name in given if name not in ours}
        try:
            json.dumps(found)
        except TypeError as error:
            raise ValueError(
                f"layer {layer.name!r} must define get_config() to be saved, as it was made of "
                f"more than numbers and words: {error}"
            ) from None
    return found


def described(name: str, value: Any) -> Any:
    """Return an argument as it stands in a config, by what its name ends with."""
    part = _PARTS.get(name.rpartition("_")[2])
    if part is not None and value is not UNKNOWN and not isinstance(value, str | dict):
        return part.serialize(value)
    return value.name if isinstance(value, np.dtype) else value
