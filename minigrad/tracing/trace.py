"""Trace: every parameter's gradient, split exactly by the loss term it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node, Tensor, grad
from minigrad.engine.state import STATE
from minigrad.layers import LossTerms
from minigrad.suggestions import did_you_mean
from minigrad.tracing.attribution import Step, attribute, chain, scaled
from minigrad.tracing.layer_pass import LayerPass
from minigrad.tracing.output import TraceOutput
from minigrad.tracing.table import Table, rows_of

if TYPE_CHECKING:
    from minigrad.tracing.diagnoses import Diagnosis

Array = np.ndarray[Any, Any]


def trace(terms: Mapping[str, Tensor], parameters: Mapping[str, Tensor]) -> Trace:
    """Split the gradient of ``sum(terms)`` with respect to each parameter by term.

    Parameters
    ----------
    terms
        The addends of a loss by name, scalars computed by the same forward pass or several; a
        plain number has no gradient. The tape is kept, so `backward` can follow. Heads of a
        network, classes or parts of a batch are terms as good as any. With the forward pass and
        this call in a block of `remember_lines`, the steps know the lines of the program, and
        `explain` says where a path was cut by `detach`.
    parameters
        Tensors by name: weights, inputs, or results of ops.

    Returns
    -------
    Trace
        With ``terms``, ``gradient``, ``table``, ``steps``, ``explain``, ``plot`` and ``residual``.

    Raises
    ------
    TypeError
        If one of the two is no mapping.
    ValueError
        If there is no term, or one is no scalar.
    RuntimeError
        If the tape has been consumed by `backward`: call ``backward(keep_graph=True)``, or trace
        first.

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
    for name, value in parameters.items():
        if not isinstance(value, Tensor):
            raise TypeError(f"trace: parameter {name!r} must be a Tensor. Received: {value!r}")
    tensors = (
        (name, value if isinstance(value, Tensor) else Tensor(value))
        for name, value in terms.items()
    )
    return Trace(LossTerms(tensors), parameters, cuts=getattr(STATE.get().watcher, "cuts", None))


