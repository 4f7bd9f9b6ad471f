"""Pooling and upsampling against loops over every window, and the laws of their adjoint pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor
from minigrad.ops import pooling
from minigrad.ops.geometry import output_sizes


@st.composite
def problems(draw):
    """An input, a result's gradient, and a geometry with padding, in 1 to 3 dimensions."""
    rank = draw(st.integers(1, 3))

    def numbers(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    window, strides = numbers(1, 3), numbers(1, 4)
    padding = tuple((draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))) for k in window)
    spatial = tuple(k + n for k, n in zip(window, numbers(0, 4), strict=True))
    output = output_sizes(spatial, window, strides, (1,) * rank, padding)
    batch, channels = draw(st.integers(0, 5)), draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = generator.integers(-2, 3, (batch, *spatial, channels)).astype(np.float32)  # many ties
    g = generator.normal(size=(batch, *output, channels)).astype(np.float32)
    x.flags.writeable = g.flags.writeable = False
    return x, g, {"window": window, "strides": strides, "padding": padding}


def each_window(x, output, window, strides, padding):
    """Yield each place of the result, and the indices of what its window meets."""
    for place in np.ndindex(output):
        met = []
        for offset in np.ndindex(window):
            at = tuple(
                p * s + k - before
                for p, s, k, (before, _) in zip(place, strides, offset, padding, strict=True)
            )
            if all(0 <= i < n for i, n in zip(at, x.shape[1:-1], strict=True)):
                met.append(at)
        yield place, met


@settings(max_examples=100, deadline=None)
@given(problem=problems(), few=st.sampled_from([1, 50, 2**16]))
def test_the_largest_and_its_gradient_are_those_of_every_window(problem, few):
    x, g, geometry = problem
    z, slope = np.zeros(g.shape), np.zeros(x.shape)
    for place, met in each_window(x, g.shape[1:-1], **geometry):
        values = np.array([x[(slice(None), *at)] for at in met])
        z[(slice(None), *place)] = values.max(axis=0)
        chosen = values == values.max(axis=0)
        share = g[(slice(None), *place)] / chosen.sum(axis=0)
        for at, where in zip(met, chosen, strict=True):
            slope[(slice(None), *at)] += where * share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pooling, "TOGETHER", few)
        patch.setattr(pooling, "WORTH_THREADS", 0)
        tensor = Tensor(x, requires_grad=True)
        result = pooling.max_pool_(tensor, **geometry)
        result.backward(g)
    np.testing.assert_array_equal(result.data, z)
    np.testing.assert_allclose(tensor.grad, slope, rtol=1e-5, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_sums_are_those_of_every_window_and_spreading_is_the_adjoint(problem):
    x, g, geometry = problem
    z = np.zeros(g.shape)
    for place, met in each_window(x, g.shape[1:-1], **geometry):
        z[(slice(None), *place)] = sum(x[(slice(None), *at)] for at in met)
    sums = pooling.window_sum_(x, **geometry)
    np.testing.assert_allclose(sums, z, rtol=1e-6)
    spread = pooling.window_spread_(g, spatial=x.shape[1:-1], **geometry)
    assert np.vdot(spread, x) == pytest.approx(np.vdot(g, sums), rel=1e-3, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_picking_the_largest_is_the_adjoint_of_putting_it_back(problem):
    x, g, geometry = problem
    h = np.random.default_rng(0).normal(size=x.shape)
    z = pooling.max_pool_(x, **geometry)
    picked, put = pooling.pick_largest_(h, x, z, **geometry), pooling.unpick_(g, x, z, **geometry)
    assert np.vdot(picked, g) == pytest.approx(np.vdot(h, put), rel=1e-4, abs=1e-4)


def test_a_window_with_nan_is_nan_and_hands_no_gradient_on():
    x = Tensor([[[np.nan], [1.0], [2.0], [3.0]]], requires_grad=True)
    z = pooling.max_pool(x, 2)
    z.backward(np.ones((1, 2, 1)))
    np.testing.assert_array_equal(z.data.ravel(), [np.nan, 3.0])
    np.testing.assert_array_equal(x.grad.ravel(), [0.0, 0.0, 0.0, 1.0])


def test_an_infinite_gradient_goes_to_the_largest_alone():
    x = Tensor([[[1.0], [2.0]]], requires_grad=True)
    pooling.max_pool(x, 2).backward(np.full((1, 1, 1), np.inf))
    np.testing.assert_array_equal(x.grad.ravel(), [0.0, np.inf])
