"""A trace as one JSON-able dict: what the explorer draws, and what a program can read.

It knows the tape; whoever reads it needs to know nothing but lists, dicts, numbers and strings.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.engine import Leaf, Node
from minigrad.tracing.rule_source import rule_names

if TYPE_CHECKING:
    from minigrad.tracing.attribution import Step
    from minigrad.tracing.trace import Trace

# An array of more than blocks² numbers is stored as means of at most blocks × blocks of them,
# with the largest of these that keeps all arrays together within the budget (of numbers; a page
# with 180,000 of them has about 1 MB).
BLOCKS = (128, 96, 64, 48, 32, 24, 16, 12, 8)
BUDGET = 180_000


def document(trace: Trace) -> dict[str, Any]:
    """Return a trace as a dict of plain lists, dicts, numbers and strings.

    Gradients stand in ``arrays`` and are referred to by index. Beside each set of contributions
    stands its Gram matrix ``G[i][j] = cᵢ · cⱼ``, from the full arrays: norms, shares and cosines
    follow from it exactly, also after each term was multiplied by a factor, and also where an
    array is stored only as block means.

    Returns
    -------
    dict
        With ``terms``, ``parameters``, ``nodes`` and ``edges`` of the graph (parents before
        consumers), ``steps`` of the reverse walk, ``arrays``, ``blocks``, ``residual`` and
        ``diagnoses``. A number that JSON has no word for is the string ``"NaN"``, ``"Infinity"`` or
        ``"-Infinity"``.

    Examples
    --------
    >>> from minigrad import Tensor
    >>> from minigrad.tracing import trace
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> story = document(trace({"data": (w * w).sum()}, {"w": w}))
    >>> [node["name"] for node in story["nodes"]]
    ['w', 'multiply', 'sum', 'data']
    >>> story["parameters"][0]["gradient"]["gram"]
    [[20.0]]
    """
    arrays = _Arrays(list(trace.terms))
    graph = _Graph(trace)
    steps = [graph.step(number, step, arrays) for number, step in enumerate(trace.steps)]
    graph.add_terms()
    return {
        "format": "minigrad trace",
        "version": 1,
        "terms": [
            {
                "name": name,
                "value": _number(value),
                "is_data": name in ("data", "val_data"),
                "node": graph.term_nodes.get(name),
            }
            for name, value in trace.terms.items()
        ],
        "parameters": _parameters(trace, graph, arrays),
        "nodes": graph.nodes,
        "edges": graph.edges,
        "steps": steps,
        "residual": _number(trace.residual),
        "diagnoses": [
            {"kind": found.kind, "where": found.where, "text": found.text}
            for found in trace.diagnoses()
        ],
        **arrays.stored(),
    }


def _parameters(trace: Trace, graph: _Graph, arrays: _Arrays) -> list[dict[str, Any]]:
    """Describe each parameter, with its contributions by term."""
    return [
        {
            "name": name,
            "shape": list(trace.gradient(name).shape),
            "frozen": node is None,
            "node": graph.numbers.get(node, graph.frozen.get(name)),
            "gradient": arrays.group(
                {t: trace.gradient(name, t) for t in trace.terms if trace.has_path(name, t)}
            ),
        }
        for name, node in trace._nodes.items()
    ]


class _Graph:
    """The graph of the computation: ops, what enters them, and the terms at its end."""

    def __init__(self, trace: Trace) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, Any]] = []
        self.numbers: dict[Node | Leaf | None, int] = {}
        self.term_nodes: dict[str, int] = {}
        self.frozen: dict[str, int] = {}
        self._trace = trace
        self._names = {node: name for name, node in trace._nodes.items() if node is not None}
        self._inputs: dict[Node | Leaf, str] = {}
        for name, (node, _) in trace._interior.items():  # the model's input comes first
            if isinstance(node, Leaf):
                self._inputs.setdefault(node, name)
        for number, step in reversed(list(enumerate(trace.steps))):  # the oldest op first
            self._add_op(number, step)

    def _add_op(self, number: int, step: Step) -> None:
        node = step.node
        outgoing = {index: (parent, terms) for parent, index, terms in step.outgoing}
        sources = []
        for index, operand in enumerate(_operands(step)):
            if index in outgoing:
                parent, by_term = outgoing[index]
                if parent not in self.numbers:
                    self.numbers[parent] = self._add_leaf(parent, operand, node.scope)
                sources.append((self.numbers[parent], index, list(by_term)))
            elif np.ndim(operand):
                sources.append((self._add_constant(operand, node.scope), index, []))
        shape = np.shape(next(iter(step.upstream.values())))
        self.numbers[node] = self._add("op", node.primitive.name, node.scope, shape, step=number)
        terms = list(self._trace.terms)
        for source, index, names in sources:
            along = sorted(terms.index(name) for name in names)
            self._connect(source, self.numbers[node], index, along)

    def _connect(self, source: int, target: int, operand: int, terms: list[int]) -> None:
        edge = {"source": source, "target": target, "operand": operand, "terms": terms}
        self.edges.append(edge)

    def _add(self, kind: str, name: str, scope: str, shape: tuple[int, ...], **more: Any) -> int:
        number = len(self.nodes)
        described = {"id": number, "kind": kind, "name": name, "scope": scope, **more}
        self.nodes.append({**described, "shape": list(shape)})
        return number

    def _add_leaf(self, leaf: Any, operand: Any, scope: str) -> int:
        shape = np.shape(operand)
        if leaf in self._names:
            name = self._names[leaf]
            number = self._trace.parameters.index(name)
            return self._add("parameter", name, scope, shape, parameter=number)
        if leaf in self._inputs:
            return self._add("input", self._inputs[leaf], scope, shape)
        return self._add("leaf", getattr(leaf, "name", "") or "tensor", scope, shape)

    def _add_constant(self, operand: Any, scope: str) -> int:
        """Add an array that no gradient is wanted of: a frozen weight, targets, a mask."""
        for called in self._trace.layers:
            for number, (name, node) in enumerate(self._trace._nodes.items()):
                layer, _, attribute = name.rpartition("/")
                if node is not None or layer != scope or scope != called.path.partition("[")[0]:
                    continue
                weight = getattr(called.layer, attribute, None)
                if weight is None or not np.array_equal(weight._value, operand):
                    continue
                if name not in self.frozen:
                    shape = np.shape(operand)
                    self.frozen[name] = self._add("parameter", name, scope, shape, parameter=number)
                return self.frozen[name]
        cut = self._trace._cuts.get(id(operand))
        if cut is None:
            return self._add("constant", "constant", scope, np.shape(operand))
        return self._add("constant", "detached", scope, np.shape(operand), cut=cut[1])

    def add_terms(self) -> None:
        """Add a node for each term, after the youngest op that it reaches: the one that it is."""
        for index, term in enumerate(self._trace.terms):
            for step in self._trace.steps:
                if term in step.upstream:
                    scope = step.node.scope
                    self.term_nodes[term] = self._add("term", term, scope, (), term=index)
                    self._connect(self.numbers[step.node], self.term_nodes[term], 0, [index])
                    break

    def step(self, number: int, step: Step, arrays: _Arrays) -> dict[str, Any]:
        """Describe a step of the walk: what arrives, the rules, what goes on."""
        primitive = step.node.primitive
        outgoing = {index: (parent, terms) for parent, index, terms in step.outgoing}
        names = rule_names(primitive.rules[next(iter(outgoing))])[2:] if outgoing else []
        operands = []
        for index, operand in enumerate(_operands(step)):
            described: dict[str, Any] = {
                "name": names[index] if index < len(names) else f"operand {index}",
                "shape": list(np.shape(operand)),
            }
            if index in outgoing:
                parent, by_term = outgoing[index]
                described |= {
                    "node": self.numbers[parent],
                    "rule": step.rule(index),
                    "formula": step.formula(index),
                    "outgoing": arrays.group(by_term),
                }
            elif isinstance(operand, bool | int | float | np.generic):
                described["value"] = _number(operand)
            operands.append(described)
        return {
            "number": number,
            "node": self.numbers[step.node],
            "options": {name: repr(value) for name, value in step.node.options.items()},
            "upstream": arrays.group(step.upstream),
            "operands": operands,
            "line": step.line._asdict() if step.line else None,
        }


def _operands(step: Step) -> list[Any]:
    """Return the operands of an op; of a consumed tape only what the gradients still tell."""
    if not step.node.released:
        return list(step.node.operands)
    known = {index: next(iter(by_term.values())) for _, index, by_term in step.outgoing}
    return [known.get(index) for index in range(max(known, default=-1) + 1)]


class _Arrays:
    """The gradients of a document, each stored once, however often it is shown."""

    def __init__(self, terms: list[str]) -> None:
        self._terms = terms
        self._arrays: list[np.ndarray[Any, Any]] = []
        self._numbers: dict[Any, int] = {}
        self._grams: dict[tuple[int, ...], list[list[float | str]]] = {}

    def group(self, by_term: Mapping[str, Any]) -> dict[str, Any]:
        """Store contributions; return their terms, arrays and Gram matrix."""
        present = [term for term in self._terms if term in by_term]
        indices = tuple(self._add(np.asarray(by_term[term])) for term in present)
        if indices not in self._grams:
            rows = np.array([self._arrays[i].ravel() for i in indices], dtype=np.float64)
            with np.errstate(all="ignore"):  # gradients of a run that diverged are shown too
                gram = rows @ rows.T if len(rows) else np.zeros((0, 0))
            self._grams[indices] = [[_number(value) for value in row] for row in gram]
        return {
            "terms": [self._terms.index(term) for term in present],
            "arrays": list(indices),
            "gram": self._grams[indices],
        }

    def _add(self, values: np.ndarray[Any, Any]) -> int:
        key = (values.shape, values.dtype.str, blake2b(values.tobytes()).digest())
        if key not in self._numbers:
            self._numbers[key] = len(self._arrays)
            self._arrays.append(values)
        return self._numbers[key]

    def stored(self) -> dict[str, Any]:
        """Return the arrays as they go into the document, and the size of their blocks."""
        for blocks in BLOCKS:
            stored = [_stored(values, blocks) for values in self._arrays]
            if sum(len(array.get("data", "")) for array in stored) * 3 / 16 <= BUDGET:
                break
        return {"blocks": blocks, "arrays": stored}


def _stored(values: np.ndarray[Any, Any], blocks: int) -> dict[str, Any]:
    """Return an array as its one number, as base64 of little-endian float32, or as block means."""
    rows, columns = matrix_shape(values.shape)
    described: dict[str, Any] = {"shape": list(values.shape), "grid": [rows, columns]}
    if values.size and (values == values.flat[0]).all():
        return described | {"value": _number(values.flat[0])}
    if values.size > blocks * blocks:
        values = block_means(values.reshape(rows, columns), blocks)
        described["blocks"] = list(values.shape)
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return described | {"data": base64.b64encode(data).decode()}


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the rows and columns as which an array is drawn.

    A vector is one row, a matrix is itself. More axes are cut in two where that gives the matrix
    that is most nearly square: a batch of images then has a row for each image.

    Examples
    --------
    >>> matrix_shape((128, 8, 8, 1)), matrix_shape((3, 3, 32, 64)), matrix_shape((5,))
    ((128, 64), (288, 64), (1, 5))
    """
    if len(shape) < 3:
        rows, columns = (1, 1, *shape)[-2:]
        return rows, columns
    cuts = [(math.prod(shape[:cut]), math.prod(shape[cut:])) for cut in range(1, len(shape))]
    return min(cuts, key=lambda sides: max(sides) / max(1, min(sides)))


def block_means(matrix: np.ndarray[Any, Any], blocks: int) -> np.ndarray[Any, Any]:
    """Return the means of at most `blocks` × `blocks` blocks of a matrix, of nearly equal sizes.

    Block i of n rows cut into m begins at row ⌊i n / m⌋.

    Examples
    --------
    >>> block_means(np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]), blocks=2)
    array([[1., 4.],
           [2., 5.]])
    """
    means = matrix.astype(np.float64)
    for axis, length in enumerate(matrix.shape):
        count = min(length, blocks)
        starts = [i * length // count for i in range(count)]
        sizes = np.diff([*starts, length]).reshape((-1, 1) if axis == 0 else (1, -1))
        with np.errstate(all="ignore"):
            means = np.add.reduceat(means, starts, axis=axis) / sizes
    return means


def _number(value: Any) -> float | str:
    """Return a number as JSON can write it."""
    value = float(value)
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
