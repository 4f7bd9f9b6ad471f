"""Replay: a training step that has been made before is made again without building its tape.

The eager step of a small network is mostly bookkeeping: Tensors, nodes, scopes, look-ups. But the
step of a second batch of the same shape is the same list of NumPy calls on other numbers. So the
second step of a shape is *recorded*, forward and back, and turned into a `Program`; the third is
made both ways and compared; and from the fourth on the program runs alone, and writes gradients to
where the optimizer reads them.

What could make it wrong ends it. A program is known by shapes and dtypes; settings are compared
before each step; parameters are read where they lie. And what is not known to depend on these alone
(a user's own layer, noise, a number that is looked at) cannot be recorded, and stays eager.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.engine import enable_grad, get_default_dtype
from minigrad.engine.recorder import NotRepeatableError
from minigrad.engine.state import STATE
from minigrad.layers.forward_pass import Watched
from minigrad.training.sources import Batch
from minigrad.training.unchanged import is_all_ours

if TYPE_CHECKING:
    from minigrad.training.model import Model
    from minigrad.training.recorded_step import RecordedStep

_MOST_SHAPES = 8  # are kept in mind; an epoch has two, as its last batch may be smaller
_MOST_FAILURES = 3  # in a row: then somebody changes settings all the time, and eager is quicker


class Outcome(NamedTuple):
    """What a step has found. Gradients are where the optimizer looks for them."""

    loss: float
    terms: dict[str, float]
    prediction: Any
    watched: Watched | None


class Replays:
    """The recorded steps of a model, by the shapes of their batches."""

    def __init__(self) -> None:
        self._known: dict[Any, RecordedStep | None] = {}  # None: seen once
        self._failures = 0

    def __reduce__(self) -> Any:
        return Replays, ()  # a copy of a model has arrays of its own, and begins anew

    def step(self, model: Model, batch: Batch) -> Outcome:
        """Run forward and back: by a program, or eagerly, recording or comparing on the way."""
        if self._failures >= _MOST_FAILURES or STATE.get().watcher is not None:
            return eager_step(model, batch)
        key = _key(batch)
        if key not in self._known:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            self._known[key] = None
            return eager_step(model, batch)
        recorded = self._known[key]
        if recorded is None:
            return self._record(key, model, batch)
        if not recorded.fits(model):
            self._drop(key)
            return eager_step(model, batch)
        return recorded.run(batch) if recorded.is_trusted else self._compare(key, model, batch)

    def _record(self, key: Any, model: Model, batch: Batch) -> Outcome:
        from minigrad.training.recorded_step import record  # loaded when something is trained

        if is_all_ours(model):
            try:
                with model.undisturbed():  # the attempt may end behind noise that was drawn
                    self._known[key], outcome = record(model, batch)
                return outcome
            except (NotRepeatableError, NotImplementedError, TypeError):
                pass  # in a recording all is Tensors, which not every line of ours expects
        self._failures = _MOST_FAILURES
        return eager_step(model, batch)

    def _compare(self, key: Any, model: Model, batch: Batch) -> Outcome:
        recorded = self._known[key]
        assert recorded is not None
        found = recorded.trial(batch)
        outcome = eager_step(model, batch)
        if recorded.agrees(found, outcome):
            recorded.is_trusted = True
            self._failures = 0
        else:
            self._drop(key)
        return outcome

    def _drop(self, key: Any) -> None:
        del self._known[key]
        self._failures += 1


def _key(batch: Batch) -> Any:
    """What a program depends on besides settings: shapes, dtypes, and which arrays are the same."""
    x, y, weights = batch
    return (
        x.shape,
        x.dtype,
        None if y is None else y is x or (y.shape, y.dtype),
        None if weights is None else weights.dtype,
        get_default_dtype(),
    )


def eager_step(model: Model, batch: Batch) -> Outcome:
    """Run forward and, unless the loss is not finite, back."""
    model._require_optimizer()
    watched = model._watched()
    optimizer = model.optimizer
    assert optimizer is not None
    with enable_grad():
        prediction, terms = model._forward(*batch, training=True, watched=watched)
        if not optimizer.built:
            optimizer.build(model.parameters())
        total = terms.total()
        loss = float(total)
        if math.isfinite(loss):
            optimizer.zero_grad()
            total.backward()
    return Outcome(loss, terms.values_as_floats(), prediction, watched)
