"""The documentation's tables and snippets hold."""

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
