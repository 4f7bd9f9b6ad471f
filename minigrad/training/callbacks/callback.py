"""Callback: what is called while a model trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from minigrad.suggestions import nearest

if TYPE_CHECKING:
    from minigrad.training.loop import TrainingLoop
    from minigrad.training.model import Model

Logs = Mapping[str, float]


class Callback:
    """Base of all callbacks: a subclass defines those of the methods that it needs.

    Attributes
    ----------
    model : Model
        What is trained. ``model.stop_training = True`` ends training after the batch.
    loop : TrainingLoop
        What trains it: ``loop.epoch``, ``loop.batch``, ``loop.history``.
    params : dict
        ``epochs`` and ``verbose``, as given to `fit`; ``steps``, how many batches make an epoch, or
        None if that is not known.

    Examples
    --------
    >>> class Shout(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"epoch {epoch}: data {logs['data']:.2f}")
    """

    model: Model
    loop: TrainingLoop
    params: dict[str, Any]

    def set_model(self, model: Model) -> None:
        """Remember what is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Remember how."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Called before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Called after the last epoch, and when Ctrl-C ends training."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Called before an epoch, numbered from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Called after an epoch, with the means of its values, validation included."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a step, numbered from 0 in each epoch."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step, with the loss and its terms for that batch."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Called before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Called after an evaluation, with its values."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of an evaluation, numbered from 0."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of an evaluation."""

    def state(self) -> dict[str, Any]:
        """Return what it must know to go on after an interruption: numbers, lists and arrays."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` returned."""
        vars(self).update(state)


class CallbackList(Callback):
    """Several callbacks, called in order."""

    def __init__(self, callbacks: Callback | Sequence[Callback] | None) -> None:
        many = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in many:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks must be instances of Callback. Received: {callback!r}. A function "
                    "becomes one as LambdaCallback(on_epoch_end=function)."
                )
            _refuse_misspelt_methods(callback)
        self.callbacks = many
        # Most callbacks do nothing at a batch: those are not even called.
        self._at_batch_begin = self._defining("on_train_batch_begin", "on_batch_begin")
        self._at_batch_end = self._defining("on_train_batch_end", "on_batch_end")
        self._at_test_batch_begin = self._defining("on_test_batch_begin")
        self._at_test_batch_end = self._defining("on_test_batch_end")

    def _defining(self, *names: str) -> list[Callable[..., None]]:
        return [
            getattr(callback, name)
            for callback in self.callbacks
            for name in names
            if getattr(type(callback), name) is not getattr(Callback, name)
            or name in vars(callback)
        ]

    @property
    def watches_evaluation(self) -> bool:
        """Whether a callback wants to be told of each batch of an evaluation."""
        return bool(self._at_test_batch_begin or self._at_test_batch_end)

    def prepare(self, loop: TrainingLoop, params: dict[str, Any]) -> None:
        """Introduce the callbacks to what is trained, and how."""
        for callback in self.callbacks:
            callback.set_model(loop.model)
            callback.set_params(params)
            callback.loop = loop

    def on_train_begin(self, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        for call in self._at_batch_begin:
            call(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        for call in self._at_batch_end:
            call(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        for call in self._at_test_batch_begin:
            call(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        for call in self._at_test_batch_end:
            call(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_test_begin(logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        for callback in self.callbacks:
            callback.on_test_end(logs)


def _refuse_misspelt_methods(callback: Callback) -> None:
    """Raise for a method that looks like one of a Callback's, and that nobody would ever call.

    Raises
    ------
    TypeError
        Saying which was meant.
    """
    known = [name for name in vars(Callback) if name.startswith("on_")]
    for name in dir(type(callback)):
        if name.startswith("on_") and name not in known and not name.startswith("on_predict_"):
            near = nearest(name, known, 1, cutoff=0.85)
            if near:
                raise TypeError(
                    f"{type(callback).__name__} defines {name!r}, which is never called. "
                    f"Did you mean {near[0]!r}?"
                )
