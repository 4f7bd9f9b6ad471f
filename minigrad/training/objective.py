"""Objective: what a model is compiled for, its loss by terms, and the metrics beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import losses, metrics, optimizers
from minigrad.checks import number
from minigrad.engine import Tensor, scope
from minigrad.engine.tensor import plain
from minigrad.layers import Layer, LossTerms, Parameter
from minigrad.layers.forward_pass import Watched
from minigrad.optimizers import Optimizer
from minigrad.training.data import as_pair
from minigrad.training.replay import Replays


class NonFiniteLossError(FloatingPointError):
    """The loss became nan or infinite; the step was not made."""


class Objective:
    """The loss of a model, term by term; mixed into `Model`."""

    if TYPE_CHECKING:  # what it needs of a Layer
        name: str
        built: bool
        _told: set[Any]
        compute_dtype: Any
        get_layer: Callable[[str], Layer]
        parameters: Callable[[], list[Parameter]]
        named_parameters: Callable[[], dict[str, Parameter]]
        penalties: Callable[..., list[tuple[str, Tensor]]]
        run: Callable[..., tuple[Any, list[Any]]]

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: float = 1.0,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
    ) -> None:
        """Say how to train.

        Parameters
        ----------
        optimizer
            A name or an Optimizer.
        loss
            A name, a Loss, or a function of (y_true, y_pred) to a scalar. Without one, the
            penalties alone are minimised.
        loss_weights
            A factor on the data term; penalties have strengths of their own.
        metrics
            Names, Metrics, or functions of (y_true, y_pred), to be shown beside the loss.
            ``"accuracy"`` becomes the one that fits the targets.
        weighted_metrics
            The same, but they take sample weights into account.

        Raises
        ------
        ValueError
            For an unknown name, with the nearest known ones.
        """
        self.optimizer: Optimizer | None = optimizers.get(optimizer)
        self.loss: Any = losses.get(loss)
        self.loss_weights = number("compile", "loss_weights", loss_weights)
        self.compiled_metrics = self._checked_metrics(metrics, weighted_metrics)
        self.unweighted_metrics = len(metrics or ())  # so many of them, the first
        self.checked_config: str | None = None
        self._replays = Replays()
        self.has_seen_a_batch = False

    def _checked_metrics(self, *given: Sequence[Any] | None) -> list[Any]:
        found = []
        for several in given:
            if several is not None and not isinstance(several, list | tuple):
                raise TypeError(f"compile: metrics must be a list. Received: {several!r}")
            for name in several or ():
                if name is None:
                    raise TypeError("compile: metrics must be names or objects. Received: None")
                found.append(name if name in metrics.BY_SHAPE else metrics.get(name))
        names = [getattr(metric, "name", metric) for metric in found]
        for name in names:
            if names.count(name) > 1 or name in ("loss", "data"):
                raise ValueError(f"compile: two values would be named {name!r}; give it a name=")
        return found

    # ---- the loss ------------------------------------------------------------------------------

    def loss_terms(
        self, x: Any = None, y: Any = None, sample_weight: Any = None, training: bool = False
    ) -> LossTerms:
        """Return the loss as named terms, each a scalar that can be differentiated.

        Parameters
        ----------
        x, y : array_like, optional
            A batch and its targets: a forward pass is run. Without them, the penalties of the
            last forward pass are returned, without a data term.
        sample_weight : array_like, optional
            A weight for each sample; it acts on the data term only.
        training : bool
            Whether dropout and the like are on.

        Returns
        -------
        LossTerms
            ``data`` first, then the penalties in the order of the layers.
        """
        if x is None:
            return LossTerms(self.penalties())
        if not isinstance(x, Tensor):
            x, y = as_pair(x, y, self.compute_dtype)
        return self._forward(x, y, sample_weight, training)[1]

    def _forward(
        self,
        x: Any,
        y: Any,
        weights: Any = None,
        training: bool = False,
        watched: Watched | None = None,
    ) -> tuple[Any, LossTerms]:
        """Return the prediction and the loss by terms."""
        prediction, outputs = self.run(x, training, watched)
        addends = []
        if self.loss is not None:
            if y is None:
                raise ValueError(
                    f"model {self.name!r} is compiled with a loss, which needs targets: pass y"
                )
            with scope("data", self._told):
                addends.append(("data", self._data_term(y, prediction, weights)))
        return prediction, LossTerms([*addends, *self.penalties(outputs)])

    def _data_term(self, y: Any, prediction: Any, weights: Any) -> Tensor:
        y = losses.in_column(y, prediction)
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

    def _refuse_non_finite(self, values: dict[str, float]) -> None:
        """Raise before the step, so that the weights stay those of the step before."""
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        named = ", ".join(f"{name!r} is {value}" for name, value in (bad or values).items())
        raise NonFiniteLossError(
            f"the loss of model {self.name!r} is no longer finite: {named}. The step was not made. "
            "Try a smaller learning rate or clipnorm=1.0 in the optimizer; with "
            "mg.detect_anomaly(): … the op where it begins is named."
        )

    # ---- metrics -------------------------------------------------------------------------------

    def _watched(self) -> Watched | None:
        """Return where outputs of layers are to be noted, for metrics that look at them."""
        watching = [m for m in self.compiled_metrics if getattr(m, "watches_layer", False)]
        return {id(self.get_layer(m.layer)): [] for m in watching} if watching else None

    def _update_metrics(
        self, y: Any, prediction: Any, weights: Any, watched: Watched | None
    ) -> None:
        values = plain(prediction)
        y = losses.in_column(y, values)
        for index, metric in enumerate(self.compiled_metrics):
            if isinstance(metric, str):
                if y is None:
                    raise ValueError(f"metric {metric!r} needs targets: pass y")
                metric = metrics.resolve(metric, self.loss, np.shape(y), np.shape(values))
                self.compiled_metrics[index] = metric
            if getattr(metric, "watches_layer", False):
                assert watched is not None
                for _, output in watched[id(self.get_layer(metric.layer))]:
                    metric.update_state(plain(output))
            elif index < self.unweighted_metrics:
                metric.update_state(y, values)
            else:
                metric.update_state(y, values, weights)

    def _reset_metrics(self) -> None:
        for metric in self.compiled_metrics:
            if not isinstance(metric, str):
                metric.reset_state()

    def _metric_values(self) -> dict[str, float]:
        values = {}
        for metric in self.compiled_metrics:
            if isinstance(metric, str):
                continue
            result = np.asarray(metric.result())
            if result.ndim:
                raise ValueError(
                    f"metric {metric.name!r} gives {result.size} numbers, and the history takes "
                    "one for each epoch. Choose one class or threshold, or an average over them, "
                    "such as average='macro'."
                )
            values[metric.name] = float(result)
        return values

    # ---- what a look at the loss must leave as it was ------------------------------------------

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A ``with`` block after which moving averages and random generators are as before."""
        from minigrad.training.saving import generator_states, restore_generators

        model: Any = self
        states = generator_states(model)
        weights = model.named_weights() if model.built else {}
        trained = model.named_parameters() if model.built else {}
        kept = {path: w.numpy() for path, w in weights.items() if path not in trained}
        try:
            yield
        finally:
            restore_generators(model, states)
            for path, values in kept.items():
                weights[path].assign(values)
