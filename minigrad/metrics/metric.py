"""What a metric is: a number gathered batch by batch, shown beside the loss and never minimised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, TypeVar

import numpy as np

from minigrad.checks import checked_dtype, snake_case
from minigrad.engine import get_default_dtype
from minigrad.parameter import Parameter
from minigrad.serialization import Registry
from minigrad.signatures import Configurable, Setting

Array = np.ndarray[Any, Any]
M = TypeVar("M", bound="type[Metric]")


def checked_name(owner: str, argument: str, name: Any, usual: str | None = None) -> str:
    """Return a metric's name, by default the usual one, or that of its class in small letters."""
    if name is not None and (not isinstance(name, str) or not name):
        raise ValueError(f"{owner}: name must be a text. Received: name={name!r}")
    return name or usual or snake_case(owner)


class Metric(Configurable):
    """Base of all metrics: `update_state` for each batch, `result`, `reset_state` for each epoch.

    What a metric gathers stands in variables that `add_weight` makes in its constructor. They are
    set to 0 at a reset, saved and restored without a further line, and so are those of metrics that
    it keeps as attributes.

    Parameters
    ----------
    name
        What the history calls it; by default the class's own, ``mean_squared_error``.
    dtype
        That of the variables of a metric of your own, by default float32. The metrics of minigrad
        gather in float64, whatever it is.

    Attributes
    ----------
    state : dict of str to ndarray
        What was gathered since the last reset and has a shape that the first batch decides: `add`
        keeps it there, `gathers` names it, with the number of axes; an empty one allows any.
    watches_layer : bool
        Whether `update_state` wants the outputs of the layer named `layer`, not the predictions.

    Raises
    ------
    ValueError
        If an argument is not what is stated for it; at an update, if targets, predictions or
        weights do not fit each other or the metric.

    Examples
    --------
    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **more):
    ...         super().__init__(name=name, **more)
    ...         self.largest = self.add_weight(name="largest", initializer="zeros")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         errors = np.abs(np.subtract(y_true, y_pred))
    ...         self.largest.assign(np.maximum(self.largest, errors.max()))
    ...
    ...     def result(self):
    ...         return float(self.largest)
    >>> metric = Largest()
    >>> metric([1.0, 2.0], [1.0, 4.0]), metric([0.0], [1.0])
    (2.0, 2.0)
    """

    gathers: Mapping[str, int] = {}
    watches_layer: ClassVar[bool] = False

    name = Setting(checked_name, None)
    dtype = Setting(lambda owner, _, dtype: checked_dtype(owner, dtype, "fiu").name, None)

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.state: dict[str, Array] = {}
        self._added: list[Parameter] = []

    # ---- variables -----------------------------------------------------------------------------

    def add_variable(
        self,
        shape: int | Sequence[int] = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Parameter:
        """Return a new variable of `shape` and `dtype`, by default one number.

        The initializer makes its first values, by default 0; a reset sets it to 0. `aggregation`
        is for programs that share a batch among machines, which minigrad does not.

        Raises
        ------
        RuntimeError
            If ``super().__init__()`` has not run yet.
        """
        if "_added" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}: call super().__init__() first")
        variable = Parameter(
            "zeros" if initializer is None else initializer,
            name=name or "variable",
            trainable=False,
            shape=(shape,) if isinstance(shape, int) else shape,
            dtype=dtype or self.dtype,
        )
        self._added.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Parameter:
        """Return a new variable; as `add_variable`. The name may also come first."""
        if isinstance(shape, str):
            shape, name = (), shape
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Parameter]:
        """What was added, variables that are attributes, and those of metrics inside of it."""
        inside = [variable for _, metric in self._inside() for variable in metric.variables]
        return [*self._own_variables().values(), *inside]

    def _own_variables(self) -> dict[str, Parameter]:
        """Return its variables by a name that tells them apart, in the order of their making."""
        attributes = [v for v in vars(self).values() if isinstance(v, Parameter)]
        found: dict[str, Parameter] = {}
        for variable in {id(v): v for v in [*self._added, *attributes]}.values():
            name = variable.name or "variable"
            found[f"{name}_{len(found)}" if name in found else name] = variable
        return found

    def _inside(self) -> Iterator[tuple[str, Metric]]:
        """Yield the metrics that are attributes, also in lists and dicts, by their places."""
        for name, value in vars(self).items():
            parts: Any = [("", value)]
            if isinstance(value, list | tuple | dict):
                parts = value.items() if isinstance(value, dict) else enumerate(value)
            for key, part in parts:
                if isinstance(part, Metric):
                    yield f"{name}{key}", part

    # ---- gathering -----------------------------------------------------------------------------

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in one batch: ``(y_true, y_pred, sample_weight=None)``, which are arrays."""
        raise NotImplementedError(
            f"{type(self).__name__} must define update_state(self, y_true, y_pred, "
            "sample_weight=None)"
        )

    def result(self) -> Any:
        """Return the metric of everything since the last reset: a number, or a dict of them."""
        raise NotImplementedError(f"{type(self).__name__} must define result(self)")

    def reset_state(self) -> None:
        """Forget all batches."""
        self.state.clear()
        for variable in self._own_variables().values():
            variable.assign(np.zeros(variable.shape))
        for _, metric in self._inside():
            metric.reset_state()

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
        arrays = {name: variable.numpy() for name, variable in self._own_variables().items()}
        arrays |= {name: np.array(array) for name, array in self.state.items()}
        for place, metric in self._inside():
            arrays |= {f"{place}/{name}": array for name, array in metric.state_arrays().items()}
        return arrays

    def _attributes(self) -> dict[str, Any]:
        """Return all attributes, with copies of arrays and lists: a metric may gather in them."""
        kinds = (np.ndarray, list, dict, set)
        return {k: copy(v) if isinstance(v, kinds) else v for k, v in vars(self).items()}

    def load_state_arrays(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_arrays` returned: all of it, or nothing.

        Raises
        ------
        ValueError
            If something is missing, is too much, or does not fit.
        """
        before = self.state_arrays()
        try:
            self._take({name: np.array(array) for name, array in state.items()})
        except ValueError:
            self._take(before)
            raise

    def _take(self, arrays: dict[str, Array]) -> None:
        for place, metric in self._inside():
            inner = [name for name in arrays if name.startswith(f"{place}/")]
            metric._take({name.removeprefix(f"{place}/"): arrays.pop(name) for name in inner})
        variables = self._own_variables()
        # Where variables are all there is, no batch has shown a shape yet.
        gathered = self.gathers if not variables or arrays.keys() - variables else {}
        axes = {**gathered, **{name: variable.ndim for name, variable in variables.items()}}
        if axes and arrays:  # nothing at all is the state before the first batch
            for name in sorted(axes.keys() ^ arrays.keys()):
                side = "misses" if name in axes else "has no use for"
                raise ValueError(f"{self.owner}: its state {side} {name!r}")
        for name, array in arrays.items():
            wanted = axes.get(name, array.ndim)
            fits = name not in variables or array.shape == variables[name].shape
            if array.dtype.kind not in "biuf" or array.ndim != wanted or not fits:
                raise ValueError(
                    f"{self.owner}: expected numbers along {wanted} axes for {name!r} of its "
                    f"state. Received: shape {array.shape} of {array.dtype}"
                )
        lengths = {array.shape for array in arrays.values() if array.ndim}
        if self.gathers and len(lengths) > 1:
            raise ValueError(
                f"{self.owner}: the arrays of its state must be of one length. "
                f"Received: {sorted(lengths)}"
            )
        for name, variable in variables.items():
            variable.assign(arrays.pop(name, np.zeros(variable.shape)))
        self.state = arrays

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this metric again."""
        config = super().get_config()
        if self.dtype == get_default_dtype().name:
            del config["dtype"]  # a metric of one's own need not know it
        return config

    def __repr__(self) -> str:
        try:
            arguments = self.get_config()
        except (NotImplementedError, ValueError):  # one that could not be saved can be shown
            arguments = {"name": self.name}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"


registry = Registry("metric", is_valid=lambda thing: isinstance(thing, Metric))


def known_as(*identifiers: str) -> Callable[[M], M]:
    """Make a metric known by its class's name, by that in small letters, and by `identifiers`."""

    def register(kind: M) -> M:
        return registry.register(snake_case(kind.__name__), *identifiers)(kind)

    return register


def divided(total: Any, count: Any) -> Any:
    """Return ``total / count``, and 0 where nothing was counted."""
    total, count = np.asarray(total, np.float64), np.asarray(count, np.float64)
    return np.divide(total, count, out=np.zeros_like(total), where=count != 0)
