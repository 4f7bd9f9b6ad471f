"""What is read off a trained model: its loss by terms, active units, and the norms of kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine import no_grad
from minigrad.engine.tensor import plain
from minigrad.layers import Layer
from minigrad.layers.forward_pass import Watched
from minigrad.metrics import ActiveUnits, DeadUnits
from minigrad.training import Model

Array = np.ndarray[Any, Any]


def active_units(
    model: Model, x: Array, batch_size: int, threshold: float | None, names: tuple[str, ...] | None
) -> dict[str, float]:
    """Return each watched layer's active units a sample, and how many of its units are dead.

    A unit is an entry of the output's last axis, a channel; it is dead if it is active nowhere.

    Parameters
    ----------
    threshold
        An output counts as active if its absolute value is above; by default above ½ for layers
        with a sigmoid, which never reaches 0, and above 0 for others.
    names
        Which layers; by default those with an activity penalty, and those named ``codings``.
    """
    layers = _watched_layers(model, names)
    if not layers:
        return {}
    counted: dict[str, tuple[ActiveUnits, DeadUnits]] = {}
    for path, layer in layers.items():
        limit = threshold_of(layer) if threshold is None else threshold
        counted[path] = ActiveUnits(path, limit), DeadUnits(path, limit)
    with no_grad():
        for start in range(0, len(x), batch_size):
            watched: Watched = {id(layer): [] for layer in layers.values()}
            model.run(x[start : start + batch_size], False, watched)
            for path, layer in layers.items():
                for _, output in watched[id(layer)]:
                    for metric in counted[path]:
                        metric.update_state(np.abs(plain(output)))
    measured: dict[str, float] = {}
    for path, (active, dead) in counted.items():
        measured[f"{path}/active"] = active.result()
        measured[f"{path}/dead"] = int(dead.result())
    return measured


def _watched_layers(model: Model, names: tuple[str, ...] | None) -> dict[str, Layer]:
    if names is not None:
        return {name: model.get_layer(name) for name in names}
    return {
        path: layer
        for path, layer in model.paths()
        if layer.activity_regularizer is not None or layer.name == "codings"
    }


def threshold_of(layer: Any) -> float:
    """Return above which value an output counts as active: ½ for a sigmoid, 0 for others."""
    activation = getattr(layer, "activation", None)
    return 0.5 if getattr(activation, "name", "") == "sigmoid" else 0.0


def kernels(model: Model) -> Iterator[tuple[str, Array]]:
    """Yield the kernels by their paths, in the order of the layers."""
    for path, parameter in model.named_parameters().items():
        if path.rpartition("/")[2] == "kernel":
            yield path, parameter.numpy()


def kernel_norms(model: Model) -> dict[str, float]:
    """Return √Σw² of each kernel, as ``<layer>/kernel_norm``."""
    return {
        f"{path}_norm": float(np.linalg.norm(kernel.astype(np.float64)))
        for path, kernel in kernels(model)
    }
