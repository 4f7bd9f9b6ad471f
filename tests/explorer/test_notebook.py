"""A trace as the last line of a cell: in Jupyter, converted to HTML, and where nothing is trusted.

The notebook is run by a real kernel; JupyterLab is the real one, on loopback, stopped by the test.
"""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from html import unescape

import pytest

from minigrad.explorer import notebook_html
from minigrad.tracing.document import document
from tests.explorer.stories import toy_trace
from tests.explorer.visits import Visit, keep_picture

nbformat = pytest.importorskip("nbformat", reason="notebooks need the test extra")
CELL = """
import minigrad as mg
from tests.explorer.stories import toy_trace
toy_trace()
"""
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Jupyter's own libraries warn about each other; that is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def notebook():
    """Run a notebook whose last line is a trace."""
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_markdown_cell("# A notebook"), nbformat.v4.new_code_cell(CELL)]
    made = nbformat.v4.new_notebook(cells=cells)
    resources = {"metadata": {"path": ROOT}}
    NotebookClient(made, timeout=120, kernel_name="python3", resources=resources).execute()
    return made


def to_html(notebook, **options):
    exporter = pytest.importorskip("nbconvert", reason="nbconvert is not installed").HTMLExporter
    return exporter(**options).from_notebook_node(notebook)[0]


def visible_pictures(page):
    return [
        picture
        for picture in page.query_selector_all("img")
        if picture.is_visible() and "Loss terms" in (picture.get_attribute("alt") or "")
    ]


def loaded(picture):
    picture.evaluate("image => image.decode()")
    return picture.evaluate("image => image.complete && image.naturalWidth > 100")


def explorers(page):
    return [frame for frame in page.frames if frame.query_selector("#panel-step")]


def walk_by_keyboard(page):
    """Make three steps in the only explorer of a page, and return what it says then."""
    (frame,) = explorers(page)
    frame.focus("body")
    frame.click("#next")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    return frame.inner_text("#panel-step")


def open_offline(browser, path, text):
    """Open a page in a context that reaches no host; nbconvert's own template would ask some."""
    path.write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.route(re.compile("^https?://"), lambda route: route.abort())
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    return page


def test_the_output_has_a_page_and_a_text(notebook):
    (output,) = notebook.cells[1].outputs
    assert set(output.data) == {"text/html", "text/plain"}
    assert "a/activity" in output.data["text/plain"]


def test_converted_to_html_it_is_the_explorer(notebook, browser, tmp_path):
    page = open_offline(browser, tmp_path / "converted.html", to_html(notebook))
    assert "step 3 of 16" in walk_by_keyboard(page)
    assert visible_pictures(page) == []
    keep_picture(page, "notebook_converted")
    page.close()


def test_converted_and_sanitized_it_keeps_its_text(notebook):
    # This conversion takes out every frame, and every picture that is not on a web site.
    text = to_html(notebook, sanitize_html=True)
    assert "<iframe" not in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    assert "a/activity" in unescape(text)


def test_in_a_static_page_it_is_the_explorer(browser, tmp_path):
    body = notebook_html(document(toy_trace()))
    visit = Visit(browser, tmp_path / "static.html", f"<!doctype html><h1>Lecture</h1>{body}")
    assert "step 3 of 16" in walk_by_keyboard(visit.page)
    assert visible_pictures(visit.page) == []
    visit.close()


def test_without_frames_and_styles_the_picture_remains(browser, tmp_path):
    body = notebook_html(document(toy_trace()))
    body = re.sub(r"<style>.*?</style>|<iframe.*?</iframe>", "", body, flags=re.DOTALL)
    visit = Visit(browser, tmp_path / "bare.html", f"<!doctype html>{body}")
    (picture,) = visible_pictures(visit.page)
    assert loaded(picture)
    visit.close()


def test_the_picture_is_an_svg_without_scripts():
    image = re.search(r"data:image/svg\+xml;base64,([^\"]+)", notebook_html(document(toy_trace())))
    text = base64.b64decode(image[1]).decode()
    assert text.startswith("<svg")
    assert "<script" not in text
    assert "a/activity" in text


# ---- JupyterLab ----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def jupyter(notebook, tmp_path_factory):
    """Serve one notebook in the real JupyterLab; yields its address, and how to trust the file."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "notebooks"
    folder.mkdir()
    for name in ("untrusted", "trusted"):
        # A signature belongs to the contents, so the two must differ.
        copy = json.loads(json.dumps(notebook))
        copy["cells"][0]["source"] = f"# {name}"
        (folder / f"{name}.ipynb").write_text(json.dumps(copy))
    surroundings = {name: str(home / name) for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR",
    )}  # fmt: skip
    environment = {**os.environ, **surroundings}
    subprocess.run(
        [sys.executable, "-m", "jupyter", "trust", str(folder / "trusted.ipynb")],
        env=environment, check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    with open(home / "log.txt", "w") as log:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--no-browser",
                f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            ],
            env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api/status", server, home / "log.txt")
            yield address
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address, server, log):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"JupyterLab does not answer. {log.read_text()}")


def open_in_jupyter(browser, address, name):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.route(
        re.compile("^https?://"),
        lambda route: route.continue_() if route.request.url.startswith(address) else route.abort(),
    )
    page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
    page.wait_for_selector(".minigrad-explorer, img[alt*='Loss terms']", timeout=60_000)
    return page


def test_a_trusted_notebook_in_jupyterlab_shows_the_explorer(jupyter, browser):
    page = open_in_jupyter(browser, jupyter, "trusted")
    page.wait_for_selector(".minigrad-explorer iframe")
    page.frame_locator(".minigrad-explorer iframe").locator("#panel-step").wait_for()
    assert "step 3 of 16" in walk_by_keyboard(page)
    assert visible_pictures(page) == []
    keep_picture(page, "jupyterlab_trusted")
    page.close()


def test_an_untrusted_notebook_in_jupyterlab_falls_back_to_the_picture(jupyter, browser):
    page = open_in_jupyter(browser, jupyter, "untrusted")
    page.wait_for_selector("img[alt*='Loss terms']", timeout=60_000)
    assert explorers(page) == []
    (picture,) = visible_pictures(page)
    assert loaded(picture)
    keep_picture(page, "jupyterlab_untrusted")
    page.close()
