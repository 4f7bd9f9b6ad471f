"""Which penalties belong to which forward pass.

A pass is the call of an outermost layer. Penalties that arise in it are gathered with the path of
their layer, and kept by every layer that took part, once the whole pass has succeeded. So `losses`
always belongs to one pass: a new one replaces the terms, and a failed one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from minigrad.engine import Tensor, is_recording

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

# A term's path relative to the layer that keeps it, such as ("encoder", "codings", "activity").
Path = tuple[str, ...]
Addend = tuple[Path, Tensor]
# Inputs and outputs of the layers that somebody wants to see, call by call, by the layer's id.
Watched = dict[int, list[tuple[Any, Any]]]


class Frame:
    """One call of a layer: the addends that arose in it, and in the layers that it called."""

    __slots__ = ("addends", "layer", "outer", "participants", "training", "watched")

    # Shared by all frames of a pass: who shall remember what, in the order of the calls.
    participants: list[tuple[Layer, list[Addend]]]

    def __init__(
        self, layer: Layer, outer: Frame | None, training: bool | None, watched: Watched | None
    ) -> None:
        self.layer = layer
        self.outer = outer
        self.addends: list[Addend] = []
        if outer is None:
            self.participants = []
            self.training = bool(training)
            self.watched = watched
        else:
            self.participants = outer.participants
            self.training = outer.training if training is None else bool(training)
            self.watched = outer.watched

    def add(self, name: str, value: Tensor) -> None:
        """Note a penalty of this frame's own layer."""
        self.addends.append(((name,), value))


_CURRENT: ContextVar[Frame | None] = ContextVar("minigrad_frame", default=None)


def current_frame() -> Frame | None:
    """Return the innermost layer call that is going on, if any."""
    return _CURRENT.get()


def enter(
    layer: Layer, training: bool | None = None, watched: Watched | None = None
) -> tuple[Frame, Any]:
    """Begin a call of `layer`; see `Layer.run`."""
    frame = Frame(layer, _CURRENT.get(), training, watched)
    return frame, _CURRENT.set(frame)


@contextmanager
def apart() -> Iterator[None]:
    """Keep calls made inside out of the pass that is going on, so that they add nothing to it."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def leave(frame: Frame, token: Any, succeeded: bool) -> None:
    """End a call: hand its addends outwards and, at the end of the pass, to all who took part."""
    _CURRENT.reset(token)
    if not succeeded:
        return
    frame.participants.append((frame.layer, frame.addends))
    if frame.outer is not None:
        name = frame.layer.name
        frame.outer.addends.extend(((name, *path), value) for path, value in frame.addends)
    elif is_recording():
        _commit(frame.participants)


def _commit(participants: list[tuple[Layer, list[Addend]]]) -> None:
    """Replace what each layer remembers; one that was called twice keeps both calls' addends."""
    remembered: dict[int, list[Addend]] = {}
    for layer, addends in participants:
        remembered.setdefault(id(layer), []).extend(addends)
    for layer, _ in participants:
        vars(layer)["_addends"] = remembered[id(layer)]  # past __setattr__, as it is done so often
