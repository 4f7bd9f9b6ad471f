"""ActivityRegularization: an activity penalty as a layer of its own."""

from __future__ import annotations

from typing import Any

from minigrad.engine import Tensor
from minigrad.layers.layer import registry
from minigrad.layers.spatial_layer import ElementwiseLayer
from minigrad.regularizers import L1L2


@registry.register()
class ActivityRegularization(ElementwiseLayer):
    """Passes its input on unchanged, and adds ``(l1 · Σ|x| + l2 · Σx²) / batch_size`` to the loss.

    Both strengths are 0 or larger.

    Examples
    --------
    >>> layer = ActivityRegularization(l1=0.5, name="sparsity")
    >>> output = layer([[1.0, -3.0], [0.0, 2.0]])
    >>> layer.loss_terms()
    LossTerms(sparsity/activity=1.5; total=1.5)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **layer_arguments: Any) -> None:
        super().__init__(**{"activity_regularizer": L1L2(l1, l2), **layer_arguments})
        self.l1, self.l2 = float(l1), float(l2)

    def call(self, x: Tensor) -> Tensor:
        """Return the input."""
        return x
