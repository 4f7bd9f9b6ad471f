"""Program: a recorded computation as a flat list of NumPy calls into buffers made once.

Running it builds no tape, allocates nothing, and decides nothing: what remains of an op is one call
of its function, with the arrays that it reads and the array that it writes. Views (a transpose, a
reshape) are taken once and then simply stay, as their memory does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from minigrad.engine.blocks import in_blocks
from minigrad.engine.buffers import Buffers
from minigrad.engine.recorder import RecordedOp, Slot, takes_out
from minigrad.engine.simplify import simplified

Array = np.ndarray[Any, Any]
Call = Callable[[], Any]


class Program:
    """What to call, in order, to run a computation again.

    Each run fills the places `inputs` with new arrays, and computes those of `outputs`. The ops of
    `then` are a second part, for whoever wants to look at outputs of the first before it goes on.
    `into` says where to write each output, such as an optimizer's gradients; None for anywhere.

    Examples
    --------
    >>> from minigrad.engine.recorder import Recorder, recorded_by
    >>> recorder, x = Recorder(), np.array([1.0, 2.0])
    >>> tensor = recorder.input(x)
    >>> with recorded_by(recorder):
    ...     total = (tensor * tensor).sum()
    >>> program = Program(recorder.ops, [recorder.slot_of(tensor)], [recorder.slot_of(total)])
    >>> program.run(np.array([3.0, 4.0]))
    [array(25.)]
    """

    def __init__(
        self,
        ops: Sequence[RecordedOp],
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        then: Sequence[RecordedOp] = (),
        into: Sequence[Array | None] = (),
    ) -> None:
        self.calls: list[Call] = []
        self.calls_after: list[Call] = []
        self._arrays: dict[Slot, Array] = {}
        self._inputs = [self._arrays.setdefault(slot, _buffer_like(slot)) for slot in inputs]
        needed, places = simplified([*ops, *then], outputs)
        second_part = set(then)
        self._buffers = Buffers(needed, places)
        targets = list(into) or [None] * len(outputs)
        wanted = dict(zip(reversed(places), reversed(targets), strict=True))
        for index, op in enumerate(needed):
            call = self._place(index, op, wanted.get(op.result))
            if call is not None:
                (self.calls_after if op in second_part else self.calls).append(call)
            self._buffers.free_after(index)
        # Each run writes over the outputs of the last one.
        self.outputs = list(map(self._output, places, targets))
        self.calls, self.calls_after = in_blocks(self.calls), in_blocks(self.calls_after)
        del self._arrays, self._buffers  # with what was there while recording

    def run(self, *inputs: Array) -> list[Array]:
        """Compute the outputs for other inputs of the same shapes and dtypes."""
        self.begin(*inputs)
        self.go_on()
        return self.outputs

    def begin(self, *inputs: Array) -> None:
        """Run the first part."""
        for buffer, array in zip(self._inputs, inputs, strict=True):
            np.copyto(buffer, array)
        for call in self.calls:
            call()

    def go_on(self) -> None:
        """Run the second part."""
        for call in self.calls_after:
            call()

    # ---- making it -----------------------------------------------------------------------------

    def _place(self, index: int, op: RecordedOp, target: Array | None) -> Call | None:
        """Find an array for the result of an op; return the call that fills it, if it takes one."""
        operands = [
            self._array(place) if isinstance(place, Slot) else place for place in op.operands
        ]
        if op.is_check:
            return partial(op.function, *operands)
        if _is_view(op):
            view = op.function(*operands, **op.options)
            if any(np.may_share_memory(view, a) for a in operands if isinstance(a, np.ndarray)):
                self._arrays[op.result] = view
                return None
        if target is None:
            target = self._buffers.reuse(index, op, self._arrays)
        if target is None:
            target = self._buffers.take(op.result)
        self._arrays[op.result] = target
        return _call(op, operands, target)

    def _array(self, slot: Slot) -> Array:
        """Return the array of a place; a parameter's or a constant's is its own."""
        array = self._arrays.get(slot)
        if array is None:
            sample = slot.sample
            array = _constant(sample) if slot.constant else np.asarray(sample)
            self._arrays[slot] = array
        return array

    def _output(self, slot: Slot, target: Array | None) -> Array:
        """Return the array of an output; where it is a view of something else, copy it."""
        array = self._array(slot)
        if target is not None and array is not target:
            self.calls_after.append(partial(np.copyto, target, array))
            return target
        return array


def _buffer_like(slot: Slot) -> Array:
    return np.empty(np.shape(slot.sample), slot.sample.dtype)


def _constant(sample: Any) -> Array:
    """Return an array that will not change; one number, seen everywhere, if all are the same."""
    array = np.asarray(sample)
    first = array.reshape(-1)[:1].copy()
    if array.size > 1 and (array == first).all() and (np.signbit(array) == np.signbit(first)).all():
        return np.broadcast_to(first, array.shape)
    return array


def _is_view(op: RecordedOp) -> bool:
    """Whether the result, when it was recorded, was another look at an operand's memory."""
    return any(isinstance(place, Slot) and op.result.is_view_of(place) for place in op.operands)


def _call(op: RecordedOp, operands: list[Any], target: Array) -> Call:
    """Return the call that computes an op from the operands' arrays into `target`."""
    function: Any = op.function
    if function is np.matmul and all(a.ndim == 2 and min(a.shape) > 1 for a in operands):
        return partial(np.dot, *operands, target)  # the same call of BLAS, with less ado
    if isinstance(function, np.ufunc):
        if function.signature is None:
            operands = _as_few_numbers(operands, target)
        if function in (np.maximum, np.minimum):
            return partial(function, *operands, out=target)
        return partial(function, *operands, target)  # quicker than by name
    prepared = op.prepare(*operands, **op.options, out=target) if op.prepare is not None else None
    if prepared is not None:
        return prepared
    if getattr(function, "__name__", "") == "reduce":  # a method of a ufunc
        axis, keepdims = op.options["axis"], op.options["keepdims"]
        return partial(function, operands[0], axis, None, target, keepdims)
    if isinstance(function, FunctionType) and takes_out(function):
        return partial(function, *operands, **op.options, out=target)
    return partial(_copy_result, target, function, operands, op.options)


def _as_few_numbers(operands: list[Any], target: Array) -> list[Any]:
    """Turn plain numbers into arrays, so that a ufunc need not do so in every run.

    Python's numbers take the dtype of the arrays beside them, as in a ufunc. And a constant that is
    the same number everywhere is as good as that one number.
    """
    dtype = np.result_type(*operands)
    arrays = [a if isinstance(a, np.ndarray) else np.asarray(a, dtype) for a in operands]
    for index, array in enumerate(arrays):
        others = [other.shape for other in arrays[:index] + arrays[index + 1 :]]
        same = array.ndim and array.size and not any(array.strides)
        if same and np.broadcast_shapes(*others) == target.shape:
            arrays[index] = array[(slice(1),) * array.ndim].reshape(())
    return arrays


def _copy_result(
    target: Array, function: Callable[..., Any], operands: list[Any], options: dict[str, Any]
) -> None:
    """Run a function that returns an array of its own."""
    result = function(*operands, **options)
    if np.shape(result) != target.shape:
        raise RuntimeError(f"expected a result of shape {target.shape}. Received: {result.shape}")
    np.copyto(target, result)
