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


def row(title, measured, against="–", ratio=None, target=None):
    """Return a row: what was measured, against what; `ratio` is to be at most `target`."""
    return (
        title,
        measured,
        against,
        "–" if ratio is None else f"{ratio:.2f}",
        "–" if target is None else f"≤ {target:.3g}",
        HOLDS[None if target is None else ratio <= target],
    )


def limit_row(title, value, unit, against, limit):
    """Return a row on a number that is to be at most `limit`, whatever it is compared with."""
    holds = HOLDS[value <= limit]
    return (title, f"{value:,.0f} {unit}", against, "–", f"≤ {limit:,} {unit}", holds)


def peer_rows(workload, targets, rounds, calls=1):
    """Check and time a workload; return its rows, and microseconds per op of each contender."""
    workload.check()
    medians = interleaved(workload.CONTENDERS, rounds, calls)
    micros = {name: seconds / workload.OPS * 1e6 for name, seconds in medians.items()}
    ours = micros["minigrad"]
    rows = [
        row(
            workload.TITLE,
            f"{ours:.2f} µs per op",
            f"{peer}: {theirs:.2f} µs per op",
            ours / theirs,
            targets.get(peer),
        )
        for peer, theirs in micros.items()
        if peer != "minigrad"
    ]
    return rows, micros


def growth_rows():
    """Return the rows on growth, and time and memory per op by length."""
    growth.check()
    times = growth.in_a_fresh_process("growth.times()")
    memory = growth.in_a_fresh_process("growth.memory()")
    grown, stayed = growth.in_a_fresh_process("growth.resident(1_000_000)")
    title = "chain of 1,000,000 scalar ops"
    short, long = times[10_000] * 1e6, times[1_000_000] * 1e6
    small, large = memory[10_000][0], memory[1_000_000][0]
    left = max(left for _, left, _ in memory.values())
    cycles = max(cycles for _, _, cycles in memory.values())
    rows = [
        row(title, f"{long:.2f} µs per op", f"10,000: {short:.2f} µs per op", long / short, 1.3),
        row(
            f"{title}: its tape",
            f"{large:.0f} bytes per op",
            f"10,000: {small:.0f} bytes per op",
            large / small,
            1.1,
        ),
        limit_row(f"{title}: left after the drop", left, "bytes", f"{large:.0f} MB", 10_000),
        limit_row(f"{title}: cycles in the tape", cycles, "objects", "–", 0),
        row(
            f"{title}: process after the drop",
            f"{stayed:.0f} MB more than at first",
            f"tape alive: {grown:.0f} MB more",
            stayed / grown,
        ),
    ]
    return rows, times, memory


def table(rows):
    """Return the rows as Markdown."""
    lines = ["| workload | minigrad | against | ratio | target | holds |", "|---" * 6 + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(lines)


def figure(micros, times, memory):
    """Draw the time of an op in each peer, and how time and memory grow with the tape."""
    picture = Figure(figsize=(12, 3.6), layout="constrained")
    peers, left, right = picture.subplots(1, 3)
    height = 0.8 / len(micros)
    names = list(dict.fromkeys(name for by_name in micros.values() for name in by_name))
    for place, (title, by_name) in enumerate(micros.items()):
        at = [names.index(name) + (place - (len(micros) - 1) / 2) * height for name in by_name]
        colour = ("#3b5b92", "#e69f00")[place % 2]
        peers.barh(at, list(by_name.values()), height, label=title, color=colour)
    peers.set_yticks(range(len(names)), names)
    peers.invert_yaxis()
    peers.set(title="time per op, forward and backward", xlabel="µs", xscale="log")
    peers.legend(frameon=False, fontsize="small")
    left.plot(list(times), [seconds * 1e6 for seconds in times.values()], "o-", color="#3b5b92")
    left.set(title="time per op of a scalar chain", ylabel="µs")
    right.plot(list(memory), [row[0] for row in memory.values()], "o-", color="#e69f00")
    right.set(title="memory per op while the tape is alive", ylabel="bytes")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="ops on the tape")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
    for axes in (peers, left, right):
        axes.grid(color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return picture


def main():
    """Measure, print and write."""
    scalars = {"PyTorch": 0.5, "MyGrad": 1 / 8, "HIPS autograd": 1 / 8}
    rows, chain = peer_rows(scalar_chain, scalars, rounds=21)
    more, vectors = peer_rows(small_vectors, {"PyTorch": 0.7}, rounds=31, calls=20)
    rows += more
    more, times, memory = growth_rows()
    beyond = importing.beyond_numpy() * 1e3
    rows += [*more, limit_row("import minigrad", beyond, "ms", "beyond import numpy", 40)]
    text = (
        "# Benchmarks\n\n"
        "`make bench` writes this page. Every workload is checked to give equal values and "
        "gradients, then run side by side in one process, in interleaved rounds; a ratio is one of "
        "medians. Microseconds differ from machine to machine, and are there as information. "
        f"Python {platform.python_version()}, NumPy {np.__version__}, PyTorch "
        f"{torch.__version__} on {torch.get_num_threads()} threads, with the default BLAS "
        "settings for everyone.\n\n"
        f"{table(rows)}\n\n![Time per op, and growth of time and memory](results.png)\n\n"
        "MyGrad walks its tape by recursion, so everything runs in a thread with a deep stack. "
        "JAX compiles each workload into one program and records nothing: the seconds that it "
        "takes to compile are not counted.\n"
    )
    print(text)
    (FOLDER / "results.md").write_text(text)
    micros = {scalar_chain.TITLE: chain, small_vectors.TITLE: vectors}
    figure(micros, times, memory).savefig(
        FOLDER / "results.png", dpi=110, metadata={"Software": None}
    )


if __name__ == "__main__":
    failed = []
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(512 * 2**20)
    threading.excepthook = lambda error: (failed.append(error), sys.__excepthook__(*error[:3]))
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
    sys.exit(bool(failed))
