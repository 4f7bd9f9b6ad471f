"""LossTerms: the addends of the loss, by name, kept apart until the last moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad.engine import Tensor
from minigrad.engine.tensor import plain


class LossTerms(Mapping[str, Tensor]):
    """An ordered mapping from the names of the loss's terms to scalar Tensors.

    Addends of the same name (the activity penalties of a layer that is called twice) are summed.

    Parameters
    ----------
    addends
        Pairs of a name such as ``"codings/activity"`` and a scalar Tensor.

    Examples
    --------
    >>> terms = LossTerms([("data", Tensor(60.5)), ("a/kernel", Tensor(0.5))])
    >>> terms
    LossTerms(data=60.5, a/kernel=0.5; total=61)
    >>> float(terms.total())
    61.0
    """

    def __init__(self, addends: Iterable[tuple[str, Tensor]]) -> None:
        self._terms: dict[str, Tensor] = {}
        for name, value in addends:
            self._terms[name] = self._terms[name] + value if name in self._terms else value

    def __getitem__(self, name: str) -> Tensor:
        return self._terms[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def total(self) -> Tensor:
        """Return the sum of all terms, of which there must be one: the loss that is minimised."""
        if not self._terms:
            raise ValueError(
                "there is nothing to minimise: compile the model with a loss, or give a layer a "
                "regularizer"
            )
        first, *others = self._terms.values()
        return sum(others, first)

    def values_as_floats(self) -> dict[str, float]:
        """Return the terms as plain numbers."""
        return {name: float(plain(value)) for name, value in self._terms.items()}

    def __repr__(self) -> str:
        values = self.values_as_floats()
        parts = ", ".join(f"{name}={value:.6g}" for name, value in values.items())
        return f"LossTerms({parts}; total={sum(values.values()):.6g})"


def as_penalty(value: Any, source: Any, layer: str, dtype: np.dtype[Any]) -> Tensor:
    """Return what a regularizer returned as a scalar Tensor.

    A plain number gets `dtype`, that of what is penalised, and records no gradient.
    """
    try:
        # As an array, a Python float is not rounded to the default dtype on its way to another.
        number = np.asarray(value) if isinstance(value, int | float) else value
        penalty = value if isinstance(value, Tensor) else Tensor(number, dtype=dtype)
    except TypeError as error:
        raise TypeError(
            f"layer {layer!r}: regularizer {source!r} must return a scalar. Received: {value!r}"
        ) from error
    if penalty.size != 1 or penalty.ndim > 0:
        raise ValueError(
            f"layer {layer!r}: regularizer {source!r} must return a scalar. "
            f"Received: shape {penalty.shape}. Reduce it, for example with .sum()."
        )
    return penalty if penalty.dtype.kind == "f" else penalty.astype(dtype)
