"""Parameter: a Tensor that belongs to a layer and is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import Leaf, Tensor


class Parameter(Tensor):
    """A leaf Tensor with a name, that can be frozen.

    Parameters
    ----------
    data : array_like
        The initial values.
    name : str
        Its path in the model, such as ``"codings/kernel"``; layers set it.
    trainable : bool
        Whether gradients are computed for it. A frozen parameter counts as a constant.
    constraint : callable, optional
        From an array to an array of the same shape: applied after each step of an optimizer.

    Examples
    --------
    >>> kernel = Parameter([[1.0, 2.0]], name="dense/kernel")
    >>> kernel.trainable = False
    >>> kernel.requires_grad
    False
    """

    __slots__ = ("_leaf", "constraint")

    _leaf: Leaf

    def __init__(
        self,
        data: Any,
        name: str = "",
        trainable: bool = True,
        constraint: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(data)
        self._check_differentiable(True)
        self._leaf = Leaf(name)
        self.constraint = constraint
        self.trainable = trainable

    @property
    def name(self) -> str:
        """What error messages, traces and files call it."""
        return self._leaf.name

    @name.setter
    def name(self, name: str) -> None:
        self._leaf.name = name

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

    def assign(self, values: Any) -> None:
        """Replace the values; what a tape recorded before keeps those that it saw.

        Raises
        ------
        ValueError
            For values of another shape.
        """
        self.data = values

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
