"""PenaltyOwner: the penalties of a layer and of the layers inside of it, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Tensor, current_scope, is_recording, scope
from minigrad.engine.taken import LostGradientWarning, warn
from minigrad.layers import forward_pass
from minigrad.layers.loss_terms import LossTerms, as_penalty
from minigrad.layers.weights import WeightOwner

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer


class PenaltyOwner(WeightOwner):
    """What a layer has in common with every thing that is penalised; the base of `Layer`."""

    activity_regularizer: Any

    def _prepare_penalties(self) -> None:
        self._regularizers: dict[str, Any] = {}
        self._addends: list[forward_pass.Addend] = []
        self._told: set[Any] = set()  # what has been warned of

    # ---- where they arise ----------------------------------------------------------------------

    def add_loss(self, value: Any, name: str = "added") -> None:
        """Add a scalar of one's own to the loss, inside `call`: the term ``<layer>/<name>``."""
        frame = forward_pass.current_frame()
        if frame is None or frame.layer is not self:
            raise RuntimeError(
                f"layer {self.name!r}: add_loss belongs inside of call(), where it becomes a term "
                "of that forward pass"
            )
        if self._checked_name(name, "term") in ("activity", *self._weights):
            raise ValueError(
                f"layer {self.name!r}: add_loss needs a name of its own. Received: {name!r}, which "
                "a regularizer's term has"
            )
        frame.add(name, self._penalty(name, value, "add_loss", self.dtype))

    def _penalty(self, name: str, value: Any, source: Any, dtype: np.dtype[Any]) -> Tensor:
        """Return a value as a penalty; warn, once, if its gradient was lost on the way."""
        penalty = as_penalty(value, source, self.name, dtype)
        # Where no values were taken off the tape, a number is meant as a constant.
        is_lost = penalty._node is None and self._told and penalty._value and is_recording()
        if is_lost and name not in self._told:
            self._told.add(name)
            if current_scope() in self._told:  # the line that loses it has been named
                return penalty
            text = (
                f"layer {self.name!r}: the penalty {name!r} counts in the loss, but has no path to "
                "any weight, as values were taken off the tape. Compute it from tensors, with "
                "NumPy's functions. See docs/diagnoses.md#penalty-without-a-path."
            )
            warn(text, LostGradientWarning)
        return penalty

    def _penalise(self, output: Any, frame: forward_pass.Frame) -> None:
        """Take the activity penalty of an output, or of each part of it."""
        regularizer = self.activity_regularizer
        for part in output if isinstance(output, tuple | list) else (output,):
            batch_size = part.shape[0] if part.ndim else 1
            if batch_size == 0:
                penalty = part.sum()  # 0, rather than 0/0
            else:
                penalty = self._penalty("activity", regularizer(part), regularizer, part.dtype)
                if not getattr(regularizer, "averages_over_batch", False):
                    penalty = penalty / batch_size
            frame.add("activity", penalty)

    # ---- reading them --------------------------------------------------------------------------

    def weight_penalties(
        self, prefix: str = "", counted: set[int] | None = None
    ) -> Iterator[tuple[str, Tensor]]:
        """Compute the penalties of the trainable weights as they are now, with their names.

        A weight or layer that stands in several places pays once; `counted` remembers which.
        """
        counted = set() if counted is None else counted
        for name, weight in self._weights.items():
            regularizer = self._regularizers.get(name)
            if regularizer is not None and weight.trainable and id(weight) not in counted:
                counted.add(id(weight))
                with scope(f"{prefix}{name}", self._told):
                    penalty = self._penalty(name, regularizer(weight), regularizer, weight.dtype)
                yield f"{prefix}{name}", penalty
        for layer in self.sublayers():
            yield from layer.weight_penalties(f"{prefix}{layer.name}/", counted)

    def penalties(
        self, addends: list[forward_pass.Addend] | None = None
    ) -> list[tuple[str, Tensor]]:
        """Return all penalties with their names, in the order of the layers.

        Those of outputs are of the last forward pass with gradients, unless another one's
        `addends` are given.
        """
        outputs = [
            (self._path_of(path), value)
            for path, value in (self._addends if addends is None else addends)
        ]
        named = [*self.weight_penalties(self._prefix()), *outputs]
        if len(named) > 1:
            rank = {path: index for index, (path, _) in enumerate(self.paths(self._prefix()))}
            named.sort(key=lambda addend: rank.get(addend[0].rpartition("/")[0], len(rank)))
        return named

    def _prefix(self) -> str:
        """What stands in front of the names of terms; a model leaves its own name out."""
        return f"{self.name}/"

    def _path_of(self, path: forward_pass.Path) -> str:
        """Return the name of a term that arose at `path` below this layer."""
        return self._prefix() + "/".join(path)

    def paths(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """All layers below this one with their paths; one that contains others after those."""
        for layer in self.sublayers():
            path = f"{prefix}{layer.name}"
            yield from layer.paths(f"{path}/")
            yield path, layer

    @property
    def losses(self) -> list[Tensor]:
        """The penalties, as scalars that can be differentiated: weights now, outputs then.

        Weight penalties are computed from the weights as they are; activity penalties, and what
        `add_loss` added, are those of the last forward pass with gradients.
        """
        return [value for _, value in self.penalties()]

    def loss_terms(self) -> LossTerms:
        """Return the penalties by name; their sum is the sum of `losses`."""
        return LossTerms(self.penalties())
