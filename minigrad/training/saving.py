"""Saving and loading: models, weights alone, and all that it takes to go on training.

A file holds the weights by their paths (``codings/kernel``), the optimizer's running averages
(``optimizer:momentum/codings/kernel``) and a JSON config. Loading neither imports nor runs anything
that the file names: classes are looked up among the known and registered ones.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import losses, metrics, optimizers, seeds
from minigrad.files import atomic_write
from minigrad.layers.layer import registry
from minigrad.layers.weights import weight_budget
from minigrad.serialization import by_own_names, custom_object_scope
from minigrad.training import archive
from minigrad.training.archive import PROGRESS, Array, LoadError, without_prefix
from minigrad.training.foreign_formats import require_place
from minigrad.training.model import Model
from minigrad.training.objective import generator_states, restore_generators

__all__ = ["LoadError", "load", "load_weights", "model_from_json", "save", "save_weights"]

FORMAT = 1
_OPTIMIZER = "optimizer:"


# ---- whole models --------------------------------------------------------------------------------


def save(
    model: Model, filepath: str | os.PathLike[str], overwrite: bool = True, progress: Any = None
) -> None:
    """Write a model's architecture, weights, compile settings and optimizer to a ``.npz``.

    A loaded model goes on training as this one would: the running averages of the optimizer and
    the states of all random generators are there, too. A class or function of yours that is not
    registered is saved by its name, and `load` takes it as ``custom_objects``.

    Parameters
    ----------
    model
        Built.
    filepath
        Of the file, which is replaced all at once, or not at all.
    overwrite
        Whether a file that stands there may be replaced.
    progress
        What a training loop knows of itself; callbacks such as BackupAndRestore pass it.

    Raises
    ------
    RuntimeError
        If the model has not been built.
    ValueError
        If it holds something that could not be loaded again: a lambda, a setting out of range, a
        config that does not make the same weights; or if `filepath` has the extension of another
        format. No file is touched then.
    OSError
        If the folder cannot be written; the old file stays as it was.
    """
    require_place(filepath, "save", overwrite)
    config, arrays = _checked(model)
    if progress is not None:
        config["progress"], progress_arrays = progress
        arrays |= _prefixed(PROGRESS, progress_arrays)
    with atomic_write(filepath) as file:
        archive.write_into(file, config, arrays)


def _checked(model: Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what a file of the model holds, once it has been loaded from memory.

    What has been loaded before is not loaded again: the same settings and the same arrays, but for
    their values.
    """
    arrays = _arrays_of(model)
    with by_own_names(), seeds.undisturbed():
        config = {
            "format": FORMAT,
            "model": registry.serialize(model),
            "input_shape": model.input_shape,
            "optimizer": optimizers.serialize(model.optimizer),
            "loss": losses.serialize(model.loss),
            "loss_weights": model.loss_weights,
            "metrics": [metrics.serialize(metric) for metric in model.compiled_metrics],
            "unweighted_metrics": model.unweighted_metrics,
        }
        kinds = {
            name: [array.shape, array.dtype.str, bool(np.isfinite(array).all())]
            for name, array in arrays.items()
        }
        try:
            contents = archive.as_json([config, kinds])
            config["generators"] = generator_states(model)
            if model.checked_config != contents:
                file = io.BytesIO()
                archive.write_into(file, config, arrays)
                twin = _made(*archive.read_from(file))
                for name, weight in twin.named_weights().items():
                    if weight.dtype != arrays[name].dtype:
                        raise ValueError(f"{name!r} of {arrays[name].dtype} became {weight.dtype}")
                model.checked_config = contents
        except Exception as error:  # whatever constructors make of what was set after them
            raise ValueError(
                f"model {model.name!r} could not be loaded again, so it is not saved: "
                f"{error or type(error).__name__}. Does each get_config of yours tell all "
                "arguments of its constructor, as they are now?"
            ) from error
    return config, arrays


