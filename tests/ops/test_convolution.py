"""The fast convolution against its plain form, on every geometry, and its laws."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad import Tensor
from minigrad.ops import convolution_by_blocks as by_blocks
from minigrad.ops import convolution_by_position as by_position
from minigrad.ops import threads
from minigrad.ops.convolution import convolution
from minigrad.ops.geometry import output_sizes

CHANNELS = st.sampled_from([1, 2, 3, 5, 16, 20])


@st.composite
def problems(draw):
    """An input, a kernel, a result's gradient, and the geometry, in 1 to 3 dimensions."""
    rank = draw(st.integers(1, 3))

    def numbers(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(rank))

    window, strides, dilation = numbers(1, 3), numbers(1, 3), numbers(1, 2)
    padding = tuple(zip(numbers(0, 3), numbers(0, 3), strict=True))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    spatial = tuple(
        max(1, far - sum(pair)) + draw(st.integers(0, 4))
        for far, pair in zip(reach, padding, strict=True)
    )
    batch, channels, filters = draw(st.integers(0, 11)), draw(CHANNELS), draw(CHANNELS)
    output = output_sizes(spatial, window, strides, dilation, padding)
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shapes = (batch, *spatial, channels), (*window, channels, filters), (batch, *output, filters)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    arrays = [generator.normal(size=shape).astype(dtype) for shape in shapes]
    for array in arrays:
        array.flags.writeable = False
    return (*arrays, strides, dilation, padding)


def agree(fast, plain):
    assert fast.dtype == plain.dtype
    assert fast.shape == plain.shape
    tolerance = 1e-4 if fast.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(fast, plain, rtol=tolerance, atol=tolerance * 10)


@settings(max_examples=150, deadline=None)
@given(problem=problems(), block=st.sampled_from([1, 500, 5000, 2**20]))
def test_blocks_of_any_size_give_what_the_plain_form_gives(problem, block):
    x, w, g, *geometry = problem
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_blocks, "BLOCK", block)
        patch.setattr(by_blocks, "WORTH_THREADS", 0)
        agree(
            by_blocks.convolution(x, w, None, *geometry),
            by_position.convolution(x, w, None, *geometry, 1),
        )
        agree(
            by_blocks.transposed(g, w, x.shape[1:-1], *geometry),
            by_position.transposed(g, w, x.shape[1:-1], *geometry, 1),
        )
        agree(
            by_blocks.correlation(x, g, w.shape[:-2], *geometry),
            by_position.correlation(x, g, w.shape[:-2], *geometry, 1),
        )


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_gathering_and_scattering_are_two_ways_to_the_same(problem):
    x, w, _, strides, dilation, padding = problem
    bias = np.arange(w.shape[-1], dtype=x.dtype)
    plain = by_position.convolution(x, w, bias, strides, dilation, padding, 1)
    with pytest.MonkeyPatch.context() as patch:
        for ratio in (0, 1000):  # always scatter where that is possible, and never
            patch.setattr(by_blocks, "SCATTER", ratio)
            agree(by_blocks.convolution(x, w, bias, strides, dilation, padding), plain)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_the_three_are_adjoint(problem):
    x, w, g, *geometry = problem
    forward = np.vdot(by_blocks.convolution(x, w, None, *geometry).astype(float), g)
    back = np.vdot(by_blocks.transposed(g, w, x.shape[1:-1], *geometry).astype(float), x)
    kernel = np.vdot(by_blocks.correlation(x, g, w.shape[:-2], *geometry).astype(float), w)
    assert back == pytest.approx(forward, rel=1e-3, abs=1e-2)
    assert kernel == pytest.approx(forward, rel=1e-3, abs=1e-2)


def large(generator, channels=16, filters=32):
    x = generator.normal(size=(20, 17, 19, channels)).astype(np.float32)
    w = generator.normal(size=(3, 3, channels, filters)).astype(np.float32)
    g = generator.normal(size=(20, 17, 19, filters)).astype(np.float32)
    return x, w, g


