"""Draw ``where_gradients_come_from.svg``, and take ``explorer.png`` with a chromium."""

import shutil
import tempfile
from pathlib import Path

import minigrad as mg
from minigrad import layers, optimizers, regularizers

HERE = Path(__file__).parent


def worked_example() -> mg.Trace:
    """Return the trace that ``where_gradients_come_from.md`` works out by hand."""
    model = mg.Sequential(
        [
            layers.Dense(
                3,
                activation="relu",
                kernel_initializer="ones",
                bias_initializer="ones",
                kernel_regularizer="l2",
                bias_regularizer="l1",
                activity_regularizer=regularizers.L1(0.1),
                name="a",
            ),
            layers.Dense(
                1,
                kernel_initializer="ones",
                kernel_regularizer=regularizers.L1(0.5),
                name="b",
            ),
        ]
    )
    model.compile(optimizer=optimizers.SGD(0.1), loss="mse")
    return model.trace([[1, 2], [3, -5]], [[1], [0]])


def digits() -> mg.Trace:
    """Return a trace of the README's autoencoder."""
    mg.set_seed(0)
    x = mg.datasets.load_digits().images
    autoencoder = mg.Sequential(
        [
            layers.Dense(
                100,
                activation="relu",
                kernel_regularizer=regularizers.L2(1e-4),
                activity_regularizer=regularizers.L1(1e-3),
                name="codings",
            ),
            layers.Dense(64, activation="sigmoid", name="pixels"),
        ]
    )
    autoencoder.compile(optimizer=optimizers.Adam(1e-3), loss="mse")
    autoencoder.fit(x, x, epochs=20, batch_size=128, verbose=0)
    return autoencoder.trace(x[:128], x[:128])


def photograph(trace: mg.Trace, path: Path) -> None:
    """Save what the explorer shows of the first parameter."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        trace.save(Path(folder, "trace.html"), title="Where every gradient comes from")
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": 1180, "height": 780},
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(Path(folder, "trace.html").as_uri())
        page.click(".node[data-parameter='0']")
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # until what fades has faded
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    (HERE / "where_gradients_come_from.svg").write_text(worked_example().to_svg())
    photograph(digits(), HERE / "explorer.png")
