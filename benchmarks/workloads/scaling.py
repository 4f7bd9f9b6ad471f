"""How a training step grows with the batch, the depth and the width of a dense network.

Where the arithmetic outweighs the calls, time is to grow as the arithmetic does: with the batch,
with the number of layers, and with the square of the width.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import linear, mse_loss

import minigrad as mg
from benchmarks.rows import row
from benchmarks.timing import interleaved
from minigrad import layers, optimizers

TITLE = "growth of a training step"
TARGET = 1.3
LEARNING_RATE = 1e-8  # a thousand layers would explode with the usual one


@dataclass(frozen=True)
class Point:
    """A network of equally wide dense layers with relu, and a batch."""

    batch: int = 128
    depth: int = 2
    width: int = 64

    @property
    def products(self):
        """Multiplications that a forward pass needs, and backward each of its two products."""
        return self.batch * self.depth * self.width**2

    def start(self):
        """Return kernels and biases: almost the identity, so that nothing vanishes on the way."""
        generator = np.random.default_rng(1)
        for _ in range(self.depth):
            noise = generator.normal(0, 1e-4 / self.width, (self.width, self.width))
            yield (np.eye(self.width) + noise).astype(np.float32)
            yield np.zeros(self.width, np.float32)


SWEEPS = {
    "batch size": [Point(batch=2**power) for power in range(13)],
    "depth": [Point(depth=depth) for depth in (1, 3, 10, 30, 100, 300, 1000)],
    "width": [Point(width=2**power) for power in range(4, 12)],
}
# From which point on the arithmetic outweighs the calls.
LINEAR_FROM = {"batch size": 1024, "depth": 100, "width": 512}


def minigrad(point, x):
    """Return a training step, as a function to the loss."""
    model = mg.Sequential(
        *(layers.Dense(point.width, "relu", input_dim=point.width) for _ in range(point.depth))
    )
    for parameter, values in zip(model.parameters(), point.start(), strict=True):
        parameter.assign(values)
    model.compile(optimizers.Adam(LEARNING_RATE), "mse")
    return lambda: model.train_on_batch(x, x)


def pytorch(point, x):
    """Return the same."""
    parameters = [torch.tensor(w.T.copy()).requires_grad_() for w in point.start()]
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE)
    inputs = torch.from_numpy(x)

    def step():
        optimizer.zero_grad()
        outputs = inputs
        for kernel, bias in zip(parameters[::2], parameters[1::2], strict=True):
            outputs = torch.relu(linear(outputs, kernel, bias))
        loss = mse_loss(outputs, inputs)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def times(point):
    """Return the seconds of a training step in both."""
    x = np.random.default_rng(0).random((point.batch, point.width), np.float32)
    contenders = {"minigrad": minigrad(point, x), "PyTorch": pytorch(point, x)}
    losses = [function() for function in contenders.values()]
    np.testing.assert_allclose(*losses, rtol=1e-2, atol=1e-9)
    return interleaved(contenders, 7, None)


def measure():
    """Return a row for each sweep, and the curves: size, seconds a sample of both, arithmetic."""
    rows, curves = [], {}
    for name, points in SWEEPS.items():
        sizes = [getattr(point, name.split()[0]) for point in points]
        seconds = [times(point) for point in points]
        curves[name] = [
            (size, *(each / point.batch for each in both.values()), point.products / point.batch)
            for size, point, both in zip(sizes, points, seconds, strict=True)
        ]
        start = sizes.index(LINEAR_FROM[name])
        first, last = (seconds[at]["minigrad"] / points[at].products for at in (start, -1))
        rows.append(
            row(
                f"{TITLE}: {name} {sizes[-1]:,}",
                f"{last * 1e9:.3g} ns per product",
                f"{sizes[start]:,}: {first * 1e9:.3g} ns per product",
                last / first,
                TARGET,
            )
        )
    return rows, curves
