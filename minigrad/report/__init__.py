"""Self-contained HTML pages."""

from minigrad.report.page import Section, render

__all__ = ["Section", "render"]
