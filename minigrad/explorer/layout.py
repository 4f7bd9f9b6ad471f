"""The layout of a computation: a box for each layer and penalty, its ops inside, in rows.

Two layered drawings, one in the other: first the nodes within each box, with a port in its upper
edge for each value that enters and in its lower edge for each that leaves; then the boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigrad.explorer.layered import Drawing, Edge, Key, Point, Size, draw, rows_of

PADDING = 12.0
TITLE = 20.0  # the height of a box's title
NARROW, USUAL, WIDE = 5.0, 8.4, 12.6  # of letters in a wide font for the labels, such as DejaVu's
SHAPE = 7.4  # of a character of a shape, in the second line
LONGEST = 26  # letters of a label
PORT = Size(8, 0)
LAST = 1 << 30  # below every row


@dataclass
class Place:
    """A rectangle: a node, or a layer's box with its title."""

    x: float
    y: float
    width: float
    height: float
    title: str = ""


@dataclass
class Layout:
    """Places of nodes by number, of boxes, and the points that each edge passes through."""

    nodes: dict[int, Place]
    boxes: list[Place]
    routes: list[list[Point]]
    width: float
    height: float


def label(node: dict[str, Any]) -> str:
    """Return what a node is called inside its box: a parameter without its layer's name."""
    name: str = node["name"]
    prefix = node["scope"] + "/"
    if node["kind"] in ("parameter", "leaf"):
        name = name.removeprefix(prefix) or name
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def subtitle(node: dict[str, Any]) -> str:
    """Return a node's second line: its shape."""
    shape = node["shape"]
    if len(shape) == 1:
        return f"length {shape[0]}"
    return "×".join(map(str, shape)) or "scalar"


def text_width(text: str) -> float:
    """Return how wide a label is, at most.

    Examples
    --------
    >>> round(text_width("mean")), round(text_width("relu"))
    (38, 27)
    """
    return sum(
        NARROW if letter in "fijlrtI/.,:;'|!()[] " else WIDE if letter in "mwMW@" else USUAL
        for letter in text
    )


def size(node: dict[str, Any]) -> Size:
    """Return how large a node is drawn."""
    if node["kind"] == "term":
        return Size(max(72.0, text_width(f"0 · {label(node)}") + 24), 28.0)
    widest = max(text_width(label(node)), SHAPE * len(subtitle(node)))
    return Size(max(64.0, widest + 16), 36.0)


def layout(document: dict[str, Any]) -> Layout:
    """Place the nodes of a document; the same document gives the same layout."""
    nodes, edges = document["nodes"], document["edges"]
    home, titles = boxes(nodes, edges)
    spine = _spine(document)
    inside = [_inside(box, nodes, edges, home, spine) for box in range(len(titles))]
    sizes: dict[Key, Size] = {
        box: _frame(drawing, titles[box]) for box, drawing in enumerate(inside)
    }
    between = {
        number: Edge(
            home[edge["source"]],
            home[edge["target"]],
            edge["source"],
            _port(inside[home[edge["source"]]], ("out", edge["source"])),
            _port(inside[home[edge["target"]]], ("in", edge["source"])),
        )
        for number, edge in enumerate(edges)
        if home[edge["source"]] != home[edge["target"]]
    }
    lines = list(dict.fromkeys(between.values()))
    rows = rows_of(list(sizes), lines)
    along = frozenset(home[node] for node in spine)
    outer = draw(sizes, lines, rows, along, Size(22, 34), spine_first=True)
    frames = [
        Place(*outer.corners[box], *sizes[box], title=title) for box, title in enumerate(titles)
    ]
    # From a box's own drawing to the whole one.
    shifts = [
        (
            frame.x + (frame.width - drawing.width) / 2,
            frame.y + frame.height - PADDING - drawing.height,
        )
        for frame, drawing in zip(frames, inside, strict=True)
    ]
    places = {}
    for node in nodes:
        if node["id"] in home:
            box = home[node["id"]]
            x, y = inside[box].corners[node["id"]]
            places[node["id"]] = Place(x + shifts[box][0], y + shifts[box][1], *size(node))
    routes = []
    for number, edge in enumerate(edges):
        source, target = edge["source"], edge["target"]
        one, other = home[source], home[target]
        if one == other:
            routes.append(_route(inside[one], source, target, shifts[one]))
        else:
            routes.append(
                _route(inside[one], source, ("out", source), shifts[one])
                + outer.routes[between[number]]
                + _route(inside[other], ("in", source), target, shifts[other])
            )
    return Layout(places, frames, routes, outer.width, outer.height)


