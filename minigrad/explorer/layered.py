"""A layered drawing: sources above, consumers below, each edge from one row to the next.

The steps are the classical ones of Sugiyama, Tagawa and Toda (1981): give each item a row; let an
edge that skips rows pass through a lane in each; order the rows so that few edges cross; then
place each item near the mean of its neighbours.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

Key = Hashable
Point = tuple[float, float]

SWEEPS = 12
LANE = 10.0  # how wide an edge is that passes through a row
STRAIGHT = 200.0  # how much more the spine's edges pull than others


class Size(NamedTuple):
    """Width and height."""

    width: float
    height: float


GAP = Size(16, 30)


class Edge(NamedTuple):
    """An edge between two items, the source's row above the target's."""

    source: Key
    target: Key
    line: Key  # edges with the same line share their lanes: they carry the same value
    leaves: float = 0.0  # where it leaves the source and enters the target, from their centres
    enters: float = 0.0


@dataclass
class Drawing:
    """Where everything is: the upper left corner of each item, and the points of each edge."""

    corners: dict[Key, Point]
    routes: dict[Edge, list[Point]]
    width: float
    height: float


@dataclass
class _Cell:
    """An item in its row, or the lane of a line through it."""

    key: Key
    row: int
    width: float
    x: float = 0.0
    # (the neighbour, where the edge is attached here and there from the centres, its pull)
    above: list[tuple[_Cell, float, float, float]] = field(default_factory=list)
    below: list[tuple[_Cell, float, float, float]] = field(default_factory=list)


def rows_of(items: Sequence[Key], edges: Sequence[Edge]) -> dict[Key, int]:
    """Return each item's row, one below the lowest of its sources, which come first in `items`."""
    sources = defaultdict(list)
    for edge in edges:
        sources[edge.target].append(edge.source)
    rows: dict[Key, int] = {}
    for item in items:
        rows[item] = 1 + max((rows[source] for source in sources[item]), default=-1)
    return rows


def draw(
    sizes: Mapping[Key, Size],
    edges: Sequence[Edge],
    rows: Mapping[Key, int],
    spine: frozenset[Key] = frozenset(),
    gap: Size = GAP,
    spine_first: bool = False,
) -> Drawing:
    """Place items and route edges, which go down; the same input gives the same drawing.

    Where nothing else decides, items stand in their order in `sizes`. Those of the `spine` stand in
    one straight line, as far as they are neighbours; with `spine_first`, on the left of all else.
    """
    cells = {key: _Cell(key, rows[key], size.width) for key, size in sizes.items()}
    lanes = _lanes(cells, edges, spine)
    table: list[list[_Cell]] = [[] for _ in range(1 + max(rows.values(), default=0))]
    for cell in (*cells.values(), *lanes.values()):
        table[cell.row].append(cell)
    _place(_ordered(table, spine if spine_first else frozenset()), gap.width)
    heights = [
        max((sizes[cell.key].height for cell in row if cell.key in sizes), default=0.0)
        for row in table
    ]
    tops = [0.0]
    for upper, lower in pairwise(heights):
        # A row of ports is part of the frame: the way to it is shorter.
        tops.append(tops[-1] + upper + (gap.height if upper and lower else gap.height * 0.6))
    corners = {key: (cells[key].x - size.width / 2, tops[rows[key]]) for key, size in sizes.items()}
    routes = {}
    for edge in edges:
        source, target = cells[edge.source], cells[edge.target]
        x = source.x + edge.leaves
        points = [(x, tops[source.row] + sizes[edge.source].height)]
        points.append((x, tops[source.row] + heights[source.row]))
        for row in range(source.row + 1, target.row):
            x = lanes[edge.line, row].x
            points += [(x, tops[row]), (x, tops[row] + heights[row])]
        points.append((target.x + edge.enters, tops[target.row]))
        routes[edge] = points
    width = max((cell.x + cell.width / 2 for row in table for cell in row), default=0.0)
    return Drawing(corners, routes, width, tops[-1] + heights[-1])


