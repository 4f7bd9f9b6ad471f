"""Data: the digits that come with the package, and readers for files of one's own."""

from contextlib import suppress
from importlib import import_module

from minigrad.datasets.digits import Digits, load_digits
from minigrad.datasets.errors import DataError
from minigrad.datasets.split import train_test_split
from minigrad.datasets.table import Table, read_table

__all__ = ["DataError", "Digits", "Table", "load_digits", "read_table", "train_test_split"]

with suppress(ModuleNotFoundError):  # it knows nothing but NumPy, and can stand without the rest
    import_module("minigrad.suggestions").speak_up(__name__)
