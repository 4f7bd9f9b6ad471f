"""Saving and loading models: one ``.npz`` with the arrays by name and a JSON config.

Any NumPy reads such a file with plain ``np.load``. Nothing is pickled, and loading neither imports
nor runs anything that the file names: classes are looked up among the known and registered ones.
"""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import losses, optimizers
from minigrad.files import atomic_write
from minigrad.layers.layer import registry

if TYPE_CHECKING:
    from minigrad.training.sequential import Sequential

FORMAT = 1


class LoadError(ValueError):
    """A file is no model that could be loaded; the message says what is wrong with it."""


def save(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model's architecture, weights and compile settings to ``path`` (a ``.npz``).

    Raises
    ------
    RuntimeError
        If the model has not been built.
    ValueError
        If it holds something that could not be loaded again: a lambda, a class or function that
        is not registered. No file is touched in that case.
    OSError
        If the folder cannot be written; the old file stays as it was.
    """
    config = {
        "format": FORMAT,
        "model": registry.serialize(model),
        "optimizer": optimizers.serialize(model.optimizer),
        "loss": losses.serialize(model.loss),
        "loss_weights": model.loss_weights,
    }
    arrays = {name: weight.numpy() for name, weight in model.named_parameters().items()}
    text = json.dumps(config)
    with atomic_write(path) as file:
        np.savez(file, allow_pickle=False, config=np.array(text), **arrays)


def load(path: str | os.PathLike[str]) -> Sequential:
    """Return the model that `save` wrote to `path`, built, with its weights, and compiled.

    Raises
    ------
    LoadError
        If the file is missing, damaged, of a newer format, or names an unregistered class.
    """
    arrays = _read(path)
    try:
        config = json.loads(str(arrays.pop("config")[()]))
    except KeyError:
        raise LoadError(f"{path} is no minigrad model: it holds no 'config'") from None
    except ValueError as error:
        raise LoadError(f"{path}: the config is damaged ({error})") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise LoadError(f"{path}: expected a model of format {FORMAT}. Received another one.")
    try:
        model: Sequential = registry.deserialize(config["model"])
        model.compile(
            optimizers.deserialize(config["optimizer"]) or "adam",
            losses.deserialize(config["loss"]),
            config["loss_weights"],
        )
        parameters = model.named_parameters()
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise LoadError(f"{path}: {error}") from error
    for name in parameters.keys() ^ arrays.keys():
        side = "misses" if name in parameters else "has a surplus of"
        raise LoadError(f"{path} {side} the weights {name!r}")
    for name, parameter in parameters.items():
        if arrays[name].shape != parameter.shape or arrays[name].dtype.kind != "f":
            raise LoadError(
                f"{path}: expected {name!r} of shape {parameter.shape}. "
                f"Received: {arrays[name].shape} of {arrays[name].dtype}"
            )
    for name, parameter in parameters.items():
        parameter.data = arrays[name]
    return model


def _read(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise LoadError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise LoadError(f"{path} is no readable model file: {error}") from error
