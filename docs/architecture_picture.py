"""Draw ``architecture.svg``: the floors, as they are listed in pyproject.toml."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

FLOORS = [
    ("edges", "command_line   ·   search", "#f3e6f0"),
    ("training", "Model · Sequential · fit · callbacks · History · saving", "#fbe9da"),
    ("tracing  ·  optimizers", "terms, steps, diagnoses   ·   steps, schedules", "#fdf3cf"),
    ("layers", "Layer · Dense · Conv2D · … · penalties · loss terms", "#e9f3d9"),
    (
        "functions",
        "activations · initializers · constraints\nregularizers · losses · metrics · Parameter",
        "#d9efe6",
    ),
    ("ops", "derivative rules by family", "#d8ebf6"),
    ("engine", "Tensor · Node · Primitive · the reverse walk", "#dfe3f5"),
]
ASIDE = [
    ("plots", "figures: matplotlib"),
    ("explorer", "pages of traces"),
    ("report", "pages of runs"),
    ("datasets", "digits, files of data"),
    ("files", "writing safely"),
]


def draw() -> Figure:
    """Return the picture."""
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set(xlim=(0, 10), ylim=(-1.05, len(FLOORS) + 0.1))

    def box(x: float, y: float, width: float, height: float, colour: str) -> None:
        style = "round,pad=0,rounding_size=0.12"
        axes.add_patch(
            FancyBboxPatch((x, y), width, height, boxstyle=style, fc=colour, ec="#555", lw=0.8)
        )

    for index, (name, content, colour) in enumerate(FLOORS):
        y = len(FLOORS) - 1 - index
        box(0.1, y + 0.06, 6.9, 0.82, colour)
        axes.text(0.35, y + 0.47, name, va="center", weight="bold", size=11)
        axes.text(6.8, y + 0.47, content, va="center", ha="right", size=9.5)
    axes.text(8.7, 6.72, "aside", ha="center", va="center", style="italic", size=9.5)
    for index, (name, content) in enumerate(ASIDE):
        y = 5.3 - 1.3 * index
        box(7.6, y, 2.2, 1.14, "#eeeeee")
        axes.text(8.7, y + 0.72, name, ha="center", va="center", weight="bold", size=11)
        axes.text(8.7, y + 0.34, content, ha="center", va="center", size=9.5)
    box(0.1, -0.94, 9.7, 0.82, "#ffffff")
    axes.text(4.95, -0.53, "NumPy", ha="center", va="center", weight="bold", size=11)
    axes.annotate(
        "", (7.4, 0.1), (7.4, 6.9), arrowprops={"arrowstyle": "-|>", "color": "#555", "lw": 1.4}
    )
    axes.text(
        7.33,
        3.5,
        "imports go down only",
        size=9,
        color="#333",
        rotation=90,
        va="center",
        ha="right",
    )
    return figure


if __name__ == "__main__":
    matplotlib.rcParams["svg.hashsalt"] = "minigrad"  # the same bytes each time
    draw().savefig(Path(__file__).with_name("architecture.svg"), metadata={"Date": None})
