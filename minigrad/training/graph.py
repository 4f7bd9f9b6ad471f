"""Graph: layers that were called on each other's Symbols, from an input to an output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.layers import Layer
from minigrad.layers.layer import registry
from minigrad.layers.symbol import Input, Symbol


class Graph:
    """What ``Model(inputs, outputs)`` computes, from the one Symbol to the other.

    `calls` are the results of all calls of layers, in an order in which they can be computed.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.input = self._single("inputs", inputs)
        self.output = self._single("outputs", outputs)
        self.calls: list[Symbol] = []
        self._gather()

    def _single(self, argument: str, value: Any) -> Symbol:
        only = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
        if not isinstance(only, Symbol):
            raise TypeError(
                f"Model: {argument} must be what Input(…), or a layer that was called on it, "
                f"returned; one only. Received: {value!r}. With several inputs or outputs, "
                "subclass Model."
            )
        return only

    def _gather(self) -> None:
        """List the calls between input and output, sources first, without recursion."""
        done = {id(self.input)}
        waiting = [self.output]
        while waiting:
            symbol = waiting[-1]
            missing = [source for source in symbol.sources if id(source) not in done]
            if id(symbol) in done:
                waiting.pop()
            elif symbol.layer is None:
                raise ValueError(
                    f"Model: the output also depends on {symbol!r}, which is not among the inputs"
                )
            elif missing:
                waiting.extend(reversed(missing))
            else:
                done.add(id(symbol))
                self.calls.append(symbol)
                waiting.pop()

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of their first calls."""
        found = [symbol.layer for symbol in self.calls if symbol.layer is not None]
        return list({id(layer): layer for layer in found}.values())

    def compute(self, x: Any, call: Callable[[Layer, Any, Any], Any]) -> Any:
        """Return the value of the output, from that of the input, `x`.

        `call` gets a layer, what it is called on, and further arguments by name.
        """
        values = {id(self.input): x}
        for symbol in self.calls:
            assert symbol.layer is not None
            sources = [values[id(source)] for source in symbol.sources]
            inputs = sources if len(sources) > 1 else sources[0]
            values[id(symbol)] = call(symbol.layer, inputs, symbol.further)
        return values[id(self.output)]

    def get_config(self) -> dict[str, Any]:
        """Return the layers and how they are connected: call by call, by numbers."""
        layers = self.layers
        numbers = {id(layer): number for number, layer in enumerate(layers)}
        places = {id(symbol): place for place, symbol in enumerate([self.input, *self.calls])}
        return {
            "inputs": self.input.shape[1:],
            "name": getattr(self.input, "name", None),
            "layers": [registry.serialize(layer) for layer in layers],
            "calls": [
                [numbers[id(call.layer)], [places[id(s)] for s in call.sources], call.further]
                for call in self.calls
            ],
            "output": places[id(self.output)],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], prepare: Callable[[list[Layer]], None]) -> Graph:
        """Make the graph that `get_config` described; `prepare` sees the layers first."""
        layers = [registry.deserialize(description) for description in config["layers"]]
        if not all(isinstance(layer, Layer) for layer in layers):
            raise ValueError("a model's config lists something that is no layer")
        prepare(layers)
        symbols: list[Symbol] = [Input(config["inputs"], name=config.get("name"))]
        for number, sources, *further in config["calls"]:
            called_on = [symbols[place] for place in sources]
            inputs = called_on if len(called_on) > 1 else called_on[0]
            symbols.append(layers[number](inputs, **(further[0] if further else {})))
        return cls(symbols[0], symbols[config["output"]])
