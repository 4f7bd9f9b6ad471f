"""Which autoencoder is trained, on what, and from which weights: the same for everyone."""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 1e-3
BETA_1, BETA_2 = 0.9, 0.999
# Frameworks add ε before or after the bias correction. So small a one is the same in both.
EPSILON = 1e-12


@dataclass(frozen=True)
class Specification:
    """An autoencoder of two dense layers, ``width`` → ``codings`` (relu) → ``width``.

    The loss is the mean squared error plus penalties: ``kernel_l1``, ``kernel_l2``, ``bias_l2``
    and ``activity_l1`` (of which the mean over the batch is taken) on the codings, and
    ``decoder_l2`` on the kernel of the decoder.
    """

    width: int
    codings: int
    batch: int
    output: str = "sigmoid"
    kernel_l1: float = 0.0
    kernel_l2: float = 0.0
    bias_l2: float = 0.0
    activity_l1: float = 0.0
    decoder_l2: float = 0.0

    @property
    def shapes(self):
        """The shapes of both kernels and biases, from the input to the output."""
        return (
            (self.width, self.codings),
            (self.codings,),
            (self.codings, self.width),
            (self.width,),
        )

    def start(self):
        """Return the weights to begin with."""
        generator = np.random.default_rng(1)
        limit = (6 / (self.width + self.codings)) ** 0.5
        return [
            generator.uniform(-limit, limit, shape).astype(np.float32)
            if len(shape) == 2
            else generator.uniform(-0.1, 0.1, shape).astype(np.float32)
            for shape in self.shapes
        ]

    def batches_of(self, samples):
        """Cut samples into whole batches, each an array of its own."""
        cuts = range(0, len(samples) - self.batch + 1, self.batch)
        return [np.ascontiguousarray(samples[cut : cut + self.batch]) for cut in cuts]
