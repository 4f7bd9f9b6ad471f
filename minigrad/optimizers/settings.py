"""The settings of an optimizer and its learning rate: checked, and followed, when they are set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.checks import (
    above_zero,
    not_negative,
    or_none,
    positive_integer,
    snake_case,
)
from minigrad.engine import Tensor
from minigrad.engine.tensor import plain
from minigrad.optimizers import schedules
from minigrad.optimizers.clipping import KINDS
from minigrad.optimizers.flat import FlatBuffer
from minigrad.optimizers.readings import Count, Reading
from minigrad.optimizers.schedules import LearningRateSchedule
from minigrad.serialization import Registry
from minigrad.signatures import REQUIRED, Configurable, Setting
from minigrad.suggestions import missing

registry = Registry("optimizer", is_valid=lambda thing: hasattr(thing, "zero_grad"))


def _checked_rate(kind: str, argument: str, value: Any) -> Any:
    """Return a learning rate, a schedule, or a function that returns the rate."""
    if isinstance(value, dict):
        value = schedules.deserialize(value)
    if isinstance(value, LearningRateSchedule):
        return value
    given = value() if callable(value) and not isinstance(value, Tensor) else plain(value)
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.item()
    checked = not_negative(kind, argument, given)
    return value if callable(value) and not isinstance(value, Tensor) else checked


class LearningRate(Setting):
    """The setting ``learning_rate``: a number, a schedule, or a function without arguments."""

    def __init__(self, default: Any = REQUIRED) -> None:
        super().__init__(_checked_rate, default)

    def __get__(self, optimizer: Any, owner: Any = None) -> Any:
        if optimizer is None:
            return self
        return Reading(optimizer.current_rate(), optimizer, "learning_rate")

    def __set__(self, optimizer: Any, value: Any) -> None:
        before = vars(optimizer).get("_rate")
        if isinstance(before, LearningRateSchedule) and isinstance(value, float):
            raise TypeError(
                f"{type(optimizer).__name__} follows {before!r}, so its learning rate cannot be "
                "set to a number. Give it a number from the beginning, or another schedule."
            )
        optimizer._rate = value


class OptimizerSettings(Configurable):
    """What an optimizer can be told, at the beginning or between two steps."""

    learning_rate = LearningRate()
    weight_decay = Setting(or_none(not_negative), None)
    clipnorm = Setting(or_none(above_zero), None)
    clipvalue = Setting(or_none(above_zero), None)
    global_clipnorm = Setting(or_none(above_zero), None)
    gradient_accumulation_steps = Setting(or_none(positive_integer), None)
    name = Setting(lambda kind, _, name: name or snake_case(kind), None)

    _rate: float | LearningRateSchedule | Callable[[], float]
    _iterations = 0
    _buffers: Sequence[FlatBuffer] = ()
    _model: Callable[[], Any] = staticmethod(lambda: None)  # that is compiled with it, if it lives

    @property
    def built(self) -> bool:
        """Whether it has parameters to train."""
        return bool(self._buffers)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self).__name__
        if not isinstance(getattr(type(self), name, None), Setting):
            if name[0] != "_" and name not in vars(self) and not hasattr(type(self), name):
                self._refuse_misspelt(name)
            object.__setattr__(self, name, value)
            return
        if self.built and name.startswith("initial_"):
            raise AttributeError(
                f"{kind}: its averages have begun with {name}={getattr(self, name)}, which cannot "
                "be changed any more. Make a new optimizer."
            )
        others = {other: getattr(self, other) for other in KINDS if other != name}
        if name in KINDS and value is not None and any(others.values()):
            raise ValueError(
                f"{kind}: only one of clipnorm, clipvalue and global_clipnorm can be set. "
                f"Received: {name}={value}, beside {others}"
            )
        super().__setattr__(name, value)
        if self.built:
            self._follow_settings()

    def _follow_settings(self) -> None:
        """Keep what the settings ask for; called when one was set between steps."""

    def _refuse_misspelt(self, name: str) -> None:
        """Raise for an attribute that nobody would read; a class of the user's may have its own."""
        is_ours = registry.knows(type(self))
        hint = self._meant_by(name, 0.6 if is_ours else 0.8)
        if is_ours or "Did you mean" in hint:
            raise AttributeError(f"{type(self).__name__} has no {name!r} to set.{hint}")

    def __getattr__(self, name: str) -> Any:
        raise missing(type(self).__name__, name, self, "Optimizer")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        rate = self._rate
        written = rate if isinstance(rate, float) else schedules.serialize(rate)
        return {**super().get_config(), "learning_rate": written}

    def _shown(self) -> dict[str, Any]:
        return {**super()._shown(), "learning_rate": self._rate}

    def current_rate(self) -> float:
        """Return the size of the next step."""
        rate = self._rate
        if isinstance(rate, float):
            return rate
        return float(rate(self._iterations) if isinstance(rate, LearningRateSchedule) else rate())

    @property
    def iterations(self) -> Count:
        """How many steps it has made: an int, which can be assigned."""
        return Count(self._iterations, self, "iterations")

    @iterations.setter
    def iterations(self, value: Any) -> None:
        self._iterations = int(value)
