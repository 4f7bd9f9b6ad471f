"""How time and memory grow with the length of the tape, in processes of their own.

The peers' own objects would slow Python's garbage collector down, and so the tape beside them.
"""

import gc
import json
import subprocess
import sys
import tracemalloc
from functools import partial

import numpy as np

import minigrad as mg
from benchmarks.timing import interleaved

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
START, A, B = 1.5, 0.9999, 0.001
ROUNDS = 15


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
    """Return the time of an op for each length."""
    medians = interleaved({ops: partial(both_ways, ops) for ops in LENGTHS}, ROUNDS)
    return {ops: seconds / ops for ops, seconds in medians.items()}


def memory():
    """Return bytes per op while the tape is alive, what is left once it is dropped, and cycles.

    The tape is dropped without `backward`, the harder case: nothing has been released yet.
    """
    rows = {}
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
        rows[ops] = (alive / ops, left, cycles)
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


def in_a_fresh_process(call):
    """Return what ``call``, an expression of this module, gives where nothing else is imported."""
    program = f"import json; from benchmarks.workloads import growth; print(json.dumps({call}))"
    command = [sys.executable, "-c", program]
    output = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if isinstance(output, dict):  # JSON has made the lengths strings
        return {int(ops): row for ops, row in output.items()}
    return output
