"""Optimizer: what all of them share. A subclass defines the update of a stretch of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.checks import above_zero, number
from minigrad.engine import Tensor
from minigrad.layers import Parameter
from minigrad.layers.slots import reject_unknown
from minigrad.layers.weights import free_name
from minigrad.optimizers import schedules
from minigrad.optimizers.clipping import Clipping
from minigrad.optimizers.flat import Array, FlatBuffer
from minigrad.optimizers.schedules import LearningRateSchedule
from minigrad.serialization import Registry
from minigrad.signatures import FullSignature

registry = Registry("optimizer", is_valid=lambda thing: hasattr(thing, "zero_grad"))

# A long stretch is updated in blocks of so many numbers: all arrays of a block (values, gradients,
# averages, scratch) stay in the processor's cache from the first of a dozen calls to the last.
BLOCK = 16_384


class Optimizer:
    """Base of all optimizers, usable as in Keras (``compile``) and as in PyTorch (``step``).

    A subclass names its running averages in ``slots`` and defines
    ``update(w, g, scratch, *averages)``, which changes values and averages in place.

    Parameters
    ----------
    learning_rate
        η, the size of a step: positive, or a schedule from the number of steps to it.
    parameters
        What is to be trained. A compiled model hands over its own.
    weight_decay
        λ of ``w ← w − η λ w``, before each update and apart from the gradient (Loshchilov and
        Hutter 2019). It is no loss term, so a trace does not show it.
    clipnorm, global_clipnorm, clipvalue
        Shorten each parameter's gradient, or that of all together, to a greatest length; or bring
        each number into ±clipvalue. One of the three.
    name
        Only for the eye.

    Raises
    ------
    ValueError
        For an argument out of its range, or two kinds of clipping.
    TypeError
        For an unknown argument, saying which was meant.
    RuntimeError
        From `step`, if there are no parameters or none of them has a gradient.
    """

    __signature__ = FullSignature()

    slots: tuple[str, ...] = ()  # the names of the running averages that a subclass keeps
    slot_start = 0.0  # what they begin with
    scalars: tuple[str, ...] = ()  # attributes that are part of the state, too

    def __init__(
        self,
        learning_rate: Any,
        parameters: Iterable[Parameter] | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        if unknown:
            reject_unknown(
                kind, unknown, list(FullSignature().__get__(None, type(self)).parameters)
            )
        self._rate: float | LearningRateSchedule = self._checked_rate(learning_rate)
        self.weight_decay = (
            None if weight_decay is None else number(kind, "weight_decay", weight_decay, least=0)
        )
        self.clipping = Clipping(kind, clipnorm, clipvalue, global_clipnorm)
        self.name = name or kind
        self.iterations = 0
        self.rate = 0.0  # of the step that is going on
        self._not_decayed: tuple[set[int], list[str]] = (set(), [])
        self._buffers: list[FlatBuffer] = []
        self._averages: list[list[Array]] = []
        self._blocks: dict[tuple[int, int, int], list[tuple[Array, ...]]] = {}
        if parameters is not None:
            self.build(parameters)

    # ---- the learning rate ---------------------------------------------------------------------

    def _checked_rate(self, value: Any) -> float | LearningRateSchedule:
        kind = type(self).__name__
        if isinstance(value, dict):
            value = schedules.deserialize(value)
        if isinstance(value, LearningRateSchedule):
            return value
        return above_zero(kind, "learning_rate", value)

    @property
    def learning_rate(self) -> float:
        """The size of the next step."""
        rate = self._rate
        return float(rate(self.iterations)) if isinstance(rate, LearningRateSchedule) else rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        checked = self._checked_rate(value)
        if isinstance(self._rate, LearningRateSchedule) and isinstance(checked, float):
            raise TypeError(
                f"{type(self).__name__} follows {self._rate!r}, so its learning rate cannot be set "
                "to a number. Give it a number from the beginning, or another schedule."
            )
        self._rate = checked

    # ---- parameters ----------------------------------------------------------------------------

    def build(self, parameters: Iterable[Parameter]) -> None:
        """Take charge of `parameters`, and start all running averages anew."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                f"{type(self).__name__} trains a list of Parameters, as model.parameters() returns "
                f"it. Received: parameters={parameters!r}"
            )
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
        self._averages = [
            [np.full_like(buffer.values, self.slot_start) for _ in self.slots]
            for buffer in self._buffers
        ]
        self._blocks = {}
        self.iterations = 0

    @property
    def built(self) -> bool:
        """Whether it has parameters to train."""
        return bool(self._buffers)

    @property
    def parameters(self) -> list[Parameter]:
        """What it trains."""
        return [parameter for buffer in self._buffers for parameter in buffer.parameters]

    def bring_values(self) -> None:
        """Take note of values that were given to parameters since the last step."""
        for buffer in self._buffers:
            buffer.bring_values()

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Parameter] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Leave parameters out of the weight decay, such as ``var_names=["bias"]``.

        Parameters
        ----------
        var_list
            Parameters.
        var_names
            Words: every parameter whose name holds one of them is left out.
        """
        self._not_decayed = ({id(p) for p in var_list or ()}, list(var_names or ()))

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter._leaf.gradient = None

    # ---- steps ---------------------------------------------------------------------------------

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
        self.rate = self.learning_rate
        self.iterations += 1
        self.begin_step()
        self.clipping.prepare(self._buffers, gathered)
        for index, (buffer, stretches) in enumerate(zip(self._buffers, gathered, strict=True)):
            for start, stop in stretches:
                if self.weight_decay:
                    self._decay(buffer, start, stop)
                for block in self._blocks_of(index, start, stop):
                    self.update(*block)
            buffer.publish()

    def begin_step(self) -> None:
        """Compute what all updates of a step share, from `rate` and `iterations` (from 1)."""

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change the values `w` in place, given their gradients; `scratch` is free to use."""
        raise NotImplementedError(f"{type(self).__name__} must define update(w, g, scratch, …)")

    def _blocks_of(self, index: int, start: int, stop: int) -> list[tuple[Array, ...]]:
        """Return the views that `update` is called with, block by block; made once."""
        known = self._blocks.get((index, start, stop))
        if known is None:
            buffer = self._buffers[index]
            gradients = buffer.clipped if self.clipping.is_on else buffer.gradients
            scratch = np.empty(min(BLOCK, stop - start), buffer.values.dtype)
            arrays = (buffer.values, gradients, *self._averages[index])
            known = []
            for first in range(start, stop, BLOCK):
                last = min(first + BLOCK, stop)
                values, gradient, *averages = (array[first:last] for array in arrays)
                known.append((values, gradient, scratch[: last - first], *averages))
            self._blocks[index, start, stop] = known
        return known

    def _decay(self, buffer: FlatBuffer, start: int, stop: int) -> None:
        assert self.weight_decay is not None
        factor = 1 - self.weight_decay * self.rate
        chosen, words = self._not_decayed
        if not chosen and not words:
            buffer.values[start:stop] *= factor
            return
        for parameter, first, last in buffer.places():
            is_spared = id(parameter) in chosen or any(word in parameter.name for word in words)
            if start <= first < stop and not is_spared:
                buffer.values[first:last] *= factor

    def apply(
        self, gradients: Sequence[Any], trainable_variables: Sequence[Parameter] | None = None
    ) -> None:
        """Make a step with these gradients, as in Keras; None leaves a parameter as it is.

        Parameters
        ----------
        gradients
            Arrays or Tensors, one for each parameter.
        trainable_variables
            The parameters that they belong to; by default all that it was built for.

        Raises
        ------
        ValueError
            If numbers or shapes do not fit, or a parameter is not one of its own.
        """
        kind = type(self).__name__
        if trainable_variables is None:
            variables = self.parameters
        else:
            variables = list(trainable_variables)
            if not self.built:
                self.build(variables)
        known = {id(parameter) for parameter in self.parameters}
        given = list(gradients)
        if len(given) != len(variables):
            raise ValueError(
                f"{kind}.apply: expected {len(variables)} gradients, one for each parameter. "
                f"Received: {len(given)}"
            )
        for gradient, parameter in zip(given, variables, strict=True):
            if id(parameter) not in known:
                raise ValueError(f"{kind}.apply: it was not built for {parameter!r}")
            if gradient is not None and np.shape(gradient) != parameter.shape:
                raise ValueError(
                    f"{kind}.apply: expected a gradient of shape {parameter.shape} for "
                    f"{parameter.name!r}. Received: {np.shape(gradient)}"
                )
        self.zero_grad()
        for gradient, parameter in zip(given, variables, strict=True):
            if gradient is not None:
                value = gradient._value if isinstance(gradient, Tensor) else gradient
                parameter.grad = np.asarray(value, parameter.dtype)
        self.step()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Parameter]]) -> None:
        """Make a step with pairs of gradients and parameters; see `apply`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [parameter for _, parameter in pairs])

    # ---- its state -----------------------------------------------------------------------------

    def _named_places(self) -> dict[str, tuple[int, Parameter, int, int]]:
        """Parameters by names that no two share, with their buffer and place."""
        places: dict[str, tuple[int, Parameter, int, int]] = {}
        for index, buffer in enumerate(self._buffers):
            for parameter, start, stop in buffer.places():
                name = free_name(parameter.name or "parameter", places)
                places[name] = (index, parameter, start, stop)
        return places

    def state_arrays(self) -> dict[str, Array]:
        """Return all that it must know to go on: ``iterations``, ``momentum/<parameter>``, …"""
        state: dict[str, Array] = {"iterations": np.array(self.iterations)}
        for scalar in self.scalars:
            state[scalar] = np.array(float(getattr(self, scalar)))
        for name, (index, parameter, start, stop) in self._named_places().items():
            for slot, array in zip(self.slots, self._averages[index], strict=True):
                state[f"{slot}/{name}"] = array[start:stop].reshape(parameter.shape).copy()
        return state

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
        for scalar in self.scalars:
            setattr(self, scalar, float(arrays[scalar]))
        for name, (index, _, start, stop) in self._named_places().items():
            for slot, array in zip(self.slots, self._averages[index], strict=True):
                array[start:stop] = arrays[f"{slot}/{name}"].ravel()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_blocks": {}}  # copied views would be arrays of their own

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        rate = self._rate
        return {
            "learning_rate": rate if isinstance(rate, float) else schedules.serialize(rate),
            "weight_decay": self.weight_decay,
            **self.clipping.get_config(),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make the optimizer that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        shown = {k: v for k, v in self.get_config().items() if v is not None and k != "name"}
        arguments = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        return f"{type(self).__name__}({arguments})"
