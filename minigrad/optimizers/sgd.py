"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad.layers import Parameter
from minigrad.optimizers.flat import Array
from minigrad.optimizers.optimizer import Optimizer, number, registry


@registry.register("sgd")
class SGD(Optimizer):
    """``w ← w − η g``; with momentum μ: ``v ← μ v − η g``, ``w ← w + v``.

    Parameters
    ----------
    learning_rate
        η, positive.
    momentum
        μ, in [0, 1): how much of the last step's velocity goes on.
    nesterov
        Whether to look ahead: ``w ← w + μ v − η g`` (Nesterov 1983).
    parameters
        What is to be trained.

    Raises
    ------
    ValueError
        For a learning rate or momentum outside of its range.

    Examples
    --------
    >>> from minigrad.layers import Parameter
    >>> w = Parameter([1.0, -2.0])
    >>> optimizer = SGD(0.1, parameters=[w])
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.numpy()
    array([ 0.8, -1.6], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        parameters: Iterable[Parameter] | None = None,
    ) -> None:
        self.momentum = 0.0
        if momentum != 0:
            self.momentum = number("SGD", "momentum", momentum, above=0.0, below=1.0)
        self.nesterov = bool(nesterov)
        self.slots = ("velocity",) if self.momentum else ()
        super().__init__(learning_rate, parameters)

    def update(self, values: Array, gradients: Array, **slots: Array) -> None:
        """Change `values` in place by one step."""
        step = gradients * self.learning_rate
        if not self.momentum:
            values -= step
            return
        velocity = slots["velocity"]
        velocity *= self.momentum
        velocity -= step
        if self.nesterov:
            values += self.momentum * velocity
            values -= step
        else:
            values += velocity

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this optimizer again."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
