"""The figures: time per op, growth with the tape, and growth with batch, depth and width."""

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

OURS, THEIRS, FAINT = "#3b5b92", "#e69f00", "#999999"


def tape(per_op, times, memory):
    """Draw the time of an op in each peer, and how time and memory grow with the tape."""
    picture = Figure(figsize=(12, 3.6), layout="constrained")
    peers, left, right = picture.subplots(1, 3)
    height = 0.8 / len(per_op)
    names = list(dict.fromkeys(name for by_name in per_op.values() for name in by_name))
    for place, (title, by_name) in enumerate(per_op.items()):
        at = [names.index(name) + (place - (len(per_op) - 1) / 2) * height for name in by_name]
        micros = [seconds * 1e6 for seconds in by_name.values()]
        peers.barh(at, micros, height, label=title, color=(OURS, THEIRS)[place % 2])
    peers.set_yticks(range(len(names)), names)
    peers.invert_yaxis()
    peers.set(title="time per op, forward and backward", xlabel="µs", xscale="log")
    peers.xaxis.set_major_formatter(FuncFormatter(plainly))
    peers.legend(frameon=False, fontsize="small")
    left.plot([ops for ops, _ in times], [each * 1e6 for _, each in times], "o-", color=OURS)
    left.set(title="time per op of a scalar chain", ylabel="µs")
    right.plot([ops for ops, _ in memory], [size for _, size in memory], "o-", color=THEIRS)
    right.set(title="memory per op while the tape is alive", ylabel="bytes")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="ops on the tape")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.1)
        axes.xaxis.set_major_formatter(FuncFormatter(plainly))
    for axes in (peers, left, right):
        tidy(axes)
    return picture


def scaling(curves):
    """Draw the time of a training step per sample, beside what the arithmetic alone would add."""
    picture = Figure(figsize=(12, 3.8), layout="constrained")
    panels = picture.subplots(1, len(curves))
    for axes, (name, points) in zip(panels, curves.items(), strict=True):
        sizes, ours, theirs, products = zip(*points, strict=True)
        arithmetic = [ours[-1] * product / products[-1] for product in products]
        axes.plot(sizes, [each * 1e6 for each in arithmetic], "--", color=FAINT, linewidth=1)
        axes.plot(sizes, [each * 1e6 for each in theirs], "o-", color=THEIRS, markersize=4)
        axes.plot(sizes, [each * 1e6 for each in ours], "o-", color=OURS, markersize=4)
        axes.set(xscale="log", yscale="log", xlabel=name, ylabel="µs per sample")
        axes.xaxis.set_major_formatter(FuncFormatter(plainly))
        axes.yaxis.set_major_formatter(FuncFormatter(plainly))
        tidy(axes)
    lines = panels[0].get_lines()
    labels = ("as the arithmetic", "PyTorch", "minigrad")
    picture.legend(lines[::-1], labels[::-1], loc="outside upper center", ncols=3, frameon=False)
    return picture


def plainly(value, _=None):
    """Return a number as people write it: 10,000 and not 10⁴."""
    return f"{value:,.10g}"


def tidy(axes):
    """Draw a light grid and only two sides of the frame."""
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
