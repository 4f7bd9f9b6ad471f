"""The regularizer slots of a layer: attributes that validate what is assigned to them."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from minigrad import regularizers
from minigrad.suggestions import nearest

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

# Names that other frameworks, or earlier versions of them, used.
_OLD_NAMES = {
    "weight_regularizer": "kernel_regularizer",
    "weights_regularizer": "kernel_regularizer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "output_regularizer": "activity_regularizer",
    "init": "kernel_initializer",
    "output_dim": "units",
}


class RegularizerSlot:
    """A descriptor: ``layer.kernel_regularizer = "l2"`` stores ``L2()``, checked at once.

    Parameters
    ----------
    target
        What is penalised: ``"kernel"``, ``"bias"`` or another weight's name, or ``"activity"``.
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
            kind = type(error)
            raise kind(f"layer {layer.name!r}: {self._name}: {error}") from error


def reject_unknown(owner: str, unknown: dict[str, Any], known: list[str]) -> None:
    """Raise for keywords that a layer does not know, saying which was probably meant."""
    for name in unknown:
        meant = _OLD_NAMES.get(name)
        if meant not in known:
            near = nearest(name, known, 1, cutoff=0.6)
            meant = near[0] if near else None
        hint = f" Did you mean {meant!r}?" if meant else f" Known: {', '.join(known)}"
        raise TypeError(f"{owner} takes no argument {name!r}.{hint}")


def reject_misspelt_slot(layer: Layer, name: str) -> None:
    """Raise if an attribute that is being set looks like a regularizer slot but is none.

    It does if it ends like one, or is spelt almost like one that the layer has; but not if its own
    class speaks of it, as one does that keeps a regularizer for `add_weight`.
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
    is_near = not name.startswith("_") and nearest(name, slots, 1, cutoff=0.8)
    if not is_near and not name.endswith("regularizer"):
        return
    meant = _OLD_NAMES.get(name)
    if meant not in slots:
        meant = next(iter(nearest(name, slots, 1, cutoff=0.6)), None)
    hint = f" Did you mean {meant!r}?" if meant else ""
    raise AttributeError(
        f"{type(layer).__name__} {layer.name!r} has no {name!r}.{hint} It has: {', '.join(slots)}"
    )
