"""How time and memory grow with the length of the tape, in a process of its own.

The peers' own objects would slow Python's garbage collector down, and so the tape beside them.
"""

import gc
import json
import subprocess
import sys
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
    rows = {}
    for ops in lengths:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        loss = chain(ops)
        alive = tracemalloc.get_traced_memory()[0] - before
        del loss
        gc.collect()  # empties the interpreter's own stores of freed tuples
        left = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        rows[ops] = (alive / ops, left)
    return rows


def in_a_fresh_process():
    """Return `times` and `memory`, measured where nothing else has been imported."""
    command = [sys.executable, "-m", "benchmarks.workloads.growth"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured_times, measured_memory = json.loads(output)
    return (
        {int(ops): seconds for ops, seconds in measured_times.items()},
        {int(ops): tuple(row) for ops, row in measured_memory.items()},
    )


if __name__ == "__main__":
    print(json.dumps([times(), memory()]))
