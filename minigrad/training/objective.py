"""Objective: what a model is compiled for, its loss by terms, and the metrics beside it."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import losses, metrics, optimizers
from minigrad.checks import number, positive_integer, snake_case
from minigrad.engine import Tensor, scope
from minigrad.engine.taken import warn
from minigrad.engine.tensor import plain
from minigrad.layers import Layer, LossTerms
from minigrad.layers.forward_pass import Watched
from minigrad.layers.weights import free_name
from minigrad.training.data import as_pair, only_value, sample_weights, says_what_was_meant
from minigrad.training.replay import NoReplays, Replays
from minigrad.training.sources import Batch


class NonFiniteLossError(FloatingPointError):
    """The loss became nan or infinite; the step was not made."""


class FirstBatchWarning(UserWarning):
    """The first batch suggests that a model is not what was meant."""


class Objective(Layer):
    """The loss of a model, term by term; the first base of `Model`."""

    get_layer: Callable[[str], Layer]
    _tolerates_nan = False
    _held: Any = None  # metrics among the attributes, once somebody has looked for them

    @says_what_was_meant
    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train.

        What belongs to the one output may stand in a list, or in a dict by the output's name.

        Parameters
        ----------
        optimizer
            A name or an Optimizer.
        loss
            A name, a Loss, or a function of (y_true, y_pred) to a scalar. Without one, the
            penalties alone are minimised.
        loss_weights
            A factor on the data term, 1 by default; penalties have strengths of their own.
        metrics
            Names, Metrics, or functions of (y_true, y_pred), to be shown beside the loss.
            ``"accuracy"`` becomes the one that fits the targets.
        weighted_metrics
            The same, but they take sample weights into account.
        run_eagerly
            Whether each step is made anew, op by op, and none replayed. The numbers are the same;
            see `run_eagerly`.
        steps_per_execution, jit_compile, auto_scale_loss
            How Keras makes several steps at once, compiles them, and scales a loss in float16.
            Here callbacks see each step, replay needs no word, and nothing is scaled: they change
            nothing.

        Raises
        ------
        ValueError
            For an unknown name, with the nearest known ones, or the name of another output.
        """
        self.optimizer = optimizers.get(optimizer)
        self.loss: Any = losses.get(self._of_the_output("loss", loss))
        factor = self._of_the_output("loss_weights", loss_weights)
        self.loss_weights = 1.0 if factor is None else number("compile", "loss_weights", factor)
        unweighted = self._checked_metrics("metrics", metrics)
        weighted = self._checked_metrics("weighted_metrics", weighted_metrics)
        self.compiled_metrics = unweighted + weighted
        self.unweighted_metrics = len(unweighted)  # so many of them, the first
        names = [self._name_of(index) for index in range(len(self.compiled_metrics))]
        for name, metric in zip(names, self.compiled_metrics, strict=True):
            if names.count(name) > 1 or name in ("loss", "data"):
                raise ValueError(f"compile: two values would be named {name!r}; give it a name=")
            if not isinstance(metric, str):
                metric.name = name
        self.steps_per_execution = positive_integer(
            "compile", "steps_per_execution", steps_per_execution
        )
        self.jit_compile = jit_compile
        self.checked_config: str | None = None
        self.has_seen_a_batch = False
        self.compiled = True
        self._held = None
        self.run_eagerly = run_eagerly

    @property
    def optimizer(self) -> Any:
        """That of `compile`, which takes charge of the model's parameters at its first step."""
        optimizer = self._optimizer
        if isinstance(optimizer, optimizers.Optimizer) and not optimizer.built:
            optimizer._model = weakref.ref(self)
        return optimizer

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        self._optimizer: Any = optimizer
        _ = self.optimizer  # it may be stepped by a name of the user's

    @property
    def run_eagerly(self) -> bool:
        """Whether no step is replayed. It may be set at any time: for a debugger, say."""
        return isinstance(self._replays, NoReplays)

    @run_eagerly.setter
    def run_eagerly(self, wanted: bool) -> None:
        self._replays = NoReplays() if wanted else Replays()

    def _of_the_output(self, argument: str, value: Any) -> Any:
        """Return what is given for the only output, in a list or by its name."""
        if isinstance(value, dict) and "class_name" not in value:
            value = only_value(f"compile: {argument}", value, self._end_names()[1])
            return self._of_the_output(argument, value)
        if isinstance(value, list | tuple):
            if len(value) != 1:
                raise ValueError(
                    f"compile: {argument} has {len(value)} entries, and model {self.name!r} has "
                    "one output"
                )
            return self._of_the_output(argument, value[0])
        return value

    def _checked_metrics(self, argument: str, given: Any) -> list[Any]:
        if isinstance(given, dict):
            named = only_value(f"compile: {argument}", given, self._end_names()[1])
            given = named if isinstance(named, list | tuple) else [named]
        elif isinstance(given, list | tuple) and [*map(type, given)] in ([list], [tuple]):
            given = given[0]
        if given is not None and not isinstance(given, list | tuple):
            raise ValueError(f"compile: {argument} must be a list. Received: {given!r}")
        if None in (given or ()):
            raise TypeError("compile: metrics must be names or objects. Received: None")
        return [name if name in metrics.BY_SHAPE else metrics.get(name) for name in given or ()]

    def _name_of(self, index: int) -> str:
        """Return what a metric is called: weighted, if there is one of its name without weights.

        Names that are those of classes are numbered, as layers' are.
        """
        names = [getattr(metric, "name", metric) for metric in self.compiled_metrics[: index + 1]]
        *others, name = names
        if index >= self.unweighted_metrics and name in others[: self.unweighted_metrics]:
            return f"weighted_{name}"
        is_usual = name == snake_case(type(self.compiled_metrics[index]).__name__)
        return free_name(name, others) if is_usual else name

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
        return prediction, self._terms(y, prediction, weights, outputs)

    def _terms(self, y: Any, prediction: Any, weights: Any, outputs: Any = None) -> LossTerms:
        """Return the loss by terms, with the penalties of these or of the last outputs."""
        addends = []
        if self.loss is not None:
            if y is None:
                raise ValueError(
                    f"model {self.name!r} is compiled with a loss, which needs targets: pass y (an "
                    "autoencoder's are its inputs: fit(x, x)), and validation_data=(x, y)"
                )
            with scope("data", self._told):
                addends.append(("data", self._data_term(y, prediction, weights)))
        return LossTerms([*addends, *self.penalties(outputs)])

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
        if self._tolerates_nan:
            return
        bad = {name: value for name, value in values.items() if not math.isfinite(value)}
        named = ", ".join(f"{name!r} is {value}" for name, value in (bad or values).items())
        raise NonFiniteLossError(
            f"the loss of model {self.name!r} is no longer finite: {named}. The step was not made. "
            "Try a smaller learning rate or clipnorm=1.0 in the optimizer; with "
            "mg.detect_anomaly(): … the op where it begins is named."
        )

    # ---- what is needed for a step -------------------------------------------------------------

    @property
    def compute_dtype(self) -> Any:
        """The dtype to which data are converted: that of the first layer."""
        for layer in self.sublayers():
            return layer.compute_dtype if isinstance(layer, Objective) else layer.dtype
        return self.dtype

    def _batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Batch:
        """Return arrays that fit each other, from what a user has given."""
        inputs, targets = as_pair(*self._unnamed(x, y), self.compute_dtype)
        return Batch(inputs, targets, sample_weights(inputs, targets, sample_weight, class_weight))

    def _unnamed(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return inputs and targets; out of dicts, if they are given by name."""
        if isinstance(x, dict):
            x = only_value("x", x, self._end_names()[0])
        return x, only_value("y", y, self._end_names()[1]) if isinstance(y, dict) else y

    def _end_names(self) -> tuple[str | None, str | None]:
        """The names of the input and of the layer that returns the output, if they are known."""
        return None, None

    def _backward(self, loss: Any) -> bool:
        """Compute the gradients of all that is trained; return whether there is anything."""
        optimizer = self.optimizer
        known = optimizer.parameters if optimizer.built else self.parameters()
        if not any(parameter.trainable for parameter in known):
            warn(f"model {self.name!r} has no trainable weights to learn", UserWarning)
            return False
        if not optimizer.built:
            optimizer.build(known)
        optimizer.zero_grad()
        loss.backward()
        return True

    def _require_compiled(self) -> None:
        if not self.compiled:
            raise ValueError(
                f"model {self.name!r} has not been compiled. Call compile(optimizer=…, loss=…)."
            )

    def _require_optimizer(self) -> None:
        """Refuse to train with an optimizer that does not know all parameters."""
        self._require_compiled()
        if self.optimizer is None:
            raise ValueError(f"model {self.name!r} is compiled without an optimizer")
        if self.optimizer.built and self.built:
            known = {id(parameter) for parameter in self.optimizer.parameters}
            for name, parameter in self.named_parameters().items():
                if parameter.trainable and id(parameter) not in known:
                    raise RuntimeError(
                        f"the optimizer of model {self.name!r} was built without {name!r}, which "
                        "would never be trained. Compile the model again, with a new optimizer, "
                        "or freeze that layer."
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
                metric = self._resolved(index, y, values)
            if getattr(metric, "watches_layer", False):
                calls = (watched or {}).get(id(self.get_layer(metric.layer)))
                if not calls:
                    raise ValueError(
                        f"metric {metric.name!r} looks at layer {metric.layer!r}, which this step "
                        f"has not called as a part of model {self.name!r}"
                    )
                for _, output in calls:
                    metric.update_state(plain(output))
            elif index < self.unweighted_metrics:
                metric.update_state(y, values)
            else:
                metric.update_state(y, values, weights)

    def _resolved(self, index: int, y: Any, prediction: Any) -> Any:
        """Return the metric that a name means for targets and predictions, and remember it."""
        name = self.compiled_metrics[index]
        if y is None:
            raise ValueError(f"metric {name!r} needs targets: pass y")
        metric = metrics.resolve(name, self.loss, np.shape(y), np.shape(prediction))
        metric.name = self._name_of(index)
        self.compiled_metrics[index] = metric
        return metric

    # ---- what a look at the loss must leave as it was ------------------------------------------

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """A ``with`` block after which moving averages and random generators are as before."""
        states = generator_states(self)
        weights = self.named_weights() if self.built else {}
        trained = self.named_parameters() if self.built else {}
        kept = {path: w.numpy() for path, w in weights.items() if path not in trained}
        try:
            yield
        finally:
            restore_generators(self, states)
            for path, values in kept.items():
                weights[path].assign(values)


def generator_states(model: Layer) -> dict[str, Any]:
    """Return the states of the random generators of a model and its layers, by path."""
    owners = {"": model, **dict(model.paths())}
    return {path: owner._generator.bit_generator.state for path, owner in owners.items()}


def restore_generators(model: Layer, states: Mapping[str, Any]) -> None:
    """Give the generators the states that `generator_states` returned."""
    owners = {"": model, **dict(model.paths())}
    known = owners.keys() & states.keys()
    for path in known:
        try:
            np.random.default_rng(0).bit_generator.state = states[path]
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise ValueError(f"the state of {path!r}'s generator is damaged") from error
    for path in known:  # in place, as a training that is going on holds them
        owners[path]._generator.bit_generator.state = states[path]
