from html.parser import HTMLParser

import pytest

from minigrad import plots
from minigrad.report import Section, render

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Collects what matters of a page, and checks that its tags are balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.tags, self.ids = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.ids.append(attributes.get("id"))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(attributes)
        if tag == "a":
            self.links.append(attributes["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def figure():
    return plots.comparison([{"name": "a", "active": 1, "error": 1}])


def page():
    return render(
        "Title <b>",
        "Lead & more",
        [
            Section("One", "Text <script>alert(1)</script>", figure=figure(), alt='A "picture"'),
            Section("Two", "Text", table=[("a", "b"), ("<1>", "2")], preformatted="x < y"),
        ],
    )


def test_a_page_is_well_formed_and_links_to_its_sections():
    parsed = Page(page())
    assert parsed.links == ["#s1", "#s2"]
    assert {"s1", "s2"} <= set(parsed.ids)


def test_a_page_needs_nothing_from_outside_and_runs_nothing():
    text = page()
    parsed = Page(text)
    assert "script" not in parsed.tags
    assert "link" not in parsed.tags
    assert "http" not in text
    assert all(image["src"].startswith("data:image/png;base64,") for image in parsed.images)


def test_text_is_escaped_and_pictures_have_words():
    text = page()
    for escaped in (
        "Title &lt;b&gt;",
        "Lead &amp; more",
        "&lt;script&gt;",
        "&lt;1&gt;",
        "x &lt; y",
    ):
        assert escaped in text
    assert Page(text).images[0]["alt"] == 'A "picture"'
    with pytest.raises(ValueError, match="'One' needs an alt text"):
        render("t", "l", [Section("One", "", figure=figure())])


def test_the_same_content_gives_the_same_bytes():
    assert page() == page()
