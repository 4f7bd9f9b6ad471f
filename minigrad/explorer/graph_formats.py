"""The graph of a trace in the languages of other tools: Graphviz' DOT, and Mermaid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.explorer.escaping import in_dot, in_mermaid
from minigrad.explorer.layout import boxes, label, subtitle
from minigrad.explorer.palette import looks

WAY = "#9aa6b5"  # an edge along which no gradient comes back


def dot(document: dict[str, Any]) -> str:
    """Return the graph in Graphviz' DOT: a cluster for each layer, parallel edges by term."""
    of_terms = looks(document["terms"])
    lines = ["digraph trace {", "  node [fontname=sans, shape=box, style=rounded];"]
    for number, (title, members) in enumerate(_grouped(document)):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={in_dot(title)}; color={in_dot(WAY)}; fontname=sans;")
        for node in members:
            style = ""
            if node["kind"] == "term":
                look = of_terms[node["term"]]
                style = f', style="rounded,filled", fillcolor="{look.colour}"'
                style += f', fontcolor="{look.ink}"'
            elif node["kind"] == "parameter":
                style = ", style=bold"
            elif node["kind"] != "op":
                style = ", style=dashed"
            lines.append(f"    n{node['id']} [label={in_dot(_text(node))}{style}];")
        lines.append("  }")
    for edge in document["edges"]:
        colours = ":".join(of_terms[term].colour for term in edge["terms"]) or WAY
        lines.append(f'  n{edge["source"]} -> n{edge["target"]} [color="{colours}"];')
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(document: dict[str, Any]) -> str:
    """Return the graph in Mermaid: a subgraph for each layer, each edge with its terms' numbers."""
    of_terms = looks(document["terms"])
    shapes = {"op": ("(", ")"), "parameter": ("[", "]"), "term": ("([", "])")}
    lines = ["flowchart TD"]
    for number, (title, members) in enumerate(_grouped(document)):
        lines.append(f"  subgraph box{number} [{in_mermaid(title or ' ')}]")
        for node in members:
            opening, closing = shapes.get(node["kind"], ("[/", "/]"))
            lines.append(f"    n{node['id']}{opening}{in_mermaid(_text(node))}{closing}")
        lines.append("  end")
    styles = []
    for number, edge in enumerate(document["edges"]):
        numbers = " ".join(str(term + 1) for term in edge["terms"])
        arrow = f"-->|{in_mermaid(numbers)}|" if numbers else "-.->"
        lines.append(f"  n{edge['source']} {arrow} n{edge['target']}")
        if len(edge["terms"]) == 1:
            styles.append(f"  linkStyle {number} stroke:{of_terms[edge['terms'][0]].colour}")
    for node in document["nodes"]:
        if node["kind"] == "term":
            look = of_terms[node["term"]]
            styles.append(f"  style n{node['id']} fill:{look.colour},color:{look.ink}")
    return "\n".join([*lines, *styles]) + "\n"


def _grouped(document: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Go through the layers' titles with their nodes."""
    home, titles = boxes(document["nodes"], document["edges"])
    for number, title in enumerate(titles):
        yield title, [node for node in document["nodes"] if home.get(node["id"]) == number]


def _text(node: dict[str, Any]) -> str:
    if node["kind"] == "term":
        return f"{node['term'] + 1} · {node['name']}"
    return f"{label(node)} {subtitle(node)}"
