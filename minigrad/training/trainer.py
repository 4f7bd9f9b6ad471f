"""Trainer: steps, `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.checks import is_whole, positive_integer, sizes
from minigrad.training.callbacks import CallbackList
from minigrad.training.data import (
    Array,
    as_data,
    as_pair,
    is_clearly_finite,
    lies_in_order,
    sample_weights,
    split_off_validation,
)
from minigrad.training.history import Averages, History
from minigrad.training.loop import TrainingLoop
from minigrad.training.objective import Objective
from minigrad.training.prediction import predict_in_batches
from minigrad.training.progress import checked_verbosity, format_values
from minigrad.training.replay import Replays
from minigrad.training.sources import (
    Arrays,
    Batch,
    Batches,
    Source,
    is_array_like,
    validation_source,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad.training.callbacks import Callback


class Trainer(Objective):
    """Training, evaluation and prediction; mixed into `Model`."""

    if TYPE_CHECKING:
        _generator: np.random.Generator

    def _prepare_training(self) -> None:
        self.optimizer = None
        self.loss = None
        self.loss_weights = 1.0
        self.compiled_metrics = []
        self.unweighted_metrics = 0
        self.checked_config = None
        self.stop_training = False
        self.history: History | None = None
        self._replays = Replays()

    # ---- steps ---------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = True,
    ) -> Any:
        """Make one step on one batch; return the loss, its terms and metrics, from before it.

        Without `return_dict` it is what `evaluate` returns: the loss, or a list with the metrics.

        Raises
        ------
        NonFiniteLossError
            If the loss is nan or infinite; the step is not made.
        """
        self._require_compiled()
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight, class_weight)
        self._reset_metrics()
        values = {**self._step(inputs, targets, weights), **self._metric_values()}
        return values if return_dict else self._loss_and_metrics(values)

    def _step(
        self, x: Array, y: Array | None, weights: Array | None, tolerate_nan: bool = False
    ) -> dict[str, float]:
        model: Any = self
        with self._replays.lock:  # see `alone`
            found = self._replays.step(model, Batch(x, y, weights))
            if math.isfinite(found.loss):
                assert self.optimizer is not None
                self.optimizer.step()
            elif not tolerate_nan:
                self._refuse_non_finite(found.terms)
            if self.compiled_metrics:
                self._update_metrics(y, found.prediction, weights, found.watched)
            return {"loss": found.loss, **found.terms}

    def _require_compiled(self) -> None:
        if self.optimizer is None:
            raise RuntimeError(
                f"model {self.name!r} has not been compiled. Call compile(optimizer=…, loss=…)."
            )

    def _require_optimizer(self) -> None:
        """Refuse to train with an optimizer that does not know all parameters."""
        self._require_compiled()
        assert self.optimizer is not None
        if self.optimizer.built and self.built:
            known = {id(parameter) for parameter in self.optimizer.parameters}
            for name, parameter in self.named_parameters().items():
                if parameter.trainable and id(parameter) not in known:
                    raise RuntimeError(
                        f"the optimizer of model {self.name!r} was built without {name!r}, which "
                        "would never be trained. Compile the model again, with a new optimizer, "
                        "or freeze that layer."
                    )

    # ---- fit -----------------------------------------------------------------------------------

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
            Inputs and targets, of shape (samples, …). They must be finite. Or `x` alone: a
            generator, an iterable or a function that makes one, of batches ``(x, y)`` or
            ``(x, y, sample_weight)``.
        batch_size
            How many samples make a step, 32 by default; the last batch of an epoch may be smaller.
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
            How many batches make an epoch or an evaluation, where a source yields them.
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
            If the model has not been compiled, or its optimizer was built for other parameters.
        ValueError
            For data that do not fit, are empty, or hold nan.
        NonFiniteLossError
            If the loss becomes nan or infinite; the weights stay those of the step before.
        """
        self._require_optimizer()
        positive_integer("fit", "epochs", epochs)
        first = sizes("fit", "initial_epoch", initial_epoch, rank=1, least=0)[0]
        if not isinstance(shuffle, bool | np.bool_):
            raise ValueError(f"fit: shuffle must be True or False. Received: shuffle={shuffle!r}")
        size = 32 if batch_size is None else positive_integer("fit", "batch_size", batch_size)
        held_out_size = size if validation_batch_size is None else validation_batch_size
        source, held_out = self._sources(
            x, y, size, sample_weight, class_weight, validation_split, held_out_size,
            steps_per_epoch,
        )  # fmt: skip
        if validation_data is not None:
            held_out = validation_source(
                validation_data, self.compute_dtype, held_out_size, validation_steps
            )
        loop = TrainingLoop(
            self,  # type: ignore[arg-type]  # Model is the only class that this is mixed into
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

    def _sources(
        self,
        x: Any,
        y: Any,
        batch_size: int,
        sample_weight: Any,
        class_weight: Any,
        validation_split: float,
        held_out_size: int,
        steps: int | None,
    ) -> tuple[Source, Source | None]:
        """Return where batches come from, and what is split off for validation."""
        if not is_array_like(x) and x is not None:
            if y is not None or sample_weight is not None or validation_split:
                raise ValueError(
                    "with a source of batches, targets and weights come in the batches, and "
                    "validation needs validation_data: y, sample_weight and validation_split "
                    "belong to arrays"
                )
            return Batches(x, self.compute_dtype, class_weight, steps), None
        if steps is not None:
            raise ValueError("steps_per_epoch belongs to a source of batches. Use batch_size.")
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight, class_weight)
        held_out = None
        if validation_split:
            all_weights = weights
            (inputs, targets), (x_out, y_out) = split_off_validation(
                inputs, targets, validation_split
            )
            given = None
            if all_weights is not None:
                weights = all_weights[: len(inputs)]
                # Class weights shift what is learnt, not how it is judged.
                given = None if sample_weight is None else np.asarray(sample_weight)[len(inputs) :]
            held_out = Arrays(x_out, y_out, sample_weights(x_out, y_out, given), held_out_size)
        return Arrays(inputs, targets, weights, batch_size), held_out

    # ---- evaluation ----------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
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
            How many batches to take, where a source yields them.
        return_dict
            Whether to return all values by name: the loss, each term and each metric.
        """
        self._require_compiled()
        checked_verbosity(verbose)
        size = 32 if batch_size is None else positive_integer("evaluate", "batch_size", batch_size)
        source: Source
        if is_array_like(x):
            inputs, targets = as_pair(x, y, self.compute_dtype)
            weights = sample_weights(inputs, targets, sample_weight)
            source = Arrays(inputs, targets, weights, size)
        else:
            source = Batches(x, self.compute_dtype, steps=steps)
        values = self._evaluate(source)
        if verbose in (1, 2):
            print(format_values(values))
        return values if return_dict else self._loss_and_metrics(values)

    def _loss_and_metrics(self, values: dict[str, float]) -> Any:
        """Return the loss, or a list of the loss and the metrics, as Keras does."""
        if not self.compiled_metrics:
            return values["loss"]
        return [values["loss"], *self._metric_values().values()]

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = True
    ) -> Any:
        """Return the loss, its terms and metrics on one batch; nothing is changed."""
        self._require_compiled()
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight)
        values = self._evaluate(Arrays(inputs, targets, weights, len(inputs)))
        return values if return_dict else self._loss_and_metrics(values)

    def _evaluate(self, source: Source) -> dict[str, float]:
        model: Any = self
        averages = Averages()
        self._reset_metrics()
        for batch in source.epoch(None):
            found = self._replays.evaluate(model, batch)
            averages.add({"loss": found.loss, **found.terms}, len(batch.x))
            if self.compiled_metrics:
                self._update_metrics(batch.y, found.prediction, batch.weights, found.watched)
        return {**averages.means(), **self._metric_values()}

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = 0,
        steps: int | None = None,
    ) -> Array:
        """Return the outputs for `x` as an array; nothing is recorded, `losses` stay."""
        size = 32 if batch_size is None else positive_integer("predict", "batch_size", batch_size)
        checked_verbosity(verbose)
        model: Any = self
        if not is_array_like(x):
            source = Batches(x, self.compute_dtype, steps=steps)
            parts = (batch.x for batch in source.epoch(None))
            return np.concatenate([np.array(self._replays.predict(model, part)) for part in parts])
        is_ready = type(x) is np.ndarray and x.dtype == self.compute_dtype and x.ndim > 0 and len(x)
        is_ready = is_ready and lies_in_order(x)
        inputs = x if is_ready else as_data("x", x, self.compute_dtype)

        def check(part: Array) -> None:
            if is_ready and not is_clearly_finite(part):  # looked at while it is in the cache
                as_data("x", x, self.compute_dtype)

        return predict_in_batches(model, inputs, size, check)

    def predict_on_batch(self, x: Any) -> Array:
        """Return the outputs for one batch as an array."""
        return self.predict(x, batch_size=len(x))


def _checked_frequency(value: Any) -> int | Sequence[int]:
    """Return after how many epochs to evaluate, or after which.

    Raises
    ------
    ValueError
        If these are no positive integers.
    """
    several = list(value) if isinstance(value, list | tuple | set | range) else [value]
    if not all(is_whole(n) and n >= 1 for n in several):
        raise ValueError(
            "fit: validation_freq must be a positive integer, or several: the epochs, numbered "
            f"from 1. Received: validation_freq={value!r}"
        )
    return int(value) if is_whole(value) else several
