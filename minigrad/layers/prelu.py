"""PReLU: a leaky relu whose slopes are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.checks import is_whole, wrong
from minigrad.engine import Tensor
from minigrad.layers.layer import Shape, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.layers.spatial_layer import ElementwiseLayer
from minigrad.ops.neural import relu


@registry.register()
class PReLU(ElementwiseLayer):
    """``max(x, 0) + α · min(x, 0)``, with a trained slope α for each unit.

    Parameters
    ----------
    alpha_initializer, alpha_regularizer, alpha_constraint
        How the slopes begin, their penalty (the term ``<layer>/alpha``), and what they must
        satisfy after each step.
    shared_axes
        Axes of the input, from 1, along which a slope is shared: [1, 2] for the places of an image.
    **layer_arguments
        See `Layer`.

    References
    ----------
    K. He et al., "Delving Deep into Rectifiers" (2015).

    Examples
    --------
    >>> PReLU(alpha_initializer="ones")([[-2.0, 3.0]]).tolist()
    [[-2.0, 3.0]]
    """

    alpha_regularizer = RegularizerSlot("alpha")

    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self._plan_weight("alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        shared: Any = [] if shared_axes is None else shared_axes
        axes = shared if isinstance(shared, list | tuple) else [shared]
        if not all(is_whole(a) and a >= 1 for a in axes):
            expected = "integers from 1 (0 is the batch)"
            raise wrong("PReLU", "shared_axes", shared_axes, expected)
        self.shared_axes = [int(a) for a in axes]
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make the slopes, of the shape of a sample; 1 along the shared axes."""
        shape = [1 if a in self.shared_axes else n for a, n in enumerate(input_shape)][1:]
        if None in shape or max(self.shared_axes, default=0) >= len(input_shape):
            raise ValueError(
                f"layer {self.name!r}: shared_axes={self.shared_axes} does not fit an input of "
                f"shape {input_shape}: its lengths must be known, or shared"
            )
        self.alpha = self._add_planned("alpha", [n for n in shape if n is not None])

    def call(self, x: Tensor) -> Any:
        """Apply the slopes."""
        slopes = self.alpha.shape
        if x.ndim != len(slopes) + 1 or any(
            n not in (1, m) for n, m in zip(slopes, x.shape[1:], strict=True)
        ):
            raise self._unfit(f"expected samples that fit the slopes of shape {slopes}", x.shape)
        return relu(x) - self.alpha * relu(-x)

    def _setting(self, name: str) -> Any:
        return self.shared_axes or None if name == "shared_axes" else super()._setting(name)
