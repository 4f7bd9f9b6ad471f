"""How time and memory grow with the length of the tape, in processes of their own.

The peers' own objects would slow Python's garbage collector down, and so the tape beside them.
"""

import gc
import tracemalloc
from functools import partial

import numpy as np

import minigrad as mg
from benchmarks.processes import in_a_fresh_process
from benchmarks.rows import limit_row, row
from benchmarks.timing import interleaved

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
TITLE = "chain of 1,000,000 scalar ops"
START, A, B = 1.5, 0.9999, 0.001
ROUNDS = 11


def chain(ops):
    """Return the start and the end of a chain of scalar ops, as in `scalar_chain`."""
    x, a, b = mg.Tensor(START, requires_grad=True), mg.Tensor(A), mg.Tensor(B)
    y = x
    for _ in range(ops // 2):
        y = y * a
        y = y + b
    return x, y


def both_ways(ops):
    """Run the chain forward and backward; return its value and gradient."""
    x, y = chain(ops)
    y.backward()
    return y.item(), x.grad.item()


def check():
    """Hold each chain against the same float32 arithmetic in plain NumPy: bit for bit."""
    for ops in LENGTHS:
        value, gradient, a, b = np.float32([START, 1.0, A, B])
        for _ in range(ops // 2):
            value = value * a + b
            gradient = gradient * a
        np.testing.assert_array_equal(both_ways(ops), (value, gradient), err_msg=f"{ops} ops")


def times():
    """Return each length with the time of an op."""
    medians = interleaved({ops: partial(both_ways, ops) for ops in LENGTHS}, ROUNDS)
    return [(ops, seconds / ops) for ops, seconds in medians.items()]


def memory():
    """Return each length with bytes per op, what is left once the tape is dropped, and cycles.

    It is dropped without `backward`, the harder case: nothing has been released yet.
    """
    rows = []
    for ops in LENGTHS[1:]:
        gc.collect()
        gc.disable()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        loss = chain(ops)
        alive = tracemalloc.get_traced_memory()[0] - before
        del loss
        cycles = gc.collect()  # also empties the interpreter's own stores of freed tuples
        left = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        gc.enable()
        rows.append((ops, alive / ops, left, cycles))
    return rows


def resident(ops):
    """Return the megabytes by which the process grows with the tape, and what stays of them."""
    import psutil

    process = psutil.Process()
    both_ways(10)
    before = process.memory_info().rss
    loss = chain(ops)
    alive = process.memory_info().rss - before
    del loss
    return alive / 1e6, (process.memory_info().rss - before) / 1e6


def measure():
    """Return the rows on growth, and time and memory per op by length."""
    check()
    times = in_a_fresh_process("workloads.growth", "times()")
    memory = in_a_fresh_process("workloads.growth", "memory()")
    grown, stayed = in_a_fresh_process("workloads.growth", "resident(1_000_000)")
    (_, short), (_, long) = times[1], times[-1]
    small, large = memory[0][1], memory[-1][1]
    left = max(left for _, _, left, _ in memory)
    cycles = max(cycles for *_, cycles in memory)
    rows = [
        row(
            TITLE,
            f"{long * 1e6:.2f} µs per op",
            f"10,000: {short * 1e6:.2f} µs per op",
            long / short,
            1.3,
        ),
        row(
            f"{TITLE}: its tape",
            f"{large:.0f} bytes per op",
            f"10,000: {small:.0f} bytes per op",
            large / small,
            1.1,
        ),
        limit_row(f"{TITLE}: left after the drop", left, "bytes", f"{large:.0f} MB", 10_000),
        limit_row(f"{TITLE}: cycles in the tape", cycles, "objects", "–", 0),
        row(
            f"{TITLE}: process after the drop",
            f"{stayed:.0f} MB more than at first",
            f"tape alive: {grown:.0f} MB more",
            stayed / grown,
        ),
    ]
    return rows, {"times": times, "memory": [(ops, size) for ops, size, *_ in memory]}
