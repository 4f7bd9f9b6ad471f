"""Parameter: a Tensor that belongs to a layer and is trained; Keras calls it a Variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from minigrad.engine import Leaf, Tensor
from minigrad.engine.tensor import plain
from minigrad.initializers.initializer import initial_values

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Parameter(Tensor):
    """A leaf Tensor with a name, that can be frozen and given new values.

    Parameters
    ----------
    initializer : array_like, or a name or function
        The initial values; or, with a `shape`, what makes them: ``Parameter("zeros", shape=(2,))``.
    name : str
        Its path in the model, such as ``"codings/kernel"``; layers set it.
    trainable : bool
        Whether gradients are computed for it. A frozen parameter counts as a constant.
    constraint : callable, optional
        From an array to an array of the same shape: applied after each step of an optimizer.
    shape : sequence of int, optional
        Of the values; a name or function needs it.
    dtype : dtype, optional
        By default that of the values. One that is trained must be floating.

    Examples
    --------
    >>> kernel = Parameter([[1.0, 2.0]], name="dense/kernel")
    >>> kernel.trainable = False
    >>> kernel.requires_grad
    False
    >>> count = Parameter("zeros", shape=(2,), trainable=False)
    >>> count.assign_add([1.0, 3.0])
    Parameter('', shape=(2,), dtype=float32, frozen)
    >>> count.numpy()
    array([1., 3.], dtype=float32)
    """

    __slots__ = ("_leaf", "constraint")

    _leaf: Leaf

    def __init__(
        self,
        initializer: Any,
        name: str = "",
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
        *,
        shape: Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        if isinstance(name, tuple | list):  # Keras has the shape here
            raise TypeError(f"Parameter: write shape={name!r}, as the name comes second")
        if shape is not None or isinstance(initializer, str) or callable(initializer):
            initializer = _initial_values(initializer, shape, dtype)
        super().__init__(initializer, dtype)
        self._check_differentiable(trainable)
        self._leaf = Leaf(name or "")
        self.constraint = constraint
        self.trainable = trainable

    @property
    def name(self) -> str:
        """What error messages, traces and files call it."""
        return self._leaf.name

    @name.setter
    def name(self, name: str) -> None:
        self._leaf.name = name

    path = name  # which Keras tells apart from a weight's own name

    @property
    def trainable(self) -> bool:
        """Whether gradients are computed for it."""
        return self._node is not None

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        if not trainable and not self._exposed:
            # A tape takes a frozen parameter for a constant, which it does not watch. So it must
            # not see memory that an optimizer writes into once the parameter is free again.
            self._value = self._value.copy()
        self._node = self._leaf if trainable else None

    @property
    def requires_grad(self) -> bool:
        """The same as `trainable`, in the words of PyTorch."""
        return self.trainable

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.trainable = wanted

    @property
    def value(self) -> Self:
        """Itself: where Keras keeps a variable apart from its tensor, here one is the other."""
        return self

    def assign(self, values: Any) -> Self:
        """Replace the values by others of the same shape; what a tape has seen stays as it was."""
        self.data = values
        return self

    def assign_add(self, values: Any) -> Self:
        """Add to the values, as `assign` does."""
        return self.assign(self._value + plain(values))

    def assign_sub(self, values: Any) -> Self:
        """Subtract from the values, as `assign` does."""
        return self.assign(self._value - plain(values))

    def __repr__(self) -> str:
        frozen = "" if self.trainable else ", frozen"
        return f"Parameter({self.name!r}, shape={self.shape}, dtype={self.dtype}{frozen})"

    def __getstate__(self) -> dict[str, Any]:
        trainable, self._node = self._node, self._leaf
        try:
            state = super().__getstate__()
        finally:
            self._node = trainable
        return {**state, "trainable": trainable is not None, "constraint": self.constraint}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        assert isinstance(self._node, Leaf)
        self._leaf = self._node
        self.constraint = state["constraint"]
        self.trainable = state["trainable"]


def _initial_values(initializer: Any, shape: Sequence[int] | None, dtype: DTypeLike | None) -> Any:
    """Return what an initializer makes; or values, once their shape is checked."""
    if isinstance(initializer, str) or callable(initializer):
        if shape is None:
            raise TypeError(
                f"Parameter: {initializer!r} makes values of a shape, so pass shape=(…)"
            )
        initializer = initial_values(initializer, tuple(shape), dtype)
    if shape is not None and np.shape(initializer) != tuple(shape):
        raise ValueError(
            f"Parameter: expected values of shape {tuple(shape)}. "
            f"Received: shape {np.shape(initializer)}"
        )
    return initializer
