import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from minigrad.explorer import dot, mermaid, notebook_html, page, picture
from minigrad.explorer.palette import DATA_COLOUR, PENALTY_COLOURS, looks
from minigrad.plots.style import term_colours
from minigrad.tracing.document import document
from tests.explorer.stories import (
    HOSTILE,
    TRACES,
    hostile_trace,
    large_kernels,
    many_ops,
    nested_trace,
    toy_trace,
)

SVG = "{http://www.w3.org/2000/svg}"


class Tags(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.scripts, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=list(TRACES))
def story(request):
    return document(TRACES[request.param]())


def test_the_page_holds_the_document(story):
    data = Tags(page(story)).scripts[0]
    assert json.loads(data) == story


def test_the_page_needs_nothing_from_outside(story):
    text = page(story)
    tags = Tags(text)
    for tag in ("link", "img", "iframe", "object"):
        assert tags.all(tag) == []
    assert not any("src" in attributes for attributes in tags.all("script"))
    addresses = set(re.findall(r"https?://[^\s\"'<]*", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_names_are_harmless_in_the_page():
    text = page(document(hostile_trace()), title=HOSTILE)
    tags = Tags(text)
    assert len(tags.scripts) == 2
    assert not set("<>&") & set(tags.scripts[0])  # nothing that a browser could take for markup
    assert tags.all("b") == []
    assert "\u2028" not in text
    assert "\x00" not in text
    assert "<b>" not in text


def test_names_are_harmless_in_svg():
    text = picture(document(hostile_trace()))
    tree = ElementTree.fromstring(text)
    assert {element.tag for element in tree.iter()} <= {
        SVG + name for name in ("svg", "title", "rect", "g", "path", "text")
    }
    shown = "".join(tree.itertext())
    assert "</script><b>\"x'&`;-->" in shown


def test_names_are_harmless_in_dot():
    text = dot(document(hostile_trace()))
    without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert "<" not in without_strings
    assert "script" not in without_strings
    assert '\\"x' in text


def test_names_are_harmless_in_mermaid():
    text = mermaid(document(hostile_trace()))
    without_strings = re.sub(r'"[^"\n]*"', "", text)
    assert "script" not in without_strings
    assert "<" not in text
    assert "`" not in text


def test_the_picture_is_well_formed_and_marks_layers_and_terms(story):
    tree = ElementTree.fromstring(picture(story))
    strands = [path for path in tree.iter(SVG + "path") if path.get("class") == "strand"]
    assert len(strands) == sum(len(edge["terms"]) for edge in story["edges"])
    colours = [look.colour for look in looks(story["terms"])]
    for strand in strands:
        assert strand.get("stroke") == colours[int(strand.get("data-term"))]


def test_a_picture_names_the_layers_and_shows_its_strands_without_any_style():
    text = picture(document(nested_trace()))
    shown = "".join(ElementTree.fromstring(text).itertext())
    for name in ("encoder/codings", "decoder/dense_1", "1 · data", "16×4"):
        assert name in shown
    assert 'opacity="0.9"' in text


def test_terms_have_the_colours_of_the_plots():
    names = ["data", "a/kernel", "a/bias", "b/activity"]
    described = [{"name": name, "is_data": name == "data"} for name in names]
    assert [look.colour for look in looks(described)] == list(term_colours(names).values())
    many = [f"t{number}" for number in range(9)]
    described = [{"name": name, "is_data": False} for name in many]
    assert [look.colour for look in looks(described)] == list(term_colours(many).values())
    assert DATA_COLOUR not in PENALTY_COLOURS


def test_neighbouring_penalties_differ_in_their_dashes_too():
    described = [{"name": str(number), "is_data": number == 0} for number in range(8)]
    assert len({look.dashes for look in looks(described)}) == 8


def test_dot_has_a_cluster_for_each_layer_and_an_edge_for_each_edge():
    story = document(toy_trace())
    text = dot(story)
    assert text.count("subgraph cluster_") == 7
    assert text.count("->") == len(story["edges"])
    assert f'color="{DATA_COLOUR}:#cc79a7"' in text  # the data's and the activity penalty's
    assert text.count("{") == text.count("}")


def test_mermaid_has_a_subgraph_for_each_layer_and_numbers_on_its_edges():
    story = document(toy_trace())
    text = mermaid(story)
    assert text.startswith("flowchart TD\n")
    assert text.count("subgraph") == text.count("  end") == 7
    assert '-->|"1 4"|' in text
    assert "fill:#3b5b92" in text


def test_in_a_notebook_the_page_is_a_sandboxed_frame():
    story = document(toy_trace())
    (frame,) = Tags(notebook_html(story)).all("iframe")
    assert frame["sandbox"] == "allow-scripts"
    assert frame["srcdoc"] == page(story)


def test_an_untrusted_notebook_is_left_with_the_picture():
    story = document(toy_trace())
    tags = Tags(notebook_html(story))
    (image,) = tags.all("img")
    start = "data:image/svg+xml;base64,"
    assert image["src"].startswith(start)
    assert base64.b64decode(image["src"][len(start) :]).decode() == picture(story)
    assert "data" in image["alt"]
    assert len(tags.all("style")) == 1  # what hides the picture where styles are kept


def test_names_are_harmless_in_a_notebook():
    tags = Tags(notebook_html(document(hostile_trace()), title=HOSTILE))
    assert [name for name, _ in tags.elements] == ["div", "style", "iframe", "img"]


@pytest.mark.parametrize("make", [large_kernels, many_ops])
def test_a_page_of_large_arrays_or_many_ops_stays_below_two_megabytes(make):
    text = page(document(make()))
    assert len(text.encode()) < 2_000_000


def test_the_same_document_gives_the_same_bytes(story):
    assert page(story) == page(story)
