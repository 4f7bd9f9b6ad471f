"""Sequential: layers one after the other, themselves a layer, so that models nest."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from minigrad.engine import Tensor
from minigrad.layers import Layer, Parameter
from minigrad.layers.forward_pass import Addend, Frame
from minigrad.layers.layer import Shape, registry
from minigrad.ops.conversion import as_float_tensor
from minigrad.training import summary
from minigrad.training.trainer import Trainer


@registry.register()
class Sequential(Trainer, Layer):
    """A model whose layers feed each other in a row.

    Parameters
    ----------
    *layers
        Layers or other Sequential models, one by one or in a list.
    **layer_arguments
        ``name``, ``activity_regularizer`` (on the output of the whole), ``seed`` (for shuffling),
        and what else `Layer` takes.

    Raises
    ------
    TypeError
        If something that is no layer is added.
    ValueError
        If two layers have the same name.

    Examples
    --------
    >>> from minigrad.layers import Dense
    >>> model = Sequential(Dense(3, "relu", input_dim=2), Dense(1))
    >>> [layer.name for layer in model.layers]
    ['dense', 'dense_1']
    >>> model([[1.0, 2.0]]).shape
    (1, 1)
    """

    def __init__(self, *layers: Any, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self._layers: list[Layer] = []
        self._shapes: list[Shape | None] = []
        self._prepare_training()
        if len(layers) == 1 and not isinstance(layers[0], Layer):
            if not isinstance(layers[0], Iterable):
                raise TypeError(f"Sequential is made of layers. Received: {layers[0]!r}")
            layers = tuple(layers[0])
        for layer in layers:
            self.add(layer)

    # ---- its layers ----------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self._layers)

    def add(self, layer: Layer) -> None:
        """Append a layer; it is built at once if its input's shape is known."""
        if not isinstance(layer, Layer):
            raise TypeError(
                f"model {self.name!r}: expected a Layer. Received: {layer!r}. A function becomes "
                "one by subclassing Layer."
            )
        self._settle_name(layer)
        self._layers.append(layer)
        shape = self._shapes[-1] if len(self._shapes) else None
        if shape is None and len(self._layers) == 1 and layer.input_shape is not None:
            shape = (None, *layer.input_shape)
            self.input_shape = layer.input_shape
        self._shapes.append(None if shape is None else self._build_layer(layer, shape))
        self.built = all(layer.built for layer in self._layers)
        if not self.trainable:
            layer.trainable = False

    def _build_layer(self, layer: Layer, input_shape: Shape) -> Shape:
        if not layer.built:
            layer._build(input_shape)
        return layer.compute_output_shape(input_shape)

    def _settle_name(self, layer: Layer) -> None:
        """Make sure that no two layers share a name, generating one that is free."""
        taken = {other.name for other in self._layers if other is not layer}
        if layer.name in taken:
            if layer.name_is_settled:
                raise ValueError(
                    f"model {self.name!r} already has a layer named {layer.name!r}. Give one of "
                    "the two another name=."
                )
            layer.rename(free_name(layer.name, taken))
        layer.name_is_settled = True

    def build(self, input_shape: Shape) -> None:
        """Build all layers for inputs of `input_shape`, which has the batch in front."""
        if not self._layers:
            raise ValueError(f"model {self.name!r} has no layers. Add some with add().")
        shape: Shape = tuple(input_shape)
        shapes: list[Shape | None] = []
        for layer in self._layers:
            shape = self._build_layer(layer, shape)
            shapes.append(shape)
        self._shapes = shapes
        self.input_shape = tuple(input_shape[1:])
        self.built = True

    def _build(self, input_shape: Shape) -> None:
        self.build(input_shape)

    def unique_layers(self) -> list[Layer]:
        """Return the layers, each once."""
        return list({id(layer): layer for layer in self._layers}.values())

    # ---- as a layer ----------------------------------------------------------------------------

    def _scope(self, frame: Frame) -> AbstractContextManager[Any]:
        # The outermost model's own name would stand in front of every term, and say nothing.
        return super()._scope(frame) if frame.outer is not None else nullcontext()

    def _as_input(self, x: Any) -> Tensor:
        try:
            return as_float_tensor(x, None if isinstance(x, Tensor) else self.compute_dtype)
        except TypeError as error:
            raise TypeError(f"model {self.name!r}: {error}") from error

    @property
    def compute_dtype(self) -> Any:
        """The dtype of the first layer, to which data are converted."""
        first = self._layers[0] if self._layers else None
        return first.compute_dtype if isinstance(first, Sequential) else (first or self).dtype

    def call(self, x: Tensor) -> Tensor:
        """Feed `x` through all layers."""
        if not self._layers:
            raise ValueError(f"model {self.name!r} has no layers. Add some with add().")
        for layer in self._layers:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's."""
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained. Setting it freezes or frees all its layers."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        for layer in self._layers:
            layer.trainable = trainable

    def named_parameters(self) -> dict[str, Parameter]:
        """Return all weights by their path, such as ``{"codings/kernel": …}``.

        Raises
        ------
        RuntimeError
            If a layer has not been built, so that it has none yet.
        """
        if not self._layers:
            raise ValueError(f"model {self.name!r} has no layers. Add some with add().")
        return {
            f"{layer.name}/{path}": parameter
            for layer in self.unique_layers()
            for path, parameter in layer.named_parameters().items()
        }

    # ---- penalties -----------------------------------------------------------------------------

    def weight_penalties(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Compute the penalties of all trainable weights as they are now, each once."""
        counted: set[int] = set()  # a layer may stand in several of the nested models
        for path, layer in self._leaves(prefix):
            if id(layer) not in counted:
                counted.add(id(layer))
                yield from layer.weight_penalties(f"{path}/")

    def _leaves(self, prefix: str) -> Iterator[tuple[str, Layer]]:
        """All layers below this one that are no models, with their paths."""
        for layer in self._layers:
            path = f"{prefix}{layer.name}"
            if isinstance(layer, Sequential):
                yield from layer._leaves(f"{path}/")
            else:
                yield path, layer

    def penalties(self, addends: list[Addend] | None = None) -> list[tuple[str, Tensor]]:
        """Return all penalties with their names, in the order of the layers; see `Layer`."""
        own = free_name(self.name, {layer.name for layer in self._layers})
        outputs = [
            ("/".join(path) if len(path) > 1 else f"{own}/{path[0]}", value)
            for path, value in (self._addends if addends is None else addends)
        ]
        named = [*self.weight_penalties(), *outputs]
        rank = {path: index for index, (path, _, _) in enumerate(self._paths())}
        return sorted(named, key=lambda addend: rank.get(addend[0].rpartition("/")[0], len(rank)))

    # ---- looking at it -------------------------------------------------------------------------

    def _paths(self, prefix: str = "") -> Iterator[tuple[str, Layer, Shape | None]]:
        """All layers below this one with their paths and output shapes; a model after its own."""
        for layer, shape in zip(self._layers, self._shapes, strict=True):
            if isinstance(layer, Sequential):
                yield from layer._paths(f"{prefix}{layer.name}/")
                if layer.activity_regularizer is None:
                    continue
            yield f"{prefix}{layer.name}", layer, shape

    def summary(self) -> None:
        """Print the layers with their output shapes, numbers of weights, and penalties."""
        print(summary.describe(self.name, list(self._paths()), summary.penalties_of(self)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this model again, without its weights.

        A layer that stands in several places is described once, and named in the others.
        """
        described: list[Any] = []
        seen: set[int] = set()
        for layer in self._layers:
            described.append(layer.name if id(layer) in seen else registry.serialize(layer))
            seen.add(id(layer))
        return {**super().get_config(), "layers": described}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the model that `get_config` described."""
        arguments = dict(config)
        made: dict[str, Layer] = {}
        layers = []
        for description in arguments.pop("layers"):
            if isinstance(description, str):
                layers.append(made[description])
            else:
                layers.append(registry.deserialize(description))
                made[layers[-1].name] = layers[-1]
        trainable = arguments.pop("trainable", True)
        model = cls(layers, **arguments)
        model._trainable = trainable  # its layers bring their own switches
        return model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write architecture, weights and compile settings to a ``.npz``; see `minigrad.load`."""
        from minigrad.training.saving import save  # it knows Sequential, so it stands above

        save(self, path)


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
