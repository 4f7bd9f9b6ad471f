"""Model files of other libraries: not written under their extensions, and known when they are read.

A model is written as ``.npz``. Under ``.keras`` or ``.h5`` it would be taken for a file that Keras
can read, and cannot.
"""

from __future__ import annotations

import os
import zipfile
from typing import BinaryIO

_EXTENSIONS = {
    **dict.fromkeys((".keras", ".tf", ".pb", ".ckpt", ".tflite"), "of Keras and TensorFlow"),
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), "of HDF5"),
    **dict.fromkeys((".pt", ".pth", ".safetensors"), "of PyTorch"),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), "of Python's pickle"),
    **dict.fromkeys((".onnx", ".json", ".yaml", ".npy", ".csv", ".zip"), "of another format"),
}
_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "is HDF5 (.h5), a format of Keras",
    b"\x80": "is a pickle, as PyTorch and scikit-learn write it",
    b"\x93NUMPY": "is a single array (.npy)",
    b"\x1f\x8b": "is packed by gzip: unpack it first",
}


def require_own_extension(path: str | os.PathLike[str], owner: str) -> None:
    """Refuse to write a model under the extension of another format.

    Raises
    ------
    ValueError
        Naming the extension and ``.npz``.
    """
    stem, extension = os.path.splitext(os.fspath(path))
    if extension.lower() in _EXTENSIONS:
        stem = stem.removesuffix(".weights")
        raise ValueError(
            f"{owner}: {extension} is an extension {_EXTENSIONS[extension.lower()]}, and minigrad "
            f"writes .npz. Received: {os.fspath(path)!r}. Write {stem + '.npz'!r}."
        )


def what_it_is(file: BinaryIO) -> str | None:
    """Return what a file of another format is, as the end of a sentence; None if it is not known.

    Of a zip archive, which a model file is, too, the names of its members tell.
    """
    file.seek(0)
    start = file.read(8)
    for beginning, description in _BEGINNINGS.items():
        if start.startswith(beginning):
            return description
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except Exception:  # whatever the parser makes of bytes that are no archive
        return None
    if "model.weights.h5" in names:
        return "is a model of Keras (.keras)"
    return "is a model of PyTorch (.pt)" if "data.pkl" in names else None
