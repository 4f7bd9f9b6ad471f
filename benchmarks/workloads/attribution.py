"""Gradients split by term: one walk for all terms, beside PyTorch's one walk for each of them."""

import gc
import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from benchmarks.autoencoders.by_hand import Contender
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


def hand(spec, x):
    """Return the same, derived by hand: the limit for whatever is built on NumPy."""
    step = Contender(replace(spec, activity_l1=0.0), [x])  # whose gradients are the error's alone
    strengths = (spec.kernel_l2, spec.bias_l2, spec.decoder_l2)
    penalized = [
        (w, np.empty_like(w), 2 * l2) for w, l2 in zip(step.parameters[:3], strengths, strict=True)
    ]
    pull, kernel, bias = (np.empty_like(w) for w in (step.codings, *step.parameters[:2]))
    x_transposed = x.T

    def run():
        step.forward(x)
        step.backward(x_transposed)
        np.multiply(step.active, np.float32(spec.activity_l1 / spec.batch), pull)
        np.dot(x_transposed, pull, kernel)
        np.dot(step.ones, pull, bias)
        for w, slope, strength in penalized:
            np.multiply(w, np.float32(strength), slope)
        data, (of_kernel, of_bias, of_decoder) = step.slopes, (slope for _, slope, _ in penalized)
        return [
            [data[0], of_kernel, None, kernel, None],
            [data[1], None, of_bias, bias, None],
            [data[2], None, None, None, of_decoder],
            [data[3], None, None, None, None],
        ]

    return run


def contenders(spec):
    """Return all, checked to give the same."""
    x = np.random.default_rng(0).random((spec.batch, spec.width), np.float32)
    found = {
        "minigrad": partial(minigrad, model_of(spec), x),
        "PyTorch": partial(pytorch, spec, Autoencoder(spec), torch.from_numpy(x)),
        "Hand": hand(spec, x),
    }
    # Terms stand layer by layer in minigrad, as in `terms_of`.
    ours = found["minigrad"]()
    for peer, turned in (("PyTorch", lambda slope: slope.numpy().T), ("Hand", np.asarray)):
        for mine, theirs in zip(ours, found[peer](), strict=True):
            for one, other in zip(mine, theirs, strict=True):
                assert (one is None) == (other is None)
                if one is not None:
                    np.testing.assert_allclose(one, turned(other), rtol=1e-3, atol=1e-6)
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
