"""Draw ``architecture.svg``: the floors, as they are listed in pyproject.toml."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

FLOORS = [
    ("edges", "command_line · report", "#f3e6f0"),
    ("training", "Sequential · fit · History · saving", "#fbe9da"),
    ("tracing  ·  optimizers", "contributions, steps, table   ·   SGD, Adam", "#fdf3cf"),
    ("layers", "Layer · Parameter · Dense · … · loss terms", "#e9f3d9"),
    ("functions", "activations · initializers · regularizers · losses", "#d9efe6"),
    ("ops", "derivative rules by family", "#d8ebf6"),
    ("engine", "Tensor · Node · Primitive · the reverse walk", "#dfe3f5"),
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
        box(0.1, y + 0.06, 7.1, 0.82, colour)
        axes.text(0.35, y + 0.47, name, va="center", weight="bold", size=11)
        axes.text(7.0, y + 0.47, content, va="center", ha="right", size=9.5)
    for y, name, content in ((3.06, "plots", "matplotlib"), (1.06, "datasets", "digits, files")):
        box(7.6, y, 2.2, 1.82, "#eeeeee")
        axes.text(8.7, y + 1.12, name, ha="center", weight="bold", size=11)
        axes.text(8.7, y + 0.62, content, ha="center", size=9.5)
    box(0.1, -0.94, 9.7, 0.82, "#ffffff")
    axes.text(4.95, -0.53, "NumPy", ha="center", va="center", weight="bold", size=11)
    axes.annotate(
        "", (7.4, 0.1), (7.4, 6.9), arrowprops={"arrowstyle": "-|>", "color": "#555", "lw": 1.4}
    )
    axes.text(7.43, 6.55, " imports go down only", size=9, color="#333")
    return figure


if __name__ == "__main__":
    matplotlib.rcParams["svg.hashsalt"] = "minigrad"  # the same bytes each time
    draw().savefig(Path(__file__).with_name("architecture.svg"), metadata={"Date": None})
