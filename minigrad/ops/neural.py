"""Ops of neural networks that NumPy does not have: activations and the fused Dense step."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from minigrad.engine.blocks import BLOCK, in_blocks
from minigrad.engine.primitive import Primitive
from minigrad.engine.tensor import Tensor
from minigrad.ops.elementwise import where
from minigrad.ops.reductions import row_of, sum_rows


def _dense(x: Any, kernel: Any, bias: Any) -> Any:
    if kernel.ndim != 2 or bias.ndim != 1:
        raise ValueError("expected a kernel (N, M) and a bias (M,)")
    z = np.matmul(x, kernel)  # (…, N) · (N, M) → (…, M)
    z += bias
    return z


def _rows(x: Any) -> Any:
    """All axes but the last laid out in one: (…, N) → (rows, N)."""
    return x if x.ndim == 2 else x.reshape((-1, x.shape[-1]))


def _in_one_piece(prepare: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return what prepares a call on arrays that lie in one piece, and leaves others to the op."""

    def prepared(x: Any, out: Any) -> Any:
        in_order = x.flags.c_contiguous and out.flags.c_contiguous and x.size > 0
        return prepare(x, out) if in_order else None

    return prepared


# x W + b in one op: one node on the tape, one temporary, and the three rules in one place.
dense = Primitive(
    _dense,
    lambda g, z, x, kernel, bias: np.matmul(g, np.transpose(kernel)),  # (…, M)·(M, N) → (…, N)
    lambda g, z, x, kernel, bias: np.matmul(np.transpose(_rows(x)), _rows(g)),  # → (N, M)
    lambda g, z, x, kernel, bias: sum_rows(_rows(g)),  # (rows, M) → (M,)
)


def _relu(x: Any) -> Any:
    if not isinstance(x, np.ndarray) or not x.flags.c_contiguous:
        return np.maximum(x, 0)
    z = np.empty_like(x)
    _prepared_relu(x, z)()
    return z


def _prepared_relu(x: Any, out: Any) -> Callable[[], None]:
    # Against a row of zeros, maximum is four times as fast as against the number 0, for which
    # NumPy has no vector instructions.
    parts = [
        (
            x.reshape(-1)[start : start + BLOCK],
            row_of(0, min(BLOCK, x.size - start), x.dtype),
            out.reshape(-1)[start : start + BLOCK],
        )
        for start in range(0, x.size, BLOCK)
    ]

    def call() -> None:
        for part, zeros, result in parts:
            np.maximum(part, zeros, out=result)

    return call


# relu'(0) = 0, as everywhere. By a choice, as g * 0 would be nan where g is infinite: √relu(x).
relu = Primitive(
    _relu, lambda g, z, x: where(z > 0, g, 0.0), name="relu", prepare=_in_one_piece(_prepared_relu)
)


class Squashing(Primitive):
    """An op that makes probabilities; they remember their logits, for a cross-entropy of them."""

    __slots__ = ()

    def __call__(self, x: Any, **options: Any) -> Any:
        z = super().__call__(x, **options)
        if isinstance(z, Tensor) and options.get("axis", -1) in (-1, z.ndim - 1):
            logits = x._twin()
            if z._node is None:  # where nothing was recorded, no gradient may come to x either
                logits._node = None
            z._logits = (self, logits)
        return z


def _sigmoid(x: Any) -> Any:
    if isinstance(x, np.ndarray) and x.flags.c_contiguous and x.size >= BLOCK:
        z = np.empty_like(x)
        _prepared_sigmoid(x, z)()
        return z
    # 1 / (1 + ∞) = 0 is right. Through tanh, small values would be lost: σ(−20) = 2e-9, not 0.
    with np.errstate(over="ignore"):
        z = np.exp(-x)
    z += 1
    return np.divide(1, z, out=z if isinstance(z, np.ndarray) else None)


def _prepared_sigmoid(x: Any, out: Any) -> Callable[[], None]:
    one = np.ones((), x.dtype)
    parts = in_blocks(
        [
            partial(np.negative, x, out),
            partial(np.exp, out, out),
            partial(np.add, out, one, out),
            partial(np.divide, one, out, out),
        ]
    )

    def call() -> None:
        with np.errstate(over="ignore"):
            for part in parts:
                part()

    return call


sigmoid = Squashing(
    _sigmoid, lambda g, z, x: g * (z * (1 - z)), prepare=_in_one_piece(_prepared_sigmoid)
)
# ln(1 + eˣ), by a function that does not overflow.
softplus = Primitive(
    lambda x: np.logaddexp(x, np.zeros((), x.dtype)),
    lambda g, z, x: g * sigmoid(x),
    name="softplus",
)


def _softmax(x: Any, axis: int) -> Any:
    shifted = np.exp(x - np.max(x, axis=axis, keepdims=True))  # stable: no exponent above 0
    return shifted / np.sum(shifted, axis=axis, keepdims=True)


softmax_ = Squashing(
    _softmax,
    lambda g, z, x, axis: z * (g - np.sum(g * z, axis=axis, keepdims=True)),
)


def softmax(x: Any, axis: int = -1) -> Any:
    """eˣ / Σ eˣ along `axis`: positive numbers that add up to 1."""
    return softmax_(x, axis=axis)


def _log_softmax(x: Any, axis: int) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


log_softmax_ = Primitive(
    _log_softmax,
    lambda g, z, x, axis: g - np.exp(z) * np.sum(g, axis=axis, keepdims=True),
)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Ln softmax(x) along `axis`, without the underflow of taking the logarithm afterwards."""
    return log_softmax_(x, axis=axis)


silu = Primitive(
    lambda x: x * _sigmoid(x),
    lambda g, z, x: g * (sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    name="silu",
)


def _elu(x: Any, alpha: float) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


elu_ = Primitive(_elu, lambda g, z, x, alpha: np.where(x > 0, g, g * (z + alpha)))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """X for x > 0, else α (eˣ − 1)."""
    return elu_(x, alpha=alpha)


SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017, "Self-Normalizing Neural Networks"
SELU_SCALE = 1.0507009873554805


def selu(x: Any) -> Any:
    """Scaled ELU that keeps activations at mean 0 and variance 1 (Klambauer et al. 2017)."""
    return SELU_SCALE * elu_(x, alpha=SELU_ALPHA)


leaky_relu_ = Primitive(
    lambda x, negative_slope: np.where(x > 0, x, x * negative_slope),
    lambda g, z, x, negative_slope: np.where(x > 0, g, g * negative_slope),
    name="leaky_relu",
)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """X for x > 0, else x times `negative_slope`."""
    return leaky_relu_(x, negative_slope=negative_slope)


def _erf(x: Any) -> Any:
    # NumPy has no error function; Python's own, element by element, is exact to the last bits.
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x)).astype(x.dtype)


erf = Primitive(_erf, lambda g, z, x: g * (2 / math.sqrt(math.pi)) * np.exp(-x * x))


def gelu(x: Any, approximate: bool = False) -> Any:
    """X Φ(x), with Φ the normal distribution (Hendrycks and Gimpel 2016).

    With `approximate`, Φ is computed through tanh, which is faster and off by less than 0.001.
    """
    if approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def hard_sigmoid(x: Any) -> Any:
    """A sigmoid of three straight lines: clip(x / 6 + ½, 0, 1)."""
    return np.clip(x / 6 + 0.5, 0, 1)
