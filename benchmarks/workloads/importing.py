"""What `import minigrad` costs beyond `import numpy`, in fresh processes."""

import os
import statistics
import subprocess
import sys
import time

from benchmarks.rows import limit_row


def seconds(statement):
    """Return how long a fresh process takes to run a statement and end."""
    # Compiled files are used, as on a user's machine.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    return time.perf_counter() - start


def beyond_numpy(rounds=25):
    """Return the median difference in seconds, both measured in turns, and that of NumPy alone."""
    seconds("import minigrad")
    pairs = [(seconds("import minigrad"), seconds("import numpy")) for _ in range(rounds)]
    beyond = statistics.median(both - numpy for both, numpy in pairs)
    return beyond, statistics.median(numpy for _, numpy in pairs)


def measure():
    """Return the row."""
    beyond, numpy = beyond_numpy()
    against = f"beyond import numpy: {numpy * 1e3:.0f} ms"
    return [limit_row("import minigrad", beyond * 1e3, "ms", against, 40)], {}
