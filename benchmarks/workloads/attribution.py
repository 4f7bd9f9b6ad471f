"""Gradients split by term: one walk for all terms, beside PyTorch's one walk for each of them."""

import gc
import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from benchmarks.autoencoders.by_minigrad import model_of
from benchmarks.autoencoders.by_pytorch import Autoencoder, terms_of
from benchmarks.rows import peer_rows, row
from benchmarks.timing import interleaved
from benchmarks.workloads import digits, toy, wide

TITLE = "gradients by term (five)"
TARGETS = {"PyTorch": 0.6}
MEMORY_TARGET = 1.5
PENALTIES = {
    "kernel_l1": 0.0,
    "kernel_l2": 1e-4,
    "bias_l2": 1e-4,
    "activity_l1": 1e-3,
    "decoder_l2": 1e-4,
}


def minigrad(model, x):
    """Return gradients by parameter and by term; None where no path leads."""
    by_parameter = model.contributions(x, x)
    return [list(by_term.values()) for by_term in by_parameter.values()]


def pytorch(spec, model, x):
    """Return the same, from a backward pass for each term."""
    by_term = [
        torch.autograd.grad(term, model.weights, retain_graph=True, allow_unused=True)
        for term in terms_of(spec, model, x)
    ]
    return list(zip(*by_term, strict=True))


def products(spec, x):
    """Return what makes the matrix products alone, which everyone needs: the limit in NumPy.

    Two forward, three for the error (one for each kernel, one for the codings), and one for the
    kernel that the activity penalty reaches.
    """
    kernel, decoder = spec.start()[0], spec.start()[2]
    codings = np.empty((spec.batch, spec.codings), np.float32)
    outputs = np.empty_like(x)
    slopes = [np.empty_like(matrix) for matrix in (kernel, kernel, decoder)]

    def run():
        np.dot(x, kernel, codings)
        np.dot(codings, decoder, outputs)
        np.dot(codings.T, outputs, slopes[2])
        np.dot(outputs, decoder.T, codings)
        np.dot(x.T, codings, slopes[0])
        np.dot(x.T, codings, slopes[1])

    return run


def contenders(spec):
    """Return all; minigrad's and PyTorch's results are checked to be the same."""
    x = np.random.default_rng(0).random((spec.batch, spec.width), np.float32)
    found = {
        "minigrad": partial(minigrad, model_of(spec), x),
        "PyTorch": partial(pytorch, spec, Autoencoder(spec), torch.from_numpy(x)),
        "the products alone": products(spec, x),
    }
    # Terms stand layer by layer in minigrad, as in `terms_of`.
    for ours, theirs in zip(found["minigrad"](), found["PyTorch"](), strict=True):
        for mine, other in zip(ours, theirs, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                np.testing.assert_allclose(mine, other.numpy().T, rtol=1e-3, atol=1e-6)
    return found


def peak(make):
    """Return the bytes at the peak of a call beyond the model's own, and the result of the call.

    The call is repeated before, so that a program that has been recorded by then counts with its
    buffers.
    """
    function = make()
    function()  # loads what is loaded when it is first needed
    gc.collect()
    tracemalloc.start()
    function = make()
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(4):
        function()
    gc.collect()  # also what Python keeps of objects that are gone
    tracemalloc.reset_peak()
    result = function()
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest - before, result


def memory_row(spec, title):
    """Return a row: the peak beside that of a plain backward pass and the contributions."""
    x = np.random.default_rng(0).random((spec.batch, spec.width), np.float32)

    def plain():
        model = model_of(spec)

        def call():
            for parameter in model.parameters():
                parameter.grad = None
            model.loss_terms(x, x, training=True).total().backward()

        return call

    ours, contributions = peak(lambda: partial(minigrad, model_of(spec), x))
    arrays = [array for row in contributions for array in row if array is not None]
    own = sum(array.nbytes for array in arrays)
    backward, _ = peak(plain)
    return row(
        f"{title}: peak memory",
        f"{(ours - own) / 1e3:,.0f} kB beyond the {own / 1e3:,.0f} kB of contributions",
        f"plain backward pass: {backward / 1e3:,.0f} kB",
        (ours - own) / backward,
        MEMORY_TARGET,
    )


def cases():
    """Return the network of each training workload, with five terms, by title."""
    specs = [replace(each.SPECIFICATION, **PENALTIES) for each in (toy, digits, wide)]
    return {f"{TITLE}, {s.width}-{s.codings}-{s.width}, batch {s.batch}": s for s in specs}


def alone():
    """Return what is timed of minigrad, by title."""
    return {title: contenders(spec)["minigrad"] for title, spec in cases().items()}


def measure():
    """Return the rows of all networks."""
    rows = []
    for title, spec in cases().items():
        rows += peer_rows(title, interleaved(contenders(spec), 41, None), TARGETS)
        rows.append(memory_row(spec, title))
    return rows, {}
