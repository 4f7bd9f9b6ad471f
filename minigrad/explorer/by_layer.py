"""The graph of a trace with one node for each call of a layer, in place of its ops."""

from __future__ import annotations

from typing import Any

from minigrad.explorer.layout import boxes

Node = dict[str, Any]


def by_layer(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose graph has a node for each layer, loss term and input of the model.

    A layer has the shape of what it returns. What only turns a layer's values into one term, as a
    penalty does, is that term. Of edges between the same two nodes one is left, with the terms of
    all.
    """
    nodes, edges = document["nodes"], document["edges"]
    home, titles = boxes(nodes, edges)
    made: list[Node] = []
    place: dict[int, int] = {}  # from a node's number to that of the node that stands for it

    def add(node: Node, stands_for: list[Node]) -> None:
        place.update({old["id"]: len(made) for old in stands_for})
        made.append({**node, "id": len(made)})

    for node in nodes:
        if node["kind"] == "input":
            add(node, [node])
    for box, title in enumerate(titles):
        members = [
            node for node in nodes if home.get(node["id"]) == box and node["id"] not in place
        ]
        terms = [node for node in members if node["kind"] == "term"]
        if len(terms) == 1 and _ends_here(box, document, home):
            add(terms[0], members)
            continue
        last = [node for node in members if node["kind"] == "op"][-1]
        rest = [node for node in members if node not in terms]
        add({**last, "name": title or "no layer", "scope": ""}, rest)
        for term in terms:
            add(term, [term])
    joined: dict[tuple[int, int], set[int]] = {}
    for edge in edges:
        source, target = place[edge["source"]], place[edge["target"]]
        if source != target:
            joined.setdefault((source, target), set()).update(edge["terms"])
    between = [
        {"source": source, "target": target, "operand": 0, "terms": sorted(terms)}
        for (source, target), terms in joined.items()
    ]
    return {**document, "nodes": made, "edges": between}


def _ends_here(box: int, document: dict[str, Any], home: dict[int, int]) -> bool:
    """Whether values of other layers come into a box, and none leaves it."""
    kinds = {node["id"]: node["kind"] for node in document["nodes"]}
    crossing = [
        (home[edge["source"]], kinds[edge["source"]])
        for edge in document["edges"]
        if home[edge["source"]] != home[edge["target"]]
        and box in (home[edge["source"]], home[edge["target"]])
    ]
    entering = [kind for source, kind in crossing if source != box]
    return len(entering) == len(crossing) and any(kind != "input" for kind in entering)
