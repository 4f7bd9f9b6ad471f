"""ReLU, LeakyReLU, ELU and Softmax: activations with settings of their own, as layers."""

from __future__ import annotations

from typing import Any

from minigrad.activations import relu
from minigrad.checks import is_whole, number, wrong
from minigrad.engine import Tensor
from minigrad.layers.layer import registry
from minigrad.layers.spatial_layer import ElementwiseLayer
from minigrad.ops.neural import elu, leaky_relu, softmax_


@registry.register()
class ReLU(ElementwiseLayer):
    """``x`` above `threshold`, else ``negative_slope · (x − threshold)``; at most `max_value`.

    By default max(x, 0). At a kink the derivative is that of the left side, so relu′(0) is 0. All
    three numbers are 0 or larger.

    Parameters
    ----------
    max_value
        Where the output stops growing; nowhere by default. There the gradient ends.
    negative_slope
        The slope up to the threshold: 0 lets nothing through.
    threshold
        What an input must exceed to pass unchanged.
    **layer_arguments
        See `Layer`.

    Examples
    --------
    >>> ReLU(max_value=6, negative_slope=0.5)([[-2.0, 3.0, 9.0]]).tolist()
    [[-1.0, 3.0, 6.0]]
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.max_value = None if max_value is None else number("ReLU", "max_value", max_value, 0)
        self.negative_slope = number("ReLU", "negative_slope", negative_slope, least=0)
        self.threshold = number("ReLU", "threshold", threshold, least=0)

    def call(self, x: Tensor) -> Any:
        """Bend each number."""
        return relu(x, self.negative_slope, self.max_value, self.threshold)


@registry.register()
class LeakyReLU(ElementwiseLayer):
    """X for x > 0, else ``negative_slope · x``, slope ≥ 0: some gradient always comes through.

    Examples
    --------
    >>> LeakyReLU(0.5)([[-2.0, 3.0]]).tolist()
    [[-1.0, 3.0]]
    """

    def __init__(self, negative_slope: float = 0.3, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope, least=0)

    def call(self, x: Tensor) -> Any:
        """Bend each number."""
        return leaky_relu(x, self.negative_slope)


@registry.register()
class ELU(ElementwiseLayer):
    """X for x > 0, else ``alpha · (eˣ − 1)``: it levels off at −alpha, and alpha ≥ 0.

    References
    ----------
    D.-A. Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units"
    (2016).

    Examples
    --------
    >>> ELU()([[-1.0, 3.0]]).numpy().round(3)
    array([[-0.632, 3. ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.alpha = number("ELU", "alpha", alpha, least=0)

    def call(self, x: Tensor) -> Any:
        """Bend each number."""
        return elu(x, self.alpha)


@registry.register()
class Softmax(ElementwiseLayer):
    """``eˣ / Σ eˣ`` along `axis`: positive numbers that add up to 1.

    Parameters
    ----------
    axis
        Along which the sum goes: an axis of the input, or several for one sum over all of them.
    **layer_arguments
        See `Layer`.

    Examples
    --------
    >>> Softmax()([[0.0, 0.0], [0.0, 1.0]]).numpy().round(3)
    array([[0.5  , 0.5  ], [0.269, 0.731]], dtype=float32)
    """

    def __init__(self, axis: Any = -1, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        several = isinstance(axis, tuple | list)
        axes = axis if several else [axis]
        if not axes or not all(map(is_whole, axes)):
            raise wrong("Softmax", "axis", axis, "an integer, or several")
        self.axis = tuple(int(one) for one in axes) if several else int(axis)

    def call(self, x: Tensor) -> Any:
        """Normalise along the axis."""
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        places = {one % x.ndim for one in axes if -x.ndim <= one < x.ndim}
        if len(places) < len(axes):
            raise self._unfit(f"expected an input that has axis={self.axis}, each once", x.shape)
        return softmax_(x, axis=self.axis)
