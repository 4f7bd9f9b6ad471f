"""Rows of the table: what was measured, against what, and whether the target holds."""

HOLDS = {True: "yes", False: "**no**", None: "for comparison"}
HEADER = "| workload | minigrad | against | ratio | target | holds |"


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


def peer_rows(title, seconds, targets, unit="µs"):
    """Return a row for each peer, from the medians of all by name and the targets of some."""
    scale = {"µs": 1e6, "ms": 1e3}[unit[:2]]
    ours = seconds["minigrad"]
    return [
        row(
            title,
            f"{ours * scale:,.4g} {unit}",
            f"{peer}: {theirs * scale:,.4g} {unit}",
            ours / theirs,
            targets.get(peer),
        )
        for peer, theirs in seconds.items()
        if peer != "minigrad"
    ]


def missed(rows):
    """Return the titles of the rows whose target does not hold, each once."""
    return list(dict.fromkeys(title for title, *_, holds in rows if holds == HOLDS[False]))


def table(rows):
    """Return the rows as Markdown."""
    lines = [HEADER, "|---" * 6 + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(lines)
