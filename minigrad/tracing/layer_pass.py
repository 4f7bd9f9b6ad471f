"""LayerPass: what went into a layer and came out of it, in the pass that a trace explains."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.engine import Leaf, Node, Tensor
from minigrad.layers import Layer


class LayerPass(NamedTuple):
    """One call of a layer.

    Attributes
    ----------
    path : str
        Its path in the model, such as ``"encoder/codings"``; ``"shared[1]"`` for a second call.
    layer : Layer
        Which.
    input, output : Tensor
        What it was called on, and what it returned.
    """

    path: str
    layer: Layer
    input: Any
    output: Any

    @property
    def pre_activation(self) -> Tensor | None:
        """What the activation was applied to, if the layer has one: upstream, within the layer."""
        output = self.output._node if isinstance(self.output, Tensor) else None
        entry = self.input._node if isinstance(self.input, Tensor) else None
        waiting: list[Node | Leaf | None] = [output]
        seen: set[Node] = set()
        while waiting:
            node = waiting.pop()
            if not isinstance(node, Node) or node is entry or node.released or node in seen:
                continue
            seen.add(node)
            if getattr(node, "label", None) == "pre_activation":
                return Tensor._wrap(node.result, node) if node is not output else None
            waiting.extend(node.parents)
        return None

    def tensors(self) -> dict[str, Tensor]:
        """Return input, pre-activation and output by name, as far as they are on the tape."""
        named = {
            "input": self.input,
            "pre_activation": self.pre_activation,
            "output": self.output,
        }
        return {
            f"{self.path}/{name}": tensor
            for name, tensor in named.items()
            if isinstance(tensor, Tensor) and tensor._node is not None
        }
