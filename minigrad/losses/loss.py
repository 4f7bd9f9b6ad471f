"""Loss: how far predictions are from targets; a value for each sample, and one for the batch."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from minigrad.checks import one_of
from minigrad.engine import Tensor
from minigrad.ops.conversion import as_float_tensor
from minigrad.serialization import Registry
from minigrad.signatures import FullSignature

registry = Registry("loss", returns_functions=True)
get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")
SMALLEST = 1e-7  # what Keras, too, keeps arguments of logarithms above


class Loss:
    """Base of the losses. A subclass defines `call`, which returns a value for each sample.

    Parameters
    ----------
    reduction
        What becomes of the samples' values, each times its weight: ``"sum_over_batch_size"`` or
        ``"mean"`` (their sum divided by how many they are, so that twice the weight is twice the
        pull), ``"mean_with_sample_weight"`` (divided by the sum of the weights), ``"sum"``, or
        ``"none"`` (nothing: the values themselves).
    name
        By default the class's name in small letters.

    Raises
    ------
    ValueError
        For another reduction; or, when called, if shapes differ, the batch is empty, or there is
        not a weight for each sample.

    Examples
    --------
    >>> class Quartic(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ((y_pred - y_true) ** 4).mean(axis=-1)
    >>> Quartic()([[0.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 0.0]])
    Tensor(4.5)
    >>> Quartic(reduction="none")([[0.0, 0.0]], [[2.0, 0.0]], sample_weight=[0.5]).tolist()
    [4.0]
    """

    __signature__ = FullSignature()

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = None):
        kind = type(self).__name__
        given = "none" if reduction is None else reduction
        self.reduction = one_of(kind, "reduction", given, REDUCTIONS)
        self.name = kind if name is None else name

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return a value for each sample, from Tensors of one dtype: (batch, …) → (batch, …)."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, y_true, y_pred)")

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the mean over the batch: where a loss knows a shorter way, it is here."""
        return self.call(y_true, y_pred).mean()

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        """Return targets and predictions as Tensors that fit together; see `same_shape`."""
        return same_shape(type(self).__name__, y_true, y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        y_true, y_pred : array_like
            Targets and predictions.
        sample_weight : array_like, optional
            Of shape (batch,), or of the shape of the samples' values.
        """
        target, prediction = self.match(y_true, y_pred)
        if sample_weight is None and self.reduction not in ("sum", "none"):
            return self.mean(target, prediction)
        return reduce(self.call(target, prediction), sample_weight, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the loss that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items() if k != "name")
        return f"{type(self).__name__}({arguments})"


def same_shape(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Return targets and predictions as float Tensors of one shape.

    Targets of shape (batch,) count as a column for predictions of shape (batch, 1).

    Raises
    ------
    ValueError
        If the shapes differ (broadcasting them would be silently wrong) or there are no samples.
    """
    prediction = as_float_tensor(y_pred)
    target = as_float_tensor(y_true, prediction.dtype)
    if target.ndim == prediction.ndim - 1 and prediction.shape == (*target.shape, 1):
        target = target.reshape(prediction.shape)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{name}: targets and predictions must have the same shape. "
            f"Received: targets {target.shape}, predictions {prediction.shape}"
        )
    refuse_empty(name, prediction)
    return target, prediction


def refuse_empty(name: str, prediction: Tensor) -> None:
    """Raise if there is nothing to take a mean of."""
    if prediction.size == 0:
        raise ValueError(
            f"{name}: the batch is empty (shape {prediction.shape}); pass at least one sample"
        )


def mean_of_last_axis(values: Any) -> Tensor:
    """Return a value for each sample; predictions of shape (batch,) have it already."""
    return values.mean(axis=-1) if values.ndim > 1 else values


def reduce(values: Tensor, sample_weight: Any, reduction: str) -> Tensor:
    """Return what a reduction makes of samples' values and their weights; see `Loss`.

    Raises
    ------
    ValueError
        If there is not a weight for each sample.
    """
    divisor: float = values.size
    if sample_weight is not None:
        weights = as_float_tensor(sample_weight, values.dtype)
        if weights.shape == (*values.shape[:1], 1) and values.ndim == 1:
            weights = weights.reshape(values.shape)
        if not 0 < weights.ndim <= values.ndim or values.shape[: weights.ndim] != weights.shape:
            raise ValueError(
                f"sample_weight must hold a weight for each of {values.shape[0]} samples. "
                f"Received: shape {weights.shape}"
            )
        values = values * weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
        if reduction == "mean_with_sample_weight":
            divisor = float(weights.sum()) * values.size / weights.size
            if divisor == 0:
                raise ValueError("sample_weight: all weights are 0, so there is no weighted mean")
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    return values.mean() if divisor == values.size else values.sum() / divisor


def weighted_mean(values: Tensor, sample_weight: Any) -> Tensor:
    """Return the mean of samples' values, each times its weight.

    Raises
    ------
    ValueError
        If there is not a weight for each sample.
    """
    return reduce(values, sample_weight, "sum_over_batch_size")


def takes_weights(loss: Any) -> bool:
    """Whether a loss has a ``sample_weight`` argument."""
    code = getattr(loss, "__code__", None) or getattr(type(loss).__call__, "__code__", None)
    if code is None:
        return False
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return "sample_weight" in names


def only_logits_or_probabilities(owner: str, from_logits: Any) -> bool:
    """Return whether predictions are logits.

    Raises
    ------
    ValueError
        For anything but True and False.
    """
    if not isinstance(from_logits, bool | np.bool_):
        raise ValueError(
            f"{owner}: from_logits must be True or False. Received: from_logits={from_logits!r}"
        )
    return bool(from_logits)
