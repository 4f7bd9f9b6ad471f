"""Model: a layer that can be compiled, trained, saved and looked at."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

import numpy as np

from minigrad.engine import Tensor, no_grad
from minigrad.engine.state import override
from minigrad.engine.watcher import reveal
from minigrad.layers import DenseTranspose, Layer
from minigrad.layers.forward_pass import Frame, Path, apart
from minigrad.layers.layer import Shape, registry
from minigrad.layers.symbol import Symbol
from minigrad.layers.weights import free_name
from minigrad.serialization import by_own_names, custom_object_scope
from minigrad.training import summary
from minigrad.training.graph import Graph
from minigrad.training.traced import Traced
from minigrad.training.trainer import Trainer


class hideable:  # noqa: N801  (a decorator, as property is)
    """A property that an attribute of the same name hides.

    So a subclass of Model may call one of its layers ``self.output``.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, owner: Any, kind: type) -> Any:
        return self if owner is None else self._function(owner)


@registry.register()
class Model(Trainer, Traced):
    """A layer with `compile`, `fit` and `save`.

    There are three ways to one: `Sequential`, for layers in a row; ``Model(inputs, outputs)``, for
    layers that were called on an `Input` and on each other's results; and a subclass that makes
    layers as its attributes and defines `call`. The terms of its layers carry the name of the
    layer, without the model's own in front.

    Parameters
    ----------
    inputs, outputs
        An `Input`, and what layers made of it. A subclass needs neither.
    **layer_arguments
        ``name``, ``activity_regularizer`` (on the output of the whole), ``seed`` (for shuffling),
        and what else `Layer` takes.

    Raises
    ------
    TypeError
        If only one of inputs and outputs is given, or one is something else.
    ValueError
        If the outputs do not come from the inputs.

    Examples
    --------
    >>> from minigrad.layers import Add, Dense, Input
    >>> pixels = Input((4,))
    >>> codings = Dense(2, "relu", name="codings")(pixels)
    >>> Model(pixels, Add()([Dense(4)(codings), pixels])).summary()  # doctest: +ELLIPSIS
    Model 'model'
    ...
    >>> class Autoencoder(Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.encoder = Dense(2, "relu", name="codings")
    ...         self.decoder = Dense(4)
    ...     def call(self, x):
    ...         return self.decoder(self.encoder(x))
    >>> model = Autoencoder()
    >>> model([[1.0, 2.0, 3.0, 4.0]]).shape
    (1, 4)
    >>> list(model.named_parameters())
    ['codings/kernel', 'codings/bias', 'dense/kernel', 'dense/bias']
    """

    _noun = "model"
    _may_build_again = True  # for other shapes; its layers see to it that they fit
    _is_drawn = False  # whether its layers alone tell that it takes one array, of how many axes

    def __init__(self, inputs: Any = None, outputs: Any = None, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self._prepare_training()
        self._graph: Graph | None = None
        if (inputs is None) != (outputs is None):
            raise TypeError("Model takes inputs and outputs, or neither")
        if inputs is not None:
            self._graph, self._is_drawn = Graph(inputs, outputs), True
            self._takes_one_tensor = True
            self._note_built((self._graph.input.shape,))

    @property
    def layers(self) -> list[Layer]:
        """The layers that it is made of, in order."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name (or its path, such as ``"encoder/codings"``) or its place.

        Raises
        ------
        ValueError
            If there is none, or neither or both are given; with the names that there are.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer takes a name or an index")
        if index is not None:
            layers = self.layers
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"model {self.name!r} has {len(layers)} layers, no index {index}")
            return layers[index]
        known = dict(self.paths())
        ends = [path for path in known if path == name or path.endswith(f"/{name}")]
        if name in known or len(ends) == 1:
            return known[name if name in known else ends[0]]
        raise ValueError(
            f"model {self.name!r} has no layer {name!r}. It has: {', '.join(known)}"
            if not ends
            else f"model {self.name!r} has several layers {name!r}: {', '.join(ends)}"
        )

    def sublayers(self) -> list[Layer]:
        """Return the layers inside of this one, each once; see `Layer.sublayers`."""
        if self._graph is None:
            return super().sublayers()
        layers = self._graph.layers
        for index, layer in enumerate(layers):
            self._settle_name(layer, layers[:index])
        return layers

    # ---- where it begins and ends --------------------------------------------------------------

    @hideable
    def input(self) -> Symbol:
        """The Symbol with which it begins, to make another model of its layers.

        Raises
        ------
        AttributeError
            If it was not made of Symbols, as a subclass with `call`; or has no known input shape.
        """
        return self._ends()[0]

    @hideable
    def output(self) -> Symbol:
        """The Symbol that it returns, for more layers to be called on; see `input`."""
        return self._ends()[1]

    @hideable
    def inputs(self) -> list[Symbol]:
        """The list of its one `input`."""
        return [self.input]

    @hideable
    def outputs(self) -> list[Symbol]:
        """The list of its one `output`."""
        return [self.output]

    def _ends(self) -> tuple[Symbol, Symbol]:
        if self._graph is None:
            raise AttributeError(
                f"model {self.name!r} is computed by its own call, so it has no symbolic input or "
                "output. Call it on an Input to use it as a layer of another model."
            )
        return self._graph.input, self._graph.output

    def _end_names(self) -> tuple[str | None, str | None]:
        if self._graph is None:
            return None, None
        last = self._graph.output.layer
        return getattr(self._graph.input, "name", None), None if last is None else last.name

    # ---- as a layer ----------------------------------------------------------------------------

    def call(self, x: Any) -> Any:
        """Compute the output from the input: a subclass defines this."""
        if self._graph is None:
            return super().call(x)
        if any(symbol.further not in ({}, {"training": False}) for symbol in self._graph.calls):
            reveal(x)  # such as training=True in the midst of a prediction: it is not replayed
        return self._graph.compute(x, lambda layer, inputs, further: layer(inputs, **further))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the output's shape for an input's."""
        if self._graph is None:
            return super().compute_output_shape(input_shape)
        shape: Shape = self._graph.compute(
            input_shape, lambda layer, shapes, further: layer._output_shape(shapes, further)
        )
        return shape

    def _scope(self, frame: Frame) -> AbstractContextManager[Any]:
        if frame.outer is None and frame.watched is None:
            frame.watched = self._noted  # in a step of one's own, metrics look at layers, too
        if frame.outer is not None:
            return super()._scope(frame)
        # The outermost model's own name would stand in front of every term, and say nothing.
        return nullcontext() if self._is_drawn else override(told=self._told, taken=None)

    def _input_dtype(self, x: Any) -> Any:
        return None if isinstance(x, Tensor) else self.compute_dtype

    def _as_input(self, x: Any) -> Any:
        if isinstance(x, dict) and self._is_drawn and self._end_names()[0] is not None:
            x = self._unnamed(x, None)[0]
        x = super()._as_input(x)
        return self._with_known_axes(x) if self._is_drawn and isinstance(x, Tensor) else x

    def _with_known_axes(self, x: Tensor) -> Tensor:
        """Return an input with a last axis of length 1 added or removed, as in Keras.

        The lengths of a Sequential's are the business of its layers.
        """
        sample, found, hint = self.input_shape or (), x, ""
        missing = len(sample) + 1 - x.ndim
        if not sample:
            return x
        if missing == 1 and x.shape == sample != (1,):
            hint = ". A single sample needs the axis of the batch in front: x[None]"
        elif missing == 1 and sample[-1] == 1:
            found = x[..., np.newaxis]
        elif missing == -1 and x.shape[-1] == 1:
            found = x[..., 0]
        if missing == 1 < len(sample) and sample[1:] == x.shape[1:]:
            hint += ". Input takes one sample's shape: X.shape[1:]"
        axes = found.shape[1:]
        if len(axes) == len(sample) and (
            self._graph is None or all(n in (None, m) for n, m in zip(sample, axes, strict=True))
        ):
            return found
        raise ValueError(
            f"model {self.name!r}: expected an input of shape {(None, *sample)}. "
            f"Received: shape {x.shape}{hint}"
        )

    def _require_built(self) -> None:
        layers = self.sublayers()  # one whose train_step calls them alone is never built itself
        if not layers or not all(layer.built for layer in layers):
            super()._require_built()

    def _prefix(self) -> str:
        return ""

    def _path_of(self, path: Path) -> str:
        if len(path) > 1:
            return "/".join(path)
        own = free_name(self.name, {layer.name for layer in self.sublayers()})
        return f"{own}/{path[0]}"

    # ---- looking at it -------------------------------------------------------------------------

    def output_shapes(self, prefix: str = "") -> Iterator[tuple[str, Layer, Shape | None]]:
        """All layers with paths and output shapes, as far as they are known, for `summary`."""
        watched: dict[int, list[Any]] = {id(layer): [] for _, layer in self.paths()}
        if self.built and self.input_shape is not None and None not in self.input_shape:
            lengths = [n for n in self.input_shape if n is not None]
            with no_grad(), apart():
                self.run(np.zeros((1, *lengths), self.compute_dtype), False, watched)
        for path, layer in self.paths(prefix):
            _, output = (watched[id(layer)] or [(None, None)])[0]
            is_one = isinstance(output, Tensor)
            yield path, layer, (None, *output.shape[1:]) if is_one else None

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = True,
        show_trainable: bool = False,
    ) -> None:
        """Print the layers with their output shapes, numbers of weights, and penalties.

        Parameters
        ----------
        line_length
            How long lines are at least.
        positions
            As columns are as wide as what is in them, it changes nothing.
        print_fn
            What is called with the text instead of `print`.
        expand_nested
            Whether models inside are shown by their layers, or each on one line.
        show_trainable
            Whether there is a column that says which layers are frozen.
        """
        shown = [
            (path, layer, shape)
            for path, layer, shape in self.output_shapes()
            if not isinstance(layer, Model) or layer.activity_regularizer is not None
        ]
        if not expand_nested:
            shapes = {id(layer): shape for _, layer, shape in self.output_shapes()}
            shown = [(layer.name, layer, shapes.get(id(layer))) for layer in self.layers]
        text = summary.describe(self, shown, line_length, show_trainable, not expand_nested)
        (print_fn or print)(text)

    # ---- files ---------------------------------------------------------------------------------

    @by_own_names()
    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this model again, without its weights."""
        config = super().get_config()
        for of_the_graph in ("inputs", "outputs"):
            config.pop(of_the_graph, None)
        if self._graph is not None and self._takes("inputs"):
            config["graph"] = self._graph.get_config()
        return config

    @classmethod
    def _takes(cls, made_of: str) -> bool:
        """Whether it can be made of its layers, as no constructor of a user's makes them itself."""
        return any(
            p.kind is p.VAR_POSITIONAL or (p.name == made_of and p.kind is not p.KEYWORD_ONLY)
            for p in inspect.signature(cls).parameters.values()
        )

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Make the model that `get_config` described; `custom_objects` are known by their names."""
        with custom_object_scope(custom_objects):
            arguments = dict(config)
            made_of = cls._made_of(arguments)
            if not made_of:
                return cls(**arguments)
            trainable = arguments.pop("trainable", True)
            model = cls(*made_of, **arguments)
            model._trainable = trainable  # its layers bring their own switches
            return model

    @classmethod
    def _made_of(cls, arguments: dict[str, Any]) -> tuple[Any, ...]:
        """Take the description of layers out of a config; return what a model is made of."""
        if "graph" not in arguments:
            return ()
        arguments.pop("input_shape", None)
        graph = Graph.from_config(arguments.pop("graph"), find_tied)
        return graph.input, graph.output

    def to_json(self, **options: Any) -> str:
        """Return the architecture as JSON text, without weights; `options` go to ``json.dumps``.

        ``minigrad.model_from_json`` makes a model of it again.
        """
        with by_own_names():
            return json.dumps(registry.serialize(self), **options)

    def clone(self) -> Self:
        """Return a new model of the same architecture, with new weights and not compiled.

        A copy with the same weights is ``copy.deepcopy(model)``.
        """
        with by_own_names():
            twin: Self = type(self).from_config(json.loads(json.dumps(self.get_config())))
        if self.built and not twin.built and self.input_shape is not None:
            twin.build((None, *self.input_shape))
        return twin

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write all of it to a ``.npz``, optimizer included; see `minigrad.save`."""
        from minigrad.training.saving import save  # it knows models, so it stands above

        save(self, filepath, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights alone to a ``.npz``, an array for each path."""
        from minigrad.training.saving import save_weights

        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
        """Take the weights from a file of `save_weights` or `save`; see `minigrad.load_weights`."""
        from minigrad.training.saving import load_weights

        load_weights(self, filepath, skip_mismatch)


def find_tied(layers: list[Layer]) -> None:
    """Hand layers that name another one, whose kernel they share, that layer."""
    known = [
        (path, found)
        for layer in layers
        for path, found in [*layer.paths(f"{layer.name}/"), (layer.name, layer)]
        if not isinstance(found, Model)
    ]
    for _, layer in known:
        if isinstance(layer, DenseTranspose):
            layer.find_tied(known)
