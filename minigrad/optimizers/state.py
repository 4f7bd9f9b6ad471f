"""The state of an optimizer: what it must know to go on, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.layers.weights import free_name
from minigrad.optimizers.clipping import KINDS
from minigrad.optimizers.flat import Array
from minigrad.optimizers.readings import StateCopy
from minigrad.optimizers.settings import OptimizerSettings
from minigrad.parameter import Parameter


class OptimizerState(OptimizerSettings):
    """An optimizer's running averages, begun and dropped as its settings say; written and read."""

    scalars: tuple[str, ...] = ()  # attributes that are part of the state, too
    waiting = 0.0  # how many gradients have been accumulated since the last step

    _averages: list[dict[str, Array]]
    _blocks: dict[tuple[int, int, int], list[tuple[Array, ...]]]

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the running averages that `update` is given."""
        return ()

    def start_of(self, slot: str) -> float:
        """Return what a running average begins with."""
        return 0.0

    def _follow_settings(self) -> None:
        """Begin the averages that are now kept, and drop those that are not any more."""
        slots = [*self.slots, *(["accumulated"] if self.gradient_accumulation_steps else [])]
        for buffer, averages in zip(self._buffers, self._averages, strict=True):
            for slot in averages.keys() - set(slots):
                del averages[slot]
            for slot in slots:
                if slot not in averages:
                    start = 0.0 if slot == "accumulated" else self.start_of(slot)
                    averages[slot] = np.full_like(buffer.values, start)
        self._blocks = {}
        if not self.gradient_accumulation_steps:
            self.waiting = 0.0
        self._prepares = bool(self.gradient_accumulation_steps)
        self._prepares |= any(getattr(self, kind) is not None for kind in KINDS)
        self._prepares |= any(buffer.is_rounded for buffer in self._buffers)

    def _scalars(self) -> tuple[str, ...]:
        return (*self.scalars, *(("waiting",) if self.gradient_accumulation_steps else ()))

    def _arrays(self) -> dict[str, Array]:
        """All arrays that it keeps, as views in the shapes of the parameters, by name."""
        arrays: dict[str, Array] = {}
        names: dict[str, Any] = {}
        for buffer, averages in zip(self._buffers, self._averages, strict=True):
            exact = {"exact_values": buffer.values} if buffer.is_rounded else {}
            for parameter, start, stop in buffer.places():
                name = free_name(parameter.name or "parameter", names)
                names[name] = parameter
                for slot, array in {**averages, **exact}.items():
                    arrays[f"{slot}/{name}"] = array[start:stop].reshape(parameter.shape)
        return arrays

    def state_arrays(self) -> dict[str, Array]:
        """Return all that it must know to go on: ``iterations``, ``momentum/<parameter>``, …"""
        state: dict[str, Array] = {"iterations": np.array(self._iterations)}
        for scalar in self._scalars():
            state[scalar] = np.array(float(getattr(self, scalar)))
        return state | {name: array.copy() for name, array in self._arrays().items()}

    def load_state_arrays(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_arrays` returned: all of it, or nothing.

        Raises
        ------
        ValueError
            If something is missing, is too much, or does not fit.
        """
        expected = self.state_arrays()
        kind = type(self).__name__
        for key in expected.keys() ^ state.keys():
            side = "misses" if key in expected else "has no use for"
            raise ValueError(f"{kind}: its state {side} {key!r}")
        arrays = {key: np.asarray(value) for key, value in state.items()}
        for key, array in arrays.items():
            wanted = expected[key]
            fits = array.shape == wanted.shape and array.dtype.kind == wanted.dtype.kind
            if not fits or not np.isfinite(array).all():
                raise ValueError(
                    f"{kind}: expected finite numbers of shape {wanted.shape} and {wanted.dtype} "
                    f"for {key!r}. Received: {array.shape} of {array.dtype}"
                )
        if arrays["iterations"] < 0:
            raise ValueError(f"{kind}: iterations must be 0 or more: {arrays['iterations']}")
        self.iterations = int(arrays["iterations"])
        for scalar in self._scalars():
            setattr(self, scalar, float(arrays[scalar]))
        for name, array in self._arrays().items():
            array[...] = arrays[name]

    @property
    def variables(self) -> list[Parameter]:
        """Copies of its state: iterations, the learning rate if it is a number, the averages."""
        named = {"iteration": self._iterations, "learning_rate": self._rate, **self._arrays()}
        if not isinstance(self._rate, float):
            del named["learning_rate"]
        return [StateCopy(array, name, trainable=False) for name, array in named.items()]

    def __getstate__(self) -> dict[str, Any]:
        # Copied views would be arrays of their own, and a copy is of no model.
        return {k: v for k, v in {**self.__dict__, "_blocks": {}}.items() if k != "_model"}
