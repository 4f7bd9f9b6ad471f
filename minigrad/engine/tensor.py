"""Tensor: an array that remembers how it was computed.

Everything it can do is an op from the table, reached through Python's operators, its methods or
NumPy's own functions; so this file knows no derivative, and no op.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine.collector import show
from minigrad.engine.dtypes import in_order, numeric_array, real_dtype
from minigrad.engine.lines import note_cut
from minigrad.engine.node import Leaf, Node, clock
from minigrad.engine.protocols import Protocols
from minigrad.engine.state import STATE
from minigrad.engine.table import look_up
from minigrad.engine.taken import take_out
from minigrad.engine.watcher import reveal

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_new = object.__new__


class Tensor(Protocols):
    """An n-dimensional array of numbers that gradients can be taken of.

    Parameters
    ----------
    data : array_like
        The values. They are copied, so that writing into the source later changes nothing.
    dtype : dtype, optional
        By default that of an array; for Python floats the default dtype.
    requires_grad : bool
        Whether gradients with respect to this tensor are wanted.
    name : str
        What error messages and traces call it.

    Raises
    ------
    TypeError
        For objects, strings and complex numbers.
    ValueError
        If `requires_grad` is asked of an integer or boolean tensor.

    Examples
    --------
    >>> x = Tensor([1.0, -2.0, 3.0], requires_grad=True)
    >>> loss = (x * x).sum()
    >>> loss.backward()
    >>> x.grad
    array([ 2., -4.,  6.], dtype=float32)
    """

    __slots__ = ("__weakref__", "_exposed", "_leaf", "_logits", "_node", "_value")

    _value: Any
    _node: Node | Leaf | None
    _leaf: Leaf  # set where gradients are switched off for a while, to be there afterwards
    _exposed: bool
    _logits: tuple[Any, Tensor]  # of probabilities only: the op that made them, and of what

    def __init__(
        self,
        data: Any,
        dtype: DTypeLike | None = None,
        requires_grad: bool = False,
        name: str = "",
    ) -> None:
        if isinstance(data, Tensor):
            data._refuse_result("made into a new Tensor")
        values = data._value if isinstance(data, Tensor) else numeric_array(data)
        dtype = None if dtype is None else real_dtype(dtype)
        self._value = in_order(values, dtype)[()]  # [()]: a NumPy scalar if it is 0-d
        self._exposed = False
        self._check_differentiable(requires_grad)
        self._node = Leaf(name) if requires_grad else None

    @classmethod
    def _wrap(cls, value: Any, node: Node | Leaf | None = None) -> Tensor:
        """Return a Tensor that holds `value` itself: for values that nobody else will write."""
        tensor = _new(Tensor)
        tensor._value = value
        tensor._node = node
        tensor._exposed = False
        return tensor

    def _check_differentiable(self, wanted: bool) -> None:
        if wanted and self._value.dtype.kind != "f":
            raise ValueError(
                f"only floating tensors can require gradients. Received: dtype {self.dtype}. "
                "Convert first: Tensor(values, dtype='float32', requires_grad=True)."
            )

    # ---- what it is --------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """Its lengths along each axis."""
        return self._value.shape

    @property
    def ndim(self) -> int:
        """Its number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """Its number of elements."""
        return self._value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its elements."""
        return self._value.dtype

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by the user rather than by a recorded op."""
        return not isinstance(self._node, Node)

    @property
    def name(self) -> str:
        """What error messages and traces call it."""
        return self._node.name if isinstance(self._node, Leaf) else ""

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to it. Can be set on a leaf."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if isinstance(self._node, Node):
            raise RuntimeError(
                "requires_grad can be set on leaves only; this tensor is the result of op "
                f"{self._node.primitive.name!r}. Use detach() to cut it from the tape."
            )
        if wanted and self._node is None:
            self._check_differentiable(wanted)
            self._node = getattr(self, "_leaf", None) or Leaf()
        elif not wanted and self._node is not None:
            self._leaf = self._node  # tapes that know it still bring their gradients there
            self._node = None

    @property
    def grad(self) -> Any:
        """The gradient that `backward` calls have added up here: an array, or None.

        For leaves only (`minigrad.grad` gives that of other tensors). Set it to None, or call an
        optimizer's `zero_grad`, to start anew.
        """
        leaf = self._node
        if not isinstance(leaf, Leaf):
            return None
        if leaf.gradient is not None and leaf.gradient is leaf.buffer:
            leaf.gradient = leaf.gradient.copy()  # who keeps it must not see the next one there
        return leaf.gradient

    @grad.setter
    def grad(self, value: Any) -> None:
        if not isinstance(self._node, Leaf):
            raise RuntimeError("only a leaf that requires gradients has a settable .grad")
        if value is None:
            self._node.gradient = None
            return
        array = np.array(value._value if isinstance(value, Tensor) else value, dtype=self.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"the gradient of {titled(self.name)} must have its shape {self.shape}. "
                f"Received: shape {array.shape}"
            )
        self._node.gradient = None
        self._node.accumulate(array)

    # ---- its values --------------------------------------------------------------------------

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The values: a live, writable array for a leaf, a read-only one for an op's result.

        Writing into it never disturbs a tape: what a tape recorded before keeps the values that
        it saw, as the first access moves the leaf to memory of its own, and ops recorded later
        take a snapshot. So ``p.data -= rate * p.grad`` works wherever it stands.
        """
        take_out(self, None, on_purpose=True)
        if isinstance(self._node, Node):
            return read_only(self._value)
        if not self._exposed:
            self._value = np.array(self._value)
            self._exposed = True
        return self._value

    @data.setter
    def data(self, value: Any) -> None:
        if isinstance(self._node, Node):
            raise RuntimeError(
                f"the values of the result of op {self._node.primitive.name!r} cannot be "
                "replaced: its gradient would be wrong. Use detach() to get a free tensor."
            )
        reveal(self)  # a repetition would not write, so a recording ends here
        if value is self._value:
            return  # the second half of `t.data -= …`, which has already written in place
        array = value._value if isinstance(value, Tensor) else numeric_array(value)
        if array.shape != self.shape:
            raise ValueError(
                f"{titled(self.name)} of shape {self.shape} cannot take values of shape "
                f"{array.shape}. Make a new Tensor for another shape."
            )
        self._value = in_order(array, self.dtype)[()]
        self._exposed = False

    def _snapshot(self) -> Any:
        """Return the values as they are now, for a tape to keep."""
        return self._value.copy()[()]

    def detach(self) -> Tensor:
        """Return a tensor of the same values, cut from the tape: no gradient flows through it."""
        values = np.array(self._value)  # a copy: the result may be a view of a leaf
        note_cut(values)
        return Tensor._wrap(values)

    def _twin(self) -> Tensor:
        """Return another Tensor of the same values at the same place on the tape."""
        return Tensor._wrap(self._snapshot() if self._exposed else self._value, self._node)

    def _augmented(self, function: Any, other: Any) -> Tensor:
        """Answer to ``t += other`` and the like: rebind a result, or update a leaf in place."""
        leaf = self._node or getattr(self, "_leaf", None)  # a frozen parameter is one, too
        if not isinstance(leaf, Leaf):
            return look_up(function)(self, other)
        if STATE.get().recording:
            raise RuntimeError(
                f"{titled(leaf.name)} requires gradients, so it cannot be changed while ops are "
                "recorded. Do it inside `with mg.no_grad():`, or write t = t + … for a new tensor."
            )
        reveal(self)
        changed = function(self._value, plain(other))
        if self._exposed:
            self._value[...] = changed  # whoever holds .data sees it
        else:
            self.data = changed
        return self

    # ---- gradients ---------------------------------------------------------------------------

    def backward(self, gradient: Any = None, keep_graph: bool = False) -> None:
        """Add the gradient of this scalar to `.grad` of each leaf it was computed from.

        Parameters
        ----------
        gradient : array_like, optional
            The upstream gradient, of this tensor's shape; needed unless it is a scalar.
        keep_graph : bool
            Keep the tape for a second walk. By default its memory is freed on the way.

        Raises
        ------
        RuntimeError
            If it is not a scalar and no `gradient` is given, if it records nothing, if the tape
            has been consumed, or if a value on the tape was changed in the meantime.
        """
        from minigrad.engine.backward import backward  # the walk knows Tensor, so it stands above

        backward(self, gradient, keep_graph=keep_graph)

    def register_hook(self, hook: Callable[[Any], Any]) -> Callable[[], None]:
        """Call `hook` with the gradient that arrives at this tensor in a backward pass.

        What it returns takes the gradient's place; None leaves it as it is.

        Returns
        -------
        callable
            Removes the hook again.

        Raises
        ------
        RuntimeError
            If no gradient ever arrives here.

        Examples
        --------
        >>> x = Tensor([1.0], requires_grad=True)
        >>> hidden = x * 3
        >>> remove = hidden.register_hook(lambda g: g * 10)
        >>> hidden.sum().backward()
        >>> x.grad
        array([30.], dtype=float32)
        """
        node = self._node
        if node is None:
            raise RuntimeError("this tensor does not require gradients, so none arrives at it")
        if isinstance(node, Node):
            show(node)
        if node.hooks is None:
            node.hooks = {}
        key = next(clock)
        node.hooks[key] = hook
        hooks = node.hooks
        return lambda: hooks.pop(key, None) and None

    # ---- copies ------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy = self.__class__.__new__(self.__class__)
        memo[id(self)] = copy
        copy.__setstate__(self.__getstate__())
        return copy

    def _refuse_result(self, wish: str) -> None:
        if isinstance(self._node, Node):
            raise TypeError(
                f"the result of op {self._node.primitive.name!r} cannot be {wish} with "
                "its tape. Use tensor.detach()."
            )

    def __getstate__(self) -> dict[str, Any]:
        self._refuse_result("copied or pickled")
        leaf = self._node
        assert not isinstance(leaf, Node)
        return {
            "value": np.array(self._value),
            "leaf": None if leaf is None else (leaf.name, copy_or_none(leaf.gradient)),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._value = state["value"]
        self._exposed = False
        self._node = None
        if state["leaf"] is not None:
            name, gradient = state["leaf"]
            self._node = Leaf(name)
            self._node.gradient = gradient

    __hash__ = object.__hash__  # by identity, as `==` compares element by element


def titled(name: str) -> str:
    """Return what a message calls a tensor of this name; without one, '' would say nothing."""
    return f"tensor {name!r}" if name else "an unnamed tensor"


def read_only(value: Any) -> Any:
    """Return a view of `value` that NumPy refuses to write into."""
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


def copy_or_none(array: Any) -> Any:
    """Return a copy of `array`, or None for None."""
    return None if array is None else np.array(array)


def plain(value: Any) -> Any:
    """Return the array inside a Tensor; anything else as it is."""
    if isinstance(value, Tensor):
        reveal(value)
        return value._value
    return value
