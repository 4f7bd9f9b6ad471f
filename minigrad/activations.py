"""Activations by name. Their derivative rules stand beside their forwards, in `minigrad.ops`."""

import math
from typing import Any

import numpy as np

from minigrad.checks import above_zero
from minigrad.ops import neural
from minigrad.ops.neural import (
    elu,
    gelu,
    hard_sigmoid,
    leaky_relu,
    log_softmax,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
)
from minigrad.ops.plain import without_derivative
from minigrad.serialization import Registry
from minigrad.suggestions import speak_up

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear",
    "log_sigmoid", "log_softmax", "mish", "name_of", "relu", "relu6", "selu", "serialize",
    "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

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


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """X above `threshold`, else ``negative_slope · (x − threshold)``; at most `max_value`.

    By default max(x, 0). At a kink the derivative is that of the left side, so relu′(0) is 0.

    Examples
    --------
    >>> relu(np.array([-2.0, 3.0, 9.0]), negative_slope=0.5, max_value=6).tolist()
    [-1.0, 3.0, 6.0]
    """
    if negative_slope or threshold:
        # Without a slope not 0 · (x − threshold), which would be nan for x = −∞.
        below = negative_slope * (x - threshold) if negative_slope else 0.0
        z = np.where(x <= threshold, below, x)
    else:
        z = neural.relu(x)
    return z if max_value is None else np.clip(z, None, max_value)


def relu6(x: Any) -> Any:
    """Min(max(x, 0), 6)."""
    return relu(x, max_value=6.0)


def hard_tanh(x: Any) -> Any:
    """Clip(x, −1, 1)."""
    return np.clip(x, -1, 1)


def sparse_sigmoid(x: Any) -> Any:
    """Clip((x + 1) / 2, 0, 1): the derivative of `sparse_plus`."""
    return np.clip(0.5 * (x + 1), 0, 1)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """X where |x| > `threshold`, else 0."""
    return np.where(np.abs(x) > threshold, x, 0.0)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """X brought nearer to 0 by `threshold`, and 0 where |x| is no larger: the step of L1."""
    return np.where(np.abs(x) > threshold, x - np.clip(x, -threshold, threshold), 0.0)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """X where x > `threshold`, else `default_value`."""
    return np.where(x > threshold, x, default_value)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """X for x > 0, else α (e^(x / α) − 1): an ELU whose slope is 1 at 0 for every α."""
    alpha = above_zero("celu", "alpha", alpha)
    return alpha * elu(x / alpha)


def log_sigmoid(x: Any) -> Any:
    """Ln σ(x) = −softplus(−x), without the underflow of taking the logarithm afterwards."""
    return -softplus(-x)


def mish(x: Any) -> Any:
    """X tanh(softplus(x)) (Misra 2019)."""
    return x * np.tanh(softplus(x))


def hard_silu(x: Any) -> Any:
    """X clip(x / 6 + ½, 0, 1): a silu of straight lines and a parabola (Howard et al. 2019)."""
    return x * hard_sigmoid(x)


def tanh_shrink(x: Any) -> Any:
    """X − tanh(x)."""
    return x - np.tanh(x)


def squareplus(x: Any, b: float = 4.0) -> Any:
    """(x + √(x² + b)) / 2: like softplus, without an exponential (Barron 2021)."""
    length = np.hypot(x, math.sqrt(above_zero("squareplus", "b", b)))  # x² could overflow
    # Below 0 the sum would cancel; (x + l)(l − x) = b.
    return 0.5 * np.where(x >= 0, x + length, b / (length - np.minimum(x, 0)))


def sparse_plus(x: Any) -> Any:
    """0 up to −1, ((x + 1) / 2)² up to 1, and x from there on."""
    return np.square(sparse_sigmoid(x)) + neural.relu(x - 1)


def glu(x: Any, axis: int = -1) -> Any:
    """A σ(b), for the two halves a and b of x along `axis` (Dauphin et al. 2016)."""
    if np.shape(x)[axis] % 2:
        raise ValueError(f"glu: axis {axis} must be of even length. Received: shape {np.shape(x)}")
    values, gates = np.split(x, 2, axis=axis)
    return values * sigmoid(gates)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """Max(x − τ, 0), with the τ that makes their sum 1 (Martins and Astudillo 2016).

    Examples
    --------
    >>> sparsemax(np.array([2.0, 1.5, -1.0])).tolist()
    [0.75, 0.25, 0.0]
    """
    share = without_derivative(_shares_of_the_large, x, axis=axis)
    # τ = (Σ of the large − 1) / how many they are
    mean = np.sum(share * x, axis=axis, keepdims=True)
    return neural.relu(x - mean + np.max(share, axis=axis, keepdims=True))


def _shares_of_the_large(x: Any, axis: int) -> Any:
    """Return 1 / n at the n numbers that sparsemax leaves above 0, and 0 elsewhere."""
    x = np.moveaxis(x - np.max(x, axis=axis, keepdims=True), axis, -1)  # 1 + 1e15 would be 1e15
    ordered = -np.sort(-x, axis=-1)
    ranks = np.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    number = np.sum(1 + ranks * ordered > np.cumsum(ordered, axis=-1), axis=-1, keepdims=True)
    least = np.take_along_axis(ordered, number - 1, axis=-1)
    return np.moveaxis((x >= least) / number.astype(x.dtype), -1, axis)


swish = silu
hard_swish = hard_silu

_registry = Registry("activation", returns_functions=True)
for _name in __all__:
    if _name not in ("deserialize", "get", "name_of", "serialize"):
        _registry.add(_name, globals()[_name])


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
