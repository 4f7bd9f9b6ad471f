"""WeightOwner: the weights of a layer, and of the layers inside of it."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import constraints, initializers, regularizers
from minigrad.checks import boolean, checked_dtype, is_whole
from minigrad.initializers.initializer import initial_values
from minigrad.layers.forward_pass import current_frame
from minigrad.parameter import Parameter

if TYPE_CHECKING:
    from minigrad.layers.layer import Layer

LONGEST_NAME = 1000  # a file has room for 65,535 bytes in a path of several names

# How many bytes of weights may still be made; None for any number. Loading a file sets it, so that
# a damaged one that asks for a huge layer is an error before there is an array of that size.
_BUDGET: ContextVar[list[int] | None] = ContextVar("minigrad_weight_budget", default=None)


def _name_may_come_first(add_weight: Callable[..., Parameter]) -> Callable[..., Parameter]:
    """Return an `add_weight` that takes its first argument for the name if it is a word."""
    order = ("name", "shape", "initializer", "regularizer", "trainable", "constraint")

    @functools.wraps(add_weight)
    def by_type(owner: WeightOwner, *arguments: Any, **keywords: Any) -> Parameter:
        if arguments and isinstance(arguments[0], str):
            return add_weight(owner, **dict(zip(order, arguments, strict=False)), **keywords)
        return add_weight(owner, *arguments, **keywords)

    return by_type


class NotBuiltError(RuntimeError, ValueError):
    """A layer has no weights yet: a call out of order, which Keras takes for a bad value."""


class WeightOwner:
    """What a layer has in common with every thing that owns weights; a base of `Layer`."""

    if TYPE_CHECKING:
        built: bool
        _is_building: bool
        _has_own_build: bool
        dtype: np.dtype[Any]
        seed: int | None
        _generator: np.random.Generator
        _regularizers: dict[str, Any]

    def _prepare_weights(self, name: str, name_is_given: bool, trainable: bool) -> None:
        self._name = self._checked_name(name)
        self.name_is_given = name_is_given
        self._weights: dict[str, Parameter] = {}
        self._state_names: set[str] = set()
        self._trainable = trainable

    # ---- making them ---------------------------------------------------------------------------

    @_name_may_come_first
    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: Any = None,
        name: str | None = None,
    ) -> Parameter:
        """Make a weight and return it.

        Its penalty is the loss term ``<layer>/<name>``. A weight that is not `trainable` is state,
        such as a moving average: it is saved with the others, and no optimizer ever sees it.

        `shape` is a tuple of lengths, or one; the `name`, which no other weight of the layer has,
        may also come first, as in ``add_weight("factor", (3,), "ones")``. By default the weight is
        a scalar of the layer's dtype, and begins as Glorot has it, or with 0 if it is no float.
        Nothing here depends on `autocast` and `aggregation`, which Keras has.
        """
        frame = current_frame()
        if frame is not None and frame.layer is self and not self._is_building:
            raise ValueError(
                f"layer {self.name!r}: a weight made in call would be another one at each call. "
                "Make it in build(self, input_shape) or in __init__."
            )
        name = (
            free_name("weight", self._weights)
            if name is None
            else self._checked_name(name, "weight")
        )
        if name in self._weights:
            raise ValueError(f"layer {self.name!r} already has a weight {name!r}")
        lengths = tuple(shape) if np.iterable(shape) else () if shape is None else (shape,)
        if not all(is_whole(n) and n >= 0 for n in lengths):
            raise ValueError(
                f"layer {self.name!r}: the lengths of weight {name!r} must be known integers. "
                f"Received: shape={shape!r}"
            )
        lengths = tuple(map(int, lengths))
        kind = checked_dtype(f"weight {name!r}", dtype or self.dtype, "fiub")
        self._spend(name, lengths, kind)
        if initializer is None:
            initializer = "glorot_uniform" if kind.kind == "f" else "zeros"
        values = initial_values(initializer, lengths, kind, self._generator)
        if np.shape(values) != lengths:
            raise ValueError(
                f"layer {self.name!r}: the initializer of {name!r} returned shape "
                f"{np.shape(values)}. Expected: {lengths}"
            )
        is_trained = boolean(f"weight {name!r}", "trainable", trainable)
        weight = Parameter(
            np.asarray(values, kind),
            f"{self.name}/{name}",
            is_trained and self.trainable,
            constraints.get(constraint),
        )
        self._weights[name] = weight
        if not is_trained:
            self._state_names.add(name)
        if regularizer is not None:
            self._regularizers[name] = regularizers.get(regularizer)
        return weight

    add_variable = add_weight

    def _plan_weight(
        self, prefix: str, initializer: Any, regularizer: Any, constraint: Any
    ) -> None:
        """Keep what a weight is to be made with, as ``<prefix>_initializer`` and so on."""
        setattr(self, f"{prefix}_initializer", initializers.get(initializer))
        setattr(self, f"{prefix}_regularizer", regularizer)
        setattr(self, f"{prefix}_constraint", constraints.get(constraint))

    def _add_planned(self, name: str, shape: Sequence[int], prefix: str | None = None) -> Parameter:
        """Make a weight with what was planned for it; see `_plan_weight`."""
        prefix = prefix or name
        initializer = getattr(self, f"{prefix}_initializer")
        constraint = getattr(self, f"{prefix}_constraint")
        return self.add_weight(name, shape, initializer, constraint=constraint)

    def _spend(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        budget = _BUDGET.get()
        if budget is None:
            return
        budget[0] -= math.prod(shape) * dtype.itemsize
        if budget[0] < 0:
            raise ValueError(
                f"layer {self.name!r} asks for weights {name!r} of shape {shape}, for which the "
                "file holds no values"
            )

    # ---- names ---------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What messages, terms and files call it."""
        return self._name

    def rename(self, name: str) -> None:
        """Give another name to a layer that had a generated one; models do when they adopt it."""
        self._name = self._checked_name(name)
        for weight_name, weight in self._weights.items():
            weight.name = f"{name}/{weight_name}"

    def _unfit(self, expected: str, shape: Any, hint: str = "") -> ValueError:
        """Return the error for an input of a shape that this layer cannot take."""
        return ValueError(f"layer {self.name!r}: {expected}. Received: shape {shape}{hint}")

    def _checked_name(self, name: Any, owner: str = "layer") -> str:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"a {owner}'s name must be a string, not empty and without '/'. Received: {name!r}"
            )
        if len(name) > LONGEST_NAME or re.search("[\0\ud800-\udfff]", name):
            raise ValueError(
                f"a {owner}'s name stands in files: at most {LONGEST_NAME} letters, without NUL "
                f"and halves of letters. Received: {len(name)} letters, {name[:40]!r}"
            )
        return name

    # ---- the layers inside ---------------------------------------------------------------------

    def sublayers(self) -> list[Layer]:
        """Return the layers inside of this one, each once: those that are its attributes.

        Lists, tuples and dicts of layers count too. No two of them share a name: one whose name
        was generated gets another.
        """
        found: dict[int, Layer] = {}
        for value in vars(self).values():
            if isinstance(value, _MAY_HOLD_LAYERS):
                for layer in _layers_in(value):
                    found[id(layer)] = layer
        layers = list(found.values())
        for index, layer in enumerate(layers):
            self._settle_name(layer, layers[:index])
        return layers

    def _settle_name(self, layer: Layer, others: Sequence[Layer]) -> None:
        """Make sure that `layer` shares its name with none of `others`."""
        taken = {other.name for other in others if other is not layer}
        if layer.name in taken:
            if layer.name_is_given:
                raise ValueError(
                    f"{self.name!r} already has a layer named {layer.name!r}. Give one of the two "
                    "another name=."
                )
            layer.rename(free_name(layer.name, taken))

    # ---- reading and writing -------------------------------------------------------------------

    def _own_weights(self) -> Iterator[tuple[str, Parameter]]:
        """Weights by name: those of `add_weight`, then any other Parameter that is an attribute."""
        yield from self._weights.items()
        known = self._weights.values()
        for name, value in vars(self).items():
            if isinstance(value, Parameter) and not any(value is weight for weight in known):
                yield name, value

    def _walk_weights(
        self, prefix: str = "", must_be_built: bool = True
    ) -> Iterator[tuple[str, Parameter, bool]]:
        """All weights with their paths, and whether they are state; shared ones come repeatedly."""
        if must_be_built:
            self._require_built()
            # A layer that the pass which built this one did not reach has none.
            must_be_built = self._has_own_build or not self.built
        for name, weight in self._own_weights():
            yield f"{prefix}{name}", weight, name in self._state_names
        for layer in self.sublayers():
            yield from layer._walk_weights(f"{prefix}{layer.name}/", must_be_built)

    def named_parameters(self) -> dict[str, Parameter]:
        """Return what training changes by its gradient, by path, such as ``{"kernel": …}``.

        A parameter that is used in several places stands under the first. It is a `NotBuiltError`
        if there are none yet, as the layer has not been built.
        """
        return _each_once(
            (path, weight) for path, weight, state in self._walk_weights() if not state
        )

    def named_weights(self) -> dict[str, Parameter]:
        """Return the parameters and all state, such as moving averages, by path."""
        return _each_once((path, weight) for path, weight, _ in self._walk_weights())

    def parameters(self) -> list[Parameter]:
        """Return what training changes, frozen or not, each parameter once."""
        return list(self.named_parameters().values())

    @property
    def weights(self) -> list[Parameter]:
        """All weights that there are by now, state included, each once."""
        walk = self._walk_weights(must_be_built=False)
        return list(_each_once((path, weight) for path, weight, _ in walk).values())

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The weights that are trained at present."""
        return [weight for weight in self.weights if weight.trainable]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """Frozen weights and state."""
        return [weight for weight in self.weights if not weight.trainable]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Return the values of `weights`, as independent arrays."""
        return [weight.numpy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the values of all `weights`, in that order; if one does not fit, none changes."""
        self._require_built()
        known = self.named_weights()
        arrays = [np.asarray(value) for value in weights]
        expected = [weight.shape for weight in known.values()]
        if [array.shape for array in arrays] != expected:
            names = ", ".join(f"{path} {weight.shape}" for path, weight in known.items())
            raise ValueError(
                f"{self.name!r}: expected {len(expected)} arrays for {names or 'no weights'}. "
                f"Received: shapes {[array.shape for array in arrays]}"
            )
        for weight, array in zip(known.values(), arrays, strict=True):
            weight.assign(array)

    def zero_grad(self) -> None:
        """Forget the gradients of all weights, as in PyTorch."""
        for weight in self.weights:
            weight._leaf.gradient = None

    def count_params(self) -> int:
        """Return how many numbers the weights of a layer hold that has been built."""
        return sum(weight.size for weight in self.named_weights().values())

    def _require_built(self) -> None:
        if not self.built and self._has_own_build:
            raise NotBuiltError(
                f"{type(self).__name__} {self.name!r} has no weights yet: it is not built, as "
                "it does not know its input's shape. Call it on a batch once, or give its (first) "
                "layer input_dim= or input_shape=."
            )

    # ---- freezing ------------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained. Setting it freezes or frees all of them.

        Frozen weights get no gradient and pay no penalty; state stays state.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = boolean(self.name, "trainable", trainable)
        for name, weight in self._own_weights():
            weight.trainable = self._trainable and name not in self._state_names
        for layer in self.sublayers():
            layer.trainable = self._trainable


@contextmanager
def weight_budget(limit: int) -> Iterator[None]:
    """A ``with`` block in which no more than `limit` bytes of weights can be made."""
    token = _BUDGET.set([limit])
    try:
        yield
    finally:
        _BUDGET.reset(token)


_MAY_HOLD_LAYERS = (WeightOwner, list, tuple, dict)


def _layers_in(value: Any) -> Iterator[Layer]:
    """The layers that an attribute holds."""
    if isinstance(value, WeightOwner):
        yield value  # type: ignore[misc]  # only Layer derives from it
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, _MAY_HOLD_LAYERS):
                yield from _layers_in(item)


def _each_once(named: Iterator[tuple[str, Parameter]]) -> dict[str, Parameter]:
    first: dict[int, tuple[str, Parameter]] = {}
    for path, weight in named:
        first.setdefault(id(weight), (path, weight))
    return dict(first.values())


def free_name(name: str, taken: Collection[str]) -> str:
    """Return `name` or, if it is taken, the first of name_1, name_2, … that is free.

    Examples
    --------
    >>> free_name("dense", {"dense", "dense_1"})
    'dense_2'
    """
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free
