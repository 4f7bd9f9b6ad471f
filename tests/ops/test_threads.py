import os
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest

from minigrad.ops import threads
from minigrad.ops.threads import shared


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_each_number_is_done_once(monkeypatch, number, count):
    monkeypatch.setattr(threads.POOL, "threads", number)
    done = []
    shared(lambda numbers: done.extend(numbers), count)
    assert sorted(done) == list(range(count))


def test_others_take_part_and_live_on(monkeypatch):
    monkeypatch.setattr(threads.POOL, "threads", 2)
    met, names = threading.Barrier(2, timeout=20), set()

    def work(numbers):
        assert list(numbers)
        met.wait()  # which only two threads at once get past
        names.add(threading.current_thread().name)

    for _ in range(3):
        shared(work, 2)
    assert len(names) > 1
    assert "MainThread" in names
    assert len([t for t in threading.enumerate() if t.name.startswith("minigrad")]) <= 8


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_of_any_thread_arrives_after_all_have_ended(monkeypatch, bad):
    monkeypatch.setattr(threads.POOL, "threads", 2)
    ended = []

    def work(numbers):
        for number in numbers:
            if number == bad:
                raise ValueError(f"number {number}")
            ended.append(number)

    with pytest.raises(ValueError, match=f"number {bad}"):
        shared(work, 2)
    assert ended == [1 - bad]


def test_the_context_of_the_caller_holds_in_all_threads(monkeypatch):
    monkeypatch.setattr(threads.POOL, "threads", 2)
    seen = []
    with np.errstate(over="raise", under="ignore"):
        shared(lambda numbers: seen.append((np.geterr()["over"], *numbers)), 2)
    assert sorted(seen) == [("raise", 0), ("raise", 1)]


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")]
)
def test_who_limits_blas_limits_these_threads(name, value):
    code = "from minigrad.ops import threads; print(threads.POOL.threads)"
    environment = {**os.environ, name: value}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_threads_of_its_own():
    code = """
import os, warnings
warnings.simplefilter("ignore")
from minigrad.ops import threads
threads.POOL.threads = 2
def run():
    done = []
    threads.shared(lambda numbers: done.extend(numbers), 4)
    return sorted(done) == [0, 1, 2, 3]
assert run()
child = os.fork()
if not child:
    threads.POOL.threads = 2
    os._exit(0 if run() else 1)
print(os.waitpid(child, 0)[1])
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "0"


def test_a_loop_within_a_shared_loop_is_not_shared_again(monkeypatch):
    monkeypatch.setattr(threads.POOL, "threads", 2)
    monkeypatch.setattr(threads, "number_of_threads", lambda: 2)
    done = []

    def note(inner, number, name):
        assert threading.current_thread().name == name
        done.extend((number, i) for i in inner)

    def outer(numbers):
        for number in numbers:
            name = threading.current_thread().name
            shared(partial(note, number=number, name=name), 3)

    shared(outer, 4)
    assert sorted(done) == [(n, i) for n in range(4) for i in range(3)]


def refusing(monkeypatch, number):
    """Let the system refuse to start threads beyond a number; return a pool that meets this."""
    started, usual = [], threading.Thread.start

    def start(thread):
        if thread.name.startswith("minigrad"):
            if len(started) >= number:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        usual(thread)

    pool = threads._Pool()
    pool.threads = 4
    monkeypatch.setattr(threads, "POOL", pool)
    monkeypatch.setattr(threads, "number_of_threads", lambda: 4)
    monkeypatch.setattr(threading.Thread, "start", start)
    return pool


@pytest.mark.parametrize("number", [0, 1, 2])
def test_parts_are_done_once_where_the_system_starts_no_more_threads(monkeypatch, number):
    pool = refusing(monkeypatch, number)
    sums = [0] * 8

    def work(numbers):
        for n in numbers:
            sums[n] += 1

    shared(work, 8)
    assert sums == [1] * 8
    monkeypatch.undo()
    pool.submit(int).result()  # what was queued is over now
    pool.executor.shutdown()
    assert sums == [1] * 8


def test_nobody_waits_for_threads_that_are_busy_elsewhere(monkeypatch):
    pool = threads._Pool()
    pool.threads = 2
    monkeypatch.setattr(threads, "POOL", pool)
    monkeypatch.setattr(threads, "number_of_threads", lambda: 2)
    leave = threading.Event()
    pool.submit(leave.wait, 20)
    done = []
    shared(lambda numbers: done.extend(numbers), 5)
    assert sorted(done) == list(range(5))
    assert not leave.is_set()
    leave.set()
    pool.executor.shutdown()
