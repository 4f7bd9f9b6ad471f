"""Sequential: layers one after the other, themselves a layer, so that models nest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from minigrad.engine import Tensor
from minigrad.layers import DenseTranspose, Input, Layer
from minigrad.layers.layer import Shape, registry
from minigrad.layers.symbol import Symbol
from minigrad.serialization import by_own_names
from minigrad.training.model import Model, find_tied


@registry.register()
class Sequential(Model):
    """A model whose layers feed each other in a row.

    Parameters
    ----------
    *layers
        Layers or other models, one by one or in a list. An `Input` in front tells the shape.
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
        self._input: Input | None = None
        self._drawn: tuple[list[Layer], Symbol, Symbol] | None = None
        if len(layers) == 1 and not isinstance(layers[0], Layer):
            if not isinstance(layers[0], Iterable):
                raise TypeError(f"Sequential is made of layers. Received: {layers[0]!r}")
            layers = tuple(layers[0])
        for layer in layers:
            self.add(layer)

    # ---- its layers ----------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order; one that stands in several places comes repeatedly."""
        return list(self._layers)

    def sublayers(self) -> list[Layer]:
        """Return the layers, each once."""
        return list({id(layer): layer for layer in self._layers}.values())

    def add(self, layer: Layer | Input) -> None:
        """Append a layer; it is built at once if its input's shape is known."""
        if isinstance(layer, Input):
            if self._layers:
                raise ValueError(f"model {self.name!r}: Input belongs in front of all layers")
            if self.input_shape is not None:
                raise ValueError(
                    f"model {self.name!r} has an input of shape {self.input_shape} already. "
                    f"Received: another Input, of shape {layer.sample_shape}"
                )
            self.input_shape, self._input = layer.sample_shape, layer
            return
        if not isinstance(layer, Layer):
            raise TypeError(
                f"model {self.name!r}: expected a Layer. Received: {layer!r}. A function becomes "
                "one as layers.Lambda(function)."
            )
        if layer is self or (isinstance(layer, Model) and self in dict(layer.paths()).values()):
            raise ValueError(f"model {self.name!r} cannot contain itself")
        self._settle_name(layer, self._layers)
        self._layers.append(layer)
        find_tied(self._layers)
        shape = self._shapes[-1] if self._shapes else None
        if len(self._layers) == 1:
            self.input_shape = layer.input_shape if self.input_shape is None else self.input_shape
            shape = None if self.input_shape is None else (None, *self.input_shape)
        if isinstance(layer, DenseTranspose) and not layer.knows_its_twin:
            shape = None  # the other layer may be in another part of a larger model
        self._shapes.append(None if shape is None else self._build_layer(layer, shape))
        self.built = all(layer.built for layer in self._layers)
        if not self.trainable:
            layer.trainable = False

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not self._layers:
            raise ValueError(f"model {self.name!r} has no layers to remove")
        self._shapes.pop()
        return self._layers.pop()

    def _build_layer(self, layer: Layer, input_shape: Shape) -> Shape:
        if not layer.built:
            layer._build(input_shape)
        return layer.compute_output_shape(input_shape)

    def build(self, input_shape: Shape) -> None:
        """Build all layers for inputs of `input_shape`, which has the batch in front."""
        self._require_layers()
        known = self.input_shape or ()
        is_known = self.built and self.weights and known and None not in known
        if is_known and known != tuple(input_shape[1:]):
            raise ValueError(
                f"model {self.name!r} is built for inputs of shape {(None, *known)}. Received: "
                f"{tuple(input_shape)}"
            )
        shape: Shape = tuple(input_shape)
        shapes: list[Shape | None] = []
        for layer in self._layers:
            shape = self._build_layer(layer, shape)
            shapes.append(shape)
        self._shapes = shapes
        self.input_shape = tuple(input_shape[1:])
        self.built = True

    def _require_layers(self) -> None:
        if not self._layers:
            raise ValueError(f"model {self.name!r} has no layers. Add some with add().")

    def _require_built(self) -> None:
        self._require_layers()  # which of them is not built, they say themselves

    def _ends(self) -> tuple[Symbol, Symbol]:
        if self.input_shape is None or not self._layers:
            raise AttributeError(
                f"model {self.name!r} has no input or output yet, as it does not know its input's "
                "shape. Put an Input in front, or build it."
            )
        if self._drawn is None or self._drawn[0] != self._layers:
            symbol: Symbol = self._input or Input(self.input_shape)
            first = symbol
            for layer in self._layers:
                symbol = layer(symbol)
            self._drawn = ([*self._layers], first, symbol)
        return self._drawn[1:]

    _is_drawn = True

    def _end_names(self) -> tuple[str | None, str | None]:
        first = None if self._input is None else self._input.name
        return first, self._layers[-1].name if self._layers else None

    # ---- as a layer ----------------------------------------------------------------------------

    def call(self, x: Tensor) -> Tensor:
        """Feed `x` through all layers."""
        self._require_layers()
        for layer in self._layers:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's."""
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def output_shapes(self, prefix: str = "") -> Iterator[tuple[str, Layer, Shape | None]]:
        """All layers with paths and output shapes; a model comes after its own layers."""
        for layer, shape in zip(self._layers, self._shapes, strict=True):
            path = f"{prefix}{layer.name}"
            if isinstance(layer, Model):
                yield from layer.output_shapes(f"{path}/")
            yield path, layer, shape

    # ---- files ---------------------------------------------------------------------------------

    @by_own_names()
    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this model again, without its weights.

        A layer that stands in several places is described once, and named in the others.
        """
        described: list[Any] = []
        seen: set[int] = set()
        for layer in self._layers:
            described.append(layer.name if id(layer) in seen else registry.serialize(layer))
            seen.add(id(layer))
        config = super().get_config()
        config.pop("layers", None)
        return {**config, "layers": described} if self._takes("layers") else config

    @classmethod
    def _made_of(cls, arguments: dict[str, Any]) -> tuple[Any, ...]:
        if "layers" not in arguments:
            return ()
        made: dict[str, Layer] = {}
        layers = []
        for description in arguments.pop("layers"):
            if isinstance(description, str):
                layers.append(made[description])
            else:
                layers.append(registry.deserialize(description))
                made[layers[-1].name] = layers[-1]
        return (layers,)
