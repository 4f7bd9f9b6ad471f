"""BLAS computes on the thread that asks while threads of ours share work, and only then."""

import os
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from minigrad.ops import threads
from minigrad.ops.blas import ALONE


def limits():
    """Return how many threads each BLAS may use now."""
    return [library.get_num_threads() for library in ALONE._libraries]


@pytest.fixture(autouse=True)
def two_threads():
    if not ALONE.limit:
        pytest.skip("the BLAS of this NumPy cannot be told how many threads to use")
    before = limits()
    ALONE._set([2] * len(before))
    yield
    ALONE._set(before)


def test_a_block_limits_blas_and_lifts_the_limit_again():
    with ALONE:
        assert set(limits()) == {1}
        with ALONE:
            assert set(limits()) == {1}
        assert set(limits()) == {1}
        assert ALONE.limit == 2
    assert set(limits()) == {2}


def test_an_error_lifts_the_limit():
    with pytest.raises(ValueError, match="inside"), ALONE:
        raise ValueError("inside")
    assert set(limits()) == {2}


def test_any_thread_may_begin_and_another_one_end_last():
    entered, leave = threading.Event(), threading.Event()

    def other():
        with ALONE:
            entered.set()
            leave.wait(20)

    for _ in range(3):
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(20)
        with ALONE:
            leave.set()
            thread.join()
            assert set(limits()) == {1}
        assert set(limits()) == {2}
        entered.clear()
        leave.clear()


def test_who_limits_blas_while_the_program_runs_limits_our_threads(monkeypatch):
    monkeypatch.setattr(threads.POOL, "threads", 4)
    assert threads.number_of_threads() == 2
    with threadpool_limits(1):
        assert threads.number_of_threads() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_forked_inside_of_a_block_is_outside_of_it():
    with ALONE:
        child = os.fork()
        if not child:
            os._exit(0 if set(limits()) == {2} and ALONE._inside == 0 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_products_are_the_same_inside_and_outside():
    x, w = np.random.default_rng(0).normal(size=(2, 300, 300))
    outside = x @ w
    with ALONE:
        np.testing.assert_allclose(x @ w, outside, rtol=1e-10, atol=1e-10)
