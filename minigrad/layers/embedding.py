"""Embedding: a trained vector for each of a number of things."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.checks import positive_integer
from minigrad.engine import Tensor
from minigrad.engine.dtypes import numeric_array
from minigrad.engine.tensor import plain
from minigrad.layers.config import UNKNOWN
from minigrad.layers.layer import Layer, Shape, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.ops.joining import take


@registry.register()
class Embedding(Layer):
    """Row i of a matrix of shape (input_dim, output_dim) for each number i of the input.

    The same as a Dense layer without bias on one-hot inputs, without making them: the gradient of
    a row is the sum of what arrives at all its places.

    Parameters
    ----------
    input_dim
        How many things there are; the input holds whole numbers from 0 to input_dim − 1.
    output_dim
        How long their vectors are.
    embeddings_initializer, embeddings_regularizer, embeddings_constraint
        How the matrix begins, its penalty (the term ``<layer>/embeddings``), and what it must
        satisfy after each step.
    weights
        The matrix itself, such as vectors that others have trained: an array, or a list of it.
    **layer_arguments
        See `Layer`.

    Examples
    --------
    >>> layer = Embedding(3, 2, embeddings_initializer=lambda shape, dtype, generator:
    ...                   [[0, 1], [2, 3], [4, 5]])
    >>> layer([[2, 0]]).tolist()
    [[[4.0, 5.0], [0.0, 1.0]]]
    """

    embeddings_regularizer = RegularizerSlot("embeddings")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        weights: Any = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.input_dim = positive_integer("Embedding", "input_dim", input_dim)
        self.output_dim = positive_integer("Embedding", "output_dim", output_dim)
        self._plan_weight(
            "embeddings", embeddings_initializer, embeddings_regularizer, embeddings_constraint
        )
        self._build_if_shape_is_known()
        if weights is not None:
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Shape | None = None) -> None:
        """Make the matrix."""
        self.embeddings = self._add_planned("embeddings", (self.input_dim, self.output_dim))

    def _require_built(self) -> None:
        if not self.built:
            self.build()  # which needs no shape

    def _setting(self, name: str) -> Any:
        return UNKNOWN if name == "weights" else super()._setting(name)

    def _as_input(self, x: Any) -> Any:
        try:
            values = numeric_array(plain(x) if isinstance(x, Tensor) else x)
        except TypeError as error:
            raise TypeError(f"layer {self.name!r}: {error}") from error
        if values.size and values.dtype.kind == "f" and (values != np.floor(values)).any():
            raise ValueError(
                f"layer {self.name!r}: Embedding needs whole numbers. Received: {values.dtype} "
                "with fractions"
            )
        if values.size and (values.min() < 0 or values.max() >= self.input_dim):
            raise ValueError(
                f"layer {self.name!r}: expected numbers from 0 to {self.input_dim - 1}. "
                f"Received: from {values.min():g} to {values.max():g}"
            )
        return values.astype(np.intp)

    def call(self, x: Any) -> Any:
        """Look the rows up: (batch, …) → (batch, …, output_dim)."""
        return take(self.embeddings, x, axis=0)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Append the length of the vectors."""
        return (*input_shape, self.output_dim)
