"""Elementwise calls made block by block leave what they leave when they are made one by one."""

from functools import partial

import numpy as np

from minigrad.engine.blocks import BLOCK, in_blocks

SIZE = 3 * BLOCK + 17


def both_ways(make):
    """Return what calls leave in their arrays, made as they are and in blocks."""
    left = []
    for prepare in (list, in_blocks):
        arrays, calls = make()
        for call in prepare(calls):
            call()
        left.append(arrays)
    return left


def test_calls_on_large_arrays_are_cut_and_others_are_not():
    large, small = np.ones(SIZE, np.float32), np.ones(10, np.float32)
    calls = [partial(np.add, a, a, a) for a in (large, large, small)]
    assert len(in_blocks(calls)) == 4 + 4 + 1
    assert in_blocks(calls[2:]) == calls[2:]


def test_memory_that_holds_numbers_of_another_size_later_on_is_not_overtaken():
    def make():
        x = np.random.default_rng(0).normal(size=SIZE).astype(np.float32)
        memory, product = np.zeros(4 * SIZE, np.uint8), np.empty(SIZE, np.float32)
        mask, floats = memory[:SIZE].view(bool), memory.view(np.float32)
        np.greater(x, 0, mask)
        return [product, floats], [
            partial(np.multiply, x, mask, product),
            partial(np.add, x, x, floats),  # over the mask, which nobody reads any more
        ]

    for one, other in zip(*both_ways(make), strict=True):
        np.testing.assert_array_equal(one, other)


def test_memory_that_is_shifted_is_not_overtaken():
    def make():
        memory = np.arange(2.0 * SIZE, dtype=np.float32)
        target = np.empty(SIZE, np.float32)
        first, second = memory[:SIZE], memory[BLOCK : BLOCK + SIZE]
        return [memory, target], [
            partial(np.multiply, first, first, target),
            partial(np.add, target, target, second),
        ]

    for one, other in zip(*both_ways(make), strict=True):
        np.testing.assert_array_equal(one, other)


def test_memory_that_held_a_single_number_is_not_overtaken():
    def make():
        memory = np.full(SIZE, 3.0, np.float32)
        x = np.random.default_rng(0).normal(size=SIZE).astype(np.float32)
        product, number = np.empty_like(x), memory[:1].reshape(())
        return [product, memory], [
            partial(np.multiply, x, number, product),
            partial(np.square, x, memory),
        ]

    for one, other in zip(*both_ways(make), strict=True):
        np.testing.assert_array_equal(one, other)
