"""A page in a real browser, without a screen, with all that it asks for and complains about."""

import re
import shutil
from pathlib import Path

SCREENSHOTS = Path(__file__).parents[2] / "runs" / "screenshots"  # kept by CI, ignored by git
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def keep_picture(page, name):
    """Save what a page shows, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


class Visit:
    """A page in the browser; `close` fails where it complained, or asked anybody for anything."""

    def __init__(self, browser, path, text, **options):
        path.write_text(text, encoding="utf-8")
        self.address = path.as_uri()
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(self.address)

    def text(self, selector):
        return self.page.inner_text(selector)

    def hover_cell(self, canvas, row, column, rows, columns):
        box = canvas.bounding_box()
        canvas.hover(
            position={
                "x": (column + 0.5) * box["width"] / columns,
                "y": (row + 0.5) * box["height"] / rows,
            }
        )

    def set_slider(self, selector, position):
        self.page.eval_on_selector(
            selector,
            "(slider, position) => { slider.value = position;"
            " slider.dispatchEvent(new Event('input', { bubbles: true })); }",
            position,
        )

    def close(self):
        self.context.close()
        assert self.complaints == []
        assert all(re.match(r"(file|about|data|blob):", url) for url in self.requests)
