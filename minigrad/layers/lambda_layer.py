"""Lambda: any function as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.layers.layer import Layer, Shape, registry
from minigrad.parameter import Parameter
from minigrad.serialization import Registry

functions = Registry("function", returns_functions=True)


@registry.register()
class Lambda(Layer):
    """``function(x, **arguments)``, for what has no weights.

    Parameters
    ----------
    function
        From a Tensor to a Tensor, by any ops. To save the model, define it with ``def`` and
        decorate it with ``@minigrad.register_serializable()``.
    output_shape
        One sample's shape of the output, or a function of the input's; found by a trial on zeros
        if it is not given.
    arguments
        Further keywords of the function.
    **layer_arguments
        See `Layer`.

    Raises
    ------
    TypeError
        If `function` is not callable.
    ValueError
        If it holds a Parameter or a layer, which would never be trained.

    Examples
    --------
    >>> Lambda(lambda x: x * x)([[3.0]])
    Tensor([[9.]])
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        arguments: dict[str, Any] | None = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        if not callable(function):
            raise TypeError(f"Lambda: expected a function. Received: {function!r}")
        for cell in getattr(function, "__closure__", None) or ():
            if isinstance(cell.cell_contents, Parameter | Layer):
                raise ValueError(
                    f"Lambda {self.name!r} holds {cell.cell_contents!r}, whose weights it would "
                    "hide from training. Subclass Layer instead."
                )
        self.function = function
        self._wanted_shape = output_shape
        self.arguments = dict(arguments or {})

    def call(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, **self.arguments)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return what ``output_shape`` says, or what a trial on zeros shows."""
        wanted = self._wanted_shape
        if wanted is None:
            return super().compute_output_shape(input_shape)
        return tuple(wanted(input_shape)) if callable(wanted) else (input_shape[0], *wanted)

    def _setting(self, name: str) -> Any:
        if name == "function":
            return functions.serialize(self.function)
        if name == "output_shape" and callable(self._wanted_shape):
            raise ValueError(
                f"layer {self.name!r}: give output_shape as a tuple, so that it can be saved"
            )
        return self._wanted_shape if name == "output_shape" else super()._setting(name)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        """Make the layer that `get_config` described."""
        return cls(**{**config, "function": functions.deserialize(config["function"])})
