"""The training step in minigrad: `train_on_batch`, which is the step of `fit`."""

from itertools import cycle

import minigrad as mg
from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from minigrad import layers, optimizers, regularizers


def penalty(l1, l2):
    """Return the regularizer of these strengths; None if both are 0."""
    if l1 and l2:
        return regularizers.L1L2(l1, l2)
    if l1:
        return regularizers.L1(l1)
    return regularizers.L2(l2) if l2 else None


def model_of(spec):
    """Return the compiled model, with the weights that everyone begins with."""
    model = mg.Sequential(
        layers.Dense(
            spec.codings,
            "relu",
            kernel_regularizer=penalty(spec.kernel_l1, spec.kernel_l2),
            bias_regularizer=penalty(0, spec.bias_l2),
            activity_regularizer=penalty(spec.activity_l1, 0),
            input_dim=spec.width,
            name="codings",
        ),
        layers.Dense(
            spec.width,
            spec.output,
            kernel_regularizer=penalty(0, spec.decoder_l2),
            name="outputs",
        ),
    )
    model.build((None, spec.width))
    for parameter, values in zip(model.parameters(), spec.start(), strict=True):
        parameter.assign(values)
    model.compile(optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON), "mse")
    return model


class Contender:
    """A model and its batches."""

    def __init__(self, spec, batches):
        self.model = model_of(spec)
        self.batches = cycle(batches)

    def step(self):
        """Train on the next batch; return the loss from before it."""
        batch = next(self.batches)
        return self.model.train_on_batch(batch, batch)

    def weights(self):
        """Return all weights as arrays."""
        return [parameter.numpy() for parameter in self.model.parameters()]
