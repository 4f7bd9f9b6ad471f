"""BatchNormalization and LayerNormalization: mean 0 and variance 1, then a scale and a shift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import initializers
from minigrad.checks import boolean, is_whole, number, wrong
from minigrad.engine import Tensor
from minigrad.engine.tensor import plain
from minigrad.layers.layer import Shape, registry
from minigrad.layers.slots import RegularizerSlot
from minigrad.layers.spatial_layer import ElementwiseLayer
from minigrad.parameter import Parameter


class Normalization(ElementwiseLayer):
    """Base of both: ``γ (x − mean) / √(variance + ε) + β``.

    Parameters
    ----------
    epsilon
        ε, keeps the division finite; positive.
    center, scale
        Whether β and γ are there.
    beta_initializer, gamma_initializer
        How they begin: zeros and ones.
    beta_regularizer, gamma_regularizer, activity_regularizer
        Penalties: the terms ``<layer>/beta``, ``<layer>/gamma`` and ``<layer>/activity``.
    beta_constraint, gamma_constraint
        What they must satisfy after each step.
    **layer_arguments
        See `Layer`.
    """

    axis: Any  # an integer, or a list of them

    beta_regularizer = RegularizerSlot("beta")
    gamma_regularizer = RegularizerSlot("gamma")

    def __init__(
        self,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        kind = type(self).__name__
        self.epsilon = number(kind, "epsilon", epsilon, least=0)
        self.center = boolean(kind, "center", center)
        self.scale = boolean(kind, "scale", scale)
        self._plan_weight("beta", beta_initializer, beta_regularizer, beta_constraint)
        self._plan_weight("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self.gamma: Parameter | None = None
        self.beta: Parameter | None = None

    def _axes(self, shape: Shape) -> tuple[int, ...]:
        """Return the axes of an input of `shape` as numbers from 0, sorted."""
        wanted = self.axis if isinstance(self.axis, list | tuple) else [self.axis]
        rank = len(shape)
        axes = sorted(a + rank if a < 0 else a for a in wanted)
        if not axes or len(set(axes)) < len(axes) or axes[0] < 1 or axes[-1] >= rank:
            expected = "must name axes of the input, each once and other than the batch"
            raise self._unfit(f"axis={self.axis!r} {expected}", shape)
        return tuple(axes)

    def _add_scale_and_shift(self, input_shape: Shape) -> tuple[int, ...]:
        """Make γ and β, of the lengths of the axes, and return those."""
        lengths = [input_shape[a] for a in self._axes(input_shape)]
        shape = tuple(n for n in lengths if n is not None)
        if len(shape) < len(lengths):
            raise self._unfit(f"the lengths of axis {self.axis} must be known", input_shape)
        if self.scale:
            self.gamma = self._add_planned("gamma", shape)
        if self.center:
            self.beta = self._add_planned("beta", shape)
        return shape

    def _scale_and_shift(self, normal: Any, shape: tuple[int, ...]) -> Any:
        if self.gamma is not None:
            normal = normal * self.gamma.reshape(shape)
        return normal if self.beta is None else normal + self.beta.reshape(shape)


@registry.register()
class BatchNormalization(Normalization):
    """Each channel gets mean 0 and variance 1 over the batch (and over all places).

    While training, mean and variance are those of the batch, and the gradient flows through them;
    moving averages of both are kept as state: ``moving ← momentum · moving + (1 − momentum) ·
    batch``. Otherwise, and when the layer is frozen, the moving averages are used.

    Parameters
    ----------
    axis
        The axis of the channels, which the input must have.
    momentum
        How slowly the moving averages forget, in [0, 1].
    epsilon, center, scale, **arguments
        See `Normalization`.
    moving_mean_initializer, moving_variance_initializer
        How the moving averages begin: zeros and ones.

    References
    ----------
    S. Ioffe, C. Szegedy, "Batch Normalization" (2015).

    Examples
    --------
    >>> layer = BatchNormalization(epsilon=0.0)
    >>> layer([[1.0], [3.0]], training=True).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.numpy()
    array([0.02], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **arguments: Any,
    ) -> None:
        super().__init__(epsilon, center, scale, **arguments)
        if not is_whole(axis):
            raise wrong("BatchNormalization", "axis", axis, "an integer")
        self.axis = int(axis)
        self.momentum = number("BatchNormalization", "momentum", momentum, least=0, most=1)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make γ, β and the moving averages, a number for each channel."""
        shape = self._add_scale_and_shift(input_shape)
        self.moving_mean = self.add_weight(
            "moving_mean", shape, self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            "moving_variance", shape, self.moving_variance_initializer, trainable=False
        )

    def call(self, x: Tensor, training: bool = False) -> Any:
        """Normalize: by the batch while training, by the moving averages otherwise."""
        (axis,) = self._axes(x.shape)
        channels = self.moving_mean.shape[0]
        if x.shape[axis] != channels:
            raise self._unfit(f"expected {channels} channels along axis {self.axis}", x.shape)
        shape = tuple(channels if a == axis else 1 for a in range(x.ndim))
        if not (training and self.trainable):
            mean, variance = self.moving_mean.reshape(shape), self.moving_variance.reshape(shape)
            centred = x - mean
        else:
            others = tuple(a for a in range(x.ndim) if a != axis)
            if x.size == 0:
                raise ValueError(f"layer {self.name!r}: the batch is empty: shape {x.shape}")
            centred = x - x.mean(axis=others, keepdims=True)
            variance = np.mean(centred * centred, axis=others, keepdims=True)
            self._follow(self.moving_mean, plain(x).mean(axis=others))
            self._follow(self.moving_variance, plain(variance).reshape(channels))
        return self._scale_and_shift(centred / np.sqrt(variance + self.epsilon), shape)

    def _follow(self, moving: Parameter, batch: Any) -> None:
        """Let a moving average move towards the value of the batch."""
        moving.assign(self.momentum * plain(moving) + (1 - self.momentum) * batch)


@registry.register()
class LayerNormalization(Normalization):
    """Each sample gets mean 0 and variance 1 over `axis`; the batch does not matter.

    Parameters
    ----------
    axis
        The axis, or several, over which mean and variance are taken; γ and β have their shape. The
        input must have them.
    epsilon, center, scale, **arguments
        See `Normalization`.

    References
    ----------
    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization" (2016).

    Examples
    --------
    >>> LayerNormalization(epsilon=0.0)([[1.0, 3.0], [5.0, 9.0]]).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        **arguments: Any,
    ) -> None:
        super().__init__(epsilon, center, scale, **arguments)
        several = isinstance(axis, list | tuple)
        axes: Any = axis if several else [axis]
        if not axes or not all(map(is_whole, axes)):
            raise wrong("LayerNormalization", "axis", axis, "an integer or several")
        self.axis = [int(one) for one in axes] if several else int(axes[0])
        self._build_if_shape_is_known()

    def build(self, input_shape: Shape) -> None:
        """Make γ and β, of the shape of the axes over which mean and variance are taken."""
        self.normalized_shape = self._add_scale_and_shift(input_shape)

    def call(self, x: Tensor) -> Any:
        """Normalize each sample."""
        axes = self._axes(x.shape)
        if tuple(x.shape[a] for a in axes) != self.normalized_shape:
            expected = f"expected lengths {self.normalized_shape} along axis {self.axis}"
            raise self._unfit(expected, x.shape)
        shape = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
        centred = x - x.mean(axis=axes, keepdims=True)
        variance = np.mean(centred * centred, axis=axes, keepdims=True)
        return self._scale_and_shift(centred / np.sqrt(variance + self.epsilon), shape)
