"""Timing side by side: all contenders in each round, in a new order, and their medians."""

import gc
import random
import statistics
import time

FILL = 0.1  # seconds that the calls of one contender in one round take, if it may choose
REST = 0.05  # seconds after which the idle threads of a contender no longer spin


def interleaved(contenders, rounds, calls=1, seed=0):
    """Return each contender's median seconds a call; `contenders` maps names to functions.

    Machines are noisy, and noise comes in waves: only what ran in the same round is compared.
    What takes a millisecond needs several `calls`: the garbage collection before them walks
    through all of memory, so that the first call finds the processor's caches cold. With None,
    each contender is called as often as fills a fixed time, after a rest: for peers that bring
    thread pools of their own, whose threads go on spinning for a while when their work is done.
    """
    times = {name: [] for name in contenders}
    order = list(contenders)
    generator = random.Random(seed)
    for function in contenders.values():
        function()  # warm up
    counts = {name: calls or _filling(function) for name, function in contenders.items()}
    if calls is None:
        gc.freeze()  # what the frameworks have made at import need not be walked through each time
    for _ in range(rounds):
        generator.shuffle(order)
        for name in order:
            function = contenders[name]
            gc.collect()
            if calls is None:
                time.sleep(REST)
            if counts[name] > 1 or calls is None:
                function()
            start = time.perf_counter()
            for _ in range(counts[name]):
                function()
            times[name].append((time.perf_counter() - start) / counts[name])
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def _filling(function):
    """Return how many calls fill the time."""
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    return max(1, round(FILL / min(durations)))
