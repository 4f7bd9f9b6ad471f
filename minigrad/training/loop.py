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
from minigrad.training.history import Averages, History
from minigrad.training.interrupt import DeferredInterrupt, is_interactive
from minigrad.training.progress import progress_bar
from minigrad.training.sources import Batch, Source

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
        self.history = model.history = History()
        self.interrupted = False
        self._validation_freq = validation_freq
        self._shuffle = shuffle
        self._verbose = verbose
        self._averages = Averages()
        self._shuffle_state: Any = None
        self._to_load: Path | None = None
        self._to_save: list[Path] = []
        self._tolerates_nan = any(isinstance(c, TerminateOnNaN) for c in callbacks.callbacks)
        params = {"epochs": epochs, "verbose": verbose, "steps": source.steps}
        callbacks.prepare(self, params)

    # ---- running -------------------------------------------------------------------------------

    def run(self) -> History:
        """Train to the last epoch, or until something stops it."""
        self.model.stop_training = False
        with DeferredInterrupt() as interrupt:
            try:
                self.callbacks.on_train_begin()
                if self._to_load is not None:
                    self._load(self._to_load)
                with progress_bar(self.epochs, self._verbose, self.epoch) as report:
                    while self.epoch < self.epochs and not self.model.stop_training:
                        report(self.epoch, self._run_epoch(interrupt))
                        self.epoch += 1
                        self._shuffle_state = self.model._generator.bit_generator.state
                        self._save_if_asked()
                        if interrupt.received:  # while it was evaluated, say
                            raise _Interrupted
            except (_Interrupted, KeyboardInterrupt):  # that of a source, or a second Ctrl-C
                self.interrupted = True
                self.history.stopped_by = "Ctrl-C"
            self.callbacks.on_train_end()
        if self.interrupted:
            self._report_interrupt()
        return self.history

    def _run_epoch(self, interrupt: DeferredInterrupt) -> dict[str, float]:
        """Make the steps of an epoch; return its values."""
        model, epoch = self.model, self.epoch
        self.callbacks.on_epoch_begin(epoch)
        if self.batch == 0:
            self._averages = Averages()
            model._reset_metrics()
            self._shuffle_state = model._generator.bit_generator.state
        generator = model._generator if self._shuffle else None
        for batch in self._batches(generator):
            self.current = batch
            self.callbacks.on_train_batch_begin(self.batch)
            try:
                values = model._step(*batch, tolerate_nan=self._tolerates_nan)
            except Exception as error:
                self._note_where(error)
                raise
            self._averages.add(values, len(batch.x))
            self.batch += 1
            self.callbacks.on_train_batch_end(self.batch - 1, values)
            self._save_if_asked()
            if interrupt.received:
                raise _Interrupted
            if model.stop_training:
                break
        values = self._end_epoch()
        self.batch = 0
        self.callbacks.on_epoch_end(epoch, values)
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
        """Return the epoch's values, and note them in the history."""
        model = self.model
        values = {**self._averages.means(), **model._metric_values()}
        if not self._tolerates_nan:
            self._check_weights()
        if self.held_out is not None and self._is_due():
            self.callbacks.on_test_begin()
            watched = self.callbacks.watches_evaluation
            source: Any = Announced(self.held_out, self.callbacks) if watched else self.held_out
            evaluated = model._evaluate(source)
            self.callbacks.on_test_end(evaluated)
            values.update({f"val_{name}": value for name, value in evaluated.items()})
        assert model.optimizer is not None
        self.history.append(self.epoch, values, model.optimizer.iterations)
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
        assert optimizer is not None
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        states = []
        for index, callback in enumerate(self.callbacks.callbacks):
            state = callback.state()
            kept = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
            arrays |= {f"callback/{index}/{name}": array for name, array in kept.items()}
            states.append({k: v for k, v in state.items() if k not in kept})
        for index, metric in enumerate(self.model.compiled_metrics):
            if not isinstance(metric, str):
                gathered = metric.state_arrays()
                arrays |= {f"metric/{index}/{name}": array for name, array in gathered.items()}
        progress = {
            "epoch": self.epoch,
            "batch": self.batch,
            "averages": [self._averages.sums, self._averages.samples],
            "shuffle": self._shuffle_state,
            "history": vars(self.history),
            "stopped": self.model.stop_training,
            "learning_rate": optimizer.get_config()["learning_rate"],
            "callbacks": states,
        }
        save(self.model, path, (progress, arrays))

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
        sums, samples = progress["averages"]
        places = [progress["epoch"], progress["batch"], samples]
        kinds = {name: type(value) for name, value in vars(History()).items()}
        found = {name: type(value) for name, value in progress["history"].items()}
        found["stopped_by"] = kinds["stopped_by"]
        fits = (
            all(is_whole(n) and n >= 0 for n in places)
            and all(isinstance(value, float) for value in sums.values())
            and (samples > 0 or not sums)
            and found == kinds
            and all(isinstance(series, list) for series in progress["history"]["history"].values())
            and isinstance(progress["stopped"], bool)
            and isinstance(progress["learning_rate"], float | dict)
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
            model.optimizer.learning_rate = progress["learning_rate"]  # type: ignore[union-attr]
        self.epoch, self.batch = progress["epoch"], progress["batch"]
        self._averages.sums, self._averages.samples = progress["averages"]
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
            if isinstance(config, str):  # no batch has told yet which one it stands for
                continue
            if isinstance(metric, str):
                metric = known[index] = metrics.deserialize(config)
            gathered = saving.without_prefix(f"{saving.PROGRESS}metric/{index}/", arrays)
            metric.load_state_arrays(gathered)

    def _check_same_model(self, config: dict[str, Any]) -> None:
        from minigrad.layers.layer import registry

        model = self.model
        if not model.built and config["input_shape"] is not None:
            model.build((None, *config["input_shape"]))
        ours = json.loads(json.dumps(registry.serialize(model)))
        if ours != config["model"]:
            raise ValueError("it is of a model with other layers or settings")


class Announced:
    """A source of batches for an evaluation; callbacks are told when each is taken and done."""

    def __init__(self, source: Source, callbacks: CallbackList) -> None:
        self._source = source
        self._callbacks = callbacks

    def epoch(self, generator: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the batches."""
        for number, batch in enumerate(self._source.epoch(generator)):
            self._callbacks.on_test_batch_begin(number)
            yield batch
            self._callbacks.on_test_batch_end(number)


class _Interrupted(Exception):  # noqa: N818  (no error: it only leads out of the epoch)
    """Ctrl-C was pressed, and the step is finished."""
