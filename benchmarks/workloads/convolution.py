"""A convolution layer, 3×3 "same", forward and backward: gradients for input, kernel and bias."""

import jax
import numpy as np
import torch
from jax import lax

import minigrad as mg
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved
from minigrad import layers

TITLE = "convolution 3×3, forward and backward"
CASES = (
    ((64, 28, 28, 1), 16),
    ((64, 14, 14, 16), 32),
    ((64, 28, 28, 16), 32),
    ((32, 32, 32, 32), 64),
)
TARGETS = {"JAX (jit)": 1.0, "PyTorch": 1.5}


def minigrad(x, kernel, bias, upstream):
    """Return a function to the result and the three gradients."""
    layer = layers.Conv2D(kernel.shape[-1], 3, padding="same", input_shape=x.shape[1:])
    layer.kernel.assign(kernel)
    layer.bias.assign(bias)
    leaf = mg.Tensor(x, requires_grad=True)

    def run():
        leaf.grad = layer.kernel.grad = layer.bias.grad = None
        z = layer(leaf)
        z.backward(upstream)
        return z.data, leaf.grad, layer.kernel.grad, layer.bias.grad

    return run


def pytorch(x, kernel, bias, upstream, memory_format):
    """Return the same in PyTorch, whose tensors have the channels in front.

    Its memory may have them last nevertheless: what is faster differs from shape to shape.
    """

    def to_torch(images):
        swapped = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        return swapped.contiguous(memory_format=memory_format)

    leaf, g = to_torch(x).requires_grad_(), to_torch(upstream)
    w = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
    w = w.contiguous(memory_format=memory_format).requires_grad_()
    b = torch.from_numpy(bias.copy()).requires_grad_()

    def run():
        leaf.grad = w.grad = b.grad = None
        z = torch.nn.functional.conv2d(leaf, w, b, padding="same")
        z.backward(g)
        return z, leaf.grad, w.grad, b.grad

    def as_ours():
        z, *slopes = run()
        arrays = [t.detach().numpy() for t in (z, *slopes)]
        return (
            *(array.transpose(0, 2, 3, 1) for array in arrays[:2]),
            arrays[2].transpose(2, 3, 1, 0),
            arrays[3],
        )

    return run, as_ours


def jax_jit(x, kernel, bias, upstream):
    """Return the same in JAX, compiled as a whole."""

    def layer(x, w, b):
        axes = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=axes) + b

    @jax.jit
    def both_ways(x, w, b, g):
        z, pull_back = jax.vjp(layer, x, w, b)
        return z, *pull_back(g)

    arrays = [jax.numpy.asarray(array) for array in (x, kernel, bias, upstream)]
    return lambda: jax.block_until_ready(both_ways(*arrays))


def contenders(shape, filters):
    """Return all contenders, checked to give the same."""
    generator = np.random.default_rng(0)
    sizes = (shape, (3, 3, shape[-1], filters), (filters,), (*shape[:-1], filters))
    arrays = [generator.normal(size=size).astype(np.float32) for size in sizes]
    first, first_checked = pytorch(*arrays, torch.contiguous_format)
    last, last_checked = pytorch(*arrays, torch.channels_last)
    found = {
        "minigrad": minigrad(*arrays),
        "PyTorch": first,
        "PyTorch, channels last": last,
        "JAX (jit)": jax_jit(*arrays),
    }
    ours = found["minigrad"]()
    for theirs in (first_checked(), last_checked(), found["JAX (jit)"]()):
        for mine, other in zip(ours, theirs, strict=True):
            size = np.abs(mine).max()
            np.testing.assert_allclose(mine / size, np.asarray(other) / size, atol=1e-5)
    return found


def cases():
    """Return shapes of inputs and numbers of filters by title."""
    return {f"{TITLE}, {shape} → {filters}": (shape, filters) for shape, filters in CASES}


def alone():
    """Return what is timed of minigrad, by title."""
    return {title: contenders(*case)["minigrad"] for title, case in cases().items()}


def measure():
    """Return the rows of all shapes."""
    rows = []
    for title, case in cases().items():
        rows += peer_rows(title, interleaved(contenders(*case), 25, None), TARGETS, "ms")
    return rows, {}
