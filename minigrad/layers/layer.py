"""Layer: weights, the computation that uses them, and the penalties that come with both."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minigrad import regularizers
from minigrad.checks import Shape, positive_integer, sample_shape, snake_case
from minigrad.engine import Tensor, get_default_dtype, no_grad, scope
from minigrad.layers import forward_pass
from minigrad.layers.penalties import PenaltyOwner
from minigrad.layers.slots import RegularizerSlot, reject_misspelt_slot, reject_unknown
from minigrad.layers.symbol import draw, is_symbolic
from minigrad.layers.weights import WeightOwner
from minigrad.ops.conversion import as_float_tensor
from minigrad.seeds import new_generator
from minigrad.serialization import Registry
from minigrad.signatures import FullSignature
from minigrad.suggestions import missing

__all__ = ["Layer", "Shape", "positive_integer", "registry"]

registry = Registry("layer", is_valid=lambda thing: isinstance(thing, Layer))

# A layer without a formula for its output's shape is tried on zeros of at most so many numbers.
LARGEST_TRIAL = 10_000_000


class Layer(WeightOwner, PenaltyOwner):
    """Base of all layers. A subclass defines `call`, and `build` if it has weights.

    Calling a layer builds it if need be, opens a scope of its name, computes `call`, and takes
    the activity penalty of what comes out: after the activation, divided by the batch size.

    A layer may be made of others: those that are its attributes (also in lists and dicts) bring
    their weights and penalties. If `call` takes an argument ``training``, it is told whether the
    pass is one of training.

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
    _takes_training = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        code = getattr(cls.call, "__code__", None)
        if code is not None:
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            cls._takes_training = "training" in names

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
            reject_unknown(kind, unknown, self._known_arguments())
        self._prepare_weights(
            snake_case(kind) if name is None else name, name is not None, bool(trainable)
        )
        self._prepare_penalties()
        self.built = False
        self.dtype = np.dtype(dtype or get_default_dtype())
        if self.dtype.kind != "f":
            raise ValueError(f"{kind}: dtype must be a floating dtype. Received: dtype={dtype!r}")
        self.seed = seed
        self._generator = new_generator(seed)
        self.activity_regularizer = activity_regularizer
        if input_dim is not None:
            input_shape = (positive_integer(kind, "input_dim", input_dim),)
        self.input_shape = sample_shape(kind, input_shape)

    # ---- what a subclass defines ---------------------------------------------------------------

    def build(self, input_shape: Shape) -> None:
        """Make the weights, with `add_weight`; `input_shape` has the batch in front."""

    def call(self, x: Tensor) -> Any:
        """Compute the output from the input."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, x)")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's; both have the batch in front, maybe None.

        By default it is found out by calling the layer on zeros.

        Raises
        ------
        ValueError
            If that input would be too large to try, or a length is not known.
        """
        sample = input_shape[1:]
        lengths = [n for n in sample if n is not None]
        if len(lengths) < len(sample) or math.prod(lengths) > LARGEST_TRIAL:
            raise ValueError(
                f"layer {self.name!r} cannot be tried on an input of shape {input_shape} to find "
                f"its output's shape: let {type(self).__name__} define compute_output_shape"
            )
        with no_grad(), forward_pass.apart():
            output = self(np.zeros((1, *lengths), self.dtype))
        return (input_shape[0], *output.shape[1:])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this layer again, without its weights."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "dtype": self.dtype.name,
            "seed": self.seed,
            "input_shape": self.input_shape,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the layer that `get_config` described."""
        return cls(**config)

    # ---- calling -------------------------------------------------------------------------------

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """Compute the output for a batch, and keep the activity penalty for `losses`.

        Parameters
        ----------
        x : array_like
            A batch; or a list of Tensors, if `call` expects several.
        training : bool, optional
            Whether dropout and the like are on. By default as in the layer that calls this one,
            and off outside of all: `fit` switches it on.
        """
        if is_symbolic(x):
            return draw(self, x)
        return self.run(x, training)[0]

    def run(
        self,
        x: Any,
        training: bool | None = None,
        watched: forward_pass.Watched | None = None,
    ) -> tuple[Any, list[forward_pass.Addend]]:
        """Return the output for a batch, and the penalties that arose on the way, by path.

        Inputs and outputs of layers below this one whose ids are in `watched` are noted there.
        """
        frame, token = forward_pass.enter(self, training, watched)
        succeeded = False
        try:
            with self._scope(frame):
                x = self._as_input(x)
                if not self.built:
                    self._build(_shape_of(x))
                output = (
                    self.call(x, training=frame.training)  # type: ignore[call-arg]
                    if self._takes_training
                    else self.call(x)
                )
                if self.activity_regularizer is not None:
                    with scope("activity"):
                        self._penalise(output, frame)
            succeeded = True
        finally:
            forward_pass.leave(frame, token, succeeded)
        if frame.watched is not None and id(self) in frame.watched:
            frame.watched[id(self)].append((x, output))
        return output, frame.addends

    def _scope(self, frame: forward_pass.Frame) -> AbstractContextManager[Any]:
        """Return the scope in which ops of this call are recorded."""
        return scope(self.name)

    def _as_input(self, x: Any) -> Any:
        """Return the input as a Tensor of the layer's dtype; several as a list of them."""
        if isinstance(x, list | tuple) and any(isinstance(part, Tensor) for part in x):
            return [self._as_input(part) for part in x]
        try:
            return as_float_tensor(x, self.dtype)
        except TypeError as error:
            raise TypeError(f"layer {self.name!r}: {error}") from error

    def _build(self, input_shape: Shape) -> None:
        self.build(input_shape)
        self.built = True
        if not isinstance(input_shape, list):
            self.input_shape = tuple(input_shape[1:])
        self.sublayers()  # settles their names before they open scopes

    def _build_if_shape_is_known(self) -> None:
        """Build at once if ``input_shape`` was given; constructors of layers end with this."""
        if self.input_shape is not None and None not in self.input_shape[-1:]:
            self._build((None, *self.input_shape))

    # ---- housekeeping --------------------------------------------------------------------------

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property, whose own error would be lost
                return object.__getattribute__(self, name)
            owner = f"{type(self).__name__} {vars(self).get('_name')!r}"
            if not vars(self).get("built", True):
                owner += " (not built yet: its first call makes the weights)"
            raise missing(owner, name, self, "Model")

    def __setattr__(self, name: str, value: Any) -> None:
        if "regul" in name and not hasattr(type(self), name):
            reject_misspelt_slot(self, name)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        # The terms of the last pass hang on its tape, which neither copies nor pickles.
        return {**self.__dict__, "_addends": []}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @classmethod
    def _known_arguments(cls) -> list[str]:
        import inspect  # slow to load, and only needed for an error

        return [
            name
            for kind in cls.__mro__
            if "__init__" in vars(kind) and kind is not object
            for name, parameter in inspect.signature(vars(kind)["__init__"]).parameters.items()
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD
        ]


def _shape_of(x: Any) -> Any:
    """The shape of an input, or a list of shapes."""
    return [part.shape for part in x] if isinstance(x, list) else x.shape
