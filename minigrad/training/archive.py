"""The ``.npz`` file of a model: named arrays and a JSON config, read without trusting it.

Any NumPy reads such a file with plain ``np.load``. We read it more strictly: nothing is pickled or
compressed, every array's declared size must be that of the bytes that are there, and no array is
made before that is certain. So a damaged or malicious file costs no more memory than its own size.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from minigrad.datasets.formats import read_array
from minigrad.training.foreign_formats import what_it_is

Array = np.ndarray[Any, Any]

CONFIG = "config"
PROGRESS = "progress:"  # begins the names of arrays that a training loop has added


class LoadError(ValueError):
    """A file is no model that could be loaded; the message says what is wrong with it."""


def write_into(file: BinaryIO, config: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a config and arrays into an open file, or raise a ValueError for what cannot be."""
    for name, array in arrays.items():
        if name == CONFIG or array.dtype.hasobject:
            raise ValueError(f"the array {name!r} has the config's name, or holds objects")
    named: dict[str, Any] = {CONFIG: np.array(as_json(config)), **arrays}
    np.savez(file, **named)  # before NumPy 2.2, it took allow_pickle for an array's name


def as_json(config: Any) -> str:
    """Return a config as text; NumPy's numbers and arrays in it become plain ones."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        raise ValueError(f"a config holds {value!r}, but files hold numbers, text, lists and dicts")

    return json.dumps(config, default=plain)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what `write_into` wrote; a LoadError says what is wrong with any other file."""
    try:
        with open(path, "rb") as file:
            return read_from(file, path)
    except FileNotFoundError:
        raise LoadError(f"there is no file {path}") from None
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from error


def read_from(
    file: BinaryIO, path: str | os.PathLike[str] = "the file"
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what `write_into` wrote into an open file, which messages call `path`."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = _checked_members(archive, size=file.seek(0, os.SEEK_END))
            arrays = {}
            for name, info in members.items():
                with archive.open(info) as member:
                    source = f"{path}: {name!r}"
                    arrays[name] = read_array(member, info.file_size, source, kinds="fiubU")
        return _read_config(arrays), arrays
    except Exception as error:  # whatever the parsers of zip and of headers make of such bytes
        if foreign := what_it_is(file):
            raise LoadError(
                f"{path} {foreign}, which minigrad does not read. To take its weights over, write "
                "np.savez('weights.npz', *model.get_weights()) there, and hand these arrays to "
                "model.set_weights here."
            ) from None
        raise LoadError(f"{path} is no readable model file: {error}") from error


def _checked_members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members by array name, after a look at what they claim to be."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in members:
            raise LoadError(f"it holds {info.filename!r}, which is no array or comes twice")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise LoadError(f"{name!r} is compressed or encrypted, which models never are")
        members[name] = info
    # Members may overlap, so that a small file unpacks to a huge one: together they must fit in it.
    if sum(info.file_size for info in members.values()) > size:
        raise LoadError("it claims to hold more than its own size")
    return members


def _read_config(arrays: dict[str, Array]) -> dict[str, Any]:
    if CONFIG not in arrays:
        raise LoadError(f"it is no minigrad model, as it holds no {CONFIG!r}")
    try:
        config = json.loads(str(arrays.pop(CONFIG)[()]))
        config.keys()
    except Exception as error:  # no text, no JSON, nested too deeply, or no object
        raise LoadError(f"the config is damaged ({error})") from error
    return config


def without_prefix(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
