"""Activations by name. Their derivative rules stand beside their forwards, in `minigrad.ops`."""

from typing import Any

import numpy as np

from minigrad.ops.neural import (
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from minigrad.serialization import Registry
from minigrad.suggestions import speak_up

__all__ = [
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "leaky_relu",
    "linear",
    "log_softmax",
    "name_of",
    "relu",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

speak_up(__name__)


def linear(x: Any) -> Any:
    """Return `x` itself."""
    return x


def tanh(x: Any) -> Any:
    """(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ): squeezes into (−1, 1)."""
    return np.tanh(x)


def exponential(x: Any) -> Any:
    """eˣ."""
    return np.exp(x)


def softsign(x: Any) -> Any:
    """X / (1 + |x|)."""
    return x / (1 + np.abs(x))


_registry = Registry("activation", returns_functions=True)
for _function in (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    leaky_relu,
    linear,
    log_softmax,
    selu,
    softmax,
    softsign,
    tanh,
):
    _registry.register()(_function)
# These are primitives, which carry a name but are no functions.
_registry.add("relu", relu)
_registry.add("sigmoid", sigmoid)
_registry.add("silu", silu)
_registry.add("swish", silu)
_registry.add("softplus", softplus)

deserialize = _registry.deserialize


def get(identifier: Any) -> Any:
    """Return the activation that a name or callable stands for; None stands for `linear`.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known ones.
    TypeError
        For anything that is neither.

    Examples
    --------
    >>> get("linear")(3.0)
    3.0
    """
    return linear if identifier is None else _registry.get(identifier)


def serialize(activation: Any) -> Any:
    """Return the name of a known activation, or the config of a registered one."""
    config = _registry.serialize(activation)
    known = isinstance(config, dict) and config["config"] is None
    return config["class_name"] if known else config


def name_of(activation: Any) -> str:
    """Return what to call an activation in a summary."""
    return str(getattr(activation, "name", None) or getattr(activation, "__name__", "custom"))
