"""What NumPy and Python ask of a Tensor: functions, plain numbers, printing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.node import Leaf, Node
from minigrad.engine.operators import Operators
from minigrad.engine.table import look_up, refuse_keywords
from minigrad.engine.taken import take_out
from minigrad.engine.watcher import reveal

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class Protocols(Operators):
    """Methods with two underscores that `Tensor` inherits."""

    __slots__ = ()

    _value: Any
    _node: Node | Leaf | None

    # ---- NumPy's functions -------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__":
            raise NotImplementedError(
                f"np.{ufunc.__name__}.{method} has no derivative rule. Use the function of its "
                "own, such as np.sum, np.cumsum or np.prod."
            )
        if keywords:
            refuse_keywords(ufunc.__name__, keywords)
        if keywords:
            raise TypeError(f"np.{ufunc.__name__} of a Tensor takes no {next(iter(keywords))}=")
        rule = look_up(ufunc)
        return getattr(rule, "pair", rule)(*inputs) if len(inputs) == 2 else rule(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        rule = look_up(function)
        refuse_keywords(function.__name__, keywords)
        return rule(*args, **keywords)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Any:
        if self._node is not None:
            raise TypeError(
                "a Tensor that requires gradients does not turn into an array by itself, as its "
                "gradient would be lost without a word. Join Tensors with np.stack, repeat one "
                "with np.broadcast_to; call tensor.numpy() if its values alone are meant."
            )
        reveal(self)
        return np.array(self._value, dtype=dtype)

    # ---- as plain numbers --------------------------------------------------------------------

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return the values as an independent array."""
        return take_out(self, np.array(self._value))

    def item(self) -> float:
        """Return the only element as a Python number."""
        if self._value.size != 1:
            raise ValueError(
                f"item() needs a tensor of one element. Received: shape {self._value.shape}"
            )
        return take_out(self, self._value.item())

    def tolist(self) -> Any:
        """Return the values as nested Python lists."""
        return take_out(self, self._value.tolist())

    # ---- Python's protocols ------------------------------------------------------------------

    def __bool__(self) -> bool:
        if self._value.size != 1:
            raise ValueError(
                f"the truth of a Tensor of shape {self._value.shape} is ambiguous: use "
                "(t > 0).any() or (t > 0).all()"
            )
        reveal(self)
        return bool(self._value)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __len__(self) -> int:
        if self._value.ndim == 0:
            raise TypeError("a 0-d Tensor has no length")
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a Tensor is not changed item by item: its gradient would be wrong. Compute a new one "
            "(np.where, np.concatenate), or write into a leaf's .data before the forward pass."
        )

    def __format__(self, specification: str) -> str:
        if self._value.ndim == 0 and specification:
            reveal(self)
            return format(self._value.item(), specification)
        return format(str(self), specification)

    def __repr__(self) -> str:
        values = np.array2string(np.asarray(self._value), separator=", ", prefix="Tensor(")
        parts = [values]
        if self._value.dtype != np.float32:
            parts.append(f"dtype={self._value.dtype}")
        if isinstance(self._node, Node):
            parts.append(f"op={self._node.primitive.name}")
        elif self._node is not None:
            parts.append("requires_grad=True")
        return f"Tensor({', '.join(parts)})"
