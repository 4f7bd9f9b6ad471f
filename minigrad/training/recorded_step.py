"""RecordedStep: a model's step as a program, and what keeps it honest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.engine import Leaf, Node, Tensor, enable_grad
from minigrad.engine.backward import start, walk
from minigrad.engine.program import Program
from minigrad.engine.recorder import NotRepeatableError, Recorder, recorded_by
from minigrad.layers import Layer, LossTerms
from minigrad.layers.forward_pass import Watched
from minigrad.training.data import Array
from minigrad.training.replay import Outcome
from minigrad.training.sources import Batch
from minigrad.training.unchanged import Snapshot, all_layers

if TYPE_CHECKING:
    from minigrad.training.model import Model


class Recording(NamedTuple):
    """What was written down of an eager step, and the Tensors that it came to."""

    recorder: Recorder
    forward: int  # so many ops came before the reverse walk
    inputs: list[Tensor]
    total: Tensor
    terms: LossTerms
    prediction: Tensor
    watched: Watched | None
    gradients: dict[Leaf, Tensor]


def record(model: Model, batch: Batch) -> tuple[RecordedStep, Outcome]:
    """Run a step eagerly, in the sight of a recorder; return its repetition, and what it found.

    Raises
    ------
    NotRepeatableError
        If some of its numbers come from where a repetition could not see them change.
    """
    recording = _recorded(model, batch)
    assert model.optimizer is not None
    model.optimizer.zero_grad()
    for leaf, gradient in recording.gradients.items():
        leaf.accumulate(gradient._value)
    step = RecordedStep(model, recording)
    values = recording.terms.values_as_floats()
    return step, Outcome(float(recording.total), values, recording.prediction, recording.watched)


def _recorded(model: Model, batch: Batch) -> Recording:
    recorder = Recorder()
    inputs = {id(array): recorder.input(array) for array in batch if array is not None}
    x, y, weights = (None if array is None else inputs[id(array)] for array in batch)
    for parameter in model.parameters():
        recorder.hold(parameter)
    watched = model._watched()
    with enable_grad(), recorded_by(recorder):
        prediction, terms = model._forward(x, y, weights, training=True, watched=watched)
        total = terms.total()
        forward = len(recorder.ops)
        if total._node is None or not math.isfinite(total._value):
            raise NotRepeatableError("there is no gradient to compute")
        leaves = [p._leaf for p in model.parameters() if p.trainable]
        seeds = {total._node: start(total, None, create_graph=True)}
        gradients: Any = walk(seeds, leaves, create_graph=True, keep_graph=True)
    return Recording(
        recorder, forward, [*inputs.values()], total, terms, prediction, watched, gradients
    )


class RecordedStep:
    """A step of one model on batches of one shape, as a program.

    Attributes
    ----------
    is_trusted : bool
        Whether it has been held against an eager step on another batch.
    """

    def __init__(self, model: Model, recording: Recording) -> None:
        self.is_trusted = False
        self._names = list(recording.terms)
        self._addends = _Addends(model)
        self._shown = _Shown(model, recording)
        self._leaves = list(recording.gradients)
        self._unreached = [
            p._leaf for p in model.parameters() if p._leaf not in recording.gradients
        ]
        results = [recording.total, *recording.terms.values(), *self._addends.tensors]
        self._gradients_from = len(results)
        ops, forward = recording.recorder.ops, recording.forward
        slot_of = recording.recorder.slot_of
        targets = [leaf.buffer for leaf in self._leaves]
        if any(target is None for target in targets):
            raise NotRepeatableError("the optimizer has not said yet where it wants gradients")
        results += [*recording.gradients.values(), *self._shown.tensors]
        into = [None] * self._gradients_from + targets + [None] * len(self._shown.tensors)
        self._program = Program(
            ops[:forward],
            [slot_of(tensor) for tensor in recording.inputs],
            [slot_of(tensor) for tensor in results],
            then=ops[forward:],
            into=into,
        )
        self._scalars = self._program.outputs[: self._gradients_from]
        self._optimizer = model.optimizer
        self._snapshot = Snapshot(model)
        self._held = [
            (p, p._value, p._node, p._leaf, p._leaf.buffer if p.trainable else None)
            for p in model.parameters()
        ]

    # ---- whether it may run --------------------------------------------------------------------

    def fits(self, model: Model) -> bool:
        """Whether nothing has changed but the numbers in the parameters."""
        if model.optimizer is not self._optimizer or not self._snapshot.still_holds():
            return False
        if self._holds_the_same_memory():
            return True
        assert self._optimizer is not None
        self._optimizer.bring_values()  # somebody has given a parameter new values
        return self._holds_the_same_memory()

    def _holds_the_same_memory(self) -> bool:
        for parameter, value, node, leaf, buffer in self._held:
            if parameter._value is not value or parameter._node is not node or leaf.hooks:
                return False
            if buffer is not None and leaf.buffer is not buffer:
                return False
        return True

    def trial(self, batch: Batch) -> list[Array]:
        """Run it, and return copies of what it computes, for `agrees`."""
        with np.errstate(all="ignore"):
            outputs = self._program.run(*_distinct(batch))
        return [np.array(output) for output in outputs]

    def agrees(self, found: list[Array], outcome: Outcome) -> bool:
        """Whether an eager step on the same batch came to the same numbers, to the last bit.

        So it does not matter to a training which of its steps were made in which way.
        """
        eager = [outcome.loss, *outcome.terms.values()]
        pairs = list(zip(found, eager, strict=False))
        start = self._gradients_from
        pairs += [(g, leaf.gradient) for g, leaf in zip(found[start:], self._leaves, strict=False)]
        return all(b is not None and np.array_equal(a, b) for a, b in pairs)

    # ---- running -------------------------------------------------------------------------------

    def run(self, batch: Batch) -> Outcome:
        """Run forward and, unless the loss is not finite, back."""
        program = self._program
        program.begin(*_distinct(batch))
        loss, *values = map(float, self._scalars[: len(self._names) + 1])
        if math.isfinite(loss):
            program.go_on()
            for leaf in self._leaves:
                leaf.gradient = leaf.buffer
            for leaf in self._unreached:
                leaf.gradient = None
        self._addends.give(self._scalars[len(self._names) + 1 :])
        terms = dict(zip(self._names, values, strict=True))
        return Outcome(loss, terms, *self._shown.of(program.outputs))


class _Addends:
    """The penalties of outputs, which layers remember after each pass."""

    def __init__(self, model: Model) -> None:
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


class _Shown:
    """Outputs that metrics look at: the prediction, and those of the layers that they watch."""

    def __init__(self, model: Model, recording: Recording) -> None:
        self.tensors: list[Tensor] = []
        self._layers: list[int] = []
        if model.compiled_metrics:
            self.tensors.append(recording.prediction)
            for layer, calls in (recording.watched or {}).items():
                for _, output in calls:
                    self.tensors.append(output)
                    self._layers.append(layer)
        if not all(isinstance(tensor, Tensor) for tensor in self.tensors):
            raise NotRepeatableError("a layer has several outputs")

    def of(self, outputs: list[Array]) -> tuple[Any, Watched | None]:
        """Return prediction and watched outputs: copies, as a metric may keep them."""
        if not self.tensors:
            return None, None
        prediction, *others = (np.array(a) for a in outputs[len(outputs) - len(self.tensors) :])
        watched: Watched = {layer: [] for layer in self._layers}
        for layer, output in zip(self._layers, others, strict=True):
            watched[layer].append((None, output))
        return prediction, watched


def _distinct(batch: Batch) -> list[Array]:
    """Return the arrays of a batch; one that stands twice comes once."""
    x, y, weights = batch
    others = [array for array in (y, weights) if array is not None and array is not x]
    return [x, *others]
