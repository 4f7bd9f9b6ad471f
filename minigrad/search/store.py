"""The store: a folder with a file for each finished run, so that none is run twice."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.files import atomic_write
from minigrad.search.run import Outcome


class Store:
    """Finished runs in a folder, as ``<key>.npz``: the row as JSON, and maybe a kernel."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise NotADirectoryError(
                f"regularization_path: store must be a folder, for a file a run. Received: {folder}"
            ) from error
        with tempfile.TemporaryFile(dir=self.folder):
            pass  # runs take long: whether they can be kept is found out before them

    def save(self, key: str, outcome: Outcome) -> None:
        """Write a run; a crash meanwhile leaves no file of it."""
        arrays: dict[str, Any] = {"row": np.array(json.dumps(outcome.row))}
        if outcome.kernel is not None:
            arrays["kernel"] = outcome.kernel
        with atomic_write(self._path(key)) as file:
            np.savez(file, **arrays)

    def load(self, key: str) -> Outcome | None:
        """Return a run, or None if it is not there, or its file is damaged."""
        try:
            # np.load itself would leave a damaged file open.
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                row = json.loads(str(arrays["row"]))
                return Outcome(row, arrays.get("kernel"))
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:32]}.npz"
