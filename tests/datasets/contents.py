"""Contents of data files, as bytes, and the check that every error message passes."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from minigrad.datasets import DataError, read_table

PIXELS = np.array([[0, 51, 102, 255], [255, 0, 0, 0]], np.uint8)


def npy(values):
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=True)
    return stream.getvalue()


def npz(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def idx(values, code=0x08, shape=None):
    shape = values.shape if shape is None else shape
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + values.tobytes()


def fails(path, match):
    """Check that a file is refused on one line that names it; return the line."""
    with pytest.raises(DataError, match=match) as caught:
        read_table(path)
    message = str(caught.value)
    assert "\n" not in message
    assert Path(path).name in message
    return message
