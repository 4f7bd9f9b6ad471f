"""From a name, a class, a config or a function to a metric, and back."""

from __future__ import annotations

from typing import Any

from minigrad.metrics.mean import MeanMetricWrapper
from minigrad.metrics.metric import Metric, registry
from minigrad.metrics.resolve import BY_SHAPE


def get(identifier: Any) -> Any:
    """Return the metric that a name, config, class, function or metric stands for.

    A metric that is asked for by name is called by that name, as in Keras's history: ``"mse"``
    and not ``"mean_squared_error"``.

    Parameters
    ----------
    identifier
        None stands for None. A function of ``(y_true, y_pred)`` becomes a `MeanMetricWrapper`.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known ones; for a name that alone is not enough.
    TypeError
        For anything that is none of these.

    Examples
    --------
    >>> get("mse")
    MeanSquaredError(name='mse')
    """
    is_text = isinstance(identifier, str)
    if is_text and identifier in BY_SHAPE and identifier.lower() != "accuracy":
        raise ValueError(
            f"which metric {identifier!r} is depends on the shapes of targets and predictions. "
            "Pass the name to compile(metrics=[…]), or both shapes to metrics.resolve"
        )
    try:
        made = identifier() if isinstance(identifier, type) else identifier
        metric = _metric(made if callable(made) else registry.get(made))
    except TypeError as error:
        if not (is_text or isinstance(identifier, type)):
            raise
        named = identifier if is_text else identifier.__name__
        raise ValueError(f"metric {named!r} must be made with its arguments: {error}") from error
    if metric is not None and is_text:
        metric.name = identifier
    return metric


def _metric(thing: Any) -> Metric | None:
    """Return a metric or None as it is, and the mean of a function."""
    return thing if thing is None or isinstance(thing, Metric) else MeanMetricWrapper(thing)


def serialize(metric: Any) -> Any:
    """Return the config of a metric; a name that awaits its shapes stays as it is.

    Raises
    ------
    ValueError
        For a lambda, or a class or function that is not registered, with the way out.

    Examples
    --------
    >>> serialize(get("mae"))
    {'class_name': 'MeanAbsoluteError', 'config': {'name': 'mae'}}
    """
    return metric if isinstance(metric, str) and metric in BY_SHAPE else registry.serialize(metric)


def deserialize(config: Any) -> Any:
    """Return the metric that `serialize` described.

    Raises
    ------
    ValueError
        If the config is malformed or names an unknown class, saying how to register it.
    """
    if isinstance(config, str):
        return config if config in BY_SHAPE else get(config)
    return _metric(registry.deserialize(config))
