"""A walk over all of NumPy's functions: none loses a gradient without a word.

Each function is called with recording Tensors in every place that may take one, also in lists. It
may return Tensors on the tape, with the gradient that finite differences have; numbers that do not
change with the operands; an answer of its own kind (a comparison, a position); or raise an error.
What it may not do: return plain numbers, or a Tensor off the tape, that were computed from them.
"""

import warnings

import numpy as np
import pytest

from minigrad import Tensor, grad
from minigrad.engine.primitive import Primitive
from minigrad.engine.table import TABLE

# They write files, print, or set up the process; or their result is random memory.
APART = {
    *(
        "test",
        "show_config",
        "show_runtime",
        "info",
        "save",
        "savez",
        "savez_compressed",
        "savetxt",
    ),
    *("load", "loadtxt", "genfromtxt", "fromfile", "fromregex", "get_include", "memmap"),
    *("seterr", "seterrcall", "geterr", "geterrcall", "setbufsize", "getbufsize"),
    *("set_printoptions", "get_printoptions", "printoptions", "empty", "empty_like", "ndarray"),
}
# A plain number is what they are asked for, as by float(tensor); the counts of a histogram have
# no derivative, and its edges are those of a picture.
PLAIN = {
    *("float64", "double", "longdouble", "complex64", "complex128", "csingle", "cdouble"),
    *("clongdouble", "fromiter", "histogram", "float16", "float32", "half", "single"),
}
MODULES = (np, np.linalg, np.fft, np.lib.stride_tricks, np.emath)
FUNCTIONS = sorted(
    {
        (f"{module.__name__}.{name}", getattr(module, name))
        for module in MODULES
        for name in dir(module)
        if not name.startswith("_") and name not in APART and callable(getattr(module, name))
    },
    key=lambda pair: pair[0],
)
FUNCTIONS = [
    (name, function)
    for name, function in FUNCTIONS
    if not (isinstance(function, type) and issubclass(function, BaseException))
]
RNG = np.random.default_rng(5)


def symmetric(size):
    values = RNG.uniform(0.1, 0.9, (size, size))
    return values + values.T + np.diag(np.arange(size) + 2.0)


VECTORS = list(RNG.uniform(0.15, 0.85, (2, 4)))
OPERANDS = [*VECTORS, symmetric(3), symmetric(3), np.array(0.37)]
DIRECTIONS = [RNG.normal(size=x.shape) for x in OPERANDS]
DIRECTIONS[2], DIRECTIONS[3] = (d + d.T for d in DIRECTIONS[2:4])  # some take symmetric ones only
STEP = 1e-6


def calls(t, u, m, n, s):
    """Ways to call a function: Tensors alone, in pairs, in lists, beside arrays and numbers."""
    array, matrix, index = np.array([0.3, 0.7, 0.5, 1.1]), np.eye(3) + 0.2, np.array([0, 2])
    condition = np.array([True, False, True, True])
    yield from ((t,), (m,), (s,), (t, u), (m, n), ([t, u],), ([m, n],), ([s, s],), ([[t, u]],))
    yield from ((t, 0.5), (0.5, t), (s, 0.5), (0.5, s), (t, 2), (2, t), (m, 2), (2, s), (t, 0))
    yield from ((array, t), (t, array), (array, s), (matrix, m), (m, matrix), ([0.1, 0.2], t[:2]))
    yield from ((condition, t), (t, condition), (condition.astype(int), [t, u]), ([condition], [t]))
    yield from (
        (array, index, t[:2]),
        (array, condition, t),
        (t, index, u[:2]),
        (t, index),
        (array, 1, s),
    )
    yield from ((t, u, t * u), (lambda x: x * 2, t), (lambda x: x.sum(), 0, m), ("i,i->", t, u))
    yield from (((2, 3), s), (3, s), (matrix, 0, t[:3]), (matrix, index, s), (m, 0, 1), ([t], u))
    yield from ((np.array([0, 1, 1, 2]), t), (np.vecdot, t, u), (t, [condition], [np.sin, np.cos]))


NUMBER_OF_CALLS = len(list(calls(*map(Tensor, OPERANDS))))


def parts(result):
    if isinstance(result, list | tuple):
        return [part for each in result for part in parts(each)]
    return [result]


def called(function, number, operands):
    tensors = [Tensor(x, requires_grad=True) for x in operands]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return tensors, parts(function(*list(calls(*tensors))[number]))


def weighted(results):
    recorded = [r for r in results if isinstance(r, Tensor) and r.requires_grad]
    with np.errstate(all="ignore"):
        return sum((r * np.cos(np.arange(r.size) + 1.0).reshape(r.shape)).sum() for r in recorded)


def visit(name, function):
    for number in range(NUMBER_OF_CALLS):
        try:
            tensors, results = called(function, number, OPERANDS)
        except Exception:  # of whatever kind: it is no silent number
            continue
        _, others = called(function, number, [x * 1.013 for x in OPERANDS])
        for found, other in zip(results, others, strict=False):
            if isinstance(found, Tensor):
                assert found.requires_grad or found.dtype.kind != "f", f"{name}, call {number}"
            elif isinstance(found, np.ndarray | np.generic | float | complex):
                same = np.array_equal(found, other, equal_nan=np.asarray(found).dtype.kind in "fc")
                kind = np.asarray(found).dtype.kind
                told = f"{name}, call {number}, gives plain numbers: {found}"
                assert kind not in "fc" or same or name.rpartition(".")[2] in PLAIN, told
        total = weighted(results)
        if not isinstance(total, Tensor):
            continue
        ends = [
            weighted(called(function, number, moved)[1])
            for moved in (
                [x + sign * STEP * d for x, d in zip(OPERANDS, DIRECTIONS, strict=True)]
                for sign in (1, -1)
            )
        ]
        expected = (float(ends[0].detach()) - float(ends[1].detach())) / (2 * STEP)
        try:
            with np.errstate(all="ignore"):
                slopes = grad(total, tensors)
        except NotImplementedError:  # an operand without a rule, such as a condition
            continue
        if not np.isfinite(expected):
            continue
        received = float(sum(np.sum(g * d) for g, d in zip(slopes, DIRECTIONS, strict=True)))
        assert received == pytest.approx(expected, rel=1e-5, abs=1e-6), f"{name}, call {number}"


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_a_function_of_numpy_never_loses_a_gradient_without_a_word(name, function):
    visit(name, function)


def test_the_walk_notices_plain_numbers_and_wrong_gradients(monkeypatch):
    monkeypatch.setitem(TABLE, np.sinc, lambda x: np.sinc(x.detach().numpy()))
    with pytest.raises(AssertionError, match="gives plain numbers"):
        visit("numpy.sinc", np.sinc)
    monkeypatch.setitem(TABLE, np.sinc, lambda x: np.sin(x.detach()))
    with pytest.raises(AssertionError, match=r"numpy\.sinc, call 0"):
        visit("numpy.sinc", np.sinc)
    monkeypatch.setattr(Primitive, "__setattr__", object.__setattr__)  # ops keep their rules
    monkeypatch.setattr(TABLE[np.sin], "rules", (lambda g, z, x: g * np.sin(x),))
    with pytest.raises(AssertionError, match=r"numpy\.sin, call 0"):
        visit("numpy.sin", np.sin)
