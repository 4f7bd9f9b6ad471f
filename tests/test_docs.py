"""The documentation's tables and snippets hold."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| (.+?) \| `(.+?)` \| `(.+?)` \|$", re.MULTILINE)
ERRORS = [
    pytest.param(snippet, message, id=name)
    for name, snippet, message in ROW.findall((DOCS / "errors.md").read_text())
]


def test_the_table_of_errors_is_read():
    assert len(ERRORS) >= 45


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("snippet", "message"), ERRORS)
def test_a_snippet_of_the_table_of_errors_gives_its_message(snippet, message):
    names = {
        "mg": mg,
        "np": np,
        "x": mg.Tensor([1.0, 2.0], requires_grad=True, name="x"),
    }
    from minigrad.engine.state import STATE

    token = STATE.set(STATE.get())  # a snippet may leave a block open
    try:
        with pytest.raises(Exception, match=re.escape(message)):
            exec(snippet, names)
    finally:
        STATE.reset(token)


def test_the_snippets_on_extending_run_from_top_to_bottom():
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "extending.md").read_text(), re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    exec("\n".join(blocks), names)
    x = mg.Tensor([3.0, 1.0], requires_grad=True)
    assert float(np.ptp(x)) == 2
    assert names["straight_through_round"](x).requires_grad


def test_the_search_of_the_page_on_regularization_paths_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("joblib")
    text = (DOCS / "regularization_path.md").read_text()
    monkeypatch.chdir(tmp_path)  # it writes a table, a figure and a store
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), names)
    table = names["table"]
    assert not table.failed
    assert "codings/active" in capsys.readouterr().out
    assert {"path.csv", "path.png", "runs"} == {file.name for file in tmp_path.iterdir()}
    assert table["codings/active"][table["l1"] == 3e-3].mean() == pytest.approx(9, abs=1.5)
    rows = re.findall(r"^\| `(\S+?)`", text, re.MULTILINE)
    assert set(rows) <= set(table.columns)


# ---- where gradients come from -------------------------------------------------------------------

PAGE = (DOCS / "where_gradients_come_from.md").read_text()


@pytest.fixture(scope="module")
def pictures():
    """The script that draws the pictures of the explorer."""
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "explorer_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table_below(heading):
    """The rows of the first table after a heading, as lists of cells without their marks."""
    (table,) = re.findall(rf"^## {heading}$.*?(^\|.*?)\n\n", PAGE, re.DOTALL | re.MULTILINE)
    rows = [line.strip("|").split("|") for line in table.splitlines()]
    return [[cell.strip(" *`") for cell in row] for row in rows[2:]]


def test_page_one_derives_what_the_trace_derives(pictures):
    trace = pictures.worked_example()
    derivations = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert len(derivations) == 2
    for term, derivation in zip(("data", "a/activity"), derivations, strict=True):
        told = re.sub(r" +\[\S+:\d+ .*\]$", "", trace.explain("a/kernel", term), flags=re.MULTILINE)
        _, *steps, _ = told.split("\n\n")
        assert derivation.split("\n\n") == steps


def test_page_one_has_the_numbers_of_the_trace(pictures):
    trace = pictures.worked_example()
    values = {term: float(value) for term, _, value in table_below("The network")}
    assert values == pytest.approx(trace.terms | {"total": sum(trace.terms.values())})
    for term, *row in table_below("The sum"):
        gradient = trace.gradient("a/kernel", None if term == "total" else term)
        assert gradient.tolist() == [pytest.approx([float(number)] * 3) for number in row]
    assert [term for term, *_ in table_below("The sum")] == [*trace.terms, "total"]


def test_page_one_runs_and_ends_where_it_says():
    names = {}
    exec("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)), names)
    kernel = names["model"].layers[0].kernel.numpy()
    np.testing.assert_allclose(kernel, [[-0.107] * 3, [-1.212] * 3], rtol=1e-5)
    gradient = names["stronger"].gradient("a/kernel")
    np.testing.assert_allclose(gradient, [[11.52] * 3, [23.02] * 3], rtol=1e-6)


def test_page_one_shows_the_graph_that_is_drawn(pictures):
    drawn = (DOCS / "where_gradients_come_from.svg").read_text()
    assert pictures.worked_example().to_svg() == drawn, "run docs/explorer_pictures.py"


def test_page_one_is_listed_first():
    first = re.search(r"^\| \[.*?\]\((.*?)\)", (DOCS / "README.md").read_text(), re.MULTILINE)
    assert first[1] == "where_gradients_come_from.md"


def test_the_readmes_examples_run(capsys):
    readme = (DOCS.parent / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names = {}
    exec("\n".join(blocks), names)
    assert "codings/activity" in capsys.readouterr().out
    assert names["trace"].residual < 1e-5


@pytest.mark.parametrize("path", [*DOCS.glob("*.md"), DOCS.parent / "README.md"], ids=str)
def test_links_between_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target
