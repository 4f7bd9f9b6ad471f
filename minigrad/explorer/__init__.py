"""The trace explorer: from the document of a trace to HTML, SVG, DOT and Mermaid."""

from minigrad.explorer.by_layer import by_layer
from minigrad.explorer.graph_formats import dot, mermaid
from minigrad.explorer.page import notebook_html, page
from minigrad.explorer.picture import picture

__all__ = ["by_layer", "dot", "mermaid", "notebook_html", "page", "picture"]
