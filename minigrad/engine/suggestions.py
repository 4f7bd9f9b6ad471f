"""The nearest known names, for the messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], number: int = 3, cutoff: float = 0.4) -> list[str]:
    """Return those of `known` that look most like `name`.

    Examples
    --------
    >>> nearest("rellu", ["elu", "relu", "tanh"], number=1)
    ['relu']
    """
    from difflib import get_close_matches  # only ever needed for an error

    return get_close_matches(name, list(known), n=number, cutoff=cutoff)


def did_you_mean(name: str, known: Iterable[str], number: int = 3) -> str:
    """Return `` Did you mean …?``, or nothing where no known name looks alike."""
    near = nearest(name, known, number)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
