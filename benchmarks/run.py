"""Run every workload side by side, and write ``results.md`` and ``results.png``."""

import platform
import sys
import threading
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks.timing import interleaved
from benchmarks.workloads import growth, importing, scalar_chain, small_vectors

FOLDER = Path(__file__).parent
HOLDS = {True: "yes", False: "**no**", None: "for comparison"}


def ratio_row(title, ours, theirs, peer, target):
    """Return a row that compares medians: as a ratio to a peer, which is to be at most `target`."""
    ratio = ours / theirs
    return (title, f"of {peer}", f"{ratio:.2f}", f"≤ {target:.3g}", ratio <= target)


def measure():
    """Return the rows of the table, and the growth for the figure."""
    rows = []
    scalar_chain.check()
    medians = interleaved(scalar_chain.CONTENDERS, rounds=21)
    print({name: seconds / scalar_chain.OPS * 1e6 for name, seconds in medians.items()})
    for peer, target in (("PyTorch", 0.5), ("MyGrad", 1 / 8), ("HIPS autograd", 1 / 8)):
        rows.append(ratio_row(scalar_chain.TITLE, medians["minigrad"], medians[peer], peer, target))
    small_vectors.check()
    medians = interleaved(small_vectors.CONTENDERS, rounds=301)
    rows.append(
        ratio_row(small_vectors.TITLE, medians["minigrad"], medians["PyTorch"], "PyTorch", 0.7)
    )
    compiled = medians["minigrad"] / medians["JAX (jit)"]
    rows.append((small_vectors.TITLE, "of JAX (jit)", f"{compiled:.1f}", "–", None))
    times, memory = growth.in_a_fresh_process()
    rows.append(
        ratio_row("time per op, 1,000,000 ops", times[1_000_000], times[10_000], "10,000 ops", 1.3)
    )
    first, last = memory[10_000][0], memory[1_000_000][0]
    rows.append(ratio_row("bytes per op, 1,000,000 ops", last, first, "10,000 ops", 1.1))
    left = max(left for _, left in memory.values())
    rows.append(
        ("memory left after the loss is dropped", "kB", f"{left / 1e3:.1f}", "≤ 10", left <= 10_000)
    )
    beyond = importing.beyond_numpy() * 1e3
    rows.append(("import minigrad", "ms beyond NumPy", f"{beyond:.0f}", "≤ 40", beyond <= 40))
    return rows, times, memory


def table(rows):
    """Return the rows as Markdown."""
    lines = ["| workload | measured as | result | target | holds |", "|---|---|---|---|---|"]
    lines += [
        f"| {title} | {unit} | {value} | {target} | {HOLDS[holds]} |"
        for title, unit, value, target, holds in rows
    ]
    return "\n".join(lines)


def figure(times, memory):
    """Draw how time and memory grow with the tape."""
    picture = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = picture.subplots(1, 2)
    left.plot(list(times), [seconds * 1e6 for seconds in times.values()], "o-", color="#3b5b92")
    left.set(title="time per op, forward and backward", ylabel="µs")
    right.plot(list(memory), [alive for alive, _ in memory.values()], "o-", color="#e69f00")
    right.set(title="memory per op while the tape is alive", ylabel="bytes")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="ops on the tape")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
        axes.grid(color="#dddddd", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
    return picture


def main():
    """Measure, print and write."""
    rows, times, memory = measure()
    text = (
        "# Benchmarks\n\n"
        "`make bench` writes this page. Every workload is checked to give equal results, then run "
        "side by side in one process, in interleaved rounds; a result is a ratio of medians. "
        f"Python {platform.python_version()}, NumPy {np.__version__}, PyTorch "
        f"{torch.__version__} on {torch.get_num_threads()} threads, with the default BLAS "
        "settings for everyone.\n\n"
        f"{table(rows)}\n\n![Growth of time and memory](results.png)\n\n"
        "MyGrad walks its tape by recursion, so everything runs in a thread with a deep stack.\n"
    )
    print(text)
    (FOLDER / "results.md").write_text(text)
    figure(times, memory).savefig(FOLDER / "results.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
