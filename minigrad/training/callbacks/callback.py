"""Callback: what is called while a model trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from minigrad.signatures import Configurable
from minigrad.suggestions import nearest

if TYPE_CHECKING:
    from minigrad.training.loop import TrainingLoop
    from minigrad.training.model import Model

Logs = MutableMapping[str, Any]


class Callback(Configurable):
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

    _kept: tuple[str, ...] = ()  # names of attributes that a backup holds

    # All three are None until training begins.
    model: Model = None  # type: ignore[assignment]
    loop: TrainingLoop = None  # type: ignore[assignment]
    params: dict[str, Any] = None  # type: ignore[assignment]

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
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a step, with the loss and its terms for that batch."""
        self.on_batch_end(batch, logs)

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

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Called before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Called after a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called before a batch of a prediction, numbered from 0."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after a batch of a prediction, with its ``outputs``."""

    def _end_training(self) -> None:
        """End training after this step, also where no `fit` is running."""
        self.model.stop_training = True
        if self.loop is not None:
            self.loop.stop(type(self).__name__)

    def state(self) -> dict[str, Any]:
        """Return what it must know to go on after an interruption: numbers, lists and arrays."""
        return {name: getattr(self, name) for name in self._kept}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take what `state` returned."""
        vars(self).update(state)


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class CallbackList(Callback):
    """Several callbacks, called in order: of each method that it has itself.

    Parameters
    ----------
    callbacks
        One, several or none.
    add_history
        Whether to add a `History`.
    model
        What they are introduced to.
    **params
        Their `params`, such as ``epochs`` and ``steps``.
    """

    def __init__(
        self,
        callbacks: Callback | Sequence[Callback] | None = None,
        add_history: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        from minigrad.training.history import History  # which is a callback, too

        self.callbacks: list[Callback] = []
        # Most callbacks do nothing at a batch: those are not even called.
        self._calls: dict[str, list[Callable[..., None]]] = {hook: [] for hook in HOOKS}
        for callback in [callbacks] if isinstance(callbacks, Callback) else callbacks or ():
            self.append(callback)
        if add_history:
            self.append(History())
        if model is not None:
            self.set_model(model)
            if add_history:
                model.history = self.callbacks[-1]
        self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback.

        Raises
        ------
        TypeError
            For what is none, or has a method that looks like one of a callback's and is none.
        """
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks must be instances of Callback. Received: {callback!r}. A function "
                "becomes one as LambdaCallback(on_epoch_end=function)."
            )
        unknown = [n for n in dir(type(callback)) if n.startswith("on_") and n not in HOOKS]
        for name in unknown:
            if near := nearest(name, HOOKS, 1, cutoff=0.85):
                raise TypeError(
                    f"{type(callback).__name__} defines {name!r}, which is never called. "
                    f"Did you mean {near[0]!r}?"
                )
        self.callbacks.append(callback)
        for hook, calls in self._calls.items():
            names = (hook, hook.replace("_train", ""))
            if "batch" not in hook or any(_defines(callback, name) for name in names):
                calls.append(getattr(callback, hook))

    def set_model(self, model: Model) -> None:
        """Introduce all to what is trained."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all how it is trained."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def watches(self, hook: str) -> bool:
        """Whether a callback wants to be told of a moment, such as ``"on_train_batch_end"``."""
        return bool(self._calls[hook])


def _telling(hook: str) -> Callable[..., None]:
    """Return the method of a CallbackList that calls this one of all; logs are always a dict."""

    def at_a_time(self: CallbackList, number: int, logs: Logs | None = None) -> None:
        for call in self._calls[hook]:
            call(number, {} if logs is None else logs)

    def at_an_end(self: CallbackList, logs: Logs | None = None) -> None:
        for call in self._calls[hook]:
            call({} if logs is None else logs)

    return at_a_time if "batch" in hook or "epoch" in hook else at_an_end


for _hook in HOOKS:
    setattr(CallbackList, _hook, _telling(_hook))


def _defines(callback: Callback, name: str) -> bool:
    """Whether a callback has a method of its own by that name."""
    inherited = getattr(type(callback), name) is getattr(Callback, name)
    return not inherited or name in vars(callback)