def load(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Model:
    """Return the model that `save` wrote to `filepath`: built, compiled, ready to go on training.

    `custom_objects` are classes and functions of one's own, by name, that are not registered.
    Without `compile`, settings and optimizer stay in the file. No file ever holds code, so that
    `safe_mode` changes nothing. Memory stays below twice the size of the file plus that of one
    trial pass (80 MB at the most).

    Raises
    ------
    LoadError
        If the file is missing, damaged, of a newer format, or names an unregistered class.
    """
    config, arrays = read(filepath)
    if not compile:
        config = {**config, "optimizer": None}
    try:
        with custom_object_scope(custom_objects):
            return _made(config, arrays)
    except Exception as error:  # whatever constructors make of arguments that nobody has checked
        raise LoadError(f"{filepath}: {error or type(error).__name__}") from error


def _made(config: dict[str, Any], arrays: Mapping[str, Array]) -> Model:
    """Return the model that the contents of a file describe."""
    with weight_budget(sum(array.size * 8 for array in _weights_among(arrays).values())):
        model = _make(config)
    load_training_state(model, config, arrays)
    return model


def load_training_state(
    model: Model, config: Mapping[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Give a built and compiled model the weights, running averages and generators of a file."""
    _assign(model, _weights_among(arrays))
    if model.optimizer is not None and any(name.startswith(_OPTIMIZER) for name in arrays):
        if not model.optimizer.built:
            model.optimizer.build(model.parameters())
        model.optimizer.load_state_arrays(without_prefix(_OPTIMIZER, arrays))
    restore_generators(model, config.get("generators", {}))


def training_state(model: Model) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what `restore_training_state` takes: weights, optimizer and generators as they are."""
    optimizer = model.optimizer
    rate = optimizer.get_config()["learning_rate"] if optimizer else None
    return {"generators": generator_states(model), "learning_rate": rate}, _arrays_of(model)


def restore_training_state(
    model: Model, config: dict[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Put back what `training_state` returned; an optimizer that was new then is new again."""
    optimizer = model.optimizer
    if optimizer is not None and optimizer.built:
        optimizer.build(optimizer.parameters)
        optimizer.learning_rate = config["learning_rate"]
    load_training_state(model, config, arrays)


def _make(config: dict[str, Any]) -> Model:
    """Make, build and compile the model that a config describes."""
    model = registry.deserialize(config["model"])
    if not isinstance(model, Model):
        raise ValueError(f"expected a model. Received: {model!r}")
    if not model.built and config["input_shape"] is not None:
        model.build((None, *config["input_shape"]))
    measured = [metrics.deserialize(metric) for metric in config["metrics"]]
    is_usual = type(model).compile is Model.compile  # else nobody knows its arguments
    if config["optimizer"] is not None and is_usual:
        model.compile(
            optimizers.deserialize(config["optimizer"]),
            losses.deserialize(config["loss"]),
            config["loss_weights"],
            measured[: config["unweighted_metrics"]],
            measured[config["unweighted_metrics"] :],
        )
    return model


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the config and arrays of a model's file, checked for its format."""
    config, arrays = archive.read(path)
    if config.get("format") != FORMAT:
        raise LoadError(
            f"{path}: expected a model of format {FORMAT}. Received: {config.get('format')!r}. A "
            "newer minigrad may be able to read it."
        )
    return config, arrays


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """Return the model whose architecture `Model.to_json` described, with new weights.

    `custom_objects` are classes and functions of one's own, by name, that are not registered.

    Raises
    ------
    LoadError
        If the text describes no model, or names an unregistered class.
    """
    try:
        model = registry.deserialize(json.loads(json_string), custom_objects)
    except (KeyError, TypeError, ValueError, RuntimeError, RecursionError) as error:
        raise LoadError(f"the text describes no model: {error}") from error
    if not isinstance(model, Model):
        raise LoadError(f"the text describes {model!r}, which is no model")
    return model


# ---- weights alone -------------------------------------------------------------------------------


def save_weights(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """Write the weights to a ``.npz``, an array for each path; lambdas do not matter here.

    Raises
    ------
    RuntimeError
        If the model has not been built.
    ValueError
        If `filepath` has the extension of another format.
    OSError
        If the folder cannot be written; the old file stays as it was.
    """
    require_place(filepath, "save_weights", overwrite)
    with atomic_write(filepath) as file:
        archive.write_into(file, {"format": FORMAT}, _weights_of(model))


def load_weights(
    model: Model, filepath: str | os.PathLike[str], skip_mismatch: bool = False
) -> None:
    """Take the weights from a file of `save_weights` or `save`: all of them, or none.

    With `skip_mismatch`, weights that are missing or of another shape are left out, with a warning.

    Raises
    ------
    LoadError
        If the file is missing or damaged, or its paths or shapes are not those of the model, which
        is unchanged in that case.
    RuntimeError
        If the model has not been built.
    """
    _, arrays = read(filepath)
    weights = _weights_among(arrays)
    if skip_mismatch:
        ours = model.named_weights()
        fitting = {k: v for k, v in weights.items() if k in ours and ours[k].shape == v.shape}
        skipped = sorted((ours.keys() | weights.keys()) - fitting.keys())
        if skipped:
            warnings.warn(f"{filepath}: left out {', '.join(skipped)}", stacklevel=3)
        weights = {name: fitting.get(name, weight.numpy()) for name, weight in ours.items()}
    try:
        _assign(model, weights)
    except ValueError as error:
        raise LoadError(f"{filepath}: {error}") from error


def _assign(model: Model, arrays: Mapping[str, Array]) -> None:
    """Give each weight its values, once all fit."""
    weights = model.named_weights()
    for name in weights.keys() ^ arrays.keys():
        side = "the file misses" if name in weights else "the model has no"
        raise ValueError(f"{side} weights {name!r}; the model has: {', '.join(weights) or 'none'}")
    for name, weight in weights.items():
        array = arrays[name]
        if array.shape != weight.shape or array.dtype.kind != weight.dtype.kind:
            raise ValueError(
                f"expected {name!r} of shape {weight.shape}. "
                f"Received: {array.shape} of {array.dtype}"
            )
    for name, weight in weights.items():
        weight.assign(arrays[name])


def _weights_of(model: Model) -> dict[str, Array]:
    arrays = {name: weight.numpy() for name, weight in model.named_weights().items()}
    for name in arrays.keys() - _weights_among(arrays).keys():
        raise ValueError(f"weights {name!r} cannot be saved: rename the layer, without the colon")
    return arrays


def _arrays_of(model: Model) -> dict[str, Array]:
    """Return the weights, and what the optimizer has gathered."""
    optimizer = model.optimizer
    gathered = optimizer.state_arrays() if optimizer is not None and optimizer.built else {}
    return _weights_of(model) | _prefixed(_OPTIMIZER, gathered)


def _weights_among(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {
        name: array for name, array in arrays.items() if not name.startswith((_OPTIMIZER, PROGRESS))
    }


def _prefixed(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{prefix}{name}": array for name, array in arrays.items()}
