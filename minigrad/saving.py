"""Saving by its Keras names: ``minigrad.saving.load_model``; see `minigrad.training.saving`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.serialization import (
    REGISTRIES,
    custom_object_scope,
    get_custom_objects,
    register_keras_serializable,
)
from minigrad.suggestions import speak_up
from minigrad.training.saving import load as load_model
from minigrad.training.saving import load_weights, save_weights
from minigrad.training.saving import save as save_model

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

CustomObjectScope = custom_object_scope


def serialize_keras_object(obj: Any) -> Any:
    """Return the config of an object of any kind; lists and dicts of them are gone through.

    Examples
    --------
    >>> from minigrad import regularizers
    >>> serialize_keras_object(regularizers.L2(0.5))
    {'module': 'minigrad.regularizers', 'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, np.generic | np.ndarray):
        return obj.tolist()
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(part) for part in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(part) for key, part in obj.items()}
    for registry in REGISTRIES:
        if registry.knows(obj) or registry.knows(type(obj)):
            return {"module": f"minigrad.{registry.plural}", **registry.serialize(obj)}
    return {"module": None, **REGISTRIES[0].serialize(obj)}


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Return what `serialize_keras_object` described, or Keras' function of that name.

    No config is ever run as code, with `safe_mode` and without it.

    Examples
    --------
    >>> deserialize_keras_object({"module": "keras.regularizers", "class_name": "L2",
    ...                           "config": {"l2": 0.5}, "registered_name": None})
    L2(l2=0.5)
    """
    with custom_object_scope(custom_objects):
        if isinstance(config, list):
            return [deserialize_keras_object(part) for part in config]
        if not isinstance(config, dict):
            return config
        if "class_name" not in config:
            return {key: deserialize_keras_object(part) for key, part in config.items()}
        name, settings = config["class_name"], config.get("config")
        if name == "function" and isinstance(settings, str):  # as Keras writes one
            name, settings = settings, None
        kinds = (config.get("module") or "").split(".")
        fitting = [registry for registry in REGISTRIES if registry.plural in kinds] or REGISTRIES
        best = next((registry for registry in fitting if registry.knows_name(name)), fitting[0])
        return best.deserialize({"class_name": name, "config": settings})


speak_up(__name__)
