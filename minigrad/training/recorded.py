"""RecordedPass and RecordedStep: what a model has done on a batch, as a program to be repeated."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.engine import Leaf, Node, Tensor
from minigrad.engine.program import Program
from minigrad.engine.recorder import NotRepeatableError, RecordedOp, Recorder
from minigrad.engine.tensor import copy_or_none
from minigrad.layers import Layer, LossTerms
from minigrad.layers.forward_pass import Watched
from minigrad.training.data import Array
from minigrad.training.own_code import ran
from minigrad.training.replay import Outcome, losses_kept
from minigrad.training.sources import Batch
from minigrad.training.unchanged import Snapshot, all_layers, forgets_gradients

if TYPE_CHECKING:
    from minigrad.training.objective import Objective


class Recording(NamedTuple):
    """What was written down of a pass, and the Tensors that it came to."""

    recorder: Recorder
    ran: ran
    inputs: list[Tensor]
    terms: LossTerms
    shown: Shown


class RecordedPass:
    """A forward pass of one model on batches of one shape, as a program.

    `is_trusted` once it has been held against an eager pass on another batch.
    """

    def __init__(self, model: Objective, recording: Recording) -> None:
        self._prepare(model, recording)
        ops = recording.recorder.ops
        self._program = _program(recording, ops, [], list(recording.terms.values()), [])

    def _prepare(self, model: Objective, recording: Recording) -> None:
        self.is_trusted = False
        self._attributes = vars(model)
        self._names = list(recording.terms)
        self._shown = recording.shown
        primitives = recording.recorder.primitives.values()
        self._snapshot = Snapshot(model, recording.ran.seen.values(), primitives)
        self._held = [(w, w._value, w._node, w._leaf) for w in model.weights]

    # ---- whether it may run --------------------------------------------------------------------

    def fits(self, model: Objective) -> bool:
        """Whether nothing has changed but the numbers in the weights."""
        return self._is_of(model) and self._holds_the_same_memory()

    def _is_of(self, model: Objective) -> bool:
        """Whether it belongs to this model, no shallow copy of it, whose settings are the same."""
        return vars(model) is self._attributes and self._snapshot.still_holds()

    def _holds_the_same_memory(self) -> bool:
        for weight, value, node, leaf in self._held:
            if weight._value is not value or weight._node is not node or leaf.hooks:
                return False
        return True

    def agrees(self, model: Objective, batch: Batch, outcome: Outcome) -> bool:
        """Whether it comes to the numbers of an eager pass on this batch, to the last bit.

        So it does not matter to a training which of its steps were made in which way.
        """
        with np.errstate(all="ignore"):
            found = self.run(batch)
        same = found[:2] == outcome[:2]
        return same and (not self._shown.tensors or _same(found.prediction, outcome.prediction))

    # ---- running -------------------------------------------------------------------------------

    def run(self, batch: Batch) -> Outcome:
        """Run it; a prediction may be written over by the next run."""
        outputs = self._program.run(*_distinct(batch))
        terms = {name: output.item() for name, output in zip(self._names, outputs, strict=False)}
        return Outcome(sum(terms.values()), terms, *self._shown.of(outputs))


class RecordedStep(RecordedPass):
    """A training step of one model on batches of one shape, as a program.

    It leaves gradients where the optimizer reads them.
    """

    def __init__(
        self,
        model: Objective,
        recording: Recording,
        total: Tensor,
        forward: int,
        gradients: dict[Leaf, Tensor],
    ) -> None:
        self._prepare(model, recording)
        assert model.optimizer is not None
        self._optimizer = model.optimizer
        self._addends = _Addends(model)
        self._leaves = list(gradients)
        known = [*model.parameters(), *self._optimizer.parameters]  # it may train more than these
        self._unreached = list({p._leaf for p in known} - gradients.keys())
        self._buffers = [leaf.buffer for leaf in self._leaves]
        if any(buffer is None for buffer in self._buffers):
            raise NotRepeatableError("the optimizer has not said yet where it wants gradients")
        self._where = list(zip(self._leaves, self._buffers, strict=True))
        losses = [total, *recording.terms.values()]
        results = [*losses, *self._addends.tensors, *gradients.values()]
        ops = recording.recorder.ops
        self._program = _program(recording, ops[:forward], ops[forward:], results, self._buffers)
        self._losses = self._program.outputs[: len(losses)]
        self._activities = self._program.outputs[len(losses) : len(results) - len(gradients)]

    def fits(self, model: Objective) -> bool:
        """Whether nothing has changed but the numbers in the parameters."""
        is_usual = model.optimizer is self._optimizer and forgets_gradients(self._optimizer)
        if not is_usual or not self._is_of(model):
            return False
        for leaf, buffer in self._where:
            if leaf.buffer is not buffer:
                return False
        if self._holds_the_same_memory():
            return True
        self._optimizer.bring_values()  # somebody has given a parameter new values
        return self._holds_the_same_memory()

    def agrees(self, model: Objective, batch: Batch, outcome: Outcome) -> bool:
        """Whether it comes to the numbers of an eager step on this batch, to the last bit."""
        expected = [copy_or_none(leaf.gradient) for leaf in self._leaves]
        with losses_kept(model):
            agrees = super().agrees(model, batch, outcome)
        for leaf, gradient in zip(self._leaves, expected, strict=True):
            agrees = agrees and gradient is not None and _same(leaf.gradient, gradient)
            leaf.gradient = gradient
        return agrees

    def run(self, batch: Batch) -> Outcome:
        """Run forward and, unless the loss is not finite, back."""
        program = self._program
        program.begin(*_distinct(batch))
        loss, *values = [scalar.item() for scalar in self._losses]
        if math.isfinite(loss):
            program.go_on()
            for leaf, buffer in self._where:
                leaf.gradient = buffer
            for leaf in self._unreached:
                leaf.gradient = None
        self._addends.give(self._activities)
        terms = dict(zip(self._names, values, strict=True))
        return Outcome(loss, terms, *self._shown.of(program.outputs))


class RecordedContributions(RecordedPass):
    """What each term gives to each parameter's gradient, for batches of one shape, as a program."""

    def __init__(
        self, model: Objective, recording: Recording, found: dict[str, dict[str, Any]]
    ) -> None:
        self._prepare(model, recording)
        self._places = [(name, term) for name, by_term in found.items() for term in by_term]
        tensors = [found[name][term] for name, term in self._places]
        self._has_path = [tensor is not None for tensor in tensors]
        results = [tensor for tensor in tensors if tensor is not None]
        self._program = _program(recording, recording.recorder.ops, [], results, [])

    def agrees(self, model: Objective, batch: Batch, outcome: Any) -> bool:
        """Whether it comes to the numbers of an eager walk on this batch, to the last bit."""
        found = self.run(batch)
        return all(
            (array is None) == (outcome[name][term] is None)
            and (array is None or _same(array, outcome[name][term]))
            for name, by_term in found.items()
            for term, array in by_term.items()
        )

    def run(self, batch: Batch) -> Any:
        """Run it, and return arrays of their own."""
        outputs = iter(self._program.run(*_distinct(batch)))
        found: dict[str, dict[str, Array | None]] = {}
        for (name, term), has_path in zip(self._places, self._has_path, strict=True):
            found.setdefault(name, {})[term] = np.array(next(outputs)) if has_path else None
        return found


