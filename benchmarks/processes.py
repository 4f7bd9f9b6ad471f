"""Where a workload runs: a process in which nothing else is imported, a thread that may recurse."""

import json
import os
import subprocess
import sys
import threading


def in_a_fresh_process(module, call, **environment):
    """Return what ``call``, an expression of one of our modules, gives; it comes as JSON."""
    program = (
        f"import json, benchmarks.{module} as module; print(); print(json.dumps(module.{call}))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    return json.loads(finished.stdout.splitlines()[-1])


def on_a_deep_stack(function):
    """Return what a function gives in a thread that may recurse a million times.

    MyGrad walks its tape by recursion, and everyone runs where it can.
    """
    results = []
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]  # missing if the function failed; its thread has printed why
