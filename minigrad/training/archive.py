"""The ``.npz`` file of a model: named arrays and a JSON config, read without trusting it.

Any NumPy reads such a file with plain ``np.load``. We read it more strictly: nothing is pickled or
compressed, every array's declared size must be that of the bytes that are there, and no array is
made before that is certain. So a damaged or malicious file costs no more memory than its own size.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from minigrad.files import atomic_write
from minigrad.training.foreign_formats import what_it_is

__all__ = ["Array", "LoadError", "read", "read_from", "write", "write_into"]

Array = np.ndarray[Any, Any]

CONFIG = "config"
_LONGEST_HEADER = 10_000


class LoadError(ValueError):
    """A file is no model that could be loaded; the message says what is wrong with it."""


def write(
    path: str | os.PathLike[str], config: dict[str, Any], arrays: Mapping[str, Array]
) -> None:
    """Write a config and arrays to `path`, which keeps its old contents if that fails.

    Raises
    ------
    ValueError
        If an array has the name of the config.
    OSError
        If the folder cannot be written.
    """
    with atomic_write(path) as file:
        write_into(file, config, arrays)


def write_into(file: BinaryIO, config: dict[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write what `write` writes into an open file.

    Raises
    ------
    ValueError
        If an array has the name of the config, or holds objects.
    """
    if CONFIG in arrays:
        raise ValueError(f"no array can be saved by the name {CONFIG!r}")
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"{name!r} holds objects, and files hold only numbers")
    named: dict[str, Any] = {CONFIG: np.array(as_json(config)), **arrays}
    np.savez(file, **named)  # before NumPy 2.2, it took allow_pickle for an array's name


def as_json(config: Any) -> str:
    """Return a config as text; NumPy's numbers and arrays in it become plain ones.

    Raises
    ------
    ValueError
        If something in it is neither a number, text, a list or a dict.
    """
    return json.dumps(config, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise ValueError(f"a config holds {value!r}, and files hold only numbers, text, lists and dicts")


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the config and the arrays of a file that `write` made.

    Raises
    ------
    LoadError
        If there is no such file, or it is damaged in any way, or of another format.
    """
    try:
        with open(path, "rb") as file:
            return read_from(file, path)
    except FileNotFoundError:
        raise LoadError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise LoadError(f"{path} is a folder. Expected a file that save has written") from None
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror or error}") from error


def read_from(
    file: BinaryIO, path: str | os.PathLike[str] = "the file"
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the config and the arrays that `write_into` wrote; messages call the file `path`."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = _checked_members(archive, size=file.seek(0, os.SEEK_END))
            arrays = {name: _read_array(archive, info) for name, info in members.items()}
        return _read_config(arrays), arrays
    except Exception as error:  # whatever the parsers of zip and of headers make of such bytes
        if foreign := what_it_is(file):
            raise LoadError(
                f"{path} {foreign}, which minigrad does not read. To take its weights over, write "
                "np.savez('weights.npz', *model.get_weights()) there, and hand these arrays to "
                "model.set_weights here."
            ) from None
        if isinstance(error, LoadError):
            raise LoadError(f"{path}: {error}") from error.__cause__
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


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    """Return an array whose header agrees with the number of bytes that follow it."""
    contents = archive.read(info)  # at most the declared size, and checked by its checksum
    file = io.BytesIO(contents)
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise LoadError(f"{info.filename} has the unknown format {version}")
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, fortran_order, dtype = header(file, max_header_size=_LONGEST_HEADER)
    if dtype.hasobject or dtype.kind not in "fiubU":
        raise LoadError(f"{info.filename} holds {dtype}, but only numbers and text are expected")
    start = file.tell()
    if any(n < 0 for n in shape) or math.prod(shape) * dtype.itemsize != len(contents) - start:
        raise LoadError(
            f"{info.filename} declares shape {shape} of {dtype}, but holds "
            f"{len(contents) - start} bytes"
        )
    values = np.frombuffer(contents, dtype, offset=start)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _read_config(arrays: dict[str, Array]) -> dict[str, Any]:
    try:
        config = json.loads(str(arrays.pop(CONFIG)[()]))
    except KeyError:
        raise LoadError(f"it is no minigrad model, as it holds no {CONFIG!r}") from None
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise LoadError(f"the config is damaged ({error})") from error
    if not isinstance(config, dict):
        raise LoadError("the config is damaged (no JSON object)")
    return config