def _lanes(
    cells: Mapping[Key, _Cell], edges: Sequence[Edge], spine: frozenset[Key]
) -> dict[tuple[Key, int], _Cell]:
    """Make a lane in each row that a line passes through, and join neighbours."""
    lanes: dict[tuple[Key, int], _Cell] = {}
    for edge in edges:
        pull = STRAIGHT if edge.source in spine and edge.target in spine else 1.0
        target = cells[edge.target]
        before, offset = cells[edge.source], edge.leaves
        for row in range(before.row + 1, target.row):
            known = (edge.line, row) in lanes
            lane = lanes.setdefault((edge.line, row), _Cell((edge.line, row), row, LANE))
            if not known:
                _join(before, lane, offset, 0.0, pull)
            before, offset = lane, 0.0
        _join(before, target, offset, edge.enters, pull)
    return lanes


def _join(upper: _Cell, lower: _Cell, leaves: float, enters: float, pull: float) -> None:
    upper.below.append((lower, leaves, enters, pull))
    lower.above.append((upper, enters, leaves, pull))


def _ordered(table: list[list[_Cell]], first: frozenset[Key]) -> list[list[_Cell]]:
    """Sort rows by where their neighbours stand, down and up again; keep the best order seen."""
    for row in table:
        row.sort(key=lambda cell: cell.key not in first)
    best, fewest = [list(row) for row in table], _crossings(table)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in table if down else reversed(table):
            _spread(table)
            wanted = {
                id(cell): _mean([n.x + there for n, _, there, _ in side], cell.x)
                for cell in row
                for side in [cell.above if down else cell.below]
            }
            row.sort(key=lambda cell: (cell.key not in first, wanted[id(cell)]))
        crossings = _crossings(table)
        if crossings < fewest:
            best, fewest = [list(row) for row in table], crossings
    return best


def _spread(table: list[list[_Cell]]) -> None:
    """Put each row's cells side by side, centred: a rough place for the sorting."""
    for row in table:
        x = -sum(cell.width for cell in row) / 2
        for cell in row:
            cell.x = x + cell.width / 2
            x += cell.width


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(table: list[list[_Cell]]) -> int:
    """Count the pairs of edges between neighbouring rows that cross."""
    _spread(table)
    total = 0
    for row in table:
        ends: list[float] = []
        lines = sorted(
            (cell.x + here, n.x + there) for cell in row for n, here, there, _ in cell.below
        )
        for _, end in lines:
            total += len(ends) - bisect_left(ends, end + 1e-9)
            insort(ends, end)
    return total


def _place(table: list[list[_Cell]], gap: float) -> None:
    """Move each cell towards the mean of its neighbours, as far as the others let it."""
    _spread(table)
    for sweep in range(2 * SWEEPS):
        for row in table if sweep % 2 == 0 else reversed(table):
            _settle(row, gap)
    left = min((cell.x - cell.width / 2 for row in table for cell in row), default=0.0)
    for row in table:
        for cell in row:
            cell.x -= left


def _settle(row: list[_Cell], gap: float) -> None:
    """Place a row's cells: in their order, without overlap, as near as can be to where they pull.

    With each cell's place measured from where it stands when all are pushed to the left, being in
    order without overlap means that the numbers do not decrease.
    """
    pushed = [0.0] * len(row)
    for i, (one, other) in enumerate(pairwise(row)):
        pushed[i + 1] = pushed[i] + (one.width + other.width) / 2 + gap
    wanted, pulls = [], []
    for cell, start in zip(row, pushed, strict=True):
        neighbours = cell.above + cell.below
        pull = sum(p for *_, p in neighbours)
        total = sum(p * (n.x + there - here) for n, here, there, p in neighbours)
        wanted.append((total / pull if pull else cell.x) - start)
        pulls.append(pull or 1e-3)
    for cell, start, x in zip(row, pushed, _increasing(wanted, pulls), strict=True):
        cell.x = start + x


def _increasing(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the non-decreasing numbers nearest to `values`, by weighted least squares.

    Neighbours that are out of order are pooled into their mean, again and again.

    Examples
    --------
    >>> _increasing([1.0, 4.0, 2.0], [1.0, 1.0, 1.0])
    [1.0, 3.0, 3.0]
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for value, weight in zip(values, weights, strict=True):
        mean, total, count = value, weight, 1
        while pools and pools[-1][0] > mean:
            other, other_weight, other_count = pools.pop()
            mean = (mean * total + other * other_weight) / (total + other_weight)
            total, count = total + other_weight, count + other_count
        pools.append((mean, total, count))
    return [mean for mean, _, count in pools for _ in range(count)]
