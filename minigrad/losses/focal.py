"""Focal losses: cross-entropies in which what is already right counts for little."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import boolean, number
from minigrad.engine import Tensor
from minigrad.losses.crossentropy import CrossEntropy, check_classes
from minigrad.losses.loss import SMALLEST, function_of, mean_of_last_axis, registry
from minigrad.ops.neural import sigmoid, softmax


class Focal(CrossEntropy):
    """Base of the focal losses: ``(1 − p)^γ`` times a cross-entropy, p being what is right.

    Parameters
    ----------
    alpha
        A weight: of all classes, or of class 1 where there are two.
    gamma
        γ, 0 or larger: how fast samples that are right stop to count. 0 is the cross-entropy.
    from_logits, label_smoothing, axis, reduction, name, dtype
        See `CrossEntropy`.

    References
    ----------
    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017.
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = number(type(self).__name__, "alpha", alpha)
        self.gamma = number(type(self).__name__, "gamma", gamma, least=0)

    def _focused(self, right: Tensor, entropy: Tensor) -> Tensor:
        # Without γ no power: the derivative of 0⁰ would be nan.
        return entropy * (1 - right) ** self.gamma if self.gamma else entropy

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}


@registry.register()
class BinaryFocalCrossentropy(Focal):
    """Mean of ``−(1 − p)^γ ln p``, p being the probability of the right one of two classes.

    Parameters are those of `Focal`, and

    apply_class_balancing
        Whether class 1 has weight α, and class 0 the weight 1 − α.

    Examples
    --------
    >>> round(float(BinaryFocalCrossentropy()([[1.0, 0.0]], [[0.9, 0.2]])), 6)
    0.00499
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        **more: Any,
    ) -> None:
        super().__init__(alpha, gamma, **more)
        self.apply_class_balancing = boolean(
            type(self).__name__, "apply_class_balancing", apply_class_balancing
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        t = self._smoothed(y_true, classes=2)
        p = np.clip(sigmoid(y_pred) if self.from_logits else y_pred, SMALLEST, 1 - SMALLEST)
        entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p))
        values = self._focused(t * p + (1 - t) * (1 - p), entropy)
        if self.apply_class_balancing:
            values = values * (t * self.alpha + (1 - t) * (1 - self.alpha))
        return mean_of_last_axis(values)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "apply_class_balancing": self.apply_class_balancing}


@registry.register()
class CategoricalFocalCrossentropy(Focal):
    """``−α Σ t (1 − p)^γ ln p`` over the classes, for one-hot targets; see `Focal`.

    Examples
    --------
    >>> loss = CategoricalFocalCrossentropy()
    >>> round(float(loss([[0.0, 1.0, 0.0]], [[0.05, 0.8, 0.15]])), 6)
    0.002231
    """

    def match(self, y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
        target, prediction = super().match(y_true, y_pred)
        check_classes(type(self).__name__, prediction)
        return target, prediction

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        t = self._smoothed(y_true, classes=y_pred.shape[-1])
        p = softmax(y_pred) if self.from_logits else y_pred
        p = np.clip(p / np.sum(p, axis=-1, keepdims=True), SMALLEST, 1 - SMALLEST)
        return self.alpha * np.sum(self._focused(p, -t * np.log(p)), axis=-1)


@function_of(BinaryFocalCrossentropy)
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """``−(1 − p)^γ ln p``, a mean for each sample; see `BinaryFocalCrossentropy`."""
    more = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
    return BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, **more).each(y_true, y_pred)


@function_of(CategoricalFocalCrossentropy)
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """``−α Σ t (1 − p)^γ ln p``, a value for each sample; see `CategoricalFocalCrossentropy`."""
    settings = alpha, gamma, from_logits, label_smoothing, axis
    return CategoricalFocalCrossentropy(*settings).each(y_true, y_pred)