def _frame(drawing: Drawing, title: str) -> Size:
    """Return how large a box is with its title and padding."""
    width = max(drawing.width, text_width(title[: 2 * LONGEST]) + 4)
    return Size(width + 2 * PADDING, drawing.height + 2 * PADDING + (TITLE if title else 0))


def boxes(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]]
) -> tuple[dict[int, int], list[str]]:
    """Return each node's box, and the boxes' titles.

    A box holds ops of one layer that follow each other in time; so no value leaves a box and
    comes back into it, even where a layer is called twice. What is no op joins its consumer.
    """
    home: dict[int, int] = {}
    titles: list[str] = []
    for node in nodes:
        if node["kind"] == "op":
            if not titles or titles[-1] != node["scope"]:
                titles.append(node["scope"])
            home[node["id"]] = len(titles) - 1
    for edge in edges:  # in the order of the ops, so the first consumer comes first
        if edge["target"] in home:
            home.setdefault(edge["source"], home[edge["target"]])
        elif edge["source"] in home:  # a term stands below its op
            home[edge["target"]] = home[edge["source"]]
    return home, titles


def _spine(document: dict[str, Any]) -> frozenset[int]:
    """Return the nodes of the longest path that ends in the first term: the model itself."""
    longest: dict[int, tuple[int, int]] = {}  # length, and where it comes from
    for edge in document["edges"]:
        length = longest.get(edge["source"], (0, -1))[0] + 1
        if length > longest.get(edge["target"], (0, -1))[0]:
            longest[edge["target"]] = (length, edge["source"])
    ends = [node["id"] for node in document["nodes"] if node["kind"] == "term"]
    spine = []
    at = ends[0] if ends else -1
    while at >= 0:
        spine.append(at)
        at = longest.get(at, (0, -1))[1]
    return frozenset(spine)


def _inside(
    box: int,
    nodes: list[dict[str, Any]],
    edges: list[dict[str, Any]],
    home: dict[int, int],
    spine: frozenset[int],
) -> Drawing:
    """Draw the nodes of a box, with its ports."""
    members = [node for node in nodes if home.get(node["id"]) == box]
    lines: dict[Edge, None] = {}
    entering: dict[Key, None] = {}
    leaving: dict[Key, Edge] = {}
    for edge in edges:
        source, target = edge["source"], edge["target"]
        if home[target] == box:
            start: Key = source if home[source] == box else ("in", source)
            if start != source:
                entering[start] = None
            lines[Edge(start, target, start)] = None
        elif home[source] == box:
            leaving["out", source] = Edge(source, ("out", source), source)
    rows = rows_of([*entering, *(node["id"] for node in members)], list(lines))
    first_use: dict[Key, int] = {}
    for line in lines:
        first_use[line.source] = min(first_use.get(line.source, LAST), rows[line.target])
    for node in members:
        if node["kind"] not in ("op", "term"):
            rows[node["id"]] = max(0, first_use[node["id"]] - 1)
    rows |= dict.fromkeys(leaving, 1 + max(rows.values()))
    sizes: dict[Key, Size] = {
        **dict.fromkeys(entering, PORT),
        **{node["id"]: size(node) for node in members},
        **dict.fromkeys(leaving, PORT),
    }
    along = frozenset([*spine, *(("in", n) for n in spine), *(("out", n) for n in spine)])
    return draw(sizes, [*lines, *leaving.values()], rows, along, Size(14, 24))


def _port(drawing: Drawing, port: Key) -> float:
    """Return how far a port is from the middle of its box."""
    return drawing.corners[port][0] + PORT.width / 2 - drawing.width / 2


def _route(drawing: Drawing, source: Key, target: Key, shift: Point) -> list[Point]:
    """Return an edge's points inside its box, where the box stands."""
    points = drawing.routes[Edge(source, target, source)]
    return [(x + shift[0], y + shift[1]) for x, y in points]
