"""Replay: what a model has done before on a batch, it does again without building a tape.

The eager step of a small network is mostly bookkeeping: Tensors, nodes, scopes, look-ups. But the
step of a second batch of the same shape is the same list of NumPy calls on other numbers. So the
second step of a shape is *recorded*, forward and back, and turned into a `Program`; the third is
made both ways and compared; and from the fourth on the program runs alone, and writes gradients to
where the optimizer reads them. So it is with forward passes, in `predict` and `evaluate`.

What could make it wrong ends it. A program is known by shapes and dtypes; settings are compared
before each run; weights are read where they lie. And what is not known to depend on these alone (a
user's own layer, noise, a number that is looked at) cannot be recorded, and stays eager.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import wraps
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from minigrad.engine import enable_grad, get_default_dtype, no_grad
from minigrad.engine.recorder import NotRepeatableError
from minigrad.engine.state import STATE
from minigrad.engine.tensor import plain
from minigrad.layers.forward_pass import Watched, current_frame
from minigrad.tracing.contributions import contributions
from minigrad.training.data import Array
from minigrad.training.sources import Batch
from minigrad.training.unchanged import all_layers, forgets_gradients, is_all_ours

if TYPE_CHECKING:
    from minigrad.layers import Layer
    from minigrad.training.objective import Objective
    from minigrad.training.recorded import RecordedPass

_MOST_SHAPES = 12  # are kept in mind by a thread; an epoch has two, as its last batch is smaller
_MOST_PROGRAMS = 8 * _MOST_SHAPES  # by all threads, as some of them may be no more
_MOST_FAILURES = 3  # in a row: then somebody changes settings all the time, and eager is quicker


Eagerly = Callable[["Objective", Batch], Any]
Method = TypeVar("Method", bound=Callable[..., Any])
ByParameter = dict[str, dict[str, Array | None]]


class Outcome(NamedTuple):
    """What a pass has found. Gradients are where the optimizer looks for them."""

    loss: float
    terms: dict[str, float]
    prediction: Any
    watched: Watched | None
    has_gradients: bool = True


class Replays:
    """The recorded passes of a model, by the shapes of their batches."""

    def __init__(self) -> None:
        self._known: dict[Any, RecordedPass | None] = {}  # None: seen once
        self._never: set[Any] = set()
        self._failures = 0
        self.lock = RLock()  # of the model: see `alone`

    def __reduce__(self) -> Any:
        return type(self), ()  # a copy of a model has arrays of its own, and begins anew

    def step(self, model: Objective, batch: Batch) -> Outcome:
        """Run forward and back."""
        return self._run(model, batch, eager_step)

    def evaluate(self, model: Objective, batch: Batch) -> Outcome:
        """Run forward, as when the model is used, and compute the loss."""
        return self._run(model, batch, eager_evaluation)

    def predict(self, model: Objective, x: Array) -> Array:
        """Return the output for a batch; the next call may write over it."""
        found = self._run(model, Batch(x, None, None), eager_prediction)
        return plain(found.prediction)

    def contributions(self, model: Objective, batch: Batch) -> ByParameter:
        """Run forward, and back for each term."""
        found: ByParameter = self._run(model, batch, eager_contributions)
        return found

    def _run(self, model: Objective, batch: Batch, eagerly: Eagerly) -> Any:
        """Run a program; or run eagerly, recording or comparing on the way."""
        if self._failures >= _MOST_FAILURES or STATE.get().watcher is not None:
            return eagerly(model, batch)
        if current_frame() is not None:  # in a layer's call, to which penalties are handed
            return eagerly(model, batch)
        key = (eagerly, *_key(batch))
        recorded = self._known.get(key)
        if recorded is None:
            return self._run_eagerly(key, model, batch)
        if not recorded.fits(model):
            self._drop(key)
            return eagerly(model, batch)
        if recorded.is_trusted:
            return recorded.run(batch)
        outcome = eagerly(model, batch)
        if recorded.agrees(model, batch, outcome):
            recorded.is_trusted = True
            self._failures = 0
        else:
            self._drop(key)
        return outcome

    def _run_eagerly(self, key: Any, model: Objective, batch: Batch) -> Any:
        """Run the first pass of a shape, or record the second."""
        if key not in self._known and key not in self._never:
            self._make_room(key[-1])
            self._known[key] = None
        elif key not in self._never:
            outcome = self._record(key, model, batch)
            if outcome is not None:
                return outcome
        eagerly: Eagerly = key[0]
        return eagerly(model, batch)

    def _make_room(self, thread: Any) -> None:
        """Forget what a thread has recorded, or all threads have, if that is too much."""
        known = list(self._known)
        if len(known) >= _MOST_PROGRAMS:
            self._known.clear()
        mine = [key for key in known if key[-1] == thread]
        if len(mine) >= _MOST_SHAPES:
            for key in mine:
                self._known.pop(key, None)

    def _record(self, key: Any, model: Objective, batch: Batch) -> Any:
        """Make a program of a pass; return what it found, None if it cannot be repeated."""
        from minigrad.training import recording  # loaded when something is trained

        if key[0] is eager_step and not (model.optimizer.built and model.trainable_weights):
            return None  # an optimizer may be new, and weights may be freed
        if any(weight._leaf.hooks for weight in model.weights) or sys.getprofile() is not None:
            # A hook expects arrays, once a step; and who takes a profile would not see `ran`'s.
            return None  # both may end, so it's not never
        is_usual = key[0] is not eager_step or forgets_gradients(model.optimizer)
        if is_usual and is_all_ours(model):
            record: Any = {
                eager_step: recording.record_step,
                eager_evaluation: recording.record_evaluation,
                eager_prediction: recording.record_prediction,
                eager_contributions: recording.record_contributions,
            }[key[0]]
            # The attempt may end behind noise that was drawn; prediction draws none, and must not
            # put back what another thread may be training.
            draws_noise = key[0] in (eager_step, eager_contributions)
            try:
                with model.undisturbed() if draws_noise else nullcontext():
                    self._known[key], outcome = record(model, batch)
                return outcome
            except (NotRepeatableError, NotImplementedError, TypeError):
                pass  # in a recording all is Tensors, which not every line of ours expects
        self._known.pop(key, None)  # another thread may have forgotten all
        self._never.add(key)
        return None

    def _drop(self, key: Any) -> None:
        """Forget a program that does not hold any more, with those of other threads like it."""
        if self._known.pop(key, None) is not None:
            self._failures += 1
        for other in list(self._known):
            if other[:-1] == key[:-1]:
                self._known.pop(other, None)


class NoReplays(Replays):
    """Every pass is made anew, as somebody has asked for."""

    def _run(self, model: Objective, batch: Batch, eagerly: Eagerly) -> Any:
        return eagerly(model, batch)


def _key(batch: Batch) -> tuple[Any, ...]:
    """What a program depends on besides settings: shapes, dtypes, and which arrays are the same.

    And the thread, as a program's buffers are one thread's at a time.
    """
    x, y, weights = batch
    return (
        x.shape,
        x.dtype,
        None if y is None else y is x or (y.shape, y.dtype),
        None if weights is None else weights.dtype,
        get_default_dtype(),
        get_ident(),
    )


def alone(method: Method) -> Method:
    """Let a method of a model wait while another thread trains the model, or looks at it.

    A look runs the pass of a step, and puts back what that changes; in between, a step of another
    thread would find moving averages and random generators that are not its own.
    """

    @wraps(method)
    def call(model: Objective, *arguments: Any, **keywords: Any) -> Any:
        with model._replays.lock:
            return method(model, *arguments, **keywords)

    return call  # type: ignore[return-value]


def eager_step(model: Objective, batch: Batch) -> Outcome:
    """Run forward and, unless the loss is not finite, back."""
    model._require_optimizer()
    watched = model._watched()
    with enable_grad():
        prediction, terms = model._forward(*batch, training=True, watched=watched)
        total = terms.total()
        loss = float(total)
        learns = math.isfinite(loss) and model._backward(total)
    return Outcome(loss, terms.values_as_floats(), prediction, watched, learns)


def eager_evaluation(model: Objective, batch: Batch) -> Outcome:
    """Run forward, and compute the loss."""
    watched = model._watched()
    with no_grad():
        prediction, terms = model._forward(*batch, watched=watched)
    values = terms.values_as_floats()
    return Outcome(sum(values.values()), values, prediction, watched)


def eager_prediction(model: Objective, batch: Batch) -> Outcome:
    """Run forward, and compute no loss."""
    with no_grad():
        return Outcome(0.0, {}, model.run(batch.x, False)[0], None)


def eager_contributions(
    model: Objective, batch: Batch, names: Sequence[str] | None = None
) -> ByParameter:
    """Run forward, and back for each term, all in one walk."""
    with enable_grad(), model.undisturbed(), losses_kept(model):
        _, terms = model._forward(*batch, training=True)
        parameters = model.named_parameters()
        wanted = parameters if names is None else {name: parameters[name] for name in names}
        return contributions(terms, wanted)


@contextmanager
def losses_kept(model: Layer) -> Iterator[None]:
    """A ``with`` block after which the `losses` of all layers are those of the pass before."""
    remembered = [(layer, layer._addends) for layer in all_layers(model)]
    try:
        yield
    finally:
        for layer, addends in remembered:
            layer._addends = addends
