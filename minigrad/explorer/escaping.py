"""Text from a document as text, whatever it contains, in each of the formats written here."""

from __future__ import annotations

import json
from html import escape
from typing import Any


def printable(text: str) -> str:
    r"""Return text without control characters, line separators or halves of characters.

    XML has no way to write some of them, and none belongs into a label.

    Examples
    --------
    >>> printable("a\x00b")
    'a�b'
    """
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def markup(text: str) -> str:
    """Return text as HTML and SVG show it, in elements and in attributes.

    Examples
    --------
    >>> markup('<b>"x"&')
    '&lt;b&gt;&quot;x&quot;&amp;'
    """
    return escape(printable(text), quote=True)


def json_in_html(value: Any) -> str:
    r"""Return JSON that is safe inside a script element: no tag and no comment can begin in it.

    Examples
    --------
    >>> json_in_html({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def in_dot(text: str) -> str:
    r"""Return text as a quoted string of Graphviz' DOT.

    Examples
    --------
    >>> print(in_dot('a "b" \\n'))
    "a \"b\" \\n"
    """
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def in_mermaid(text: str) -> str:
    """Return text as a quoted string of Mermaid, whose entities are numbers after a hash.

    Examples
    --------
    >>> in_mermaid('<b> #1')
    '"#60;b#62; #35;1"'
    """
    special = '#"<>&`\\;[](){}|'
    return (
        '"'
        + "".join(f"#{ord(letter)};" if letter in special else letter for letter in printable(text))
        + '"'
    )
