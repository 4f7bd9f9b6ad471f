"""A training step of a sparse convolutional autoencoder on images of 28×28, batch 64."""

from itertools import cycle

import numpy as np
import torch
from torch.nn import functional

import minigrad as mg
from benchmarks.autoencoders.contenders import check
from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE
from benchmarks.rows import peer_rows
from benchmarks.timing import interleaved
from minigrad import layers, optimizers, regularizers

TITLE = "training step, convolutional autoencoder, 28×28, batch 64"
TARGETS = {"PyTorch": 1.2}
ACTIVITY_L1, KERNEL_L2 = 1e-5, 1e-4
SHAPES = ((3, 3, 1, 16), (16,), (3, 3, 16, 32), (32,), (3, 3, 32, 1), (1,))


def start():
    """Return the weights to begin with."""
    generator = np.random.default_rng(1)
    return [generator.normal(0, 0.1, shape).astype(np.float32) for shape in SHAPES]


class Minigrad:
    """Convolution, pooling, codings; upsampling, convolution."""

    def __init__(self, batches):
        self.model = mg.Sequential(
            layers.Conv2D(16, 3, padding="same", activation="relu", input_shape=(28, 28, 1)),
            layers.MaxPooling2D(2),
            layers.Conv2D(
                32,
                3,
                padding="same",
                activation="relu",
                kernel_regularizer=regularizers.L2(KERNEL_L2),
                activity_regularizer=regularizers.L1(ACTIVITY_L1),
                name="codings",
            ),
            layers.UpSampling2D(2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        )
        self.model.build((None, 28, 28, 1))
        for parameter, values in zip(self.model.parameters(), start(), strict=True):
            parameter.assign(values)
        self.model.compile(optimizers.Adam(LEARNING_RATE, BETA_1, BETA_2, EPSILON), "mse")
        self.batches = cycle(batches)

    def step(self):
        """Train on the next batch; return the loss from before it."""
        batch = next(self.batches)
        return self.model.train_on_batch(batch, batch)

    def weights(self):
        """Return all weights as arrays."""
        return [parameter.numpy() for parameter in self.model.parameters()]


class PyTorch:
    """The same in eager PyTorch, channels in front."""

    def __init__(self, batches):
        self.batches = cycle([torch.from_numpy(x.transpose(0, 3, 1, 2).copy()) for x in batches])
        self.parameters = [
            torch.from_numpy(w.transpose(3, 2, 0, 1).copy() if w.ndim == 4 else w).requires_grad_()
            for w in start()
        ]
        betas = (BETA_1, BETA_2)
        self.optimizer = torch.optim.Adam(self.parameters, LEARNING_RATE, betas, EPSILON)

    def step(self):
        """Train on the next batch; return the loss from before it."""
        self.optimizer.zero_grad()
        x = next(self.batches)
        kernel, bias, coding, coding_bias, decoder, offset = self.parameters
        hidden = torch.relu(functional.conv2d(x, kernel, bias, padding="same"))
        hidden = functional.max_pool2d(hidden, 2)
        codings = torch.relu(functional.conv2d(hidden, coding, coding_bias, padding="same"))
        drawn_out = functional.interpolate(codings, scale_factor=2, mode="nearest")
        outputs = torch.sigmoid(functional.conv2d(drawn_out, decoder, offset, padding="same"))
        loss = functional.mse_loss(outputs, x)
        loss = loss + KERNEL_L2 * coding.square().sum()
        loss = loss + ACTIVITY_L1 / len(x) * codings.abs().sum()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def weights(self):
        """Return all weights as arrays, as minigrad has them."""
        arrays = [parameter.detach().numpy() for parameter in self.parameters]
        return [w.transpose(2, 3, 1, 0) if w.ndim == 4 else w for w in arrays]


def contenders():
    """Return both."""
    samples = np.random.default_rng(0).random((256, 28, 28, 1), np.float32)
    batches = [samples[cut : cut + 64] for cut in range(0, 256, 64)]
    return {"minigrad": Minigrad(batches), "PyTorch": PyTorch(batches)}


def alone():
    """Return what is timed of minigrad, by title."""
    return {TITLE: contenders()["minigrad"].step}


def measure():
    """Return the row."""
    found = contenders()
    check(found)
    seconds = interleaved({name: each.step for name, each in found.items()}, 31, None)
    return peer_rows(TITLE, seconds, TARGETS, "ms"), {}