class Trace(TraceOutput):
    """One forward and backward pass, explained; made by `model.trace` or `minigrad.trace`.

    In Jupyter it shows itself as an explorer; ``print`` shows a table.

    Attributes
    ----------
    layers : list of LayerPass
        The calls of layers, if a model was traced.
    samples : int
        How many there are in the batch, if a model was traced; else 0.
    factors : dict of str to float
        By what each term was multiplied in `with_strengths`; 1 where nothing is said.
    residuals : dict of str to float
        For each parameter, how far the sum of its contributions is from the plain backward pass,
        relative to the latter: rounding, or a bug.
    residual : float
        The largest of them.
    """

    def __init__(
        self,
        terms: LossTerms,
        parameters: Mapping[str, Tensor],
        layers: Sequence[LayerPass] = (),
        entry: Tensor | None = None,
        cuts: Mapping[int, tuple[Any, str]] | None = None,
        name: str = "",
        samples: int = 0,
        findings: Sequence[Diagnosis] = (),
    ) -> None:
        for term, value in terms.items():
            if value.ndim:
                raise ValueError(
                    f"term {term!r} must be a scalar. Received: shape {value.shape}. Reduce it, "
                    "for example with .sum() or .mean()."
                )
        self.name = name
        self.samples = samples
        self.findings = list(findings)  # what was diagnosed while the pass was made
        self.layers = list(layers)
        self.factors: dict[str, float] = {}
        self._values = terms.values_as_floats()
        self._shapes = {path: (t.shape, t.dtype) for path, t in parameters.items()}
        self._nodes: dict[str, Node | Leaf | None] = {p: t._node for p, t in parameters.items()}
        self._interior = self._name_interior(entry)
        self._cuts = dict(cuts or {})
        self._steps: list[Step] = []
        attributed = attribute(terms, on_step=self._steps.append)
        self._attributed: dict[Node | Leaf, dict[str, Array]] = {
            node: attributed.get(node, {})
            for node in [*self._nodes.values(), *(node for node, _ in self._interior.values())]
            if node is not None
        }
        self.residuals = self._compare(terms, parameters)
        self.residual = max(self.residuals.values(), default=0.0)

    def _name_interior(self, entry: Tensor | None) -> dict[str, tuple[Node | Leaf, Any]]:
        """Return the places between the parameters by name, with shape and dtype."""
        tensors = {} if entry is None else {"input": entry}
        for layer in self.layers:
            tensors |= layer.tensors()
        return {
            name: (tensor._node, (tensor.shape, tensor.dtype))
            for name, tensor in tensors.items()
            if tensor._node is not None and name not in self._nodes
        }

    def _compare(self, terms: LossTerms, parameters: Mapping[str, Tensor]) -> dict[str, float]:
        """Hold the sums of contributions against the gradients of the plain backward pass."""
        tracked = [name for name, node in self._nodes.items() if node is not None]
        total = terms.total()
        if not tracked or not total.requires_grad:
            return {}
        gradients = grad(total, [parameters[name] for name in tracked], keep_graph=True)
        residuals = {}
        for name, gradient in zip(tracked, gradients, strict=True):
            with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges is traced, too
                difference = np.linalg.norm(np.ravel(self.gradient(name) - gradient))
                scale = np.linalg.norm(np.ravel(gradient))
            residuals[name] = float(difference / scale) if scale else float(difference)
        return residuals

    # ---- numbers -------------------------------------------------------------------------------

    @property
    def terms(self) -> dict[str, float]:
        """The value of each loss term."""
        return {term: value * self._factor(term) for term, value in self._values.items()}

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return list(self._nodes)

    @property
    def tensors(self) -> list[str]:
        """The names of what lies between; `gradient` knows them as well as the parameters.

        ``"input"``, and ``"<layer>/input"``, ``"<layer>/pre_activation"`` and ``"<layer>/output"``
        for each layer.
        """
        return list(self._interior)

    @cached_property
    def steps(self) -> list[Step]:
        """What the reverse walk did, op by op."""
        if not self.factors:
            return self._steps
        return [scaled(step, self.factors) for step in self._steps]

    def _factor(self, term: str) -> float:
        return self.factors.get(term, 1.0)

    def gradient(self, name: str, term: str | None = None) -> Array:
        """Return the contribution of `term` to the gradient of `name`, or the sum of all.

        Parameters
        ----------
        name
            From `parameters` or `tensors`.
        term
            From `terms`.

        Returns
        -------
        ndarray
            Of the shape of what is named; zeros where the term does not depend on it.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        """
        self._known(name, "parameter or tensor", [*self._nodes, *self._interior])
        shape, dtype = self._shapes[name] if name in self._nodes else self._interior[name][1]
        names = list(self._values)
        wanted = names if term is None else [self._known(term, "term", names)]
        total = np.zeros(shape, dtype)
        for each in wanted:
            found = self._contribution(name, each)
            if found is not None:
                total += found
        return total

    def has_path(self, name: str, term: str) -> bool:
        """Whether `term` depends on `name` at all."""
        self._known(name, "parameter or tensor", [*self._nodes, *self._interior])
        self._known(term, "term", list(self._values))
        return self._contribution(name, term) is not None

    def _node(self, name: str) -> Node | Leaf | None:
        return self._nodes[name] if name in self._nodes else self._interior[name][0]

    def _contribution(self, name: str, term: str) -> Array | None:
        """Return a contribution, or None where there is no path."""
        node = self._node(name)
        found = None if node is None else self._attributed[node].get(term)
        if found is None:
            return None
        factor = self._factor(term)
        return np.asarray(found) if factor == 1 else np.asarray(found * factor)

    def table(self, names: Sequence[str] | None = None) -> Table:
        """Return norm, share and cosine to the data gradient, for each parameter and term.

        With `names`, for those of `parameters` and `tensors`.
        """
        shown = self.parameters if names is None else list(names)
        for name in shown:
            self._known(name, "parameter or tensor", [*self._nodes, *self._interior])
        return Table(
            [
                row
                for name in shown
                for row in rows_of(
                    name, {term: self._contribution(name, term) for term in self._values}
                )
            ]
        )

    def with_strengths(self, factors: Mapping[str, float]) -> Trace:
        """Return the trace as it would be if terms were so many times as strong.

        The gradient is linear in the strengths of the penalties: for this batch and these weights
        the answer is exact, and needs no other pass.

        Parameters
        ----------
        factors
            By term: 2 for twice the strength, 0 for none; the others stay.

        Raises
        ------
        KeyError
            For an unknown term, with the nearest known ones.
        ValueError
            For a factor that is no finite number.

        Examples
        --------
        >>> w = Tensor([1.0, -2.0], requires_grad=True)
        >>> explained = trace({"data": (w * w).sum(), "l1": 0.5 * np.abs(w).sum()}, {"w": w})
        >>> explained.with_strengths({"l1": 10}).gradient("w")
        array([ 7., -9.], dtype=float32)
        """
        for term, factor in factors.items():
            self._known(term, "term", list(self._values))
            if not isinstance(factor, Real) or not np.isfinite(factor):
                raise ValueError(
                    f"with_strengths: expected a finite number for {term!r}. Received: {factor!r}"
                )
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        vars(other).pop("steps", None)
        other.factors = {term: self._factor(term) for term in self._values}
        for term, factor in factors.items():
            other.factors[term] *= float(factor)
        return other

    # ---- the story -----------------------------------------------------------------------------

    def path(self, name: str, term: str) -> list[Step]:
        """Return the steps through which `term` reaches `name`, in the order of the walk.

        Empty if there is no path.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        """
        if not self.has_path(name, term):
            return []
        node = self._node(name)
        assert node is not None
        return chain(self.steps, node, term)

    def explain(self, name: str, term: str) -> str:
        """Return how `term` reaches `name`, as a derivation with the numbers in it.

        Op by op: the line of the program, the rule in mathematical notation, and what it makes of
        what arrives. Arrays of up to 24 numbers are written out, so that every product can be
        checked by hand; of larger ones, shape and norm.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        """
        from minigrad.tracing.explain import explain_chain, why_no_path  # they need slow modules

        steps = self.path(name, term)
        if not steps and not self.has_path(name, term):
            return why_no_path(self, name, term)
        node = self._node(name)
        assert node is not None
        return explain_chain(steps, node, name, term, self.gradient(name, term))

    def diagnoses(self) -> list[Diagnosis]:
        """Return what strikes the eye: dead units, penalties that rule or do nothing, …

        Each is a sentence with the numbers that it rests on, and where to read more.
        """
        from minigrad.tracing.diagnoses import diagnose

        return diagnose(self)

    def per_sample(self, parameter: str, term: str = "data") -> Array:
        """Return which samples pull: each sample's part in a contribution, (batch, *shape).

        They add up to ``gradient(parameter, term)``. No other pass is made: the rule of the op
        that the weight enters runs once for each sample. Where a later layer mixes the samples, as
        batch normalization does, a sample's part is all that comes by way of its own row here.

        Raises
        ------
        KeyError
            For an unknown name, with the nearest known ones.
        ValueError
            If the term does not come by way of the samples, as a weight penalty, or the op that
            the weight enters gives no row for each of them.
        """
        from minigrad.tracing.samples import per_sample

        self._known(parameter, "parameter", self.parameters)
        self._known(term, "term", list(self._values))
        return per_sample(self, parameter, term)

    def by_group(self, parameter: str, groups: Any, term: str = "data") -> dict[Any, Array]:
        """Return the parts of a contribution by groups of samples, such as their classes.

        Parameters
        ----------
        parameter, term
            As in `per_sample`.
        groups : array_like, shape (batch,)
            The group of each sample.

        Raises
        ------
        ValueError
            If there is not a group for each sample.
        """
        labels = np.asarray(groups)
        parts = self.per_sample(parameter, term)
        if labels.shape != parts.shape[:1]:
            raise ValueError(
                f"by_group: expected a group for each of {len(parts)} samples. "
                f"Received: shape {labels.shape}"
            )
        return {label: parts[labels == label].sum(axis=0) for label in np.unique(labels).tolist()}

    def _known(self, name: str, kind: str, known: list[str]) -> str:
        if name in known:
            return name
        hint = did_you_mean(name, known)
        raise KeyError(f"unknown {kind} {name!r}.{hint} Known: {', '.join(known)}")
