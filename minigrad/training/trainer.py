"""Trainer: what `compile` and `fit` add to a layer that is a whole model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import losses, optimizers
from minigrad.engine import Tensor, enable_grad, no_grad, scope
from minigrad.layers import LossTerms, Parameter
from minigrad.layers.layer import positive_integer
from minigrad.optimizers import Optimizer
from minigrad.optimizers.optimizer import number
from minigrad.training.data import (
    Array,
    as_data,
    as_pair,
    batches,
    sample_weights,
    split_off_validation,
)
from minigrad.training.history import Averages, History
from minigrad.training.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from minigrad.tracing import Trace


class Trainer:
    """Training, evaluation and prediction; mixed into `Sequential`."""

    if TYPE_CHECKING:  # what it needs of a Layer
        name: str
        built: bool
        compute_dtype: Any
        parameters: Callable[[], list[Parameter]]
        named_parameters: Callable[[], dict[str, Parameter]]
        penalties: Callable[..., list[tuple[str, Tensor]]]
        run: Callable[[Any], tuple[Any, list[Any]]]
        _generator: np.random.Generator

    def _prepare_training(self) -> None:
        self.optimizer: Optimizer | None = None
        self.loss: Any = None
        self.loss_weights = 1.0

    def compile(self, optimizer: Any = "adam", loss: Any = None, loss_weights: float = 1.0) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer
            A name or an Optimizer.
        loss
            A name, or a function of (y_true, y_pred) to a scalar. Without one, the penalties
            alone are minimised.
        loss_weights
            A factor on the data term; penalties have strengths of their own.

        Raises
        ------
        ValueError
            For an unknown name, with the nearest known ones.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss = losses.get(loss)
        self.loss_weights = number("compile", "loss_weights", loss_weights)

    # ---- the loss ------------------------------------------------------------------------------

    def loss_terms(self, x: Any = None, y: Any = None, sample_weight: Any = None) -> LossTerms:
        """Return the loss as named terms, each a scalar that can be differentiated.

        Parameters
        ----------
        x, y : array_like, optional
            A batch and its targets: a forward pass is run. Without them, the penalties of the
            last forward pass are returned, without a data term.
        sample_weight : array_like, optional
            A weight for each sample; it acts on the data term only.

        Returns
        -------
        LossTerms
            ``data`` first, then the penalties in the order of the layers.
        """
        if x is None:
            return LossTerms(self.penalties())
        if not isinstance(x, Tensor):
            x, y = as_pair(x, y, self.compute_dtype)
        return self._terms(x, y, sample_weight)

    def _terms(self, x: Any, y: Any, weights: Any = None) -> LossTerms:
        prediction, outputs = self.run(x)
        addends = []
        if self.loss is not None:
            if y is None:
                raise ValueError(
                    f"model {self.name!r} is compiled with a loss, which needs targets: pass y"
                )
            with scope("data"):
                addends.append(("data", self._data_term(y, prediction, weights)))
        return LossTerms([*addends, *self.penalties(outputs)])

    def _data_term(self, y: Any, prediction: Any, weights: Any) -> Tensor:
        # A loss of one's own need not know weights, if it returns a value for each sample.
        knows_weights = weights is not None and losses.takes_weights(self.loss)
        keywords = {"sample_weight": weights} if knows_weights else {}
        value = self.loss(y, prediction, **keywords)
        if not isinstance(value, Tensor):
            raise TypeError(
                f"the loss of model {self.name!r} must return a Tensor that is computed "
                f"from the prediction. Received: {value!r}"
            )
        if value.ndim:
            value = losses.weighted_mean(value, None if knows_weights else weights)
        elif weights is not None and not knows_weights:
            raise ValueError(
                f"the loss of model {self.name!r} returns one number for the whole batch, so "
                "sample weights cannot act on it. Return a value for each sample, or take a "
                "sample_weight argument."
            )
        return value if self.loss_weights == 1 else value * self.loss_weights

    # ---- training ------------------------------------------------------------------------------

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None
    ) -> dict[str, float]:
        """Make one step on one batch; return the loss and its terms as they were before it."""
        self._require_optimizer()
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight, class_weight)
        return self._step(inputs, targets, weights)

    def _step(self, x: Array, y: Array | None, weights: Array | None) -> dict[str, float]:
        optimizer = self.optimizer
        assert optimizer is not None
        with enable_grad():
            terms = self._terms(x, y, weights)
            if not optimizer.built:
                optimizer.build(self.parameters())
            total = terms.total()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        return {"loss": float(total), **terms.values_as_floats()}

    def _require_optimizer(self) -> None:
        if self.optimizer is None:
            raise RuntimeError(
                f"model {self.name!r} has not been compiled. Call compile(optimizer=…, loss=…)."
            )
        if self.optimizer.built and self.built:
            known = {id(parameter) for parameter in self.optimizer.parameters}
            for name, parameter in self.named_parameters().items():
                if parameter.trainable and id(parameter) not in known:
                    raise RuntimeError(
                        f"the optimizer of model {self.name!r} was built without {name!r}, which "
                        "would never be trained. Compile the model again, with a new optimizer, "
                        "or freeze that layer."
                    )

    def fit(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        epochs: int = 1,
        verbose: int | str = "auto",
        validation_split: float = 0.0,
        validation_data: tuple[Any, Any] | None = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
    ) -> History:
        """Train for some epochs.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets, of shape (samples, …). They must be finite.
        batch_size
            How many samples make a step; the last batch of an epoch may be smaller.
        epochs
            How often to go through all samples.
        verbose
            0 for silence, 1 or ``"auto"`` for a progress bar, 2 for a line an epoch.
        validation_split
            The fraction of samples, from the end, that is only evaluated.
        validation_data
            Other samples to evaluate after each epoch: (x, y).
        shuffle
            Whether to draw a new order for each epoch, from the model's seed.
        sample_weight, class_weight
            A weight for each sample, or for each class of the targets; on the data term only.

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
        """
        self._require_optimizer()
        positive_integer("fit", "epochs", epochs)
        positive_integer("fit", "batch_size", batch_size)
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight, class_weight)
        held_out: tuple[Any, Any] | None = None
        if validation_data is not None:
            if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
                raise ValueError("validation_data must be a pair (x, y)")
            held_out = as_pair(*validation_data, self.compute_dtype)
        elif validation_split:
            (inputs, targets), held_out = split_off_validation(inputs, targets, validation_split)
            weights = None if weights is None else weights[: len(inputs)]
        history = History()
        generator = self._generator if shuffle else None
        with progress_bar(epochs, verbose) as report:
            for epoch in range(epochs):
                averages = Averages()
                for batch in batches((inputs, targets, weights), batch_size, generator):
                    averages.add(self._step(*batch), len(batch[0]))
                values = averages.means()
                if held_out is not None:
                    evaluated = self._evaluate(*held_out, batch_size)
                    values.update({f"val_{name}": value for name, value in evaluated.items()})
                history.append(epoch, values)
                report(epoch, values)
        return history

    # ---- evaluation ----------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        return_dict: bool = False,
        sample_weight: Any = None,
    ) -> float | dict[str, float]:
        """Return the loss on some data, penalties included; with `return_dict` each term too.

        It leaves `losses` as they were.
        """
        positive_integer("evaluate", "batch_size", batch_size)
        inputs, targets = as_pair(x, y, self.compute_dtype)
        weights = sample_weights(inputs, targets, sample_weight)
        values = self._evaluate(inputs, targets, batch_size, weights)
        return values if return_dict else values["loss"]

    def _evaluate(
        self, x: Array, y: Array | None, batch_size: int, weights: Array | None = None
    ) -> dict[str, float]:
        averages = Averages()
        with no_grad():
            for batch in batches((x, y, weights), batch_size):
                values = self._terms(*batch).values_as_floats()
                averages.add({"loss": sum(values.values()), **values}, len(batch[0]))
        return averages.means()

    def predict(self, x: Any, batch_size: int = 32) -> Array:
        """Return the outputs for `x` as an array; nothing is recorded, `losses` stay."""
        positive_integer("predict", "batch_size", batch_size)
        inputs = as_data("x", x, self.compute_dtype)
        with no_grad():
            outputs = [self.run(batch)[0].numpy() for (batch,) in batches((inputs,), batch_size)]
        return np.concatenate(outputs)

    # ---- tracing -------------------------------------------------------------------------------

    def trace(self, x: Any, y: Any = None) -> Trace:
        """Run one batch forward and back, and split every parameter's gradient by loss term.

        Weights, `.grad` and the optimizer stay as they are.

        Parameters
        ----------
        x, y : array_like
            A batch and its targets.

        Returns
        -------
        Trace
            The contribution of each term to each parameter's gradient, and the steps between.
        """
        from minigrad.tracing import trace

        with enable_grad():
            return trace(self.loss_terms(x, y), self.named_parameters())
