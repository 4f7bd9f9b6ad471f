"""Trainer: steps, `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from minigrad.checks import boolean, is_whole, or_none, positive_integer, sizes
from minigrad.engine import no_grad
from minigrad.engine.taken import warn
from minigrad.engine.tensor import plain
from minigrad.tracing.classifiers import UNSCALED, is_regression, of_first_batch
from minigrad.training.callbacks import Callback, CallbackList
from minigrad.training.data import (
    as_data,
    lies_in_order,
    says_what_was_meant,
    split_off_validation,
    the_only_array,
)
from minigrad.training.history import History, LossTracker
from minigrad.training.loop import TrainingLoop
from minigrad.training.objective import FirstBatchWarning
from minigrad.training.prediction import predict_in_batches
from minigrad.training.progress import checked_verbosity, format_values
from minigrad.training.replay import Outcome, Replays, losses_kept
from minigrad.training.sources import Arrays, Batch, Batches, Source, is_array_like
from minigrad.training.steps import Steps
from minigrad.utils import unpack_x_y_sample_weight


class Trainer(Steps):
    """Training, evaluation and prediction; a base of `Model`."""

    def _prepare_training(self) -> None:
        self.optimizer = None
        self.loss = None
        self.loss_weights = 1.0
        self.compiled_metrics = []
        self.unweighted_metrics = 0
        self.checked_config = None
        self.compiled = False
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history: History | None = None
        self._replays = Replays()
        self._loss_tracker = LossTracker()
        self._noted = self._held = None
        self._tolerates_nan = False

    # ---- steps ---------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Make one step on one batch; return the loss and metrics, from before it.

        Of this batch alone: metrics are reset before. With `return_dict`, it is a dict with each
        term of the loss; otherwise the loss, or a list with the metrics behind it.

        Raises
        ------
        NonFiniteLossError
            If the loss is nan or infinite; the step is not made.
        """
        self._require_compiled()
        self.reset_metrics()
        batch = self._batch(x, y, sample_weight, class_weight)
        values = self._results_or(self._step(batch), "train_step")
        return values if return_dict else self._in_order(values)

    def _step(self, batch: Batch) -> dict[str, float]:
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")  # the loss will tell
        with self._replays.lock, quiet:  # see `alone`
            if self._defines("train_step"):
                return self._by_own_step("train_step", batch)
            found = self._replays.step(self, batch)
            if not self.has_seen_a_batch:
                self.has_seen_a_batch = True
                self._look_at_first(batch, found)
            if not math.isfinite(found.loss):
                self._refuse_non_finite(found.terms)
            elif found.has_gradients:
                self.optimizer.step()
            return self._values_of(found, batch)

    def _look_at_first(self, batch: Batch, found: Outcome) -> None:
        """Warn of what is wrong with loss, targets or metrics, where the first batch shows it.

        Of saturated outputs only where the input is not scaled: otherwise they may be the past of a
        model that goes on with other data.
        """
        data = found.terms.get("data", 0.0) / (self.loss_weights or 1)
        for mistake in of_first_batch(self.loss, batch.x, batch.y, found.prediction, data):
            if mistake.numbers.get("largest |input|", UNSCALED) >= UNSCALED:
                warn(f"model {self.name!r}, first batch: {mistake}", FirstBatchWarning)
        counted = "accuracy" in self.compiled_metrics or "acc" in self.compiled_metrics
        if counted and is_regression(self.loss) and np.any(np.asarray(batch.y) % 1):
            text = "'accuracy' counts classes, and these targets are numbers: take metrics=['mae']"
            warn(f"model {self.name!r}, first batch: {text}", FirstBatchWarning)

    def _values_of(self, found: Outcome, batch: Batch) -> dict[str, float]:
        """Return the loss and its terms on a batch, once all metrics have taken it in."""
        if self.compiled_metrics:
            self._update_metrics(batch.y, found.prediction, batch.weights, found.watched)
        values = {"loss": found.loss, **found.terms}
        self._loss_tracker.add_batch(values, len(batch.x))
        return values

    def _source(
        self, x: Any, y: Any, sample_weight: Any, class_weight: Any, size: Any, steps: Any
    ) -> Source:
        """Return where batches come from."""
        if is_array_like(x) or isinstance(x, dict):
            return Arrays(self._batch(x, y, sample_weight, class_weight), size, steps)
        if y is not None or sample_weight is not None:
            raise ValueError(
                "with a source of batches, targets and weights come in the batches: y and "
                "sample_weight belong to arrays"
            )
        return Batches(x, lambda x, y, weights: self._batch(x, y, weights, class_weight), steps)

    # ---- fit -----------------------------------------------------------------------------------

    @says_what_was_meant
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train for some epochs.

        Ctrl-C ends training after the step that is going on: callbacks put the best weights back,
        and the history so far is in ``model.history``. In Jupyter it is also returned; a script
        gets the KeyboardInterrupt.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets, of shape (samples, …). They must be finite. As in Keras, a list of
            arrays is one of several inputs, and a dict has them by name: it must hold one. Or `x`
            alone: a generator, an iterable or a function that makes one, of batches ``(x, y)`` or
            ``(x, y, sample_weight)``.
        batch_size
            How many samples make a step; the last batch of an epoch may be smaller. By default 32,
            or as many as it takes for `steps_per_epoch` to go through all samples.
        epochs
            The number of the last epoch: how often to go through all samples, from the beginning.
        verbose
            0 for silence, 1 or ``"auto"`` for a progress bar, 2 for a line an epoch.
        callbacks
            Called while training: see `minigrad.callbacks`.
        validation_split
            The fraction of samples, from the end, that is only evaluated.
        validation_data
            Other samples to evaluate after each epoch: (x, y), (x, y, sample_weight), or batches.
        shuffle
            Whether to draw a new order for each epoch, from the model's seed.
        sample_weight, class_weight
            A weight for each sample, or for each class of the targets; on the data term only.
        initial_epoch
            The number of the first epoch, to go on with an earlier training.
        steps_per_epoch, validation_steps
            How many batches make an epoch or an evaluation. With arrays, an epoch goes on where the
            last one ended, and a validation takes the first ones.
        validation_batch_size
            As `batch_size` unless it is given.
        validation_freq
            After how many epochs to evaluate, or after which (numbered from 1).

        Returns
        -------
        History
            The loss and each of its terms, epoch by epoch.

        Raises
        ------
        RuntimeError
            If the optimizer was built for other parameters.
        ValueError
            If the model has not been compiled; for data that do not fit, are empty, or hold nan.
        NonFiniteLossError
            If the loss becomes nan or infinite; the weights stay those of the step before.
        """
        self._require_optimizer()
        sizes("fit", "epochs", epochs, rank=1, least=0)
        first = sizes("fit", "initial_epoch", initial_epoch, rank=1, least=0)[0]
        boolean("fit", "shuffle", shuffle)
        or_none(positive_integer)("fit", "batch_size", batch_size)
        held_out_size = batch_size if validation_batch_size is None else validation_batch_size
        held_out: Source | None = None
        if validation_data is not None:
            x_out, y_out, weights = unpack_x_y_sample_weight(validation_data)
            held_out = self._source(x_out, y_out, weights, None, held_out_size, validation_steps)
            validation_split = 0.0  # as in Keras
        if validation_split:
            if not is_array_like(x):
                raise ValueError("with a source of batches, validation needs validation_data")
            x, y, weights = self._batch(x, y, sample_weight)
            (x, y), (x_out, y_out) = split_off_validation(x, y, validation_split)
            sample_weight, judged = (None, None) if weights is None else np.split(weights, [len(x)])
            held_out = Arrays(Batch(x_out, y_out, judged), held_out_size, validation_steps)
        source = self._source(x, y, sample_weight, class_weight, batch_size, steps_per_epoch)
        self._held = None
        loop = TrainingLoop(
            self,  # type: ignore[arg-type]  # it is a part of Model alone
            source,
            epochs,
            first,
            CallbackList(callbacks),
            held_out,
            _checked_frequency(validation_freq),
            shuffle,
            verbose,
        )
        return loop.run()

    # ---- evaluation ----------------------------------------------------------------------------

    @says_what_was_meant
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss on some data, penalties included; with `return_dict` each term too.

        With metrics it is a list, the loss first, as in Keras. It leaves `losses` as they were.

        Parameters
        ----------
        x, y, batch_size, sample_weight
            As in `fit`.
        verbose
            1 or 2 prints the values; 0 and ``"auto"`` print nothing.
        steps
            How many batches to take; by default all.
        callbacks
            Whose methods of evaluations (``on_test_…``) are called.
        return_dict
            Whether to return all values by name: the loss, each term and each metric.
        """
        self._require_compiled()
        checked_verbosity(verbose)
        or_none(positive_integer)("evaluate", "batch_size", batch_size)
        source = self._source(x, y, sample_weight, None, batch_size, steps)
        called = self._prepared(callbacks, steps=source.steps, verbose=verbose)
        with self._metrics_kept() if self._loss_tracker.is_in_epoch else nullcontext():
            values = self._evaluate(source, called)
            if verbose in (1, 2):
                print(format_values(values))
            return values if return_dict else self._in_order(values)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Return the loss and metrics on one batch, as `train_on_batch`; nothing is changed."""
        size = len(as_data("x", self._unnamed(x, y)[0], self.compute_dtype))
        return self.evaluate(x, y, size, sample_weight=sample_weight, return_dict=return_dict)

    def _prepared(self, callbacks: Any, **params: Any) -> CallbackList:
        """Return callbacks that know the model."""
        called = callbacks if isinstance(callbacks, CallbackList) else CallbackList(callbacks)
        called.set_model(self)  # type: ignore[arg-type]  # it is a part of Model alone
        called.set_params(params)
        return called

    def _evaluate(self, source: Source, callbacks: CallbackList) -> dict[str, float]:
        """Return the values of an evaluation, of which the callbacks are told."""
        callbacks.on_test_begin()
        self._held = None
        self.reset_metrics()
        self.stop_evaluating, source.passed = False, 0
        own, watched = self._defines("test_step"), callbacks.watches("on_test_batch_end")
        logs: dict[str, float] = {}
        for number, batch in enumerate(source.epoch(None)):
            callbacks.on_test_batch_begin(number)
            if own:
                with losses_kept(self):
                    logs = self._by_own_step("test_step", batch)
            else:
                logs = self._values_of(self._replays.evaluate(self, batch), batch)
            if watched:
                callbacks.on_test_batch_end(number, self._results_or(logs, "test_step") | logs)
            if self.stop_evaluating:
                break
        values = self._results_or(logs, "test_step")
        callbacks.on_test_end(values)
        return values

    # ---- prediction ----------------------------------------------------------------------------

    @says_what_was_meant
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
        callbacks: Callback | Sequence[Callback] | None = None,
    ) -> Any:
        """Return the outputs for `x` as an array; nothing is recorded, `losses` stay.

        Parameters
        ----------
        x, batch_size, steps
            As in `evaluate`.
        verbose
            Changes nothing: there is nothing to report.
        callbacks
            Whose methods of predictions (``on_predict_…``) are called.
        """
        size = 32 if batch_size is None else positive_integer("predict", "batch_size", batch_size)
        checked_verbosity(verbose)
        if not isinstance(x, np.ndarray):
            x = the_only_array("x", self._unnamed(x, None)[0])
        if callbacks is not None or self._defines("predict_step") or not is_array_like(x):
            return self._predict_one_by_one(x, batch_size, steps, callbacks)
        if steps is not None:
            most = -(-len(x) // positive_integer("predict", "steps", steps))
            size = batch_size or most
            x = x[: steps * size]
        is_ready = type(x) is np.ndarray and x.dtype == self.compute_dtype and lies_in_order(x)
        if not (is_ready and x.ndim and x.size):  # else it is looked at batch by batch
            x = as_data("x", x, self.compute_dtype)
        return predict_in_batches(self, x, size)

    def _predict_one_by_one(self, x: Any, size: Any, steps: Any, callbacks: Any) -> Any:
        """Predict batch by batch, in the sight of callbacks or by a step of one's own."""
        if is_array_like(x):
            source: Source = Arrays(self._batch(x, None), size, steps)
        else:
            source = Batches(x, self._batch, steps)
        called = self._prepared(callbacks, steps=source.steps)
        called.on_predict_begin()
        self.stop_predicting = False
        parts = []
        for number, batch in enumerate(source.epoch(None)):
            called.on_predict_batch_begin(number)
            if self._defines("predict_step"):
                with no_grad():
                    part = plain(self.predict_step(batch.x))
            else:
                part = self._replays.predict(self, batch.x)
            parts.append(np.array(part))
            called.on_predict_batch_end(number, {"outputs": parts[-1]})
            if self.stop_predicting:
                break
        called.on_predict_end()
        return np.concatenate(parts)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for one batch as an array."""
        x = as_data("x", self._unnamed(x, None)[0], self.compute_dtype)
        return self.predict(x, batch_size=len(x))


def _checked_frequency(value: Any) -> int | Sequence[int]:
    """Return after how many epochs to evaluate, or after which."""
    several = list(value) if isinstance(value, list | tuple | set | range) else [value]
    if not all(is_whole(n) and n >= 1 for n in several):
        raise ValueError(
            "fit: validation_freq must be a positive integer, or several: the epochs, numbered "
            f"from 1. Received: validation_freq={value!r}"
        )
    return int(value) if is_whole(value) else several
