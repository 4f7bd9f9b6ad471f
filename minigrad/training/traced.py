"""Traced: one batch, explained term by term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.engine import Tensor, enable_grad, remember_lines
from minigrad.engine.tensor import plain
from minigrad.layers.forward_pass import Watched
from minigrad.tracing import LayerPass, Trace
from minigrad.tracing.classifiers import of_first_batch
from minigrad.training.objective import Objective
from minigrad.training.replay import alone, eager_contributions
from minigrad.training.step_length import too_long_a_step


class Traced(Objective):
    """What every term of the loss contributes to every gradient; a base of `Model`."""

    @alone
    def trace(self, x: Any, y: Any = None, sample_weight: Any = None) -> Trace:
        """Run one batch forward and back, and split every parameter's gradient by loss term.

        It is the pass that training would make, with dropout and the like on. Weights, state,
        random generators, `.grad` and the optimizer stay as they are.

        Parameters
        ----------
        x, y : array_like
            A batch and its targets.
        sample_weight : array_like, optional
            A weight for each sample; on the data term only.

        Raises
        ------
        ValueError
            If there is not a weight, 0 or larger, for each sample.

        Returns
        -------
        Trace
            The contribution of each term to each parameter's gradient, and the steps between.
        """
        inputs, targets, weights = self._batch(x, y, sample_weight)
        entry: Any = Tensor(inputs, requires_grad=True) if inputs.dtype.kind == "f" else inputs
        layers = dict(self.paths())
        watched: Watched = {id(layer): [] for layer in layers.values()}
        with enable_grad(), self.undisturbed(), remember_lines() as lines:
            prediction, terms = self._forward(entry, targets, weights, True, watched)
            passes = [
                LayerPass(path if number == 0 else f"{path}[{number}]", layer, *call)
                for path, layer in layers.items()
                for number, call in enumerate(watched[id(layer)])
            ]
            data = float(plain(terms.get("data", 0.0))) / (self.loss_weights or 1)
            trace = Trace(
                terms,
                self.named_parameters(),
                layers=passes,
                entry=entry if isinstance(entry, Tensor) else None,
                cuts=lines.recorder.cuts,
                name=self.name,
                samples=len(inputs),
                findings=of_first_batch(self.loss, inputs, targets, prediction, data),
            )
        if self.optimizer is not None:
            trace.findings += too_long_a_step(self.optimizer, self.named_parameters(), trace)
        return trace

    @alone
    def contributions(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        names: Sequence[str] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return what each term contributes to each parameter's gradient, and nothing else.

        The numbers of `trace` without its story, and so much cheaper: for many batches. It leaves
        all as it was, `losses` included.

        Parameters
        ----------
        x, y, sample_weight
            As in `trace`.
        names
            The parameters that are wanted; all by default.

        Returns
        -------
        dict
            By parameter, then by term: an array, or None where there is no path.

        Raises
        ------
        KeyError
            For an unknown parameter, with the known ones.
        """
        batch = self._batch(x, y, sample_weight)
        if names is None:
            return self._replays.contributions(self, batch)
        if not self.built:
            self.run(batch.x[:1], False)
        parameters = self.named_parameters()
        for name in names:
            if name not in parameters:
                raise KeyError(f"unknown parameter {name!r}. Known: {', '.join(parameters)}")
        return eager_contributions(self, batch, names)
