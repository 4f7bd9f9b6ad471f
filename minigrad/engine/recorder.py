"""Recorder: writes down every op of a computation, so that it can be run again on other numbers.

It sees what the tape does not: comparisons, ops of the reverse walk (which are ops on Tensors while
somebody records), and each place where numbers leave our sight. A computation can be repeated only
if each number in it comes from the inputs, from parameters, or from shapes; whatever else turns up
ends the recording, as the repetition would go on with old numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from minigrad.engine.node import Leaf
from minigrad.engine.state import enable_grad, override
from minigrad.engine.tensor import Tensor
from minigrad.engine.watcher import Watcher

_CONSTANTS = frozenset((int, float, bool, type(None)))
_SHAPED_BY_DATA = frozenset((np.nonzero, np.argwhere, np.flatnonzero, np.unique, np.histogram))


class NotRepeatableError(Exception):
    """A computation took a number from where a repetition could not see it change."""


class Slot:
    """A place for one array of a recorded computation."""

    __slots__ = ("constant", "samples")

    def __init__(self, sample: Any, constant: bool = False) -> None:
        self.samples = [sample]  # all that stood for it, as what was taken of one may be a view
        self.constant = constant  # whether it depends on shapes alone

    @property
    def sample(self) -> Any:
        """What was there while recording: each repetition has its shape and dtype."""
        return self.samples[0]

    def is_view_of(self, other: Slot) -> bool:
        """Whether it is another look at the memory of `other`."""
        return any(
            isinstance(mine, np.ndarray)
            and isinstance(its, np.ndarray)
            and np.may_share_memory(mine, its)
            for mine in self.samples
            for its in other.samples
        )


class RecordedOp:
    """A function that was run: on which operands (Slots, or plain constants), with which result.

    A check has none: it is run because it may raise an error.
    """

    __slots__ = ("function", "is_check", "name", "operands", "options", "prepare", "result")

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        operands: list[Any],
        options: dict[str, Any],
        result: Slot,
        prepare: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.function = function
        self.operands = operands
        self.options = options
        self.result = result
        self.prepare = prepare  # see `Primitive`
        self.is_check = False


class Recorder(Watcher):
    """Watches a computation and writes it down."""

    def __init__(self) -> None:
        self.ops: list[RecordedOp] = []  # in the order in which they ran
        self.primitives: dict[int, Any] = {}  # by identity, what was called; ops may be its parts
        self._slots: dict[int, Slot] = {}
        self._held: dict[int, Slot] = {}  # by the identity of their Tensors
        self._followed: list[Any] = []  # ops whose forwards are being followed

    # ---- where numbers may come from -----------------------------------------------------------

    def input(self, array: Any) -> Tensor:
        """Return a Tensor of an array that is another one in each repetition."""
        self._slots[id(array)] = Slot(array)
        return Tensor._wrap(array, Leaf())  # a leaf, so that all that depends on it is on the tape

    def hold(self, tensor: Tensor) -> Slot:
        """Take note of a parameter, whose array is the same one in each repetition."""
        slot = self._held[id(tensor)] = Slot(tensor._value)
        self._slots[id(tensor._value)] = slot
        return slot

    def constant(self, array: Any) -> None:
        """Take note of an array that depends on shapes alone."""
        self._slots[id(array)] = Slot(array, constant=True)

    def slot_of(self, tensor: Tensor) -> Slot:
        """Return the place of a Tensor's values; an error if they come from somewhere else."""
        return self._known(tensor._value)

    # ---- what is seen --------------------------------------------------------------------------

    def watch(
        self,
        primitive: Any,
        operands: tuple[Any, ...],
        values: list[Any],
        options: dict[str, Any],
        result: Any,
        node: Any,
    ) -> None:
        """Write down an op."""
        self.primitives[id(primitive)] = primitive
        for operand, value in zip(operands, values, strict=True):
            held = self._held.get(id(operand)) or self._constant_slot(operand)
            if held is not None and value is not held.sample:  # a snapshot of its array
                held.samples.append(value)
                self._slots[id(value)] = held
                if held.constant:
                    value.flags.writeable = False
        if not self._follow(primitive, values, options, result):
            function, prepare = primitive.function, primitive.prepare
            self._write(primitive.name, function, values, options, result, prepare)

    def _constant_slot(self, operand: Any) -> Slot | None:
        """Return the place of a sealed array; into another one somebody may have written data."""
        if not isinstance(operand, np.ndarray) or operand.flags.writeable:
            return None
        slot = self._slots.get(id(operand))
        return slot if slot is not None and slot.constant else None

    def _follow(
        self, primitive: Any, values: list[Any], options: dict[str, Any], result: Any
    ) -> bool:
        """Write down what an op's forward does, instead of the op; return whether that worked.

        A forward is NumPy notation, like a rule: on Tensors it takes itself to pieces.
        """
        function = primitive.function
        if not isinstance(function, FunctionType) or takes_out(function):
            return False
        if primitive.prepare is not None or primitive in self._followed:
            return False
        ops, slots = len(self.ops), self._slots.copy()
        self._followed.append(primitive)
        try:
            operands = [
                Tensor._wrap(value, Leaf()) if id(value) in slots else value for value in values
            ]
            with enable_grad():
                again = function(*operands, **options)
            slot = self.slot_of(again)
            if not _is_the_same(again._value, result):
                raise NotRepeatableError("another result")
        except Exception:  # it does what Tensors cannot do, so it stays in one piece
            del self.ops[ops:]
            self._slots = slots
            return False
        finally:
            self._followed.pop()
        slot.samples.append(result)
        self._slots[id(result)] = slot
        return True

    def watch_plain(
        self, function: Callable[..., Any], operands: tuple[Any, ...], options: Any, result: Any
    ) -> Any:
        """Write down a function without derivative; its result is a Tensor, to be seen in use."""
        if function in _SHAPED_BY_DATA:
            raise NotRepeatableError(f"the shape of what {function.__name__} gives depends on data")
        values = [value._value if isinstance(value, Tensor) else value for value in operands]
        result = np.array(result)  # a new array, as NumPy's True is always the same object
        self._write(function.__name__, function, values, options, result)
        return Tensor._wrap(result, Leaf())  # as `input` does

    def watch_check(self, function: Callable[..., None], operands: tuple[Any, ...]) -> None:
        """Write down a function that raises an error if the numbers are wrong."""
        values = [value._value if isinstance(value, Tensor) else value for value in operands]
        self._write(function.__name__, function, values, {}, None)
        self.ops[-1].is_check = True

    def reveal(self, tensor: Tensor) -> None:
        """End the recording: what is done with these numbers will not be seen."""
        raise NotRepeatableError("the values of a tensor are looked at")

    def _write(
        self,
        name: str,
        function: Callable[..., Any],
        values: list[Any],
        options: dict[str, Any],
        result: Any,
        prepare: Callable[..., Any] | None = None,
    ) -> None:
        if _holds_an_array(tuple(options.values())):
            raise NotRepeatableError(f"op {name!r} has an array as an option")
        places = [value if type(value) in _CONSTANTS else self._known(value) for value in values]
        slot = Slot(result)
        self.ops.append(RecordedOp(name, function, places, options, slot, prepare))
        self._slots[id(result)] = slot

    def _known(self, value: Any) -> Slot:
        slot = self._slots.get(id(value))
        # Slots keep their samples alive, so an identity that is known cannot be another's.
        if slot is None:
            raise NotRepeatableError(
                f"an array of shape {np.shape(value)} comes from outside of the computation"
            )
        return slot


def takes_out(function: FunctionType) -> bool:
    """Whether a forward can write its result into an array that it is given as ``out=``."""
    code = function.__code__
    return "out" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _is_the_same(found: Any, expected: Any) -> bool:
    same_kind = np.shape(found) == np.shape(expected) and found.dtype == expected.dtype
    return same_kind and np.array_equal(found, expected, equal_nan=True)


def _holds_an_array(option: Any) -> bool:
    """Whether an option is an array, or a tuple or list that holds one."""
    if isinstance(option, tuple | list):
        return any(map(_holds_an_array, option))
    return isinstance(option, np.ndarray | Tensor)


def recorded_by(recorder: Recorder) -> override:
    """Let a Recorder watch inside a ``with`` block."""
    return override(watcher=recorder)
