"""Optimizer: what all of them share. A subclass defines the update of a stretch of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from minigrad.layers import Parameter
from minigrad.optimizers.flat import Array, FlatBuffer
from minigrad.serialization import Registry

registry = Registry("optimizer", is_valid=lambda thing: hasattr(thing, "zero_grad"))


class Optimizer:
    """Base of all optimizers, usable as in Keras (``compile``) and as in PyTorch (``step``).

    Parameters
    ----------
    learning_rate
        The size of a step; positive.
    parameters
        What is to be trained. A compiled model hands over its own.

    Raises
    ------
    ValueError
        For a learning rate that is not a positive, finite number.
    RuntimeError
        From `step`, if there are no parameters or none of them has a gradient.
    """

    slots: tuple[str, ...] = ()  # the names of the running averages that a subclass keeps

    def __init__(self, learning_rate: float, parameters: Iterable[Parameter] | None = None) -> None:
        self.learning_rate = learning_rate
        self.iterations = 0
        self._buffers: list[FlatBuffer] = []
        self._states: list[dict[str, Array]] = []
        if parameters is not None:
            self.build(parameters)

    @property
    def learning_rate(self) -> float:
        """The size of a step."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = number(type(self).__name__, "learning_rate", value, above=0.0)

    def build(self, parameters: Iterable[Parameter]) -> None:
        """Take charge of `parameters`, and start all running averages anew."""
        unique = list({id(parameter): parameter for parameter in parameters}.values())
        for parameter in unique:
            if not isinstance(parameter, Parameter):
                raise TypeError(
                    f"{type(self).__name__} trains Parameters, as model.parameters() returns "
                    f"them. Received: {type(parameter).__name__}"
                )
        if not unique:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train")
        by_dtype: dict[Any, list[Parameter]] = {}
        for parameter in unique:
            by_dtype.setdefault(parameter.dtype, []).append(parameter)
        self._buffers = [FlatBuffer(group) for group in by_dtype.values()]
        self._states = [
            {slot: np.zeros_like(buffer.values) for slot in self.slots} for buffer in self._buffers
        ]
        self.iterations = 0

    @property
    def built(self) -> bool:
        """Whether it has parameters to train."""
        return bool(self._buffers)

    @property
    def parameters(self) -> list[Parameter]:
        """What it trains."""
        return [parameter for buffer in self._buffers for parameter in buffer.parameters]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter._leaf.gradient = None

    def step(self) -> None:
        """Change every parameter that has a gradient by one step.

        Parameters without a gradient, and frozen ones, stay as they are.
        """
        if not self._buffers:
            raise RuntimeError(
                f"{type(self).__name__} has no parameters. Pass parameters=model.parameters(), or "
                "compile a model with it."
            )
        gathered = [buffer.gather() for buffer in self._buffers]
        if not any(gathered):
            raise RuntimeError(
                f"{type(self).__name__}.step(): no parameter has a gradient. Call backward() on "
                "the loss first, and look whether the layers are frozen."
            )
        self.iterations += 1
        for buffer, state, stretches in zip(self._buffers, self._states, gathered, strict=True):
            for stretch in stretches:
                slots = {name: array[stretch] for name, array in state.items()}
                self.update(buffer.values[stretch], buffer.gradients[stretch], **slots)
            buffer.publish()

    def update(self, values: Array, gradients: Array, **slots: Array) -> None:
        """Change `values` in place, given their `gradients` and running averages."""
        raise NotImplementedError(f"{type(self).__name__} must define update(values, gradients)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {"learning_rate": self.learning_rate}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make the optimizer that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def number(
    owner: str, argument: str, value: Any, above: float = -math.inf, below: float = math.inf
) -> float:
    """Return a finite number strictly between `above` and `below`.

    Raises
    ------
    ValueError
        For anything else, naming the argument and the value.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not above < value < below:
        limits = f"above {above:g}" + (f" and below {below:g}" if below < math.inf else "")
        raise ValueError(f"{owner}: {argument} must be a number {limits}. Received: {value!r}")
    return float(value)
