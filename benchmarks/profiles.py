"""Where minigrad's time goes in a workload; ``python -m benchmarks.profiles toy`` prints it.

The profiler makes each call of Python dearer, so shares of small functions are exaggerated.
"""

import cProfile
import pstats
import sys
import time
from importlib import import_module
from pathlib import PurePath

SECONDS = 1.0
TOP = 12
HEADER = f"{'share':>6} {'calls':>8} {'µs':>9}  function"


def profile(function):
    """Return the functions that take most of the time in themselves, as lines of text."""
    for _ in range(3):
        function()  # warm up
    profiler = cProfile.Profile()
    calls, end = 0, time.perf_counter() + SECONDS
    profiler.enable()
    while time.perf_counter() < end:
        function()
        calls += 1
    profiler.disable()
    statistics = pstats.Stats(profiler)
    lines = [HEADER]
    spent = [(own, count, where) for where, (_, count, own, *_) in statistics.stats.items()]
    for own, count, where in sorted(spent, reverse=True)[:TOP]:
        numbers = f"{own / statistics.total_tt:6.1%} {count / calls:8.1f} {own / calls * 1e6:9.1f}"
        lines.append(f"{numbers}  {name(where)}")
    return lines


def name(where):
    """Return a function's name, with the end of its file's path and the line."""
    path, line, function = where
    if path == "~":
        return function
    return f"{'/'.join(PurePath(path).parts[-2:])}:{line} {function}"


def profiles(workload, titles=None):
    """Return the profile of each part of a workload, or of those with some titles, by title."""
    module = import_module(f"benchmarks.workloads.{workload}")
    alone = getattr(module, "alone", dict)()  # what is no matter of time has none
    return {
        title: profile(function)
        for title, function in alone.items()
        if titles is None or title in titles
    }


if __name__ == "__main__":
    for workload in sys.argv[1:]:
        for title, lines in profiles(workload).items():
            print(title, *lines, "", sep="\n")
