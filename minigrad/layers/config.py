"""What a layer's config holds: the arguments of its constructor, as JSON can hold them."""

from __future__ import annotations

import functools
import inspect
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import activations, constraints, initializers, regularizers, seeds
from minigrad.signatures import arguments_of

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
    """Return the arguments that make a layer again.

    Those of this package's constructors are what the layer keeps under their names. A user's class
    may keep something else there, so that its own are what it was given, unless it says itself; one
    that was changed since is what it is now.
    """
    made_of = getattr(layer, "_given", functools.partial(type(layer)))
    ours, own = arguments_of(type(layer), made_of.keywords)
    found = {name: layer._setting(name) for name in ours}
    found = {name: value for name, value in found.items() if value is not UNKNOWN}
    if own:
        signature = inspect.signature(type(layer))
        given = signature.bind_partial(*made_of.args).arguments | made_of.keywords
        try:
            told = {name: described(name, given[name]) for name in own if name in given}
            defaults = {n: p.default for n, p in signature.parameters.items() if n in own}
            json.dumps(told := told | _changed(layer, defaults | told))
        except TypeError as error:
            raise ValueError(
                f"layer {layer.name!r} must define get_config() to be saved, as it was made of "
                f"more than numbers and words: {error}"
            ) from None
        found |= told
    return found


def _changed(layer: Layer, given: dict[str, Any]) -> dict[str, Any]:
    """Return what was set since the layer was made, where it keeps its own arguments as given."""
    first = {name: _written(name, value) for name, value in given.items()}
    now = {name: _written(name, vars(layer)[name]) for name in given if name in vars(layer)}
    differ = [name for name in now if now[name] not in (None, first[name])]
    with seeds.undisturbed():  # to see what the constructor alone makes of them
        made = vars(layer._given()) if differ else {}
    changed = {
        name: made.get(name) for name in differ if _written(name, made.get(name)) != now[name]
    }
    for name, value in changed.items():
        if _written(name, value) != first[name]:
            raise ValueError(
                f"layer {layer.name!r} must define get_config() to be saved: its {name} was "
                f"changed to {now[name]}, and what its constructor would make that of is not known"
            )
    return {name: json.loads(now[name] or "null") for name in changed}


def _written(name: str, value: Any) -> str | None:
    """Return an argument as text to compare it by, or None for more than numbers and words."""
    try:
        return json.dumps(described(name, value), default=lambda array: array.tolist())
    except (AttributeError, TypeError, ValueError):
        return None


def described(name: str, value: Any) -> Any:
    """Return an argument as it stands in a config, by what its name ends with."""
    part = _PARTS.get(name.rpartition("_")[2])
    if part is not None and value is not UNKNOWN and not isinstance(value, str | dict):
        return part.serialize(value)
    return value.name if isinstance(value, np.dtype) else value