class _Addends:
    """The penalties of outputs, which layers remember after each pass."""

    def __init__(self, model: Objective) -> None:
        remembered = [(layer, layer._addends) for layer in all_layers(model) if layer._addends]
        unique = {id(tensor): tensor for _, addends in remembered for _, tensor in addends}
        numbers = {known: number for number, known in enumerate(unique)}
        self.tensors = list(unique.values())
        self._nodes = [_spent(tensor) for tensor in self.tensors]
        self._remembered: list[tuple[Layer, list[tuple[Any, int]]]] = [
            (layer, [(path, numbers[id(tensor)]) for path, tensor in addends])
            for layer, addends in remembered
        ]

    def give(self, values: list[Array]) -> None:
        """Let each layer remember the values of this pass, whose tape is spent."""
        tensors = [
            Tensor._wrap(value[()], node) for value, node in zip(values, self._nodes, strict=True)
        ]
        for layer, addends in self._remembered:
            layer.__dict__["_addends"] = [(path, tensors[number]) for path, number in addends]


def _spent(tensor: Tensor) -> Node | None:
    """Return the node of a Tensor as an eager step leaves it behind: its tape is consumed."""
    node = tensor._node
    if isinstance(node, Node):
        node.release()
        return node
    return None


class Shown:
    """What metrics look at, or what is predicted: the output, and those of layers to be watched."""

    def __init__(
        self, prediction: Any = None, watched: Watched | None = None, copies: bool = True
    ) -> None:
        calls = [(key, output) for key, pairs in (watched or {}).items() for _, output in pairs]
        self._layers = [key for key, _ in calls]
        self._copies = copies  # a metric may keep what it is shown
        self.tensors = [] if prediction is None else [prediction, *(output for _, output in calls)]
        if not all(isinstance(tensor, Tensor) for tensor in self.tensors):
            raise NotRepeatableError("a layer has several outputs")

    def of(self, outputs: list[Array]) -> tuple[Any, Watched | None]:
        """Return prediction and watched outputs, from the outputs of the program."""
        if not self.tensors:
            return None, None
        shown = outputs[len(outputs) - len(self.tensors) :]
        prediction, *others = map(np.array, shown) if self._copies else shown
        watched: Watched = {layer: [] for layer in self._layers}
        for layer, output in zip(self._layers, others, strict=True):
            watched[layer].append((None, output))
        return prediction, watched


def _program(
    recording: Recording,
    ops: list[RecordedOp],
    then: list[RecordedOp],
    results: list[Tensor],
    targets: list[Array],
) -> Program:
    """Return the program for `results`, the last of them into `targets`, and for what is shown."""
    slot_of = recording.recorder.slot_of
    shown = recording.shown.tensors
    return Program(
        ops,
        [slot_of(tensor) for tensor in recording.inputs],
        [slot_of(tensor) for tensor in [*results, *shown]],
        then=then,
        into=[None] * (len(results) - len(targets)) + targets + [None] * len(shown),
    )


def _distinct(batch: Batch) -> list[Array]:
    """Return the arrays of a batch; one that stands twice comes once."""
    x, y, weights = batch
    if (y is None or y is x) and weights is None:
        return [x]
    return [x, *(array for array in (y, weights) if array is not None and array is not x)]


def _same(found: Any, expected: Any) -> bool:
    """Whether arrays are the same to the last bit."""
    values = expected._value if isinstance(expected, Tensor) else expected
    return found is not None and bool(np.array_equal(found, values))
