"""TrainingLoop: epochs of batches, callbacks, and how to stop and go on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import metrics
from minigrad.checks import is_whole
from minigrad.layers.layer import registry
from minigrad.serialization import by_own_names
from minigrad.signatures import is_ours
from minigrad.training.archive import PROGRESS, Array, LoadError, without_prefix
from minigrad.training.callbacks import CallbackList, TerminateOnNaN
from minigrad.training.history import History
from minigrad.training.interrupt import DeferredInterrupt, is_interactive
from minigrad.training.progress import progress_bar
from minigrad.training.sources import Batch, Source

if TYPE_CHECKING:
    from minigrad.training.model import Model

Path = str | os.PathLike[str]
State = Mapping[str, Any]


@dataclass(eq=False, repr=False)
class TrainingLoop:
    """What `fit` runs; callbacks see it as ``self.loop``.

    Attributes
    ----------
    epoch, batch : int
        The epoch that is going on, and how many of its steps have been made.
    history : History
        The epochs so far.
    interrupted : bool
        Whether Ctrl-C has ended it.
    current : Batch or None
        The batch that is being learnt: ``x``, ``y`` and ``weights``.
    validates : bool
        Whether there are validation data.
    """

    model: Model
    source: Source
    epochs: int
    epoch: int
    callbacks: CallbackList
    held_out: Source | None
    validation_freq: int | Sequence[int]
    shuffle: bool
    verbose: int | str

    def __post_init__(self) -> None:
        self.batch = 0
        self.current: Batch | None = None
        self.validates = self.held_out is not None
        params = {"epochs": self.epochs, "verbose": self.verbose, "steps": self.source.steps}
        self.history = self.model.history = History(params)
        self.interrupted = False
        self._shuffle_state: Any = None
        self._logs: dict[str, float] = {}
        self._to_load: Path | None = None
        self._to_save: list[Path] = []
        self._tolerates_nan = any(isinstance(c, TerminateOnNaN) for c in self.callbacks.callbacks)
        self.callbacks.set_model(self.model)
        self.callbacks.set_params(params)
        for callback in self.callbacks.callbacks:
            callback.loop = self

    # ---- running -------------------------------------------------------------------------------

    def run(self) -> History:
        """Train to the last epoch, or until something stops it."""
        model = self.model
        model.stop_training, model._tolerates_nan = False, self._tolerates_nan
        values: dict[str, float] = {}
        with DeferredInterrupt() as interrupt:
            try:
                self.callbacks.on_train_begin()
                if self._to_load is not None:
                    self._load(self._to_load)
                with progress_bar(self.epochs, self.verbose, self.epoch) as report:
                    while self.epoch < self.epochs and not self.model.stop_training:
                        values = self._run_epoch(interrupt)
                        report(self.epoch, values)
                        self.epoch += 1
                        if not self.source.passed:
                            self._shuffle_state = self.model._generator.bit_generator.state
                        self._save_if_asked()
                        if interrupt.received:  # while it was evaluated, say
                            raise _Interrupted
            except (_Interrupted, KeyboardInterrupt):  # that of a source, or a second Ctrl-C
                self.interrupted = True
                self.history.stopped_by = "Ctrl-C"
            finally:
                model._tolerates_nan = model._loss_tracker.is_in_epoch = False
            self.callbacks.on_train_end(values)
        if self.interrupted:
            self._report_interrupt()
        return self.history

    def _run_epoch(self, interrupt: DeferredInterrupt) -> dict[str, float]:
        """Make the steps of an epoch; return its values."""
        model, epoch = self.model, self.epoch
        self.callbacks.on_epoch_begin(epoch)
        if self.batch == 0:
            model.reset_metrics()
            if not self.source.passed:
                self._shuffle_state = model._generator.bit_generator.state
        if self.source.passed:
            model._generator.bit_generator.state = self._shuffle_state
        generator = model._generator if self.shuffle else None
        model._loss_tracker.is_in_epoch = True
        for batch in self._batches(generator):
            self.current = batch
            self.callbacks.on_train_batch_begin(self.batch)
            try:
                self._logs = model._step(batch)
            except Exception as error:
                self._note_where(error)
                raise
            self.batch += 1
            if self.callbacks.watches("on_train_batch_end"):
                logs = model._results_or(self._logs, "train_step") | self._logs
                self.callbacks.on_train_batch_end(self.batch - 1, logs)
            self._save_if_asked()
            if interrupt.received:
                raise _Interrupted
            if model.stop_training:
                break
        model._loss_tracker.is_in_epoch = False
        values = self._end_epoch()
        self.batch = 0
        try:
            self.callbacks.on_epoch_end(epoch, values)
        finally:  # what they have added to the values is part of the history
            steps = int(getattr(model.optimizer, "iterations", 0))
            self.history.append(epoch, values, steps)
        return values

    def _batches(self, generator: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the batches that are left of the epoch; an error of their source says where."""
        batches = self.source.epoch(generator, self.batch)
        while True:
            try:
                with self.model._replays.lock:  # as an order may be drawn, see `alone`
                    batch = next(batches, None)
            except Exception as error:
                self._note_where(error)
                raise
            if batch is None:
                return
            yield batch

    def _note_where(self, error: Exception) -> None:
        error.add_note(
            f"in epoch {self.epoch + 1}, batch {self.batch + 1}. The weights are those after the "
            "step before; model.history has the epochs before."
        )

    def _end_epoch(self) -> dict[str, float]:
        """Return the epoch's values."""
        model = self.model
        values = model._results_or(self._logs, "train_step")
        if not self._tolerates_nan:
            self._check_weights()
        if self.held_out is not None and self._is_due():
            evaluated = model._evaluate(self.held_out, self.callbacks)
            values.update({f"val_{name}": value for name, value in evaluated.items()})
        return values

    def _check_weights(self) -> None:
        """Raise if a step has made a weight nan, which its loss could not show yet."""
        for path, weight in self.model.named_weights().items():
            if not np.isfinite(weight._value).all():
                raise FloatingPointError(
                    f"weights {path!r} of model {self.model.name!r} are no longer finite after "
                    f"epoch {self.epoch + 1}, though the loss was: a gradient was nan or infinite. "
                    "Train inside `with mg.detect_anomaly():` to see where, or set clipnorm=1.0."
                )

    def _is_due(self) -> bool:
        if isinstance(self.validation_freq, int):
            return (self.epoch + 1) % self.validation_freq == 0
        return self.epoch + 1 in self.validation_freq

    # ---- stopping ------------------------------------------------------------------------------

    def stop(self, by: str) -> None:
        """End training after this step; `by` says who wanted it, in ``history.stopped_by``."""
        self.model.stop_training = True
        self.history.stopped_by = by

    def _report_interrupt(self) -> None:
        where = (
            f"in epoch {self.epoch + 1} of {self.epochs}, after {self.batch} steps of it"
            if self.batch or not self.epoch
            else f"after epoch {self.epoch} of {self.epochs}"
        )
        if not is_interactive():
            raise KeyboardInterrupt(f"training was stopped {where}; see model.history")
        if self.verbose:
            print(f"Stopped by Ctrl-C {where}.")

    # ---- going on after a crash ----------------------------------------------------------------

    def load(self, path: Path) -> None:
        """Go on from a file of `save`, once all callbacks have begun."""
        self._to_load = path

    def save(self, path: Path) -> None:
        """Save all that it takes to go on from here, once all callbacks have seen this moment."""
        self._to_save.append(path)

    def _save_if_asked(self) -> None:
        paths, self._to_save = self._to_save, []
        for path in paths:
            self._save(path)

    def _save(self, path: Path) -> None:
        from minigrad.training.saving import save

        model, optimizer = self.model, self.model.optimizer
        arrays: dict[str, Array] = {}
        states = {}
        for place, (state, _) in self._states().items():
            found = state()
            if not found and place.startswith("callback/"):
                continue
            kept = {k: v for k, v in found.items() if isinstance(v, np.ndarray)}
            arrays |= {f"{place}/{name}": array for name, array in kept.items()}
            states[place] = {k: v for k, v in found.items() if k not in kept}
        paths = {id(weight): path for path, weight in model.named_parameters().items()}
        progress = {
            "epoch": self.epoch,
            "batch": self.batch,
            "passed": self.source.passed,
            "shuffle": self._shuffle_state,
            "history": self.history.record(),
            "stopped": model.stop_training,
            "logs": self._logs,
            "learning_rate": optimizer.get_config()["learning_rate"] if optimizer else None,
            "optimizers": {
                name: [paths[id(parameter)] for parameter in other.parameters]
                for name, other in model._other_optimizers().items()
            },
            "states": states,
        }
        save(model, path, progress=(progress, arrays))

    def _states(self) -> dict[str, tuple[Callable[[], State], Callable[[State], None]]]:
        """What has a state beside the model: how to get it, and how to put it back."""
        callbacks, others = self.callbacks.callbacks, self.model._other_optimizers()
        kinds = [type(callback).__name__ for callback in callbacks]
        keepers: dict[str, Any] = {f"metric/{i}": m for i, m in enumerate(self.model.metrics)}
        keepers |= {f"optimizer/{name}": optimizer for name, optimizer in others.items()}
        return {
            **{
                f"callback/{kind}/{kinds[:i].count(kind)}": (callback.state, callback.restore)
                for i, (kind, callback) in enumerate(zip(kinds, callbacks, strict=True))
            },
            **{k: (held.state_arrays, held.load_state_arrays) for k, held in keepers.items()},
            **{f"numbers/{i}": _numbers_of(m) for i, m in enumerate(self.model.metrics)},
        }

    def _load(self, path: Path) -> None:
        from minigrad.training import saving

        config, arrays = saving.read(path)
        try:
            self._check_same_model(config)
            before = saving.training_state(self.model)
            try:
                self._check(config["progress"])
                saving.load_training_state(self.model, config, arrays)
                self._take(config["progress"], config, arrays)
            except Exception:
                saving.restore_training_state(self.model, *before)
                raise
        except Exception as error:  # whatever comes of a record that nobody has checked
            why = str(error).rstrip(".") or type(error).__name__
            raise LoadError(
                f"{path} is no backup of this training: {why}. Remove it to begin anew."
            ) from error

    def _check(self, progress: Any) -> None:
        """Raise if a record of a training is not of the kinds of things that `save` writes."""
        places = [progress["epoch"], progress["batch"], progress["passed"]]
        kinds = {name: type(value) for name, value in History().record().items()}
        found = {name: type(value) for name, value in progress["history"].items()}
        found["stopped_by"] = kinds["stopped_by"]
        fits = (
            all(is_whole(n) and n >= 0 for n in places)
            and found == kinds
            and all(isinstance(series, list) for series in progress["history"]["history"].values())
            and isinstance(progress["stopped"], bool)
            and all(isinstance(value, float) for value in progress["logs"].values())
            and isinstance(progress["learning_rate"], float | dict | None)
            and isinstance(progress["states"], dict)
        )
        if not fits:
            raise ValueError("its record of the training is damaged")
        ours, theirs = self._states(), progress["states"]
        for place in ours.keys() ^ theirs.keys():  # callbacks without a state may come and go
            if place in theirs or not place.startswith("callback/") or ours[place][0]():
                raise ValueError(
                    f"{place!r} {'is not here' if place in theirs else 'was not there'}. Its "
                    "callbacks, metrics and optimizers must be those of the run that wrote it"
                )

    def _take(self, progress: Any, config: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Go on from what `save` wrote, but for what `saving` has put back."""
        model = self.model
        model._generator.bit_generator.state = (
            progress["shuffle"] if progress["batch"] else config["generators"][""]
        )
        if isinstance(progress["learning_rate"], float):
            model.optimizer.learning_rate = progress["learning_rate"]
        self.epoch, self.batch = progress["epoch"], progress["batch"]
        self.source.passed, self._logs = progress["passed"], progress["logs"]
        self._shuffle_state = progress["shuffle"]
        vars(self.history).update(progress["history"])
        model.stop_training = progress["stopped"]
        named = model.named_parameters()
        for name, optimizer in model._other_optimizers().items():
            trained = progress["optimizers"][name]
            if not optimizer.built and trained:
                optimizer.build([named[path] for path in trained])
        known = model.compiled_metrics
        for index, (metric, made) in enumerate(zip(known, config["metrics"], strict=False)):
            if isinstance(metric, str) and not isinstance(made, str):
                known[index] = metrics.deserialize(made)  # a batch had told which one it is
        states = self._states()
        for place in progress["states"]:
            _, restore = states[place]
            kept = without_prefix(f"{PROGRESS}{place}/", arrays)
            restore({**progress["states"][place], **kept})

    def _check_same_model(self, config: dict[str, Any]) -> None:
        model = self.model
        if not model.built and config["input_shape"] is not None:
            model.build((None, *config["input_shape"]))
        with by_own_names():
            ours = json.loads(json.dumps(registry.serialize(model)))
        if ours != config["model"]:
            raise ValueError("it is of a model with other layers or settings")


def _numbers_of(metric: Any) -> tuple[Callable[[], State], Callable[[State], None]]:
    """How to get and to put back the numbers and arrays that a user's metric has as attributes."""

    def get() -> State:
        own = {} if is_ours(type(metric)) else metric._attributes()
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in own.items()}
        kinds, known = (int, float, np.ndarray), metric._settings()
        return {k: v for k, v in plain.items() if isinstance(v, kinds) and k not in known}

    return get, lambda state: vars(metric).update(state)


class _Interrupted(Exception):  # noqa: N818  (no error: it only leads out of the epoch)
    """Ctrl-C was pressed, and the step is finished."""
