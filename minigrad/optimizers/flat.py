"""FlatBuffer: all parameters of a model in one array, so that a step is a dozen NumPy calls.

Each parameter's values become a view of the buffer, and its gradient is written straight into a
second one. Whoever replaces a parameter's values or gradient meanwhile is heard: `gather` copies
what has moved, `publish` hands results back.

float16 has neither the range for a square nor the digits for a small step. So the buffer holds
values of float16 parameters in float32, and they are views of what these are rounded to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.node import clock
from minigrad.layers import Parameter

Array = np.ndarray[Any, Any]
Stretch = tuple[int, int]


class FlatBuffer:
    """The values and gradients of some parameters of one dtype, end to end.

    Attributes
    ----------
    values, gradients, prepared : ndarray of shape (size,)
        Parameter i is at ``offsets[i]:offsets[i + 1]`` in all three.
    is_rounded : bool
        Whether parameters are not views of `values`, but of these rounded to float16.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = list(parameters)
        self.offsets = np.cumsum([0, *(parameter.size for parameter in parameters)]).tolist()
        dtype = self.parameters[0].dtype
        self.is_rounded = dtype == np.float16
        flat = [np.ravel(parameter._value) for parameter in self.parameters]
        self.values = np.concatenate(flat, dtype=np.float32 if self.is_rounded else dtype)
        self.gradients = np.zeros(self.offsets[-1], dtype)
        self._value_views = self._views(self.values)
        self._shown_views = (
            self._views(self.values.astype(dtype)) if self.is_rounded else self._value_views
        )
        self._gradient_views = self._views(self.gradients)
        self._usual = list(
            zip(
                self.parameters,
                self._shown_views,
                self._gradient_views,
                self._value_views,
                strict=True,
            )
        )

    @cached_property
    def prepared(self) -> Array:
        """Where gradients are written that are clipped, or float16; made when it is needed."""
        return np.zeros_like(self.values)

    def places(self) -> Iterator[tuple[Parameter, int, int]]:
        """Each parameter, where it begins, and where it ends."""
        for parameter, (start, stop) in zip(self.parameters, pairwise(self.offsets), strict=True):
            yield parameter, start, stop

    def _views(self, flat: Array) -> list[Array]:
        return [
            flat[start:stop].reshape(parameter.shape) for parameter, start, stop in self.places()
        ]

    def __getstate__(self) -> tuple[list[Parameter], Array | None]:
        # A copied view would be an array of its own, no view of the copy.
        return self.parameters, self.values if self.is_rounded else None

    def __setstate__(self, state: tuple[list[Parameter], Array | None]) -> None:
        parameters, values = state
        self.__init__(parameters)  # type: ignore[misc]
        if values is not None:
            self.values[...] = values

    def gather(self) -> list[Stretch]:
        """Bring values and gradients into the buffers.

        Returns
        -------
        list of (int, int)
            The stretches of the buffers that have gradients; usually a single one.
        """
        if self._all_is_in_place():
            return [(0, self.offsets[-1])]
        stretches: list[Stretch] = []
        for index, parameter in enumerate(self.parameters):
            leaf = parameter._leaf
            if not parameter.trainable or leaf.gradient is None:
                continue
            self._bring_values(index, parameter)
            if leaf.gradient is not self._gradient_views[index]:
                np.copyto(self._gradient_views[index], leaf.gradient)
                leaf.buffer = self._gradient_views[index]
            start, stop = self.offsets[index], self.offsets[index + 1]
            if stretches and stretches[-1][1] == start:
                stretches[-1] = (stretches[-1][0], stop)
            else:
                stretches.append((start, stop))
        return stretches

    def _all_is_in_place(self) -> bool:
        """Whether all have gradients, and nobody has replaced anything: the usual case."""
        for parameter, values, gradient, _ in self._usual:
            leaf = parameter._node
            if leaf is None or leaf.gradient is not gradient or parameter._value is not values:  # type: ignore[union-attr]
                return False
        return True

    def bring_values(self) -> None:
        """Bring values that were replaced since the last step into the buffer."""
        for index, parameter in enumerate(self.parameters):
            if parameter.trainable:
                self._bring_values(index, parameter)

    def _bring_values(self, index: int, parameter: Parameter) -> None:
        view, shown = self._value_views[index], self._shown_views[index]
        if parameter._value is shown:
            return
        if self.is_rounded:  # what is still a value rounded goes on from that value
            np.copyto(view, parameter._value, where=_rounded(view) != parameter._value)
        np.copyto(shown, parameter._value)
        if not parameter._exposed:  # else somebody holds the array, and wants to see it
            parameter._value = shown

    def publish(self) -> None:
        """Tell every parameter that was updated, and every tape that had used its old values."""
        now = next(clock)
        for parameter, shown, _, view in self._usual:
            leaf = parameter._leaf
            if parameter._node is not None and leaf.gradient is not None:
                if parameter.constraint is not None:
                    view[...] = parameter.constraint(view)
                if shown is not view:
                    shown[...] = _rounded(view)
                if parameter._value is not shown:
                    np.copyto(parameter._value, shown)
                leaf.changed = now


def _rounded(values: Array) -> Array:
    """Return values as float16, without a warning where they are too large for it."""
    with np.errstate(over="ignore"):
        return values.astype(np.float16)
