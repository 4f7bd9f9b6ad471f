"""TraceOutput: how a trace shows itself, in a terminal, in Jupyter, as a file and as a graph."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from minigrad.tracing.table import Table

Granularity = Literal["op", "layer"]


class TraceOutput:
    """What `Trace` can be turned into; a base of it."""

    if TYPE_CHECKING:
        name: str

        @property
        def terms(self) -> dict[str, float]: ...

        residual: float
        table: Any

    def document(self) -> dict[str, Any]:
        """Return all of it as plain lists, dicts, numbers and strings, ready for JSON."""
        from minigrad.tracing.document import document

        return document(self)  # type: ignore[arg-type]  # Trace is the only class derived from this

    def save(self, path: str | os.PathLike[str], title: str = "") -> None:
        """Write the explorer to an HTML file that opens in any browser, without a network.

        Raises
        ------
        OSError
            If the file cannot be written; what stood there before is untouched.
        """
        from minigrad.explorer import page
        from minigrad.files import atomic_write

        text = page(self.document(), title or self._title())
        with atomic_write(path) as file:
            file.write(text.encode())

    def to_dot(self, by: Granularity = "op") -> str:
        """Return the graph for Graphviz, layers and terms marked.

        Parameters
        ----------
        by
            ``"op"`` for the tape, each op in its layer's box; ``"layer"`` for the model, a node
            for each call of a layer and for each term.

        Raises
        ------
        ValueError
            If `by` is neither.
        """
        from minigrad.explorer import dot

        return dot(self._graph(by))

    def to_mermaid(self, by: Granularity = "op") -> str:
        """Return the graph for Mermaid, layers and terms marked; `by` as in `to_dot`."""
        from minigrad.explorer import mermaid

        return mermaid(self._graph(by))

    def to_svg(self, by: Granularity = "op") -> str:
        """Return the graph as a picture, layers and terms marked; `by` as in `to_dot`."""
        from minigrad.explorer import picture

        return picture(self._graph(by))

    def _graph(self, by: Granularity) -> dict[str, Any]:
        from minigrad.explorer import by_layer

        if by not in ("op", "layer"):
            raise ValueError(f"the graph is drawn by 'op' or by 'layer'. Received: {by!r}")
        return by_layer(self.document()) if by == "layer" else self.document()

    def plot(self) -> Any:
        """Draw the contributions of each term to each parameter; returns a matplotlib figure."""
        from minigrad import plots  # matplotlib is loaded only when something is drawn

        return plots.contributions(self.table().as_dicts())

    def _title(self) -> str:
        return f"Trace of {self.name}" if self.name else "Trace"

    def __str__(self) -> str:
        total = sum(self.terms.values())
        values = "\n".join(f"  {name}  {value:.6g}" for name, value in self.terms.items())
        table: Table = self.table()
        return (
            f"Loss {total:.6g}, the sum of\n{values}\n\nWhere each gradient comes from:\n"
            f"{table}\n\nContributions add up to the gradient; relative residual "
            f"{self.residual:.1e}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from minigrad.explorer import notebook_html

        return notebook_html(self.document())
