"""Contributions alone: what each term gives to each parameter, without the story of the walk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.tracing.attribution import attribute

Array = np.ndarray[Any, Any]


def contributions(
    terms: Mapping[str, Tensor], parameters: Mapping[str, Tensor], create_graph: bool = False
) -> dict[str, dict[str, Any]]:
    """Return the gradient of each term with respect to each parameter; None where no path leads.

    What the walk knows of anything else is forgotten on the way. With `create_graph` they are
    Tensors, which remember how they were computed.

    Examples
    --------
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> contributions({"data": (w * w).sum(), "constant": Tensor(1.0)}, {"w": w})
    {'w': {'data': array([ 2., -4.], dtype=float32), 'constant': None}}
    """
    nodes = {name: tensor._node for name, tensor in parameters.items()}
    targets = {node for node in nodes.values() if node is not None}
    attributed = attribute(terms, targets=targets, create_graph=create_graph)
    return {
        name: {
            term: None if node is None else _as_array(attributed.get(node, {}).get(term))
            for term in terms
        }
        for name, node in nodes.items()
    }


def _as_array(values: Any) -> Any:
    return values if values is None or isinstance(values, Tensor) else np.asarray(values)
