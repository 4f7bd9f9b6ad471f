"""What a metric is: a number gathered batch by batch, shown beside the loss and never minimised."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from minigrad.serialization import Registry

Array = np.ndarray[Any, Any]
M = TypeVar("M", bound="type[Metric]")


class Metric:
    """Base of all metrics: `update_state` for each batch, `result`, `reset_state` for each epoch.

    Parameters
    ----------
    name
        What the history calls it; by default the class's own, ``mean_squared_error``.

    Attributes
    ----------
    state : dict of str to ndarray
        All that was gathered since the last reset. What `add` keeps there is reset, saved and
        restored without a further line; a subclass that keeps it elsewhere must override
        `reset_state`, `state_arrays` and `load_state_arrays`.
    gathers : mapping of str to int
        The names that may stand in `state`, and the number of axes of each; an empty one allows
        any.
    watches_layer : bool
        Whether `update_state` wants the outputs of the layer named `layer`, not the predictions.

    Raises
    ------
    ValueError
        If the name is no text, or is empty.

    Examples
    --------
    >>> class Largest(Metric):
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         errors = np.abs(np.subtract(y_true, y_pred))
    ...         self.state["largest"] = np.array(max(self.result(), errors.max()))
    ...
    ...     def result(self):
    ...         return float(self.state.get("largest", 0.0))
    >>> metric = Largest()
    >>> metric([1.0, 2.0], [1.0, 4.0]), metric([0.0], [1.0])
    (2.0, 2.0)
    """

    gathers: Mapping[str, int] = {}
    watches_layer: ClassVar[bool] = False
    default_name: ClassVar[str | None] = None

    def __init__(self, name: str | None = None) -> None:
        kind = type(self)
        if name is not None and (not isinstance(name, str) or not name):
            raise ValueError(f"{kind.__name__}: name must be a text. Received: name={name!r}")
        self.name = name or kind.default_name or words_of(kind.__name__)
        self.state: dict[str, Array] = {}

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in one batch: ``(y_true, y_pred, sample_weight=None)``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_state(self, y_true, y_pred, "
            "sample_weight=None)"
        )

    def result(self) -> Any:
        """Return the metric of everything since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define result(self)")

    def reset_state(self) -> None:
        """Forget all batches."""
        self.state.clear()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take in a batch, and return the metric of everything since the last reset."""
        self.update_state(*args, **kwargs)
        return self.result()

    def add(self, name: str, amount: Any) -> None:
        """Add `amount` to what `state` holds under `name`, in float64; it begins at 0."""
        self.state[name] = np.asarray(self.state.get(name, 0.0) + np.asarray(amount, np.float64))

    @property
    def owner(self) -> str:
        """What messages call it: its class and its name."""
        return f"{type(self).__name__} {self.name!r}"

    # ---- to stop and go on ---------------------------------------------------------------------

    def state_arrays(self) -> dict[str, Array]:
        """Return a copy of all that was gathered, to go on from in the middle of an epoch."""
        return {name: np.array(array) for name, array in self.state.items()}

    def load_state_arrays(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_arrays` returned: all of it, or nothing.

        Raises
        ------
        ValueError
            If something is missing, is too much, or does not fit.
        """
        arrays = {name: np.array(array) for name, array in state.items()}
        if self.gathers and arrays:  # nothing at all is the state before the first batch
            for name in sorted(self.gathers.keys() ^ arrays.keys()):
                side = "misses" if name in self.gathers else "has no use for"
                raise ValueError(f"{self.owner}: its state {side} {name!r}")
        for name, array in arrays.items():
            axes = self.gathers.get(name, array.ndim)
            if array.dtype.kind not in "biuf" or array.ndim != axes:
                raise ValueError(
                    f"{self.owner}: expected numbers along {axes} axes for {name!r} of its state. "
                    f"Received: shape {array.shape} of {array.dtype}"
                )
        lengths = {array.shape for array in arrays.values() if array.ndim}
        if self.gathers and len(lengths) > 1:
            raise ValueError(
                f"{self.owner}: the arrays of its state must be of one length. "
                f"Received: {sorted(lengths)}"
            )
        self.state = arrays

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again.

        Raises
        ------
        NotImplementedError
            If a subclass does not define it and has arguments to remember.
        """
        unknown = vars(self).keys() - {"name", "state"}
        if unknown:
            raise NotImplementedError(
                f"{type(self).__name__} must define get_config() to be saved, returning a dict of "
                f"its constructor's arguments (it has {', '.join(sorted(unknown))})"
            )
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Make the metric that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        try:
            arguments = self.get_config()
        except (NotImplementedError, ValueError):  # one that could not be saved can be shown
            arguments = {"name": self.name}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"


def words_of(name: str) -> str:
    """Return a class's name in small letters, word by word, as Keras names its metrics.

    Examples
    --------
    >>> words_of("KLDivergence"), words_of("R2Score"), words_of("TopKCategoricalAccuracy")
    ('kl_divergence', 'r2_score', 'top_k_categorical_accuracy')
    """
    after_a_word = r"(?<=[a-z0-9])(?=[A-Z])"
    before_a_word = r"(?<=[A-Z])(?=[A-Z][a-z])"
    return re.sub(f"{after_a_word}|{before_a_word}", "_", re.sub(r"\W", "", name)).lower()


registry = Registry("metric", is_valid=lambda thing: isinstance(thing, Metric))


def known_as(*identifiers: str) -> Callable[[M], M]:
    """Make a metric known by its class's name, by that in small letters, and by `identifiers`."""

    def register(kind: M) -> M:
        return registry.register(words_of(kind.__name__), *identifiers)(kind)

    return register


def divided(total: Any, count: Any) -> Any:
    """Return ``total / count``, and 0 where nothing was counted."""
    total, count = np.asarray(total, np.float64), np.asarray(count, np.float64)
    return np.divide(total, count, out=np.zeros_like(total), where=count != 0)
