"""The regularizer slots of a layer: attributes that validate what is assigned to them."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from minigrad import regularizers
from minigrad.signatures import meant_by
from minigrad.suggestions import nearest

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer


class RegularizerSlot:
    """A descriptor: ``layer.kernel_regularizer = "l2"`` stores ``L2()``, checked at once.

    Its `target` is what is penalised: a weight's name, such as ``"kernel"``, or ``"activity"``.
    """

    def __init__(self, target: str) -> None:
        self.target = target

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Layer | None, owner: type) -> Any:
        return self if layer is None else layer._regularizers.get(self.target)

    def __set__(self, layer: Layer, value: Any) -> None:
        try:
            layer._regularizers[self.target] = regularizers.get(value)
        except (ValueError, TypeError) as error:
            raise type(error)(f"layer {layer.name!r}: {self._name}: {error}") from error


def reject_misspelt(layer: Layer, name: str) -> None:
    """Raise if an attribute that is being set looks like a regularizer slot, or `trainable`.

    It does if it ends like a slot, or is spelt almost like one that the layer has; but not if its
    own class speaks of it, as one does that keeps a regularizer for `add_weight`.
    """
    own_methods = [m for kind in type(layer).__mro__ for m in vars(kind).values()]
    if any(name in m.__code__.co_names for m in own_methods if isinstance(m, FunctionType)):
        return
    slots = sorted(
        attribute
        for kind in type(layer).__mro__
        for attribute, value in vars(kind).items()
        if isinstance(value, RegularizerSlot)
    )
    freezes = nearest(name, ["trainable", "requires_grad"], 1, cutoff=0.8)
    near = freezes or nearest(name, slots, 1, cutoff=0.8)
    if (not near or name.startswith("_")) and not name.endswith("regularizer"):
        return
    hint = " Did you mean 'trainable'?" if freezes else meant_by(name, slots)
    raise AttributeError(f"{type(layer).__name__} {layer.name!r} has no {name!r}.{hint}")
