"""The whitelist: which function stands for which differentiable op.

Keys are NumPy's own functions (``np.exp``), so that ``np.exp(tensor)`` finds its derivative, and
`Tensor` can offer operators without importing a single op.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.suggestions import nearest

F = TypeVar("F", bound=Callable[..., Any])

TABLE: dict[Callable[..., Any], Any] = {}

GUIDE = "docs/extending.md"


def implements(*numpy_functions: Callable[..., Any] | None) -> Callable[[F], F]:
    """Answer for `numpy_functions` when they are called with a Tensor.

    For functions that are composed of other ops and need no derivative rule of their own.

    Examples
    --------
    >>> import numpy as np, minigrad as mg
    >>> @implements(np.polymul)
    ... def product_of_polynomials(p, q):
    ...     return np.convolve(p, q)
    >>> np.polymul(mg.Tensor([1.0, 2.0]), [1.0, -1.0])
    Tensor([ 1.,  1., -2.])
    """

    def register(function: F) -> F:
        for numpy_function in numpy_functions:
            if numpy_function is not None:  # older versions of NumPy lack some
                TABLE[numpy_function] = function
        return function

    return register


def look_up(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the differentiable form of `function`."""
    try:
        return TABLE[function]
    except KeyError:
        pass
    name = getattr(function, "__name__", repr(function))
    known = {getattr(key, "__name__", "") for key in TABLE}
    near = nearest(name, known, cutoff=0.6)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotImplementedError(
        f"minigrad has no derivative rule for np.{name}.{hint} If no gradient is wanted, call it "
        f"on tensor.numpy(); to add a rule, see {GUIDE}."
    )


_REFUSED = {  # what NumPy's default is, and the way out
    "out": (None, "results are new tensors; assign the result to a name instead"),
    "where": (True, "use np.where on the result"),
    "dtype": (None, "convert with tensor.astype"),
    "casting": ("same_kind", "convert with tensor.astype"),
    "order": ("C", "tensors have no memory order of their own"),
    "initial": (None, "add it to the result"),
    "device": (None, "it is computed where NumPy computes"),
}


def refuse_keywords(name: str, keywords: dict[str, Any]) -> None:
    """Raise for NumPy's keywords that would change memory or skip elements; drop their defaults."""
    for keyword, (default, way_out) in _REFUSED.items():
        value = keywords.pop(keyword, None)
        if value is not None and not (isinstance(value, str | bool) and value == default):
            raise TypeError(f"np.{name} of a Tensor takes no {keyword}=: {way_out}.")
