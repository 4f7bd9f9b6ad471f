"""The explorer: one self-contained HTML page from the document of a trace."""

from __future__ import annotations

import base64
import re
from importlib.resources import files
from typing import Any

from minigrad.explorer.escaping import json_in_html, markup
from minigrad.explorer.palette import DATA_ON_DARK, looks
from minigrad.explorer.picture import drawing, picture

# In the order in which they need each other.
SCRIPTS = ("numbers.js", "heatmap.js", "details.js", "explorer.js")
HEIGHT = 780  # of the explorer in a notebook, in pixels


def page(document: dict[str, Any], title: str = "Where every gradient comes from") -> str:
    """Return the explorer of a document as an HTML page; it needs no network and no other file."""
    parts = {
        "title": markup(title),
        "style": _asset("explorer.css") + "\n" + _term_styles(document),
        "graph": drawing(document),
        "document": json_in_html(document),
        "script": "\n".join(_asset(name) for name in SCRIPTS),
    }
    # In one pass: what is filled in is not looked at again, whatever names it contains.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _asset("explorer.html"))


def notebook_html(document: dict[str, Any], title: str = "Where every gradient comes from") -> str:
    """Return the explorer for a notebook's output: a frame, and a picture where that is barred.

    A notebook from elsewhere is not trusted at first: its frames and styles are taken out, and a
    picture of the graph remains. In a trusted one the style is kept, and hides the picture.
    """
    # In single quotes: JSON is full of double ones.
    source = page(document, title).replace("&", "&amp;").replace("<", "&lt;").replace("'", "&#39;")
    image = base64.b64encode(picture(document).encode()).decode()
    described = markup(_described(document))
    return (
        '<div class="minigrad-explorer">'
        "<style>.minigrad-explorer-picture { display: none; }</style>"
        f"<iframe srcdoc='{source}' "
        f'sandbox="allow-scripts" title="{markup(title)}" '
        f'style="width: 100%; height: {HEIGHT}px; border: 1px solid #8884; border-radius: 8px;">'
        "</iframe>"
        f'<img class="minigrad-explorer-picture" alt="{described}" '
        f'src="data:image/svg+xml;base64,{image}"></div>'
    )


def _described(document: dict[str, Any]) -> str:
    terms = ", ".join(f"{term['name']} {float(term['value']):.6g}" for term in document["terms"])
    return f"Graph of the computation. Loss terms: {terms}. Trust the notebook to explore it."


def _term_styles(document: dict[str, Any]) -> str:
    """Return the colours of the terms as style; on dark, the data's dark blue is light."""
    lines = []
    for number, (term, look) in enumerate(
        zip(document["terms"], looks(document["terms"]), strict=True)
    ):
        colour, ink = f"--term-{number}", f"--ink-{number}"
        lines.append(f":root {{ {colour}: {look.colour}; {ink}: {look.ink}; }}")
        if term["is_data"]:
            on_dark = f"{colour}: {DATA_ON_DARK.colour}; {ink}: {DATA_ON_DARK.ink};"
            lines.append(f':root[data-theme="dark"] {{ {on_dark} }}')
        this = f'[data-term="{number}"]'
        lines.append(f".strand{this} {{ stroke: var({colour}); }}")
        lines.append(f".node.term{this} rect {{ fill: var({colour}); stroke: none; }}")
        lines.append(f".node.term{this} text {{ fill: var({ink}); }}")
    return "\n".join(lines)


def _asset(name: str) -> str:
    return files("minigrad.explorer").joinpath("assets", name).read_text(encoding="utf-8").strip()
