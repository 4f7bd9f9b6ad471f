"""Model files of other libraries: not written under their extensions, and known when read."""

from __future__ import annotations

import errno
import os
import zipfile
from typing import BinaryIO

_EXTENSIONS = (
    *(".keras", ".h5", ".hdf5", ".hdf", ".tf", ".pb", ".ckpt", ".tflite", ".pt", ".pth", ".onnx"),
    *(".safetensors", ".pkl", ".pickle", ".joblib", ".json", ".npy", ".csv", ".zip"),
)
_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "is HDF5 (.h5), a format of Keras",
    b"\x80": "is a pickle, as PyTorch and scikit-learn write it",
    b"\x93NUMPY": "is a single array (.npy)",
    b"\x1f\x8b": "is packed by gzip",
}
_MEMBERS = {
    "model.weights.h5": "is a model of Keras (.keras)",
    "data.pkl": "is a model of PyTorch (.pt)",
}


def require_place(path: str | os.PathLike[str], owner: str, overwrite: bool = True) -> None:
    """Raise for a path that ends as files of another format, or where a file is to be kept."""
    if not overwrite and os.path.exists(path):
        raise FileExistsError(errno.EEXIST, "overwrite=False keeps what stands there", str(path))
    stem, extension = os.path.splitext(os.fspath(path))
    if extension.lower() in _EXTENSIONS:
        raise ValueError(
            f"{owner}: minigrad writes .npz, and {extension} is an extension of another format. "
            f"Received: {os.fspath(path)!r}. Write {stem.removesuffix('.weights') + '.npz'!r}."
        )


def what_it_is(file: BinaryIO) -> str | None:
    """Return what a file of another format is, as a sentence ends; None if it is not known."""
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
    return next((what for member, what in _MEMBERS.items() if member in names), None)
