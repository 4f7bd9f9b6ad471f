"""Dropout and noise: at random while training, and nothing at all otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.checks import channels_last, number, sample_shape
from minigrad.engine import Tensor
from minigrad.layers.layer import registry
from minigrad.layers.spatial_layer import ElementwiseLayer
from minigrad.layers.window import check_rank


class Noise(ElementwiseLayer):
    """Base of layers that multiply or add random numbers while training.

    The numbers come from the layer's own generator: with the same ``seed``, or after the same
    `minigrad.set_seed`, they are the same. No gradient flows into them.
    """

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Return `x` disturbed while training, and as it is otherwise."""
        return self.disturb(x) if training else x

    def disturb(self, x: Tensor) -> Tensor:
        """Return `x` with the noise."""
        raise NotImplementedError(f"{type(self).__name__} must define disturb(self, x)")


@registry.register()
class Dropout(Noise):
    """``x · keep / (1 − rate)``, where keep is 0 with probability `rate` and else 1.

    Dividing keeps the expected value, so that nothing needs to be done when predicting. The
    gradient passes where the value did, by the same factor.

    Parameters
    ----------
    rate
        The fraction to drop, in [0, 1].
    noise_shape
        The shape of `keep`, which is broadcast: (None, 1, 8) drops whole columns; None is a length
        of the input's. By default each number is dropped for itself.
    **layer_arguments
        ``seed`` and what else `Layer` takes.

    References
    ----------
    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    JMLR 15 (2014).

    Examples
    --------
    >>> layer = Dropout(0.5, seed=0)
    >>> layer([[1.0, 1.0, 1.0, 1.0]], training=True).tolist()
    [[2.0, 2.0, 2.0, 0.0]]
    >>> layer([[1.0, 1.0, 1.0, 1.0]]).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        rate: float,
        noise_shape: tuple[int | None, ...] | None = None,
        **layer_arguments: Any,
    ) -> None:
        super().__init__(**layer_arguments)
        self.rate = number(type(self).__name__, "rate", rate, least=0, most=1)
        self.noise_shape = sample_shape(type(self).__name__, noise_shape, "noise_shape", least=1)

    def keep_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of `keep` for an input of `shape`."""
        if self.noise_shape is None:
            return shape
        wanted = tuple(n if k is None else k for n, k in zip(shape, self.noise_shape, strict=False))
        if len(self.noise_shape) != len(shape) or any(
            k not in (1, n) for n, k in zip(shape, wanted, strict=True)
        ):
            raise ValueError(
                f"layer {self.name!r}: noise_shape {self.noise_shape} does not fit an input of "
                f"shape {shape}: each length must be None, 1, or that of the input"
            )
        return wanted

    def disturb(self, x: Tensor) -> Tensor:
        """Drop some numbers and enlarge the others."""
        if self.rate == 0:
            return x
        drawn = self._generator.random(self.keep_shape(x.shape), np.float32)
        scale = 0.0 if self.rate == 1 else 1 / (1 - self.rate)
        return x * np.where(drawn >= self.rate, scale, 0.0).astype(x.dtype)


class SpatialDropout(Dropout):
    """Base of dropout by whole channels: what is dropped is dropped at all places at once.

    Neighbours in a feature map say nearly the same, so dropping single numbers hides little.

    References
    ----------
    J. Tompson et al., "Efficient Object Localization Using Convolutional Networks" (2015).
    """

    rank: int

    def __init__(self, rate: float, data_format: str | None = None, **layer_arguments: Any) -> None:
        super().__init__(rate, **layer_arguments)
        channels_last(type(self).__name__, data_format)

    def keep_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (batch, 1, …, channels)."""
        check_rank(self, shape)
        return (shape[0], *(1,) * self.rank, shape[-1])


@registry.register()
class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of sequences; see `SpatialDropout`."""

    rank = 1


@registry.register()
class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images; see `SpatialDropout`."""

    rank = 2


@registry.register()
class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of volumes; see `SpatialDropout`."""

    rank = 3


@registry.register()
class GaussianNoise(Noise):
    """``x + ε``, with ε normally distributed around 0 with deviation `stddev` ≥ 0.

    In front of an autoencoder it makes a denoising one: the target stays clean.

    Examples
    --------
    >>> layer = GaussianNoise(0.1, seed=0)
    >>> layer([[1.0, 1.0]], training=True).numpy().round(3)
    array([[1.013, 0.987]], dtype=float32)
    """

    def __init__(self, stddev: float, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.stddev = number("GaussianNoise", "stddev", stddev, least=0)

    def disturb(self, x: Tensor) -> Tensor:
        """Add the noise."""
        drawn = self._generator.standard_normal(x.shape)
        return x + (self.stddev * drawn).astype(x.dtype)


@registry.register()
class GaussianDropout(Noise):
    """``x · ε``, with ε normally distributed around 1 with deviation √(rate / (1 − rate)).

    As much noise as dropout at that rate makes, without setting anything to zero: `rate` < 1.
    """

    def __init__(self, rate: float, **layer_arguments: Any) -> None:
        super().__init__(**layer_arguments)
        self.rate = number("GaussianDropout", "rate", rate, least=0, most=1)
        if self.rate == 1:
            raise ValueError("GaussianDropout: rate must be below 1. Received: rate=1")

    def disturb(self, x: Tensor) -> Tensor:
        """Multiply by the noise."""
        deviation = math.sqrt(self.rate / (1 - self.rate))
        drawn = self._generator.standard_normal(x.shape)
        return x * (1 + deviation * drawn).astype(x.dtype)
