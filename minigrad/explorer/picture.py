"""The graph of a trace as SVG: a picture by itself, and what the page's script lights up."""

from __future__ import annotations

from typing import Any

from minigrad.explorer.escaping import markup
from minigrad.explorer.layered import Point
from minigrad.explorer.layout import Place, label, layout, subtitle
from minigrad.explorer.palette import Look, looks

MARGIN = 14.0
STRAND = 4.0  # from one term's line to the next, along the same edge
BUNDLE = 24.0  # all of them together, at most
STYLES = {
    "op": 'rx="9" fill="#ffffff" stroke="#9aa6b5"',
    "parameter": 'rx="3" fill="#fffdf5" stroke="#1c2430" stroke-width="1.8"',
    "constant": 'rx="3" fill="#ffffff" stroke="#9aa6b5" stroke-dasharray="4 3"',
}
FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', Arial, sans-serif"


def picture(document: dict[str, Any]) -> str:
    """Return the graph of a document as one SVG, on a light ground, for any viewer.

    Layers are boxes, ops rounded, parameters in bold outline, terms coloured and numbered; each
    edge has a line for every term whose gradient flows back along it.
    """
    return drawing(document, lit=True)


def drawing(document: dict[str, Any], lit: bool = False) -> str:
    """Return the SVG; with `lit`, the lines of the terms are visible without any style."""
    placed = layout(document)
    terms = looks(document["terms"])
    width, height = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    title = f"Graph of the computation: {len(document['steps'])} ops, {len(terms)} loss terms"
    titled = [box for box in placed.boxes if box.title]
    frozen = [parameter["frozen"] for parameter in document["parameters"]]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'font-family="{FONT}" font-size="12" aria-label="{markup(title)}">',
        f"<title>{markup(title)}</title>" if lit else "",
        f'<rect class="ground" width="{width:g}" height="{height:g}" fill="#ffffff"/>',
        f'<g transform="translate({MARGIN:g} {MARGIN:g})">',
        *(_box(box) for box in titled),
        *(
            _edge(number, edge, placed.routes[number], terms, lit)
            for number, edge in enumerate(document["edges"])
        ),
        *(_title(box) for box in titled),
        *(
            _term(node, placed.nodes[node["id"]], terms[node["term"]])
            if node["kind"] == "term"
            else _node(node, placed.nodes[node["id"]], frozen)
            for node in document["nodes"]
        ),
    ]
    return "\n".join([*parts, "</g>", "</svg>"])


def _box(box: Place) -> str:
    return (
        f'<rect class="box" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="10" fill="#f5f7fa" stroke="#d9dee5"/>'
    )


def _title(box: Place) -> str:
    return (
        f'<text class="box-title" x="{box.x + 11:.1f}" y="{box.y + 18:.1f}" fill="#5b6675" '
        f'font-size="11.5" font-weight="600" stroke="#f5f7fa" stroke-width="4" '
        f'paint-order="stroke">{markup(box.title)}</text>'
    )


def _edge(
    number: int, edge: dict[str, Any], route: list[Point], of_terms: list[Look], lit: bool
) -> str:
    """Draw an edge: a quiet line for the way forward, a strand for each term that comes back."""
    strands = []
    apart = min(STRAND, BUNDLE / max(1, len(edge["terms"]) - 1))
    for place, term in enumerate(edge["terms"]):
        look = of_terms[term]
        shift = apart * (place - (len(edge["terms"]) - 1) / 2)
        dashes = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
        strands.append(
            f'<path class="strand" data-term="{term}" d="{_path(route, shift)}" fill="none" '
            f'stroke="{look.colour}" stroke-width="2.4"{dashes} '
            f'opacity="{0.9 if lit else 0:g}"/>'
        )
    return (
        f'<g class="edge" id="edge-{number}"><path class="way" d="{_path(route)}" fill="none" '
        f'stroke="#c3cad3" stroke-width="1.4"/>{"".join(strands)}</g>'
    )


def _path(points: list[Point], shift: float = 0.0) -> str:
    """Return a smooth path: straight where it passes a row, an S-curve from row to row."""
    x, y = points[0]
    commands = [f"M{x + shift:.1f} {y:.1f}"]
    for to_x, to_y in points[1:]:
        if abs(to_x - x) < 0.05:
            if to_y != y:
                commands.append(f"V{to_y:.1f}")
        else:
            # Strands keep their distance where the curve runs across, too.
            middle = (y + to_y) / 2 - (shift if to_x > x else -shift)
            commands.append(
                f"C{x + shift:.1f} {middle:.1f} {to_x + shift:.1f} {middle:.1f} "
                f"{to_x + shift:.1f} {to_y:.1f}"
            )
        x, y = to_x, to_y
    return "".join(commands)


def _term(node: dict[str, Any], place: Place, look: Look) -> str:
    """Draw a loss term: a coloured pill with its number."""
    return (
        f'<g class="node term" id="node-{node["id"]}" data-term="{node["term"]}">'
        f"<title>term {markup(node['name'])}</title>"
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="14" fill="{look.colour}"/>'
        f'<text x="{place.x + place.width / 2:.1f}" y="{place.y + 18.5:.1f}" '
        f'text-anchor="middle" fill="{look.ink}" font-weight="600">'
        f"{node['term'] + 1} · {markup(label(node))}</text></g>"
    )


def _node(node: dict[str, Any], place: Place, frozen: list[bool]) -> str:
    """Draw an op, or what enters one, with its shape."""
    kind = node["kind"]
    middle = place.x + place.width / 2
    full = f"{kind} {node['name']}, {subtitle(node)}"
    full += f", cut off at {node['cut']}" if "cut" in node else ""
    role = ""
    if kind == "op":
        full = f"op {node['name']} in {node['scope'] or 'no layer'}, {subtitle(node)}"
        role = f'data-step="{node["step"]}" role="button" tabindex="-1"'
    if kind == "parameter":
        full += ", frozen" if frozen[node["parameter"]] else ""
        role = f'data-parameter="{node["parameter"]}" role="button" tabindex="0"'
    if role:
        role += f' aria-label="{markup(full)}"'
    return (
        f'<g class="node {kind}" id="node-{node["id"]}" {role}><title>{markup(full)}</title>'
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" {STYLES.get(kind, STYLES["constant"])}/>'
        f'<text class="name" x="{middle:.1f}" y="{place.y + 15:.1f}" text-anchor="middle" '
        f'fill="#1c2430" font-weight="600">{markup(label(node))}</text>'
        f'<text class="shape" x="{middle:.1f}" y="{place.y + 29:.1f}" text-anchor="middle" '
        f'fill="#5b6675" font-size="10.5">{markup(subtitle(node))}</text></g>'
    )
