"""How time and memory grow with the length of the tape."""

import gc
import time
import tracemalloc

import minigrad as mg

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)


def chain(ops):
    """Return the end of a chain of scalar ops."""
    y = mg.Tensor(1.0, requires_grad=True)
    for _ in range(ops // 2):
        y = y * 1.0
        y = y + 0.0
    return y


def seconds_per_op(ops, rounds):
    """Return the median time of an op, forward and backward."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        chain(ops).backward()
        times.append((time.perf_counter() - start) / ops)
    return sorted(times)[len(times) // 2]


def times(lengths=LENGTHS):
    """Return the time of an op for each length."""
    return {ops: seconds_per_op(ops, max(3, min(25, 500_000 // ops))) for ops in lengths}


def memory(lengths=LENGTHS[1:]):
    """Return bytes per op while the tape is alive, and what is left once the loss is dropped."""
    chain(lengths[0])  # fills the interpreter's own stores of freed tuples and numbers
    rows = {}
    for ops in lengths:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        loss = chain(ops)
        alive = tracemalloc.get_traced_memory()[0] - before
        del loss
        left = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        rows[ops] = (alive / ops, left)
    return rows
