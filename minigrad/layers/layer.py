"""Layer: weights, the computation that uses them, and the penalties that come with both."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minigrad.checks import (
    Shape,
    boolean,
    checked_dtype,
    positive_integer,
    sample_shape,
    snake_case,
)
from minigrad.engine import Tensor, scope
from minigrad.layers import arguments, forward_pass
from minigrad.layers.config import UNKNOWN, config_of, described
from minigrad.layers.penalties import PenaltyOwner
from minigrad.layers.slots import RegularizerSlot, reject_misspelt
from minigrad.layers.symbol import draw, is_symbolic
from minigrad.ops.conversion import as_float_tensor
from minigrad.seeds import new_generator
from minigrad.serialization import Registry
from minigrad.signatures import FullSignature, is_ours, reject_unknown
from minigrad.suggestions import missing

__all__ = ["Layer", "Shape", "registry"]

_COLLECTIONS = (list, tuple, dict)

registry = Registry("layer", is_valid=lambda thing: isinstance(thing, Layer))


def _once(build: Callable[..., None]) -> Callable[..., None]:
    """Return a `build` that notes that the layer is built, and does nothing the second time.

    So it makes no difference who calls it: the first call of the layer, a user, or the `build` of
    a layer around it.
    """

    @functools.wraps(build)
    def build_once(layer: Layer, *shapes: Any, **named: Any) -> None:
        given = shapes or tuple(named.values())
        if layer._is_building:  # a call of super().build()
            build(layer, *shapes, **named)
        elif layer.built and not layer._may_build_again and layer.weights:
            if arguments.samples(given) != layer._built_for:
                raise ValueError(
                    f"layer {layer.name!r} has its weights already, for samples of shape "
                    f"{layer._built_for}. Received: shape {given}. Make a new layer for it."
                )
        else:
            layer._is_building = True
            try:
                build(layer, *shapes, **named)
            finally:
                layer._is_building = False
            layer._note_built(given)

    build_once.is_once = True  # type: ignore[attr-defined]
    return build_once


class Layer(PenaltyOwner):
    """Base of all layers. A subclass defines `call`, and `build` if it has weights.

    Calling a layer builds it if need be, opens a scope of its name, computes `call`, and takes
    the activity penalty of what comes out: after the activation, divided by the batch size.

    A layer may be made of others: those that are its attributes (also in lists and dicts) bring
    their weights and penalties. If `call` takes an argument ``training``, it is told whether the
    pass is one of training. It may take further ones, ``layer(x, scale=2.0)``, and a list or dict
    of inputs in place of one.

    Parameters
    ----------
    name
        For messages, terms and files; generated (``dense``, ``dense_1``, …) if it is not given.
    trainable
        A frozen layer's weights get no gradient and pay no penalty; its output still does.
    activity_regularizer
        A penalty on the output: a name, a Regularizer, or a callable to a scalar.
    dtype
        Of its weights and of its output; the default dtype if it is not given.
    seed
        For the same initial weights and noise each time; by default from the global seed.
    input_shape
        One sample's shape, to build the layer at once; ``input_dim=n`` is short for ``(n,)``.

    Raises
    ------
    TypeError
        For a keyword that the layer does not have, saying which was meant.
    ValueError
        For an unknown regularizer or a bad name.

    Examples
    --------
    >>> class Scale(Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", (input_shape[-1],), "ones",
    ...                                       regularizer="l2")
    ...     def call(self, x):
    ...         return x * self.factor
    >>> layer = Scale(name="scale")
    >>> layer([[3.0, 4.0]])
    Tensor([[3., 4.]], op=multiply)
    >>> layer.loss_terms()
    LossTerms(scale/factor=0.02; total=0.02)
    """

    activity_regularizer = RegularizerSlot("activity")

    __signature__ = FullSignature()
    _noun = "layer"
    _takes_training = False
    _takes_one_tensor = False  # and no list of them, as `call` says by ``x: Tensor``
    _has_own_build = False
    _may_build_again = False
    _is_building = False
    _given: functools.partial[Any]  # what a user's layer was made of

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls._has_own_build = cls.build is not Layer.build
        if not getattr(cls.build, "is_once", False):
            cls.build = _once(cls.build)  # type: ignore[method-assign]
        parameters = arguments.parameters_of(cls.call)
        cls._takes_training = any(parameter.name == "training" for parameter in parameters)
        cls._takes_one_tensor = bool(parameters) and parameters[0].annotation in (Tensor, "Tensor")

    def __new__(cls, *given: Any, **named: Any) -> Self:
        layer = super().__new__(cls)
        if not is_ours(cls):
            layer._given = functools.partial(cls, *given, **named)
        return layer

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        activity_regularizer: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        input_shape: tuple[int | None, ...] | None = None,
        input_dim: int | None = None,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        if unknown:
            reject_unknown(kind, unknown, inspect.signature(type(self)).parameters)
        self._prepare_weights(
            snake_case(kind) if name is None else name,
            name is not None,
            boolean(kind, "trainable", trainable),
        )
        self._prepare_penalties()
        self.built = False
        self.dtype = checked_dtype(kind, dtype)
        self.seed = seed
        self._generator = new_generator(seed)
        self.activity_regularizer = activity_regularizer
        if input_dim is not None:
            input_shape = (positive_integer(kind, "input_dim", input_dim),)
        self.input_shape = sample_shape(kind, input_shape)

    # ---- what a subclass defines ---------------------------------------------------------------

    @_once
    def build(self, input_shape: Any) -> None:
        """Make the weights, with `add_weight`; `input_shape` has the batch in front.

        By default layers inside of this one are built, by a trial on zeros; not if a subclass has
        a `build` of its own, which calls this one.
        """
        if self._has_own_build or input_shape is None:
            return
        if self._may_build_again or not all(layer.built for layer in self.sublayers()):
            self.built = True  # so that the trial does not begin anew
            try:
                self.compute_output_shape(input_shape)
            except BaseException:
                self.built = False
                raise

    def call(self, *inputs: Any, **further: Any) -> Any:
        """Compute the output from the input: a subclass defines this, as ``call(self, x)``."""
        hint = ": rename its forward" if hasattr(type(self), "forward") else ""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, x){hint}")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output's shape for an input's; both have the batch in front, maybe None.

        By default it is found out by calling the layer on zeros; then all lengths but the batch's
        must be known.
        """
        return arguments.shape_by_trial(self, input_shape, {})

    def _output_shape(self, input_shape: Any, further: dict[str, Any]) -> Any:
        """Return the output's shape of a call with further arguments."""
        if further and type(self).compute_output_shape is Layer.compute_output_shape:
            return arguments.shape_by_trial(self, input_shape, further)
        return self.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again, without its weights.

        A class of one's own defines it if they are more than numbers and words.
        """
        return config_of(self)

    def _setting(self, name: str) -> Any:
        """Return one of these arguments as it stands in a config."""
        return described(name, getattr(self, name, UNKNOWN))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the layer that `get_config` described."""
        return cls(**config)

    # ---- calling -------------------------------------------------------------------------------

    def __call__(
        self, x: Any = UNKNOWN, *more: Any, training: bool | None = None, **further: Any
    ) -> Any:
        """Compute the output for a batch, and keep the activity penalty for `losses`.

        Parameters
        ----------
        x : array_like
            A batch, or a list or dict of several, under whatever name `call` has for it.
        training : bool, optional
            Whether dropout and the like are on. By default as in the layer that calls this one,
            and off outside of all: `fit` switches it on.
        *more, **further
            Further arguments of `call`.
        """
        bound = None
        if further or more or x is UNKNOWN:
            inputs = () if x is UNKNOWN else (x, *more)
            x, further, bound = arguments.bind(self, inputs, further)
            training = further.pop("training", training)
        if is_symbolic(x):
            return draw(self, x, further if training is None else {**further, "training": training})
        return self.run(x, training, None, bound)[0]

    def run(
        self,
        x: Any,
        training: bool | None = None,
        watched: forward_pass.Watched | None = None,
        bound: Any = None,
    ) -> tuple[Any, list[forward_pass.Addend]]:
        """Return the output for a batch, and the penalties that arose on the way, by path.

        Inputs and outputs of layers below this one whose ids are in `watched` are noted there.
        `bound` are the arguments of `call`, if it takes more than `x`.
        """
        frame, token = forward_pass.enter(self, training, watched)
        succeeded = False
        try:
            with self._scope(frame):
                x = self._as_input(x)
                if not self.built:
                    self._build(arguments.shape_of(x), bound and bound.arguments)
                if bound is not None:
                    bound.arguments[next(iter(bound.arguments))] = x
                    if self._takes_training:
                        bound.arguments["training"] = frame.training
                    output = self.call(*bound.args, **bound.kwargs)
                elif self._takes_training:
                    output = self.call(x, training=frame.training)
                else:
                    output = self.call(x)
                if output is None:
                    kind = type(self).__name__
                    raise TypeError(f"{self._noun} {self.name!r}: {kind}.call returned None")
                if self.activity_regularizer is not None:
                    with scope("activity", self._told):
                        self._penalise(output, frame)
            succeeded = True
        finally:
            forward_pass.leave(frame, token, succeeded)
        if frame.watched is not None and id(self) in frame.watched:
            frame.watched[id(self)].append((x, output))
        return output, frame.addends

    def _scope(self, frame: forward_pass.Frame) -> AbstractContextManager[Any]:
        """Return the scope in which ops of this call are recorded."""
        return scope(self.name, self._told)

    def _as_input(self, x: Any) -> Any:
        """Return the input as a Tensor of the layer's dtype; several as a list or dict of them."""
        if isinstance(x, _COLLECTIONS) and arguments.holds_inputs(x):
            if not self._takes_one_tensor:
                return arguments.each(self._as_input, x)
            if isinstance(x, dict) or len(x) != 1:
                raise ValueError(
                    f"layer {self.name!r}: {type(self).__name__} takes one input. Received: "
                    f"{len(x)} of them. np.stack makes one batch of several samples."
                )
            x = x[0]
        try:
            return as_float_tensor(x, self._input_dtype(x))
        except TypeError as error:
            raise TypeError(f"{self._noun} {self.name!r}: {error}") from error

    def _input_dtype(self, x: Any) -> np.dtype[Any] | None:
        """Return the dtype to which an input is converted; None if a float may keep its own."""
        return self.dtype

    # ---- building ------------------------------------------------------------------------------

    def _build(self, input_shape: Any, further: dict[str, Any] | None = None) -> None:
        """Build for a call that has begun, in which layers inside of this one build themselves."""
        if not self._has_own_build:
            self._note_built((input_shape,))
        else:
            self.build(**arguments.shapes_to_build(self, input_shape, further or {}))
            self.built = True

    def _note_built(self, shapes: tuple[Any, ...]) -> None:
        self.built = True
        self._built_for = arguments.samples(shapes)
        if shapes and arguments.is_shape(shapes[0]):
            self.input_shape = tuple(shapes[0][1:])
        self.sublayers()  # settles their names before they open scopes
        if not self._trainable:
            self.trainable = False  # layers that it got since it was frozen, too

    def _build_if_shape_is_known(self) -> None:
        """Build at once if ``input_shape`` was given; constructors of layers end with this."""
        if self.input_shape is not None and None not in self.input_shape[-1:]:
            self._build((None, *self.input_shape))

    # ---- housekeeping --------------------------------------------------------------------------

    @property
    def compute_dtype(self) -> Any:
        """The dtype of its weights and its output: there is one, by whatever name of Keras'."""
        return self.dtype

    variable_dtype = dtype_policy = compute_dtype

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property, whose own error would be lost
                return super().__getattribute__(name)
            kind = type(self).__name__
            if name.startswith("__") or "_weights" in vars(self):
                known = vars(self)
                is_early = not known.get("built", True) and name[0] != "_"
                hint = " (it is not built, so call it first)" if is_early else ""
                raise missing(f"{kind} {known.get('_name')!r}{hint}", name, self, "Model")
            raise RuntimeError(f"{kind}: let __init__ call super().__init__() first")

    def __setattr__(self, name: str, value: Any) -> None:
        looks_known = name[:2] in ("tr", "Tr", "re") or "regul" in name
        if looks_known and name not in vars(self) and not hasattr(type(self), name):
            reject_misspelt(self, name)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        # The terms of the last pass hang on its tape, which neither copies nor pickles.
        return {**self.__dict__, "_addends": []}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
