"""One self-contained HTML page: text, tables, and figures embedded as pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --text: #1c2430; --soft: #5b6675; --line: #d9dee5;
  --page: #ffffff; --panel: #f5f7fa; --link: #1f5fa8; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e9f0; --soft: #9aa6b5;
  --line: #39424f; --page: #14181e; --panel: #1d232b; --link: #8ab8ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 17px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
p { max-width: 46rem; } .lead { font-size: 1.12rem; color: var(--soft); }
a { color: var(--link); } nav ol { columns: 2; max-width: 46rem; padding-left: 1.4rem; }
figure { margin: 1.25rem 0; } figure img { max-width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: 6px; padding: .5rem; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .35rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line);
  text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
pre { overflow-x: auto; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: .9rem 1rem; font: 13.5px/1.5 ui-monospace, "DejaVu Sans Mono",
  Menlo, Consolas, monospace; }
@media print { nav { display: none; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Section:
    """A section of a page; all but the title and text can be left out.

    Attributes
    ----------
    title, text : str
        Plain text; whatever HTML means something by is escaped.
    figure : matplotlib Figure
        With `alt`, the text that stands in for it, and its caption.
    table : sequence of rows of str
        The first is the header.
    preformatted : str
        Text to be shown as it is, in a fixed-width font.
    """

    title: str
    text: str
    figure: Any = None
    alt: str = ""
    table: Sequence[Sequence[str]] | None = None
    preformatted: str = ""


def render(title: str, lead: str, sections: Sequence[Section]) -> str:
    """Return the page as HTML; it needs no network, no script and no other file."""
    contents = "".join(
        f'<li><a href="#s{number}">{escape(section.title)}</a></li>'
        for number, section in enumerate(sections, 1)
    )
    body = "\n".join(_section(number, section) for number, section in enumerate(sections, 1))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n'
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav>\n{body}\n</main>\n</body>\n</html>\n'
    )


def _section(number: int, section: Section) -> str:
    parts = [f'<section id="s{number}">', f"<h2>{escape(section.title)}</h2>"]
    parts.append(f"<p>{escape(section.text)}</p>")
    if section.figure is not None:
        if not section.alt:
            raise ValueError(f"the figure of section {section.title!r} needs an alt text")
        source = base64.b64encode(_png(section.figure)).decode()
        alt = escape(section.alt, quote=True)
        parts.append(
            f'<figure><img alt="{alt}" src="data:image/png;base64,{source}">'
            f"<figcaption>{escape(section.alt)}</figcaption></figure>"
        )
    if section.table is not None:
        parts.append(_table(section.table))
    if section.preformatted:
        parts.append(f'<pre tabindex="0">{escape(section.preformatted)}</pre>')
    parts.append("</section>")
    return "\n".join(parts)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    # No software version in the file: the same figure gives the same bytes.
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()


def _table(rows: Sequence[Sequence[str]]) -> str:
    header, *lines = rows
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
