"""Timing side by side: all contenders in each round, in a new order, and their medians."""

import gc
import random
import statistics
import time


def interleaved(contenders, rounds, seed=0):
    """Return each contender's median seconds; `contenders` maps names to functions.

    Machines are noisy, and noise comes in waves: only what ran in the same round is compared.
    """
    times = {name: [] for name in contenders}
    order = list(contenders)
    generator = random.Random(seed)
    for function in contenders.values():
        function()  # warm up
    for _ in range(rounds):
        generator.shuffle(order)
        for name in order:
            gc.collect()
            start = time.perf_counter()
            contenders[name]()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}
