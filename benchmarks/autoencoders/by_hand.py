"""The training step derived by hand in NumPy: the limit for whatever is built on NumPy.

Every array is made once. What autograd has to find out is known here: that a relu's output is its
own absolute value, that its slope is where it is positive, and which buffer is free when.
"""

from itertools import cycle, pairwise
from math import prod, sqrt

import numpy as np

from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE

BLOCK = 16_384  # numbers that are worked through at a time: they stay in the processor's cache
ZERO, HALF, ONE = np.float32([0.0, 0.5, 1.0])


class Adam:
    """Adam over one flat buffer, block by block.

    The averages are kept without their factors 1 − β, which go into the size of the step and
    into ε: two multiplications less for each weight.
    """

    def __init__(self, values, gradients):
        momentum, velocity = np.zeros_like(values), np.zeros_like(values)
        scratch = np.empty(min(BLOCK, values.size), np.float32)
        self.steps = 0
        self.arrays = (momentum, velocity, scratch)
        self.blocks = []
        for start in range(0, values.size, BLOCK):
            stop = min(start + BLOCK, values.size)
            arrays = [array[start:stop] for array in (values, gradients, momentum, velocity)]
            self.blocks.append((*arrays, scratch[: stop - start]))

    def step(self):
        """Change all weights."""
        self.steps += 1
        size = LEARNING_RATE * sqrt(1 - BETA_2**self.steps) / (1 - BETA_1**self.steps)
        size = np.float32(size * (1 - BETA_1) / sqrt(1 - BETA_2))
        epsilon = np.float32(EPSILON / sqrt(1 - BETA_2))
        beta_1, beta_2 = np.float32(BETA_1), np.float32(BETA_2)
        add, multiply = np.add, np.multiply
        for w, g, m, v, scratch in self.blocks:
            multiply(m, beta_1, m)
            add(m, g, m)
            multiply(v, beta_2, v)
            multiply(g, g, scratch)
            add(v, scratch, v)
            np.sqrt(v, scratch)
            add(scratch, epsilon, scratch)
            np.divide(m, scratch, scratch)
            multiply(scratch, size, scratch)
            np.subtract(w, scratch, w)


class Contender:
    """Weights, gradients and one buffer for each intermediate result that has to live."""

    def __init__(self, spec, batches):
        self.spec = spec
        self.batches = cycle([(x, x.T) for x in batches])
        sizes = [prod(shape) for shape in spec.shapes]
        offsets = np.cumsum([0, *sizes]).tolist()
        self.values = np.concatenate([w.ravel() for w in spec.start()])
        self.gradients = np.empty_like(self.values)
        self.parameters, self.slopes = (
            [
                flat[start:stop].reshape(shape)
                for (start, stop), shape in zip(pairwise(offsets), spec.shapes, strict=True)
            ]
            for flat in (self.values, self.gradients)
        )
        self.optimizer = Adam(self.values, self.gradients)
        self.codings = np.empty((spec.batch, spec.codings), np.float32)
        self.outputs = np.empty((spec.batch, spec.width), np.float32)
        self.error = np.empty((spec.batch, spec.width), np.float32)
        self.upstream = np.empty((spec.batch, spec.codings), np.float32)
        self.active = np.empty((spec.batch, spec.codings), bool)
        self.ones = np.ones(spec.batch, np.float32)
        self.zeros = np.zeros(spec.codings, np.float32)
        # Free again when the penalties come; and it holds a kernel, as there are no more codings
        # than samples in a batch.
        self.scratch = self.outputs.reshape(-1)

    def buffers(self):
        """Return how many bytes are held beyond parameters and batch."""
        own = [self.gradients, *self.optimizer.arrays, self.codings, self.outputs, self.error]
        own += [self.upstream, self.active, self.ones, self.zeros]
        return sum(array.nbytes for array in own)

    def step(self):
        """Train on the next batch; return the loss from before it."""
        x, x_transposed = next(self.batches)
        loss = self.forward(x)
        self.backward(x_transposed)
        loss += self.penalties()
        self.optimizer.step()
        return loss

    def forward(self, x):
        """Compute codings, outputs and errors; return the mean squared error."""
        kernel, bias, decoder, offset = self.parameters
        codings, outputs, error = self.codings, self.outputs, self.error
        np.dot(x, kernel, codings)  # (B, D) · (D, H) → (B, H)
        np.add(codings, bias, codings)
        np.maximum(codings, self.zeros, out=codings)
        np.dot(codings, decoder, outputs)  # (B, H) · (H, D) → (B, D)
        np.add(outputs, offset, outputs)
        if self.spec.output == "sigmoid":  # σ(z) = (1 + tanh(z / 2)) / 2
            np.multiply(outputs, HALF, outputs)
            np.tanh(outputs, outputs)
            np.multiply(outputs, HALF, outputs)
            np.add(outputs, HALF, outputs)
        np.subtract(outputs, x, error)
        return float(np.vdot(error, error)) / error.size

    def backward(self, x_transposed):
        """Compute the gradients of the mean squared error and of the activity penalty."""
        spec, error, outputs, upstream = self.spec, self.error, self.outputs, self.upstream
        kernel_slope, bias_slope, decoder_slope, offset_slope = self.slopes
        np.multiply(error, np.float32(2 / error.size), error)
        if spec.output == "sigmoid":  # σ′ = σ (1 − σ)
            np.multiply(error, outputs, error)
            np.subtract(ONE, outputs, outputs)
            np.multiply(error, outputs, error)
        np.dot(self.codings.T, error, decoder_slope)  # (H, B) · (B, D) → (H, D)
        np.dot(self.ones, error, offset_slope)
        np.dot(error, self.parameters[2].T, upstream)  # (B, D) · (D, H) → (B, H)
        if spec.activity_l1:  # sign(relu) = 1 wherever the mask lets it through
            np.add(upstream, np.float32(spec.activity_l1 / spec.batch), upstream)
        np.greater(self.codings, ZERO, self.active)
        np.multiply(upstream, self.active, upstream)
        np.dot(x_transposed, upstream, kernel_slope)  # (D, B) · (B, H) → (D, H)
        np.dot(self.ones, upstream, bias_slope)

    def penalties(self):
        """Add the gradients of the penalties; return what they cost."""
        spec = self.spec
        kernel, bias, decoder, _ = self.parameters
        kernel_slope, bias_slope, decoder_slope, _ = self.slopes
        cost = 0.0
        if spec.activity_l1:
            cost += spec.activity_l1 / spec.batch * float(np.add.reduce(self.codings, None))
        if spec.kernel_l1:
            room = self.scratch[: kernel.size].reshape(kernel.shape)
            np.abs(kernel, room)
            cost += spec.kernel_l1 * float(np.add.reduce(room, None))
            np.copysign(np.float32(spec.kernel_l1), kernel, room)
            np.add(kernel_slope, room, kernel_slope)
        for strength, weights, slope in (
            (spec.kernel_l2, kernel, kernel_slope),
            (spec.bias_l2, bias, bias_slope),
            (spec.decoder_l2, decoder, decoder_slope),
        ):
            if strength:
                cost += strength * float(np.vdot(weights, weights))
                room = self.scratch[: weights.size].reshape(weights.shape)
                np.multiply(weights, np.float32(2 * strength), room)
                np.add(slope, room, slope)
        return cost

    def weights(self):
        """Return all weights as arrays."""
        return [weights.copy() for weights in self.parameters]
