"""Timing side by side: all contenders in each round, in a new order, and their medians."""

import gc
import random
import statistics
import time


def interleaved(contenders, rounds, calls=1, seed=0):
    """Return each contender's median seconds a call; `contenders` maps names to functions.

    Machines are noisy, and noise comes in waves: only what ran in the same round is compared.
    What takes a millisecond needs several `calls`: the garbage collection before them walks
    through all of memory, so that the first call finds the processor's caches cold.
    """
    times = {name: [] for name in contenders}
    order = list(contenders)
    generator = random.Random(seed)
    for function in contenders.values():
        function()  # warm up
    for _ in range(rounds):
        generator.shuffle(order)
        for name in order:
            function = contenders[name]
            gc.collect()
            if calls > 1:
                function()
            start = time.perf_counter()
            for _ in range(calls):
                function()
            times[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(seconds) for name, seconds in times.items()}
