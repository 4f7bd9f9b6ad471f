"""Layer: weights, the computation that uses them, and the penalties that come with both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np

from minigrad import initializers, regularizers
from minigrad.engine import Tensor, get_default_dtype, no_grad, scope
from minigrad.layers import forward_pass
from minigrad.layers.loss_terms import LossTerms, as_penalty
from minigrad.layers.parameter import Parameter
from minigrad.layers.slots import RegularizerSlot, reject_misspelt_slot, reject_unknown
from minigrad.ops.conversion import as_float_tensor
from minigrad.seeds import new_generator
from minigrad.serialization import Registry

Shape = tuple[int | None, ...]

registry = Registry("layer", is_valid=lambda thing: isinstance(thing, Layer))


class Layer:
    """Base of all layers. A subclass defines `call`, and `build` if it has weights.

    Calling a layer builds it if need be, opens a scope of its name, computes `call`, and takes
    the activity penalty of what comes out: after the activation, divided by the batch size.

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
        For the same initial weights each time; by default they come from the global seed.
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

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        activity_regularizer: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        input_shape: tuple[int, ...] | None = None,
        input_dim: int | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            reject_unknown(type(self).__name__, unknown, self._known_arguments())
        self.name_is_settled = name is not None
        self._name = self._checked_name(snake_case(type(self).__name__) if name is None else name)
        self._regularizers: dict[str, Any] = {}
        self._weights: dict[str, Parameter] = {}
        self._addends: list[forward_pass.Addend] = []
        self._trainable = bool(trainable)
        self.built = False
        self.dtype = np.dtype(dtype or get_default_dtype())
        self.seed = seed
        self._generator = new_generator(seed)
        self.activity_regularizer = activity_regularizer
        if input_dim is not None:
            input_shape = (positive_integer(type(self).__name__, "input_dim", input_dim),)
        self.input_shape = sample_shape(type(self).__name__, input_shape)

    # ---- what a subclass defines ---------------------------------------------------------------

    def build(self, input_shape: Shape) -> None:
        """Make the weights, with `add_weight`; `input_shape` has the batch in front."""

    def call(self, x: Tensor) -> Any:
        """Compute the output from the input."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, x)")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's; both have the batch in front, maybe None.

        By default it is found out by calling the layer on zeros.
        """
        with no_grad(), forward_pass.apart():
            output = self(np.zeros((1, *input_shape[1:]), self.dtype))
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

    # ---- what a subclass uses ------------------------------------------------------------------

    def add_weight(
        self,
        name: str,
        shape: tuple[int, ...],
        initializer: Any = "glorot_uniform",
        regularizer: Any = None,
        trainable: bool = True,
    ) -> Parameter:
        """Make a weight and return it.

        Its penalty is the loss term ``<layer>/<name>``.
        """
        values = initializers.get(initializer)(shape, self.dtype, self._generator)
        if np.shape(values) != tuple(shape):
            raise ValueError(
                f"layer {self.name!r}: the initializer of {name!r} returned shape "
                f"{np.shape(values)}. Expected: {tuple(shape)}"
            )
        weight = Parameter(
            np.asarray(values, self.dtype), f"{self.name}/{name}", trainable and self.trainable
        )
        self._weights[name] = weight
        if regularizer is not None:
            self._regularizers[name] = regularizers.get(regularizer)
        return weight

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
        frame.add(name, as_penalty(value, "add_loss", self.name, self.dtype))

    # ---- calling -------------------------------------------------------------------------------

    def __call__(self, x: Any) -> Any:
        """Compute the output for a batch, and keep the activity penalty for `losses`."""
        return self.run(x)[0]

    def run(self, x: Any) -> tuple[Any, list[forward_pass.Addend]]:
        """Return the output for a batch, and the penalties that arose on the way, by path."""
        frame, token = forward_pass.enter(self)
        succeeded = False
        try:
            with self._scope(frame):
                x = self._as_input(x)
                if not self.built:
                    self._build(x.shape)
                output = self.call(x)
                if self.activity_regularizer is not None:
                    with scope("activity"):
                        self._penalise(output, frame)
            succeeded = True
        finally:
            forward_pass.leave(frame, token, succeeded)
        return output, frame.addends

    def _scope(self, frame: forward_pass.Frame) -> AbstractContextManager[Any]:
        """Return the scope in which ops of this call are recorded."""
        return scope(self.name)

    def _as_input(self, x: Any) -> Tensor:
        """Return the input as a Tensor of the layer's dtype."""
        try:
            return as_float_tensor(x, self.dtype)
        except TypeError as error:
            raise TypeError(f"layer {self.name!r}: {error}") from error

    def _build(self, input_shape: Shape) -> None:
        self.build(input_shape)
        self.built = True
        self.input_shape = tuple(input_shape[1:])

    def _penalise(self, output: Any, frame: forward_pass.Frame) -> None:
        regularizer = self.activity_regularizer
        for part in output if isinstance(output, tuple | list) else (output,):
            batch_size = part.shape[0] if part.ndim else 1
            if batch_size == 0:
                penalty = part.sum()  # 0, rather than 0/0
            else:
                penalty = as_penalty(regularizer(part), regularizer, self.name, part.dtype)
                if not getattr(regularizer, "averages_over_batch", False):
                    penalty = penalty / batch_size
            frame.add("activity", penalty)

    # ---- weights -------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What messages, terms and files call it."""
        return self._name

    def rename(self, name: str) -> None:
        """Give another name to a layer that had a generated one; models do when they adopt it."""
        self._name = self._checked_name(name)
        for weight_name, weight in self._weights.items():
            weight.name = f"{name}/{weight_name}"

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained. Setting it freezes or frees them all."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        for weight in self._weights.values():
            weight.trainable = self._trainable

    def named_parameters(self) -> dict[str, Parameter]:
        """Return the weights by their path, such as ``{"kernel": …}``.

        Raises
        ------
        RuntimeError
            If the layer has not been built, so that it has none yet.
        """
        self._require_built()
        return dict(self._weights)

    def parameters(self) -> list[Parameter]:
        """Return the weights, each once."""
        return list({id(p): p for p in self.named_parameters().values()}.values())

    def _require_built(self) -> None:
        if not self.built:
            raise RuntimeError(
                f"{type(self).__name__} {self.name!r} has no weights yet, as it does not know its "
                "input's shape. Call it on a batch once, or give its (first) layer input_dim= or "
                "input_shape=."
            )

    # ---- penalties -----------------------------------------------------------------------------

    def weight_penalties(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Compute the penalties of the trainable weights as they are now, with their names."""
        for name, weight in self._weights.items():
            regularizer = self._regularizers.get(name)
            if regularizer is not None and weight.trainable:
                with scope(f"{prefix}{name}"):
                    penalty = as_penalty(regularizer(weight), regularizer, self.name, weight.dtype)
                yield f"{prefix}{name}", penalty

    def penalties(
        self, addends: list[forward_pass.Addend] | None = None
    ) -> list[tuple[str, Tensor]]:
        """Return all penalties with their names: of the weights, and of a forward pass.

        That is the last one with gradients, unless another one's `addends` are given.
        """
        prefix = f"{self.name}/"
        outputs = self._addends if addends is None else addends
        activity = [(prefix + "/".join(path), value) for path, value in outputs]
        return [*self.weight_penalties(prefix), *activity]

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

    # ---- housekeeping --------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "regul" in name and not hasattr(type(self), name):
            reject_misspelt_slot(self, name)
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        # The terms of the last pass hang on its tape, which neither copies nor pickles.
        return {**self.__dict__, "_addends": []}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def _checked_name(self, name: Any, owner: str = "layer") -> str:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"a {owner}'s name must be a string, not empty and without '/'. Received: {name!r}"
            )
        return name

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


def snake_case(name: str) -> str:
    """Return a class's name as Keras turns it into a layer's: ``ActivityRegularization`` → …

    Examples
    --------
    >>> snake_case("ActivityRegularization"), snake_case("Conv2D")
    ('activity_regularization', 'conv2d')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def sample_shape(owner: str, value: Any) -> Shape | None:
    """Return one sample's shape as a tuple; None stays None.

    Raises
    ------
    ValueError
        If it is no sequence of lengths.
    """
    if value is None:
        return None
    axes = value if isinstance(value, tuple | list) else ["no sequence"]
    if not all(
        n is None or (isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0)
        for n in axes
    ):
        raise ValueError(
            f"{owner}: input_shape must be a tuple of lengths, one sample's without the batch. "
            f"Received: input_shape={value!r}"
        )
    return tuple(None if n is None else int(n) for n in axes)


def positive_integer(owner: str, argument: str, value: Any) -> int:
    """Return a positive integer.

    Raises
    ------
    ValueError
        For anything else, naming the argument and the value.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(
            f"{owner}: {argument} must be a positive integer. Received: {argument}={value!r}"
        )
    return int(value)