def all_three(x, w, g):
    ones, around = (1, 1), ((1, 1), (1, 1))
    return [
        by_blocks.convolution(x, w, None, ones, ones, around),
        by_blocks.transposed(g, w, x.shape[1:-1], ones, ones, around),
        by_blocks.correlation(x, g, (3, 3), ones, ones, around),
    ]


@pytest.mark.parametrize(("channels", "filters"), [(1, 16), (16, 32), (32, 1)])
def test_bits_depend_on_no_number_of_threads(monkeypatch, channels, filters):
    monkeypatch.setattr(by_blocks, "WORTH_THREADS", 0)
    arrays = large(np.random.default_rng(0), channels, filters)
    found = []
    for number in (1, 2, 3):
        monkeypatch.setattr(threads.POOL, "threads", number)
        found.append(all_three(*arrays))
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(one, other)


def test_threads_of_the_user_may_convolve_at_once(monkeypatch):
    monkeypatch.setattr(by_blocks, "WORTH_THREADS", 0)
    monkeypatch.setattr(threads.POOL, "threads", 3)
    problems_ = [large(np.random.default_rng(seed)) for seed in range(4)]
    expected = [all_three(*problem) for problem in problems_]
    found = [[] for _ in problems_]

    def run(number):
        for _ in range(5):
            found[number].append(all_three(*problems_[number]))

    users = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    for runs, known in zip(found, expected, strict=True):
        assert len(runs) == 5
        for results in runs:
            for one, other in zip(results, known, strict=True):
                np.testing.assert_array_equal(one, other)


def test_results_share_no_memory_with_each_other_or_with_operands():
    arrays = large(np.random.default_rng(0))
    first, second = all_three(*arrays), all_three(*arrays)
    everything = [*first, *second, *arrays]
    for number, array in enumerate(everything):
        assert not any(np.shares_memory(array, other) for other in everything[:number])


def test_strided_and_broadcast_operands_are_convolved_too():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(6, 8, 3)).transpose(1, 0, 2)[::2]
    w = np.broadcast_to(generator.normal(size=(3, 1, 1)), (3, 3, 4))
    for function in (by_blocks.convolution, by_position.convolution):
        extra = () if function is by_blocks.convolution else (1,)
        z = function(x, w, None, (1,), (1,), ((1, 1),), *extra)
        copied = function(x.copy(), w.copy(), None, (1,), (1,), ((1, 1),), *extra)
        np.testing.assert_allclose(z, copied, rtol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
def test_the_bias_is_added_and_its_gradient_is_the_sum_over_places(groups):
    generator = np.random.default_rng(0)
    x, w = generator.normal(size=(3, 5, 4)), generator.normal(size=(2, 4 // groups, 6))
    b = Tensor(np.arange(6.0), requires_grad=True)
    z = convolution(x, w, groups=groups, bias=b)
    np.testing.assert_allclose(z.data, convolution(x, w, groups=groups) + np.arange(6.0))
    upstream = generator.normal(size=z.shape)
    z.backward(upstream)
    np.testing.assert_allclose(b.grad, upstream.sum(axis=(0, 1)), rtol=1e-12)


def test_a_bias_that_does_not_fit_is_named_with_both_shapes():
    with pytest.raises(
        ValueError, match=r"kernel \(2, 1, 3\) needs a bias of shape \(3,\).*\(2,\)"
    ):
        convolution(np.ones((1, 4, 1)), np.ones((2, 1, 3)), bias=np.ones(2))


def test_an_image_larger_than_a_block_is_cut_into_rows(monkeypatch):
    monkeypatch.setattr(by_blocks, "BLOCK", 2000)
    rows = [rows for _, rows in by_blocks.blocks((0,), 1, 1, (9, 10), row=600)]
    assert len(rows) > 1
    covered = [n for one in rows for n in range(*one.indices(9))]
    assert covered == list(range(9))
