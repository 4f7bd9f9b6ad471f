import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from minigrad.datasets import DataError
from tests.datasets.contents import PIXELS, fails, npy, npz


def test_a_data_error_is_a_value_error():
    assert issubclass(DataError, ValueError)


def test_a_missing_file_is_named_whatever_its_ending(tmp_path):
    for name in ("missing.csv", "missing", "nowhere/missing.npy"):
        fails(tmp_path / name, "there is no file .*missing.*Check its name")


def test_a_folder_a_device_and_an_empty_file_are_refused(tmp_path, put):
    fails(tmp_path, "is a folder. Expected a file of samples")
    (tmp_path / "device.csv").symlink_to(os.devnull)
    fails(tmp_path / "device.csv", "is no ordinary file")
    for name in ("empty.npy", "empty.npz", "empty.csv", "empty.idx"):
        fails(put(name, b""), "is empty")


def test_a_file_without_the_right_to_read_says_so(put, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    file = put("locked.csv", "1,2\n3,4\n")
    monkeypatch.setattr(Path, "open", refuse)
    fails(file, "cannot be read: Permission denied. Give yourself the right")


def test_other_failures_of_the_system_give_its_words(put, monkeypatch):
    def break_down(*_args, **_kwargs):
        raise OSError(5, "Input/output error")

    file = put("broken.npz", npz(x=PIXELS))
    fails(file / "below.npy", "cannot be read: Not a directory")
    with monkeypatch.context() as halfway:
        halfway.setattr(np.lib.format, "read_array", break_down)
        fails(file, "cannot be read: Input/output error")
    monkeypatch.setattr(Path, "open", break_down)
    fails(file, "cannot be read: Input/output error")


def test_a_table_that_does_not_fit_says_so(put, monkeypatch):
    def exhaust(*_args, **_kwargs):
        raise MemoryError

    file = put("large.npy", npy(PIXELS))
    monkeypatch.setattr(np.lib.format, "read_array", exhaust)
    fails(file, "needs more memory than there is. Save fewer samples")


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz", "a.npz.gz", "ubyte.png"])
def test_an_unknown_ending_lists_the_known_ones(put, name):
    fails(put(name, "1,2"), r"unknown kind of file.*\.npz, \.npy, \.csv, .*\.idx.*-ubyte\.gz")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (np.zeros((0, 3)), r"at least 2 samples.*shape \(0, 3\), which holds no num"),
        (np.zeros((3, 0)), r"at least 2 samples.*shape \(3, 0\), which holds no num"),
        (np.zeros((1, 3)), r"at least 2 samples.*\(1, 3\)"),
        (np.zeros(5), r"shape \(5,\), one number a sample .*need the shape \(samples, 1\)"),
        (np.float64(3), r"shape \(\)"),
    ],
)
def test_what_is_no_table_of_two_rows_is_refused_with_its_shape(put, values, match):
    fails(put("few.npy", npy(values)), match)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (PIXELS * 1j, "complex128"),
        (np.array([["a", "b"], ["c", "d"]]), "<U1"),
        (np.array([[1, None], [2, 3]], object), "object"),
        (np.zeros((2, 2), "M8[s]"), r"datetime64\[s\]"),
        (np.zeros((2, 2), [("a", "i4")]), "a"),
    ],
)
def test_what_is_no_real_number_is_refused_and_never_unpickled(put, values, dtype):
    match = rf"expected to hold real numbers. Received: dtype .*{dtype}.*astype"
    fails(put("kind.npy", npy(values)), match)
    fails(put("kind.npz", npz(x=values)), "its array 'x' was " + match)


def test_several_arrays_without_an_x_are_listed(put):
    file = put("many.npz", npz(x_train=PIXELS, y_train=PIXELS))
    fails(file, "holds x_train, y_train. Expected a single array, or one named 'x'")
    many = npz(**{f"a{i}": np.zeros(1) for i in range(30)})
    assert len(fails(put("thirty.npz", many), "holds a0, .*a9, …")) < 400


def test_an_archive_without_arrays_says_so(put):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("notes.txt", "hello")
    fails(put("none.npz", stream.getvalue()), "holds no array. Expected a single array")


def test_a_file_under_the_wrong_name_shows_its_first_bytes(put):
    fails(put("wrong.npz", npy(PIXELS)), "expected it to begin with 50 4b .* 93 4e 55 4d")
    fails(put("wrong.npy", npz(x=PIXELS)), "begin with 93 4e 55 4d 50 59. Received: 50 4b")
    fails(put("wrong.idx", npy(PIXELS)), "begin with 00 00, .* Received: 93 4e 55 4d")
    fails(put("wrong.csv", npy(PIXELS)), "is no text in UTF-8: .*Save it as CSV in UTF-8")
