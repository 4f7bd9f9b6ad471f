"""Loss: how far predictions are from targets; a value for each sample, and one for the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.checks import checked_dtype, one_of, snake_case
from minigrad.engine import Node, Tensor
from minigrad.engine.taken import warn
from minigrad.ops.conversion import as_float_tensor
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting

registry = Registry("loss", returns_functions=True)
get = registry.get
serialize = registry.serialize
deserialize = registry.deserialize

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none")
SMALLEST = 1e-7  # what Keras, too, keeps arguments of logarithms above


def _reduction(owner: str, argument: str, value: Any) -> str:
    return one_of(owner, argument, "none" if value is None else value, REDUCTIONS)


def _dtype(owner: str, argument: str, value: Any) -> str | None:
    return None if value is None else checked_dtype(owner, value).name


class Loss(Configurable):
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
    dtype
        What predictions and targets are converted to; by default it is that of the predictions.

    Raises
    ------
    ValueError
        For another reduction or dtype; when called, for an empty batch or weights that do not fit.
        The losses of minigrad also refuse targets of another shape than the predictions.

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

    reduction = Setting(_reduction, "sum_over_batch_size")
    name = Setting(lambda kind, _, name: snake_case(kind) if name is None else name, None)
    dtype = Setting(_dtype, None)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return a value for each sample, from Tensors of one dtype: (batch, …) → (batch, …)."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, y_true, y_pred)")

    def mean(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the mean over the batch: where a loss knows a shorter way, it is here."""
        return self.call(y_true, y_pred).mean()

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        """Return targets and predictions as Tensors of one dtype; see `matched`."""
        return matched(type(self).__name__, y_true, y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        y_true, y_pred : array_like
            Targets and predictions.
        sample_weight : array_like, optional
            One for all, one for each sample, (batch,) or (batch, 1), or one for each of the
            samples' values, such as (batch, steps).
        """
        computed = isinstance(getattr(y_true, "_node", None), Node)
        if computed and not getattr(y_pred, "requires_grad", False):
            text = "targets have a gradient, and predictions have none: targets come first here"
            warn(f"{type(self).__name__}: {text}, predictions second.", UserWarning)
        if self.dtype is not None:
            y_pred = as_float_tensor(y_pred, np.dtype(self.dtype))
        target, prediction = self.match(y_true, y_pred)
        if sample_weight is None and self.reduction not in ("sum", "none"):
            return self.mean(target, prediction)
        values = self.call(target, prediction)
        return reduce(values, sample_weight, self.reduction, type(self).__name__)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this loss again."""
        config = super().get_config()
        if self.dtype is None:
            del config["dtype"]  # a loss of one's own need not know it
        return config

    def __repr__(self) -> str:
        shown = {"reduction": self.reduction, **self._shown()}
        del shown["name"]
        if self.dtype is None:
            del shown["dtype"]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


def as_function(kind: type[Loss], *names: str) -> Callable[..., Tensor]:
    """Return a loss as a function of ``(y_true, y_pred, sample_weight=None)``, known by `names`."""
    loss = kind()

    def function(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        return loss(y_true, y_pred, sample_weight)

    function.__name__ = function.__qualname__ = snake_case(kind.__name__)
    function.__module__ = kind.__module__
    function.__doc__ = f"{(kind.__doc__ or '').splitlines()[0]} See `{kind.__name__}`."
    registered: Callable[..., Tensor] = registry.register(*names)(function)
    return registered


class ShapedLoss(Loss):
    """Base of the losses whose targets have the shape of the predictions."""

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        return same_shape(type(self).__name__, y_true, y_pred)


def in_column(target: Any, prediction: Any) -> Any:
    """Return targets as a column, if predictions are one, or without it, if they are none.

    Else (batch,) and (batch, 1) would be broadcast like a row and a column.
    """
    shape, wanted = np.shape(target), np.shape(prediction)
    is_meant = target is not None and (wanted == (*shape, 1) or shape == (*wanted, 1))
    return np.reshape(target, wanted) if is_meant else target


def matched(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Return targets and predictions as float Tensors of one dtype; see `in_column`."""
    prediction = as_float_tensor(y_pred)
    target = as_float_tensor(y_true, prediction.dtype)
    if target.shape != prediction.shape:
        target = in_column(target, prediction)
    refuse_empty(name, prediction)
    return target, prediction


def same_shape(name: str, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Return them as `matched` does; raise if shapes differ, as broadcasting were a mistake."""
    target, prediction = matched(name, y_true, y_pred)
    if target.shape != prediction.shape:
        raise ValueError(
            f"{name}: targets and predictions must have the same shape. "
            f"Received: targets {target.shape}, predictions {prediction.shape}"
            f"{not_flat(target.shape, prediction.shape)}"
        )
    return target, prediction


def not_flat(targets: tuple[int, ...], predictions: tuple[int, ...]) -> str:
    """Return what may be wrong if predictions have places, or steps, that targets lack."""
    is_so = len(predictions) > max(len(targets), 2)
    return ". Is a Flatten() missing in the model, or a GlobalAveragePooling?" if is_so else ""


def refuse_empty(name: str, prediction: Tensor) -> None:
    """Raise if there is nothing to take a mean of."""
    if prediction.size == 0:
        raise ValueError(
            f"{name}: the batch is empty (shape {prediction.shape}); pass at least one sample"
        )


def mean_of_last_axis(values: Any) -> Any:
    """Return a value for each sample; predictions of shape (batch,) have it already."""
    return values.mean(axis=-1) if values.ndim > 1 else values


def laid_along(values: tuple[int, ...], weights: Any, owner: str) -> Any:
    """Return weights of all, of samples or of their parts, shaped to broadcast to `values`."""
    shape = weights.shape
    while len(shape) > len(values) and shape[-1] == 1:
        shape = shape[:-1]
    fits = len(shape) <= len(values)
    if not fits or any(n not in (1, m) for n, m in zip(shape, values, strict=False)):
        each = f"a weight for each of {values[0]} samples" if values else "one weight for the batch"
        raise ValueError(
            f"{owner}: sample_weight must hold {each}. Received: shape {weights.shape}, for values "
            f"of shape {values}"
        )
    return weights.reshape(shape + (1,) * (len(values) - len(shape)))


def reduce(values: Tensor, sample_weight: Any, reduction: str, owner: str = "the loss") -> Tensor:
    """Return what a reduction makes of samples' values and their weights; see `Loss`."""
    divisor: float = values.size
    if sample_weight is not None:
        weights = laid_along(values.shape, as_float_tensor(sample_weight, values.dtype), owner)
        values = values * weights
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
    """Return the mean of samples' values, each times its weight."""
    return reduce(values, sample_weight, "sum_over_batch_size")


def takes_weights(loss: Any) -> bool:
    """Whether a loss has a ``sample_weight`` argument."""
    code = getattr(loss, "__code__", None) or getattr(type(loss).__call__, "__code__", None)
    if code is None:
        return False
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return "sample_weight" in names
