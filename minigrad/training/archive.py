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
from typing import Any

import numpy as np

from minigrad.files import atomic_write

__all__ = ["Array", "LoadError", "read", "write"]

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
    if CONFIG in arrays:
        raise ValueError(f"no array can be saved by the name {CONFIG!r}")
    named: dict[str, Any] = {CONFIG: np.array(json.dumps(config)), **arrays}
    with atomic_write(path) as file:
        np.savez(file, allow_pickle=False, **named)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the config and the arrays of a file that `write` made.

    Raises
    ------
    LoadError
        If there is no such file, or it is damaged in any way.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(path, archive)
            arrays = {name: _read_array(archive, info) for name, info in members.items()}
    except FileNotFoundError:
        raise LoadError(f"there is no file {path}") from None
    except LoadError:
        raise
    except Exception as error:  # whatever the parsers of zip and of headers make of such bytes
        raise LoadError(f"{path} is no readable model file: {error}") from error
    return _read_config(path, arrays), arrays


def _checked_members(
    path: str | os.PathLike[str], archive: zipfile.ZipFile
) -> dict[str, zipfile.ZipInfo]:
    """Return the members by array name, after a look at what they claim to be."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or name in members:
            raise LoadError(f"{path} holds {info.filename!r}, which is no array or comes twice")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise LoadError(f"{path}: {name!r} is compressed or encrypted, which models never are")
        members[name] = info
    # Members may overlap, so that a small file unpacks to a huge one: together they must fit in it.
    if sum(info.file_size for info in members.values()) > os.path.getsize(path):
        raise LoadError(f"{path} claims to hold more than its own size")
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


def _read_config(path: str | os.PathLike[str], arrays: dict[str, Array]) -> dict[str, Any]:
    try:
        config = json.loads(str(arrays.pop(CONFIG)[()]))
    except KeyError:
        raise LoadError(f"{path} is no minigrad model: it holds no {CONFIG!r}") from None
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise LoadError(f"{path}: the config is damaged ({error})") from error
    if not isinstance(config, dict):
        raise LoadError(f"{path}: the config is damaged (no JSON object)")
    return config
