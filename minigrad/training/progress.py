"""The progress that `fit` shows while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Report = Callable[[int, Mapping[str, float]], None]


@contextmanager
def progress_bar(epochs: int, verbose: int | str, initial: int = 0) -> Iterator[Report]:
    """Yield a function that is told the values of each epoch when it ends.

    The bar stands at `initial` of the `epochs` at first.
    """
    checked_verbosity(verbose)
    if verbose == 0:
        yield lambda epoch, values: None
    elif verbose == 2:
        yield lambda epoch, values: print(
            f"Epoch {epoch + 1}/{epochs}  {format_values(values)}", flush=True
        )
    else:
        from tqdm import tqdm  # loaded only where a bar is drawn

        # In a file or a notebook each refresh is another line, so there they are rare.
        pause = 0.1 if sys.stdout.isatty() else 2.0
        with tqdm(
            total=epochs, initial=initial, unit="epoch", file=sys.stdout, mininterval=pause
        ) as bar:

            def advance(epoch: int, values: Mapping[str, float]) -> None:
                shown = {
                    name: value
                    for name, value in values.items()
                    if name == "val_loss" or not name.startswith("val_")
                }
                bar.set_postfix_str(format_values(shown), refresh=False)
                bar.update()

            yield advance


def checked_verbosity(verbose: int | str) -> None:
    """Refuse what does not say how much to print."""
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"verbose must be 0, 1, 2 or 'auto'. Received: {verbose!r}")


def format_values(values: Mapping[str, float]) -> str:
    """Return values with their names on one line, as in ``loss 0.04812  data 0.03``."""
    return "  ".join(f"{name} {value:.4g}" for name, value in values.items())
