"""TraceCallback: who pulls the weights, over the course of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.checks import positive_integer
from minigrad.tracing.table import rows_of
from minigrad.training.callbacks.callback import Callback, Logs


class TraceCallback(Callback):
    """Record norm, share and angle of each term's contribution to each parameter's gradient.

    Every so many steps, the batch that is about to be learnt is run through the model once more,
    and its gradient is split by term; random generators are put back, so training goes on as it
    would have. A look costs about twice what a step costs (measured on an autoencoder of
    64-100-64 units, batch size 128): with ``every=20``, 10 % of the time of training.

    Parameters
    ----------
    every
        After how many steps of the optimizer to look.
    parameters
        The names of those to record; all by default.

    Attributes
    ----------
    records : list of dict
        One for each look, parameter and term: ``step`` (of the optimizer, as in
        ``history.step``), ``epoch``, ``parameter``, ``term``, ``norm``, ``share``, ``cosine`` (to
        the data's contribution) and ``has_path``. Ready for a data frame.

    Raises
    ------
    ValueError
        If `every` is no positive integer; at the first look, for an unknown parameter.

    Examples
    --------
    >>> watch = TraceCallback(every=50)
    """

    _kept = ("records",)

    def __init__(self, every: int = 20, parameters: Sequence[str] | None = None) -> None:
        self.every = positive_integer("TraceCallback", "every", every)
        self.parameters = None if parameters is None else list(parameters)
        self.records: list[dict[str, Any]] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.records = []

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        optimizer = self.model.optimizer
        assert optimizer is not None
        if optimizer.iterations % self.every == 0 and self.loop.current is not None:
            self._look(int(optimizer.iterations))

    def _look(self, step: int) -> None:
        assert self.loop.current is not None
        x, y, weights = self.loop.current
        contributions = self.model.contributions(x, y, weights, self.parameters)
        for parameter, by_term in contributions.items():
            for row in rows_of(parameter, by_term):
                self.records.append({"step": step, "epoch": self.loop.epoch, **row._asdict()})

    # ---- pictures ------------------------------------------------------------------------------

    def plot_shares(self, parameters: Sequence[str] | None = None) -> Any:
        """Draw each term's share in the gradients over time, stacked; a panel a parameter."""
        from minigrad import plots  # matplotlib is loaded only when something is drawn

        return plots.shares_over_time(self._chosen(parameters))

    def plot_conflicts(self) -> Any:
        """Draw where penalties pull against the data: the cosine of the two, over time."""
        from minigrad import plots

        return plots.conflict_map(self._chosen(None))

    def plot_rulers(self) -> Any:
        """Draw which term rules which parameter, over time."""
        from minigrad import plots

        return plots.rulers(self._chosen(None))

    def _chosen(self, parameters: Sequence[str] | None) -> list[dict[str, Any]]:
        if not self.records:
            raise RuntimeError("TraceCallback has recorded nothing yet: pass it to fit")
        if parameters is None:
            return self.records
        known = {record["parameter"] for record in self.records}
        for name in parameters:
            if name not in known:
                raise KeyError(f"no parameter {name!r} was recorded. Known: {', '.join(known)}")
        return [record for record in self.records if record["parameter"] in parameters]
