"""Readers of the binary formats: NumPy's and MNIST's. Each checks a size before it trusts it."""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format

from minigrad.datasets.errors import DataError, damage_as_data_error

Array = np.ndarray[Any, Any]

_ALWAYS_ROOM = 2**28  # bytes; that much is read, however small the file
_LARGEST_RATIO = 100


def read_npz(file: Path) -> Array:
    """Read the array of a ``.npz``: the only one, or that named ``x`` or ``images``."""
    with file.open("rb") as stream, damage_as_data_error(file, "is no readable .npz"):
        start = stream.read(4)
        if start[:2] != b"PK":
            raise DataError(
                f"{file} is no readable .npz: expected it to begin with 50 4b (a zip archive). "
                f"Received: {_hex(start)}. Write it by numpy.savez."
            )
        with zipfile.ZipFile(stream) as archive:
            names = [
                name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
            ]
            name = _choose(file, names)
            with archive.open(f"{name}.npy") as member:
                size = archive.getinfo(f"{name}.npy").file_size
                _require_room(file, size)
                return read_array(member, size, f"{file} is no readable .npz: its array {name!r}")


def _choose(file: Path, names: Sequence[str]) -> str:
    for name in ("x", "images"):
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    listed = ", ".join(" ".join(name.split()) for name in names[:10]) + (
        ", …" if len(names) > 10 else ""
    )
    raise DataError(
        f"{file} holds {listed or 'no array'}. Expected a "
        "single array, or one named 'x' or 'images': numpy.savez(path, x=...)."
    )


def _require_room(file: Path, size: int) -> None:
    """Refuse a packed file that unpacks to more than it has room for."""
    if size > _room(file):
        raise DataError(
            f"{file} of {file.stat().st_size:,} bytes would unpack to {size:,} or more, over "
            f"{_LARGEST_RATIO} times as many: it is damaged, or made to fill the memory. If it is "
            "neither, save it without compression, by numpy.savez."
        )


def _room(file: Path) -> int:
    """How many bytes a packed file may unpack to.

    Deflate packs a thousand zeros into a byte, but pictures and tables by ten or twenty.
    """
    return max(_ALWAYS_ROOM, _LARGEST_RATIO * file.stat().st_size)


def read_npy(file: Path) -> Array:
    """Read a ``.npy``."""
    with file.open("rb") as stream, damage_as_data_error(file, "is no readable .npy"):
        size = file.stat().st_size
        return read_array(stream, size, f"{file} is no readable .npy: it")


def read_array(stream: IO[bytes], size: int, source: str, kinds: str = "fiub") -> Array:
    """Read an array of NumPy's format from `size` bytes; nothing in it is ever unpickled.

    `source` begins the sentence of each error; `kinds` are those of dtypes that are taken.
    """
    start = stream.read(len(npy_format.MAGIC_PREFIX))
    if start != npy_format.MAGIC_PREFIX:
        raise DataError(
            f"{source} was expected to begin with {_hex(npy_format.MAGIC_PREFIX)}. "
            f"Received: {_hex(start)}. Write it by numpy.save."
        )
    stream.seek(0)
    version = npy_format.read_magic(stream)
    # Version 3 exists for names of fields only, and a table of numbers has none.
    read_header = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise DataError(
            f"{source} was expected to be in version 1.0 or 2.0 of the format. Received: "
            f"{version[0]}.{version[1]}. Save it again by numpy.save."
        )
    shape, _, dtype = read_header(stream)
    if dtype.kind not in kinds:
        wanted = "real numbers" if kinds == "fiub" else "only numbers and text"
        raise DataError(
            f"{source} was expected to hold {wanted}. Received: dtype {dtype}. Save "
            "x.astype('float32'), and leave out what is no real number."
        )
    needed = stream.tell() + math.prod(shape) * dtype.itemsize
    if needed != size or any(length < 0 for length in shape):
        raise DataError(
            f"{source} declares {dtype} of shape {shape}, so {needed:,} bytes in all. Received: "
            f"{size:,} bytes. It is cut off or damaged: save or download it again."
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
    with file.open("rb") as packed:
        is_gzip = packed.read(2) == b"\x1f\x8b"
        packed.seek(0)
        damage = f"is a damaged {'gzip' if is_gzip else 'IDX'} file"
        with (
            damage_as_data_error(file, damage),
            gzip.open(packed) if is_gzip else nullcontext(packed) as stream,
        ):
            return _read_idx(file, stream)


def _read_idx(file: Path, stream: BufferedIOBase) -> Array:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES or magic[3] == 0:
        raise DataError(
            f"{file} is no IDX file: expected it to begin with 00 00, a type (08 to 0e) and a "
            f"number of axes, as 00 00 08 03. Received: {_hex(magic)}. Download it again, or name "
            "the file by what it is."
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
    if declared > _room(file):  # so much is only counted, and not kept
        count = sum(map(len, _blocks(stream, _room(file) + 1)))
        _require_room(file, count)
        numbers = b""
    else:
        numbers = b"".join(_blocks(stream, declared + 1))
        count = len(numbers)
    if count != declared:
        received = f"{count:,}" if count < declared else "more"
        raise DataError(
            f"{file} declares an array of shape {shape}, so {declared:,} bytes of numbers. "
            f"Received: {received}. It is cut off or damaged: download it again."
        )
    return np.frombuffer(numbers, kind).reshape(shape)


def _blocks(stream: BufferedIOBase, limit: int) -> Iterator[bytes]:
    """Read by the megabyte, so that memory grows with what is there, not with what is declared."""
    while limit > 0 and (block := stream.read(min(limit, 2**20))):
        yield block
        limit -= len(block)


def _hex(start: bytes) -> str:
    return start.hex(" ") or "nothing, the file is empty"
