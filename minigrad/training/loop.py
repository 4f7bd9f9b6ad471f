"""TrainingLoop: epochs of batches, callbacks, and how to stop and go on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import metrics
from minigrad.checks import is_whole
from minigrad.training.archive import LoadError
from minigrad.training.callbacks import CallbackList, TerminateOnNaN
from minigrad.training.history import History
from minigrad.training.interrupt import DeferredInterrupt, is_interactive
from minigrad.training.progress import progress_bar
from minigrad.training.sources import Batch, Source
from minigrad.training.steps import TRAINING

if TYPE_CHECKING:
    from minigrad.training.model import Model

Path = str | os.PathLike[str]


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

    def __init__(
        self,
        model: Model,
        source: Source,
        epochs: int,
        initial_epoch: int,
        callbacks: CallbackList,
        held_out: Source | None,
        validation_freq: int | Sequence[int],
        shuffle: bool,
        verbose: int | str,
    ) -> None:
        self.model = model
        self.source = source
        self.epochs = epochs
        self.epoch = initial_epoch
        self.batch = 0
        self.current: Batch | None = None
        self.callbacks = callbacks
        self.held_out = held_out
        self.validates = held_out is not None
        params = {"epochs": epochs, "verbose": verbose, "steps": source.steps}
        self.history = model.history = History(params)
        self.interrupted = False
        self._validation_freq = validation_freq
        self._shuffle = shuffle
        self._verbose = verbose
        self._shuffle_state: Any = None
        self._logs: dict[str, float] = {}
        self._to_load: Path | None = None
        self._to_save: list[Path] = []
        self._tolerates_nan = any(isinstance(c, TerminateOnNaN) for c in callbacks.callbacks)
        callbacks.prepare(self, params)

    # ---- running -------------------------------------------------------------------------------

    def run(self) -> History:
        """Train to the last epoch, or until something stops it."""
        model = self.model
        model.stop_training, model._tolerates_nan = False, self._tolerates_nan
        with DeferredInterrupt() as interrupt:
            try:
                self.callbacks.on_train_begin()
                if self._to_load is not None:
                    self._load(self._to_load)
                with progress_bar(self.epochs, self._verbose, self.epoch) as report:
                    while self.epoch < self.epochs and not self.model.stop_training:
                        report(self.epoch, self._run_epoch(interrupt))
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
            self.callbacks.on_train_end()
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
        generator = model._generator if self._shuffle else None
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
            if self.callbacks.watches_batches:
                logs = model._results_or(self._logs, *TRAINING) | self._logs
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
        values = model._results_or(self._logs, *TRAINING)
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
        if isinstance(self._validation_freq, int):
            return (self.epoch + 1) % self._validation_freq == 0
        return self.epoch + 1 in self._validation_freq

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
        if self._verbose:
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

        optimizer = self.model.optimizer
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        states = []
        for index, callback in enumerate(self.callbacks.callbacks):
            state = callback.state()
            kept = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
            arrays |= {f"callback/{index}/{name}": array for name, array in kept.items()}
            states.append({k: v for k, v in state.items() if k not in kept})
        for index, metric in enumerate(self.model.metrics):
            gathered = metric.state_arrays()
            arrays |= {f"metric/{index}/{name}": array for name, array in gathered.items()}
        trained = {}
        paths = {id(weight): path for path, weight in self.model.named_parameters().items()}
        for name, other in self.model._other_optimizers().items():
            trained[name] = [paths[id(parameter)] for parameter in other.parameters]
            found = other.state_arrays()
            arrays |= {f"optimizer/{name}/{key}": array for key, array in found.items()}
        progress = {
            "epoch": self.epoch,
            "batch": self.batch,
            "passed": self.source.passed,
            "shuffle": self._shuffle_state,
            "history": self.history.record(),
            "stopped": self.model.stop_training,
            "logs": self._logs,
            "learning_rate": optimizer.get_config()["learning_rate"] if optimizer else None,
            "optimizers": trained,
            "callbacks": states,
        }
        save(self.model, path, progress=(progress, arrays))

    def _load(self, path: Path) -> None:
        from minigrad.training import saving

        config, arrays = saving.read(path)
        try:
            self._check_same_model(config)
            before = saving.training_state(self.model)
            try:
                self._take(config["progress"], config, arrays)
            except Exception:
                saving.restore_training_state(self.model, before)
                raise
        except Exception as error:  # whatever comes of a record that nobody has checked
            raise LoadError(
                f"{path} is no backup of this training: {error or type(error).__name__}. Remove "
                "it to begin anew."
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
            and progress["optimizers"].keys() == self.model._other_optimizers().keys()
        )
        if not fits:
            raise ValueError("its record of the training is damaged")

    def _take(self, progress: Any, config: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Go on from what `save` wrote."""
        from minigrad.training import saving

        self._check(progress)
        model = self.model
        saving.load_training_state(model, config, arrays)
        model._generator.bit_generator.state = (
            progress["shuffle"] if progress["batch"] else config["generators"][""]
        )
        if isinstance(progress["learning_rate"], float):
            model.optimizer.learning_rate = progress["learning_rate"]
        self._load_optimizers(progress["optimizers"], arrays)
        self.epoch, self.batch = progress["epoch"], progress["batch"]
        self.source.passed, self._logs = progress["passed"], progress["logs"]
        self._shuffle_state = progress["shuffle"]
        self._load_metrics(config["metrics"], arrays)
        for index, (callback, state) in enumerate(
            zip(self.callbacks.callbacks, progress["callbacks"], strict=True)
        ):
            kept = saving.without_prefix(f"{saving.PROGRESS}callback/{index}/", arrays)
            callback.restore({**state, **kept})
        vars(self.history).update(progress["history"])
        model.stop_training = progress["stopped"]

    def _load_metrics(self, configs: list[Any], arrays: dict[str, Any]) -> None:
        from minigrad.training import saving

        known = self.model.compiled_metrics
        for index, (metric, config) in enumerate(zip(known, configs, strict=True)):
            if isinstance(metric, str) and not isinstance(config, str):
                known[index] = metrics.deserialize(config)  # a batch had told which one it is
        for index, metric in enumerate(self.model.metrics):
            gathered = saving.without_prefix(f"{saving.PROGRESS}metric/{index}/", arrays)
            metric.load_state_arrays(gathered)

    def _load_optimizers(self, trained: dict[str, list[str]], arrays: dict[str, Any]) -> None:
        from minigrad.training import saving

        named = self.model.named_parameters()
        for name, optimizer in self.model._other_optimizers().items():
            if not optimizer.built and trained[name]:
                optimizer.build([named[path] for path in trained[name]])
            state = saving.without_prefix(f"{saving.PROGRESS}optimizer/{name}/", arrays)
            optimizer.load_state_arrays(state)

    def _check_same_model(self, config: dict[str, Any]) -> None:
        from minigrad.layers.layer import registry

        model = self.model
        if not model.built and config["input_shape"] is not None:
            model.build((None, *config["input_shape"]))
        ours = json.loads(json.dumps(registry.serialize(model)))
        if ours != config["model"]:
            raise ValueError("it is of a model with other layers or settings")


class _Interrupted(Exception):  # noqa: N818  (no error: it only leads out of the epoch)
    """Ctrl-C was pressed, and the step is finished."""
