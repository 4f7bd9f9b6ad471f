"""The training step in JAX, compiled as a whole, its buffers handed on from step to step."""

from functools import partial
from itertools import cycle

import jax
import jax.numpy as jnp

from benchmarks.autoencoders.specification import BETA_1, BETA_2, EPSILON, LEARNING_RATE


def loss_of(parameters, x, spec):
    """Return the loss."""
    kernel, bias, decoder, offset = parameters
    codings = jax.nn.relu(x @ kernel + bias)
    outputs = codings @ decoder + offset
    if spec.output == "sigmoid":
        outputs = jax.nn.sigmoid(outputs)
    return (
        jnp.mean((outputs - x) ** 2)
        + spec.kernel_l1 * jnp.abs(kernel).sum()
        + spec.kernel_l2 * jnp.square(kernel).sum()
        + spec.bias_l2 * jnp.square(bias).sum()
        + spec.activity_l1 / len(x) * jnp.abs(codings).sum()
        + spec.decoder_l2 * jnp.square(decoder).sum()
    )


def train(state, x, spec):
    """Return the state after a step of Adam, and the loss from before it."""
    parameters, momenta, velocities, steps = state
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x, spec)
    steps = steps + 1
    size = LEARNING_RATE * jnp.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)
    momenta = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(momenta, gradients, strict=True)]
    velocities = [
        BETA_2 * v + (1 - BETA_2) * g * g for v, g in zip(velocities, gradients, strict=True)
    ]
    parameters = [
        w - size * m / (jnp.sqrt(v) + EPSILON)
        for w, m, v in zip(parameters, momenta, velocities, strict=True)
    ]
    return (parameters, momenta, velocities, steps), loss


class Contender:
    """The state and a compiled step."""

    def __init__(self, spec, batches):
        self.batches = cycle([jnp.asarray(batch) for batch in batches])
        parameters = [jnp.array(w) for w in spec.start()]
        zeros = [[jnp.zeros_like(w) for w in parameters] for _ in range(2)]
        self.state = (parameters, *zeros, jnp.zeros((), jnp.float32))
        self.train = jax.jit(partial(train, spec=spec), donate_argnums=0)

    def step(self):
        """Train on the next batch; return the loss from before it."""
        self.state, loss = self.train(self.state, next(self.batches))
        return float(loss)

    def weights(self):
        """Return all weights as arrays; copies, since the next step takes the buffers over."""
        return [jnp.array(parameter, copy=True) for parameter in self.state[0]]
