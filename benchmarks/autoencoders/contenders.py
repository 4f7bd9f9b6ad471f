"""All contenders of a training step, and whether they compute the same."""

import numpy as np

from benchmarks.autoencoders import by_hand, by_jax, by_minigrad, by_pytorch
from benchmarks.autoencoders.specification import LEARNING_RATE

STEPS = 10


def contenders(spec, samples):
    """Return a contender for each framework, all with the same weights and batches."""
    batches = spec.batches_of(samples)
    return {
        "minigrad": by_minigrad.Contender(spec, batches),
        "PyTorch": by_pytorch.Contender(spec, batches),
        "PyTorch, fused Adam": by_pytorch.Contender(spec, batches, fused=True),
        "Hand": by_hand.Contender(spec, batches),
        "JAX (jit)": by_jax.Contender(spec, batches),
    }


def check(contenders):
    """Hold the losses of ten steps, and the weights after them, against each other.

    Where a gradient is all but 0, its sign is rounding, and Adam makes a whole step of it: so
    weights may differ in a few places, but not on the average.
    """
    ours = contenders["minigrad"]
    losses = [ours.step() for _ in range(STEPS)]
    weights = ours.weights()
    for peer, contender in contenders.items():
        if contender is ours:
            continue
        theirs = [contender.step() for _ in range(STEPS)]
        np.testing.assert_allclose(theirs, losses, rtol=1e-4, err_msg=peer)
        for mine, other in zip(weights, contender.weights(), strict=True):
            assert mine.dtype == np.asarray(other).dtype == np.float32, peer
            apart = np.abs(mine - other).mean()
            assert apart < 0.01 * LEARNING_RATE * STEPS, (peer, mine.shape, apart)
