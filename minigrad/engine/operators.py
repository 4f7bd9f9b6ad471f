"""What a Tensor offers: Python's operators and the methods of NumPy's arrays.

Each is a look-up in the table, under the NumPy function that it stands for.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.table import TABLE, look_up

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minigrad.engine.tensor import Tensor

Axis = int | tuple[int, ...] | None


class Operators:
    """Operators and methods that `Tensor` inherits; none of them knows a derivative."""

    __slots__ = ()

    # ---- arithmetic --------------------------------------------------------------------------
    # These run for every step of a student's loop, so they take the shortest way: `Primitive.pair`.

    def __add__(self, other: Any) -> Tensor:
        return TABLE[np.add].pair(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return TABLE[np.add].pair(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return TABLE[np.subtract].pair(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return TABLE[np.subtract].pair(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return TABLE[np.multiply].pair(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return TABLE[np.multiply].pair(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return TABLE[np.divide].pair(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return TABLE[np.divide].pair(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return TABLE[np.power].pair(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return TABLE[np.power].pair(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return TABLE[np.matmul](self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return TABLE[np.matmul](other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return look_up(np.floor_divide)(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return look_up(np.floor_divide)(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return look_up(np.remainder)(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return look_up(np.remainder)(other, self)

    def __neg__(self) -> Tensor:
        return TABLE[np.negative](self)

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return TABLE[np.absolute](self)

    # ---- augmented assignment: a new tensor, but for a leaf that is updated without recording --

    def __iadd__(self, other: Any) -> Tensor:
        return self._augmented(np.add, other)

    def __isub__(self, other: Any) -> Tensor:
        return self._augmented(np.subtract, other)

    def __imul__(self, other: Any) -> Tensor:
        return self._augmented(np.multiply, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._augmented(np.divide, other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._augmented(np.power, other)

    def __imatmul__(self, other: Any) -> Tensor:
        return self._augmented(np.matmul, other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._augmented(np.floor_divide, other)

    def __imod__(self, other: Any) -> Tensor:
        return self._augmented(np.remainder, other)

    def _augmented(self, function: Any, other: Any) -> Tensor:
        raise NotImplementedError  # Tensor knows which of its kinds it is

    # ---- comparisons: plain boolean arrays, as they have no derivative -------------------------

    def __lt__(self, other: Any) -> Any:
        return look_up(np.less)(self, other)

    def __le__(self, other: Any) -> Any:
        return look_up(np.less_equal)(self, other)

    def __gt__(self, other: Any) -> Any:
        return look_up(np.greater)(self, other)

    def __ge__(self, other: Any) -> Any:
        return look_up(np.greater_equal)(self, other)

    def __eq__(self, other: Any) -> Any:
        return look_up(np.equal)(self, other)

    def __ne__(self, other: Any) -> Any:
        return look_up(np.not_equal)(self, other)

    __hash__ = object.__hash__  # by identity, as `==` compares element by element

    # ---- reductions ----------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum of the elements along `axis`."""
        return look_up(np.sum)(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean of the elements along `axis`."""
        return look_up(np.mean)(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest element along `axis`; ties share the gradient equally."""
        return look_up(np.max)(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest element along `axis`; ties share the gradient equally."""
        return look_up(np.min)(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Product of the elements along `axis`."""
        return look_up(np.prod)(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        """Variance along `axis`."""
        return look_up(np.var)(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Axis = None, ddof: int = 0, keepdims: bool = False) -> Tensor:
        """Standard deviation along `axis`."""
        return look_up(np.std)(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def argmax(self, axis: int | None = None) -> Any:
        """Index of the largest element: a plain integer or array."""
        return look_up(np.argmax)(self, axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Index of the smallest element: a plain integer or array."""
        return look_up(np.argmin)(self, axis=axis)

    def any(self, axis: Axis = None) -> Any:
        """Whether any element is not zero: a plain boolean or array."""
        return look_up(np.any)(self, axis=axis)

    def all(self, axis: Axis = None) -> Any:
        """Whether all elements are not zero: a plain boolean or array."""
        return look_up(np.all)(self, axis=axis)

    def cumsum(self, axis: int | None = None) -> Tensor:
        """Running sum along `axis`."""
        return look_up(np.cumsum)(self, axis=axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        """Running product along `axis`."""
        return look_up(np.cumprod)(self, axis=axis)

    # ---- elementwise methods that NumPy's arrays or PyTorch's tensors have -----------------------

    def abs(self) -> Tensor:
        """Absolute values."""
        return look_up(np.absolute)(self)

    def exp(self) -> Tensor:
        """Exponential of each element."""
        return look_up(np.exp)(self)

    def log(self) -> Tensor:
        """Natural logarithm of each element."""
        return look_up(np.log)(self)

    def sqrt(self) -> Tensor:
        """Square root of each element."""
        return look_up(np.sqrt)(self)

    def square(self) -> Tensor:
        """Square of each element."""
        return look_up(np.square)(self)

    def tanh(self) -> Tensor:
        """Hyperbolic tangent of each element."""
        return look_up(np.tanh)(self)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit each element to the interval from `min` to `max`."""
        return look_up(np.clip)(self, min, max)

    def round(self, decimals: int = 0) -> Tensor:
        """Rounded values; their gradient is zero."""
        return look_up(np.round)(self, decimals)

    # ---- shape and indexing ----------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        """Same elements in another shape; one length may be -1."""
        return look_up(np.reshape)(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in another order; reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return look_up(np.transpose)(self, order)

    @property
    def T(self) -> Tensor:
        """Axes in reversed order."""
        return look_up(np.transpose)(self)

    def ravel(self) -> Tensor:
        """Its elements in one row."""
        return look_up(np.ravel)(self)

    def flatten(self) -> Tensor:
        """Its elements in one row."""
        return look_up(np.ravel)(self)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Same elements without the axes of length 1."""
        return look_up(np.squeeze)(self, axis=axis)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
        return look_up(np.swapaxes)(self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """Each element repeated along `axis`."""
        return look_up(np.repeat)(self, repeats, axis=axis)

    def take(self, indices: Any, axis: int | None = None) -> Tensor:
        """Elements at integer `indices` along `axis`."""
        return look_up(np.take)(self, indices, axis=axis)

    def dot(self, other: Any) -> Tensor:
        """Matrix product, or inner product of vectors."""
        return look_up(np.dot)(self, other)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """Return it converted to `dtype`; gradients flow back in the old dtype."""
        return look_up(Operators.astype)(self, dtype=dtype)

    def __getitem__(self, index: Any) -> Tensor:
        return TABLE[operator.getitem](self, index)
