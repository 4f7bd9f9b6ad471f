"""Readers of the binary formats: NumPy's and MNIST's. Each checks a size before it trusts it."""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from minigrad.datasets.errors import DataError, damage_as_data_error

Array = np.ndarray[Any, Any]


def read_npz(file: Path) -> Array:
    """Read the array of a ``.npz``: the only one, or that named ``x`` or ``images``."""
    with file.open("rb") as stream, damage_as_data_error(file, ".npz"):
        start = stream.read(4)
        if start[:2] != b"PK":
            raise DataError(
                f"{file} is no .npz: expected it to begin with 50 4b (a zip archive). Received: "
                f"{start.hex(' ')}. Write it by numpy.savez."
            )
        with zipfile.ZipFile(stream) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist() if ".npy" in name]
            name = _choose(file, names)
            with archive.open(f"{name}.npy") as member:
                size = archive.getinfo(f"{name}.npy").file_size
                return _read_array(member, size, f"{file}, array {name!r}")


def _choose(file: Path, names: Sequence[str]) -> str:
    for name in ("x", "images"):
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    listed = ", ".join(map(repr, names[:10])) + (", …" if len(names) > 10 else "")
    raise DataError(
        f"{file} holds {f'{len(names)} arrays: {listed}' if names else 'no array'}. Expected a "
        "single array, or one named 'x' or 'images': numpy.savez(path, x=...)."
    )


def read_npy(file: Path) -> Array:
    """Read a ``.npy``."""
    with file.open("rb") as stream, damage_as_data_error(file, ".npy"):
        return _read_array(stream, file.stat().st_size, str(file))


def _read_array(stream: IO[bytes], size: int, source: str) -> Array:
    """Read an array of NumPy's format from `size` bytes; nothing in it is ever unpickled."""
    start = stream.read(len(npy_format.MAGIC_PREFIX))
    if start != npy_format.MAGIC_PREFIX:
        raise DataError(
            f"{source} is no .npy: expected it to begin with {npy_format.MAGIC_PREFIX.hex(' ')}. "
            f"Received: {start.hex(' ') or 'nothing'}. Write it by numpy.save."
        )
    stream.seek(0)
    version = npy_format.read_magic(stream)
    # Version 3 exists for names of fields only, and a table of numbers has none.
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise DataError(f"{source}: expected version 1 or 2 of .npy. Received: {version}")
    shape, _, dtype = read_header(stream)
    if dtype.kind not in "fiub":
        raise DataError(
            f"{source}: expected real numbers. Received: dtype {dtype}. Save it again by "
            "numpy.save(path, x.astype('float32')), or leave out what is no number."
        )
    needed = stream.tell() + math.prod(shape) * dtype.itemsize
    if needed != size or any(length < 0 for length in shape):
        raise DataError(
            f"{source} declares {dtype} of shape {shape}, so {needed:,} bytes. Received: {size:,} "
            "bytes. It is cut off or damaged: save or download it again."
        )
    stream.seek(0)
    return npy_format.read_array(stream, allow_pickle=False)


# The third byte of an IDX file names the type of its numbers.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(file: Path) -> Array:
    """Read MNIST's format: a magic number, the lengths of the axes, and the numbers.

    A file that gzip packed is unpacked on the way, whatever its name.

    Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (1998).
    """
    with file.open("rb") as packed, damage_as_data_error(file, "IDX"):
        is_gzip = packed.read(2) == b"\x1f\x8b"
        packed.seek(0)
        with gzip.open(packed) if is_gzip else nullcontext(packed) as stream:
            return _read_idx(file, stream)


def _read_idx(file: Path, stream: IO[bytes]) -> Array:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES or magic[3] == 0:
        raise DataError(
            f"{file} is no IDX file: expected it to begin with 00 00, a type (08 to 0e) and a "
            f"number of axes, as 00 00 08 03. Received: {magic.hex(' ') or 'nothing'}. Download it "
            "again, or name the file by what it is."
        )
    lengths = stream.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise DataError(
            f"{file} ends inside its header: expected {magic[3]} lengths of 4 bytes. Received: "
            f"{len(lengths)} bytes. Download it again."
        )
    shape = struct.unpack(f">{magic[3]}I", lengths)
    kind = np.dtype(_IDX_TYPES[magic[2]])
    declared = math.prod(shape) * kind.itemsize
    numbers = _read_at_most(stream, declared + 1)
    if len(numbers) != declared:
        received = f"{len(numbers):,}" if len(numbers) < declared else "more"
        raise DataError(
            f"{file} declares an array of shape {shape}, so {declared:,} bytes of numbers. "
            f"Received: {received}. It is cut off or damaged: download it again."
        )
    return np.frombuffer(numbers, kind).reshape(shape)


def _read_at_most(stream: IO[bytes], limit: int) -> bytes:
    """Read by the megabyte, so that memory grows with what is there, not with what is declared."""
    blocks = []
    while limit > 0 and (block := stream.read(min(limit, 2**20))):
        blocks.append(block)
        limit -= len(block)
    return b"".join(blocks)
