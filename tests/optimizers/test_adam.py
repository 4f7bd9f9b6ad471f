"""Adam keeps its averages without their factors; nobody needs to notice."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.optimizers import Adam

RATE, EPSILON = 0.05, 1e-7


def as_the_paper_writes(w, gradients, betas, amsgrad=False):
    """Return the values after each step, for the β₁ and β₂ of each step."""
    m = v = largest = 0.0
    values = []
    for t, (g, (beta_1, beta_2)) in enumerate(zip(gradients, betas, strict=True), 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        largest = np.maximum(largest, v) if amsgrad else v
        size = RATE * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w = w - size * m / (np.sqrt(largest) + EPSILON)
        values.append(w)
    return values


def steps(optimizer, weight, gradients, betas):
    """Take a step with each gradient; return the values after each."""
    values = []
    for g, (optimizer.beta_1, optimizer.beta_2) in zip(gradients, betas, strict=True):
        weight.grad = g.astype(weight.dtype)
        optimizer.step()
        values.append(weight.numpy())
    return values


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-6)])
@pytest.mark.parametrize("changes", [False, True])
def test_the_values_are_those_of_the_paper_even_if_betas_change(dtype, tolerance, amsgrad, changes):
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=7), rng.normal(size=(60, 7))
    betas = [(0.9, 0.999)] * 30 + [(0.5, 0.9) if changes else (0.9, 0.999)] * 30
    weight = mg.layers.Parameter(start.astype(dtype))
    optimizer = Adam(RATE, parameters=[weight], epsilon=EPSILON, amsgrad=amsgrad)
    found = steps(optimizer, weight, gradients, betas)
    expected = as_the_paper_writes(start, gradients, betas, amsgrad)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * 60)


def test_a_state_goes_on_in_an_optimizer_with_other_betas():
    rng = np.random.default_rng(0)
    start, gradients = rng.normal(size=7), rng.normal(size=(20, 7))
    betas = [(0.9, 0.999)] * 10 + [(0.5, 0.9)] * 10
    weight = mg.layers.Parameter(start)
    first = Adam(RATE, parameters=[weight])
    steps(first, weight, gradients[:10], betas[:10])
    second = Adam(RATE, 0.5, 0.9, parameters=[weight])
    second.load_state_arrays(first.state_arrays())
    found = steps(second, weight, gradients[10:], betas[10:])
    expected = as_the_paper_writes(start, gradients, betas)[10:]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_beta_that_rounds_to_one_still_works():
    weight = mg.layers.Parameter(np.ones(3, np.float32))
    optimizer = Adam(0.01, beta_2=1 - 1e-8, parameters=[weight])
    for _ in range(3):
        weight.grad = np.ones(3, np.float32)
        optimizer.step()
    np.testing.assert_allclose(weight.numpy(), 0.97, atol=1e-4)
