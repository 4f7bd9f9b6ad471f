"""Optimizer: what all of them share. A subclass defines the update of a stretch of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from warnings import warn

import numpy as np

from minigrad.engine.tensor import plain
from minigrad.layers import Parameter
from minigrad.optimizers import clipping
from minigrad.optimizers.flat import Array, FlatBuffer, Stretch
from minigrad.optimizers.state import OptimizerState

# A long stretch is updated in blocks of so many numbers: all arrays of a block (values, gradients,
# averages, scratch) stay in the processor's cache from the first of a dozen calls to the last.
BLOCK = 16_384


class Optimizer(OptimizerState):
    """Base of all optimizers, usable as in Keras (``compile``) and as in PyTorch (``step``).

    A subclass names its running averages in ``slots`` and defines
    ``update(w, g, scratch, *averages)``, which changes values and averages in place. Its arguments
    are `Setting`s: checked whenever they are set, and followed at the next step.

    Parameters
    ----------
    learning_rate
        η, the size of a step: a number, a schedule from the number of steps to it, or a function
        without arguments.
    parameters
        What is to be trained. A compiled model hands over its own.
    weight_decay
        λ of ``w ← w − η λ w``, before each update and apart from the gradient (Loshchilov and
        Hutter 2019). It is no loss term, so a trace does not show it.
    clipnorm, global_clipnorm, clipvalue
        Shorten each parameter's gradient, or that of all together, to a greatest length; or bring
        each number into ±clipvalue. One of the three.
    gradient_accumulation_steps
        How many gradients are averaged to make one step; `iterations` counts steps.
    name
        Only for the eye.

    Raises
    ------
    ValueError
        For an argument out of its range, or two kinds of clipping.
    TypeError
        For an unknown argument, saying which was meant.
    AttributeError
        For an unknown attribute that is set later on.
    RuntimeError
        From `step`, if there are no parameters or none of them has a gradient.
    """

    rate = 0.0  # of the step that is going on

    def __init__(
        self,
        *arguments: Any,
        parameters: Iterable[Parameter] | None = None,
        **settings: Any,
    ) -> None:
        for given in arguments:
            first = next(iter(given), None) if isinstance(given, list | tuple) else None
            if isinstance(first, Parameter) or getattr(given, "__name__", "") == "parameters":
                kind = type(self).__name__
                how = f"Write {kind}(parameters=model.parameters())."
                raise TypeError(f"{kind}: the learning rate comes first, parameters by name. {how}")
        super().__init__(*arguments, **settings)
        self._iterations = 0
        self._not_decayed: tuple[list[Parameter], list[str]] = ([], [])
        self._averages, self._blocks = [], {}
        if parameters is not None:
            self.build(parameters)

    # ---- parameters ----------------------------------------------------------------------------

    def build(self, parameters: Iterable[Parameter]) -> None:
        """Take charge of `parameters`, and start all running averages anew."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                f"{type(self).__name__} trains a list of Parameters, as model.parameters() returns "
                f"it, with parentheses. Received: parameters={parameters!r}"
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
        self._averages = [{} for _ in self._buffers]
        self._follow_settings()
        self._iterations, self.waiting = 0, 0.0

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
            Words or regular expressions: every parameter in whose name one is found is left out.
        """
        self._not_decayed = (list(var_list or ()), list(var_names or ()))

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter._leaf.gradient = None
        if not self._buffers and (model := self._model()) is not None:
            model.zero_grad()

    # ---- steps ---------------------------------------------------------------------------------

    def step(self) -> None:
        """Change every parameter that has a gradient by one step.

        Parameters without a gradient, and frozen ones, stay as they are.
        """
        if not self._buffers and (model := self._model()) is not None:
            self.build(model.parameters())
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
        if self.gradient_accumulation_steps and not self._accumulate(gathered):
            return
        attributes = self.__dict__  # what is no setting needs no check
        attributes["rate"] = self.current_rate()
        attributes["_iterations"] += 1
        self.begin_step()
        gradients = [buffer.gradients for buffer in self._buffers]
        if self._prepares:
            gradients = self._prepared(gathered)
        for index, (buffer, stretches) in enumerate(zip(self._buffers, gathered, strict=True)):
            for start, stop in stretches:
                if self.weight_decay:
                    self._decay(buffer, start, stop)
                for block in self._blocks_of(index, start, stop, gradients[index]):
                    self.update(*block)
            buffer.publish()

    def _accumulate(self, gathered: Sequence[list[Stretch]]) -> bool:
        """Add gradients to those that wait; return whether it is time for a step."""
        for buffer, averages, stretches in zip(
            self._buffers, self._averages, gathered, strict=True
        ):
            for start, stop in stretches:
                averages["accumulated"][start:stop] += buffer.gradients[start:stop]
        self.waiting += 1
        return self.waiting >= self.gradient_accumulation_steps

    def _prepared(self, gathered: Sequence[list[Stretch]]) -> list[Array]:
        """Return each buffer's gradients as updates see them: averaged, clipped, not in float16."""
        gradients = []
        for buffer, averages in zip(self._buffers, self._averages, strict=True):
            found = buffer.gradients
            if self.gradient_accumulation_steps:
                found = np.divide(averages["accumulated"], self.waiting, out=buffer.prepared)
                averages["accumulated"].fill(0)
            elif buffer.is_rounded:
                found = buffer.prepared
                found[...] = buffer.gradients
            gradients.append(found)
        self.waiting = 0.0
        for kind in clipping.KINDS:
            limit = getattr(self, kind)
            if limit is not None:
                return clipping.clip(kind, limit, self._buffers, gathered, gradients)
        return gradients

    def begin_step(self) -> None:
        """Compute what all updates of a step share, from `rate` and `iterations` (from 1)."""

    def update(self, w: Array, g: Array, scratch: Array, *averages: Array) -> None:
        """Change the values `w` in place, given their gradients; `scratch` is free to use."""
        raise NotImplementedError(f"{type(self).__name__} must define update(w, g, scratch, …)")

    def _blocks_of(
        self, index: int, start: int, stop: int, gradients: Array
    ) -> list[tuple[Array, ...]]:
        """Return the views that `update` is called with, block by block; made once."""
        known = self._blocks.get((index, start, stop))
        if known is None:
            buffer = self._buffers[index]
            scratch = np.empty(min(BLOCK, stop - start), buffer.values.dtype)
            averages = [self._averages[index][slot] for slot in self.slots]
            arrays = (buffer.values, gradients, *averages)
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
        spared = {id(parameter) for parameter in chosen}
        for parameter, first, last in buffer.places():
            is_spared = id(parameter) in spared or any(re.search(w, parameter.name) for w in words)
            if start <= first < stop and not is_spared:
                buffer.values[first:last] *= factor

    def apply(
        self, gradients: Sequence[Any], trainable_variables: Sequence[Parameter] | None = None
    ) -> None:
        """Make a step with these gradients, as in Keras.

        None leaves a parameter as it is, with a warning.

        Parameters
        ----------
        gradients
            Arrays or Tensors, one for each parameter.
        trainable_variables
            The parameters that they belong to; by default all that it was built for.

        Raises
        ------
        ValueError
            If numbers or shapes do not fit, a parameter is not one of its own, or all are None.
        """
        kind, given = type(self).__name__, list(gradients)
        variables = self.parameters if trainable_variables is None else list(trainable_variables)
        if not self.built:
            if trainable_variables is None:
                raise ValueError(f"{kind}.apply: it has no parameters yet. Call build(parameters).")
            self.build(variables)
        known = {id(parameter) for parameter in self.parameters}
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
        missing = [p.name or repr(p) for p, g in zip(variables, given, strict=True) if g is None]
        if len(missing) == len(given):
            raise ValueError(f"{kind}.apply: there is no gradient for any of its parameters")
        if missing:
            warn(f"{kind}.apply: there is no gradient for {', '.join(missing)}", stacklevel=2)
        self.zero_grad()
        for gradient, parameter in zip(given, variables, strict=True):
            if gradient is not None:
                parameter.grad = np.asarray(plain(gradient), parameter.dtype)
        self.step()

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Parameter]]) -> int:
        """Make a step with pairs of gradients and parameters, see `apply`; return `iterations`."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [parameter for _, parameter in pairs])
        return self.iterations
