"""Trace: every parameter's gradient, split exactly by the loss term it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine import Tensor, grad
from minigrad.engine.suggestions import did_you_mean
from minigrad.layers import LossTerms
from minigrad.tracing.attribution import Step, attribute, chain
from minigrad.tracing.table import Table, rows_of

Array = np.ndarray[Any, Any]


def trace(terms: Mapping[str, Tensor], parameters: Mapping[str, Tensor]) -> Trace:
    """Split the gradient of ``sum(terms)`` with respect to each parameter by term.

    Parameters
    ----------
    terms
        The addends of a loss by name, scalars computed by the same forward pass or several; a
        plain number has no gradient. The tape is kept, so `backward` can follow.
    parameters
        Tensors by name: weights, inputs, or results of ops.

    Returns
    -------
    Trace
        With ``terms``, ``gradient``, ``table``, ``explain``, ``plot`` and ``residual``.

    Raises
    ------
    TypeError
        If one of the two is no mapping.
    ValueError
        If there is no term, or one is no scalar.
    RuntimeError
        If the tape has been consumed by `backward`.

    Examples
    --------
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> explained = trace({"data": (w * w).sum(), "l1": 0.5 * np.abs(w).sum()}, {"w": w})
    >>> explained.gradient("w", term="l1")
    array([ 0.5, -0.5], dtype=float32)
    >>> explained.gradient("w")
    array([ 2.5, -4.5], dtype=float32)
    """
    for argument, received in (("terms", terms), ("parameters", parameters)):
        if not isinstance(received, Mapping):
            raise TypeError(
                f"trace: {argument} must be a dict of Tensors by name. "
                f"Received: {type(received).__name__}"
            )
    tensors = (
        (name, value if isinstance(value, Tensor) else Tensor(value))
        for name, value in terms.items()
    )
    return Trace(LossTerms(tensors), parameters)


class Trace:
    """One forward and backward pass, explained; made by `model.trace` or `minigrad.trace`.

    Attributes
    ----------
    terms : dict of str to float
        The value of each loss term.
    parameters : list of str
        The names that `gradient` knows.
    steps : list of Step
        What the reverse walk did, op by op.
    residuals : dict of str to float
        For each parameter, how far the sum of its contributions is from the plain backward pass,
        relative to the latter: rounding, or a bug.
    residual : float
        The largest of them.
    """

    def __init__(self, terms: LossTerms, parameters: Mapping[str, Tensor]) -> None:
        for name, value in terms.items():
            if value.ndim:
                raise ValueError(
                    f"term {name!r} must be a scalar. Received: shape {value.shape}. Reduce it, "
                    "for example with .sum() or .mean()."
                )
        self.terms = terms.values_as_floats()
        self.parameters = list(parameters)
        self.steps: list[Step] = []
        self._tensors = dict(parameters)
        self._nodes = {name: tensor._node for name, tensor in parameters.items()}
        attributed = attribute(terms, on_step=self.steps.append)
        self._contributions: dict[str, dict[str, Array | None]] = {
            parameter: {
                term: _as_array(attributed.get(node, {}).get(term)) if node is not None else None
                for term in terms
            }
            for parameter, node in self._nodes.items()
        }
        self.residuals = self._compare(terms)
        self.residual = max(self.residuals.values(), default=0.0)

    def _compare(self, terms: LossTerms) -> dict[str, float]:
        """Hold the sums of contributions against the gradients of the plain backward pass."""
        tracked = [name for name, node in self._nodes.items() if node is not None]
        total = terms.total()
        if not tracked or not total.requires_grad:
            return {}
        gradients = grad(total, [self._tensors[name] for name in tracked], keep_graph=True)
        residuals = {}
        for name, gradient in zip(tracked, gradients, strict=True):
            difference = np.linalg.norm(np.ravel(self.gradient(name) - gradient))
            scale = np.linalg.norm(np.ravel(gradient))
            residuals[name] = float(difference / scale) if scale else float(difference)
        return residuals

    def gradient(self, parameter: str, term: str | None = None) -> Array:
        """Return the contribution of `term` to the gradient of `parameter`, or the sum of all.

        Parameters
        ----------
        parameter, term
            Names from `parameters` and `terms`.

        Returns
        -------
        ndarray
            Of the parameter's shape; zeros where the term does not depend on the parameter.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        """
        contributions = self._contributions[self._known(parameter, "parameter", self.parameters)]
        tensor = self._tensors[parameter]
        if term is not None:
            found = contributions[self._known(term, "term", list(self.terms))]
            return np.zeros(tensor.shape, tensor.dtype) if found is None else found.copy()
        total = np.zeros(tensor.shape, tensor.dtype)
        for contribution in contributions.values():
            if contribution is not None:
                total += contribution
        return total

    def table(self) -> Table:
        """Return norm, share and cosine to the data gradient, for each parameter and term."""
        return Table(
            [
                row
                for parameter, contributions in self._contributions.items()
                for row in rows_of(parameter, contributions)
            ]
        )

    def explain(self, parameter: str, term: str) -> str:
        """Return the steps from `term` down to `parameter` as text, one line an op.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        """
        self._known(parameter, "parameter", self.parameters)
        self._known(term, "term", list(self.terms))
        node = self._nodes[parameter]
        if node is None:
            return f"{parameter!r} is frozen: no gradient is computed for it."
        from minigrad.tracing.explain import explain_chain  # reading sources needs slow modules

        contribution = self._contributions[parameter][term]
        if contribution is None:
            return f"There is no path from {term!r} to {parameter!r}: its contribution is zero."
        return explain_chain(chain(self.steps, node, term), node, parameter, term, contribution)

    def plot(self) -> Any:
        """Draw the contributions of each term to each parameter; returns a matplotlib figure."""
        from minigrad import plots  # matplotlib is loaded only when something is drawn

        return plots.contributions(self.table().as_dicts())

    def _known(self, name: str, kind: str, known: list[str]) -> str:
        if name in known:
            return name
        hint = did_you_mean(name, known)
        raise KeyError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}")

    def __str__(self) -> str:
        total = sum(self.terms.values())
        values = "\n".join(f"  {name}  {value:.6g}" for name, value in self.terms.items())
        return (
            f"Loss {total:.6g}, the sum of\n{values}\n\nWhere each gradient comes from:\n"
            f"{self.table()}\n\nContributions add up to the gradient; relative residual "
            f"{self.residual:.1e}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        import html  # slow to load, and only needed in Jupyter

        total = sum(self.terms.values())
        terms = " + ".join(
            f"<code>{html.escape(name)}</code> {value:.6g}" for name, value in self.terms.items()
        )
        return (
            f"<p><b>Loss {total:.6g}</b> = {terms}</p>{self.table()._repr_html_()}"
            f"<p>Contributions add up to the gradient; relative residual {self.residual:.1e}</p>"
        )


def _as_array(values: Any) -> Array | None:
    return None if values is None else np.array(values)
