"""Recording: a pass is made eagerly, in the sight of a recorder, to be repeated as a program."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Tensor, enable_grad, no_grad
from minigrad.engine.backward import start, walk
from minigrad.engine.recorder import NotRepeatableError, Recorder, recorded_by
from minigrad.layers import LossTerms
from minigrad.tracing.contributions import contributions
from minigrad.training.own_code import ran
from minigrad.training.recorded import (
    RecordedContributions,
    RecordedPass,
    RecordedStep,
    Recording,
    Shown,
)
from minigrad.training.replay import ByParameter, Outcome, losses_kept
from minigrad.training.sources import Batch

if TYPE_CHECKING:
    from minigrad.training.objective import Objective


def record_step(model: Objective, batch: Batch) -> tuple[RecordedStep, Outcome]:
    """Run forward and back; return the program of it, and what it found.

    NotRepeatableError: some numbers come from where a repetition could not see them change.
    """
    recorder, inputs, (x, y, weights) = _begin(model, batch)
    watched = model._watched()
    with enable_grad(), recorded_by(recorder), ran() as functions:
        prediction, terms = model._forward(x, y, weights, training=True, watched=watched)
        total = terms.total()
        forward = len(recorder.ops)
        if total._node is None or not math.isfinite(total._value):
            raise NotRepeatableError("there is no gradient to compute")
        leaves = [parameter._leaf for parameter in model.parameters() if parameter.trainable]
        seeds = {total._node: start(total, None, create_graph=True)}
        gradients: Any = walk(seeds, leaves, create_graph=True, keep_graph=True)
    assert model.optimizer is not None
    model.optimizer.zero_grad()
    for leaf, gradient in gradients.items():
        leaf.accumulate(gradient._value)
    shown = Shown(prediction, watched) if model.compiled_metrics else Shown()
    recording = Recording(recorder, functions, inputs, terms, shown)
    step = RecordedStep(model, recording, total, forward, gradients)
    return step, Outcome(float(total), terms.values_as_floats(), prediction, watched)


def record_evaluation(
    model: Objective, batch: Batch, judges: bool = True
) -> tuple[RecordedPass, Outcome]:
    """Run forward and, if it `judges`, compute the loss; otherwise as `record_step`."""
    recorder, inputs, (x, y, weights) = _begin(model, batch)
    watched = model._watched() if judges else None
    with no_grad(), recorded_by(recorder), ran() as functions:
        prediction, outputs = model.run(x, False, watched)
        terms = model._terms(y, prediction, weights, outputs) if judges else LossTerms([])
    shown = Shown(prediction, watched, copies=judges)
    recording = Recording(recorder, functions, inputs, terms, shown)
    values = terms.values_as_floats()
    outcome = Outcome(sum(values.values()), values, prediction, watched)
    return RecordedPass(model, recording), outcome


record_prediction = partial(record_evaluation, judges=False)


def record_contributions(
    model: Objective, batch: Batch
) -> tuple[RecordedContributions, ByParameter]:
    """Run forward, and back for each term; otherwise as `record_step`."""
    recorder, inputs, (x, y, weights) = _begin(model, batch)
    parameters = model.named_parameters()
    with enable_grad(), recorded_by(recorder), losses_kept(model), ran() as functions:
        _, terms = model._forward(x, y, weights, training=True)
        found = contributions(terms, parameters, create_graph=True)
    recording = Recording(recorder, functions, inputs, terms, Shown())
    arrays = {
        name: {term: None if t is None else np.array(t._value) for term, t in by_term.items()}
        for name, by_term in found.items()
    }
    return RecordedContributions(model, recording, found), arrays


def _begin(model: Objective, batch: Batch) -> tuple[Recorder, list[Tensor], list[Tensor | None]]:
    """Return a recorder that knows all weights, its inputs, and those as parts of the batch."""
    recorder = Recorder()
    for weight in model.weights:
        recorder.hold(weight)
    inputs = {id(array): recorder.input(array) for array in batch if array is not None}
    parts = [None if array is None else inputs[id(array)] for array in batch]
    return recorder, list(inputs.values()), parts
