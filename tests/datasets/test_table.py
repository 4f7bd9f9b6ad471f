import gzip
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minigrad.datasets import DataError, read_table


def idx(array, code=0x08):
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


tables = arrays(
    np.float32, st.tuples(st.integers(2, 5), st.integers(1, 4)), elements=st.floats(-9, 9, width=32)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables)
def test_floats_come_back_as_they_were_from_every_format(tmp_path, values):
    np.savez(tmp_path / "a.npz", x=values)
    np.save(tmp_path / "a.npy", values)
    lines = [";".join(repr(float(number)) for number in row) for row in values]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    (tmp_path / "a.idx").write_bytes(idx(values, 0x0D))
    (tmp_path / "a.idx.gz").write_bytes(gzip.compress(idx(values, 0x0D)))
    for name in ("a.npz", "a.npy", "a.csv", "a.idx", "a.idx.gz"):
        table = read_table(tmp_path / name)
        if name != "a.csv" or not (values == values.round()).all():
            np.testing.assert_array_equal(table.values, values)
        assert table.values.dtype == np.float32


def test_images_are_laid_out_in_rows_and_pixels_are_scaled(tmp_path):
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(idx(images))
    table = read_table(path)
    assert table.image_shape == (3, 4)
    np.testing.assert_allclose(table.values, images.reshape(2, 12) / 23)
    assert "divided by 23" in table.note


def test_a_square_number_of_features_is_taken_for_an_image(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 16)))
    np.save(tmp_path / "b.npy", np.ones((3, 15)))
    assert read_table(tmp_path / "a.npy").image_shape == (4, 4)
    assert read_table(tmp_path / "b.npy").image_shape is None


def test_a_header_line_and_tabs_are_understood(tmp_path):
    (tmp_path / "a.csv").write_text("width\theight\n0.5\t1.5\n\n2.5\t3.5\n")
    assert read_table(tmp_path / "a.csv").values.tolist() == [[0.5, 1.5], [2.5, 3.5]]


def test_booleans_are_0_and_1(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(2, dtype=bool))
    assert read_table(tmp_path / "a.npy").values.tolist() == [[1, 0], [0, 1]]


def case(name, content, message):
    return pytest.param(name, content, message, id=f"{name}: {message[:25]}")


def saved(save, *arguments, **arrays_):
    def write(path):
        save(path, *arguments, **arrays_)

    return write


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        case("a.csv", b"1,2\n3,x\n", r"line 2, column 2: expected a number. Received: 'x'"),
        case("a.csv", b"1,2\n3\n", "line 2: expected 2 columns"),
        case("a.csv", b"", "is empty"),
        case("a.csv", b"a,b\n", "a header and no line"),
        case("a.csv", b"1,2\n", "at least 2 samples"),
        case("a.csv", b"1,nan\n3,inf\n", r"2 values are nan or infinite.*row 1, column 2"),
        case("a.csv", b"\xff\xfe\x00", "UTF-8"),
        case("a.dat", b"1,2", r"unknown kind of file. Expected one of \.npz"),
        case("a.csv.gz", b"1,2", "unknown kind of file"),
        case("a.npz", b"PK\x03\x04 cut", "no readable .npz"),
        case("a.npz", b"", "no readable .npz"),
        case("a.npy", b"\x93NUMPY", "no readable .npy"),
        case("a.npz", saved(np.savez, a=np.ones(3), b=np.ones(3)), "holds a, b. Expected a single"),
        case("a.npz", saved(np.savez, x=np.array([{}])), "no readable .npz"),
        case("a.npy", saved(np.save, np.array(["a", "b"])), "dtype <U1"),
        case("a.npy", saved(np.save, np.ones((2, 2)) * 1j), "complex"),
        case("a.npy", saved(np.save, np.ones(3)), r"shape \(3,\)"),
        case("a.npy", saved(np.save, np.ones((0, 3))), "at least 2 samples"),
        case("a.idx", b"\x01\x02\x03\x04", "no IDX file.*01 02 03 04"),
        case("a.idx", b"", "no IDX file.*nothing"),
        case("a.idx", b"\0\0\x08\x03\0\0", "ends inside its header"),
        case("a.idx", idx(np.ones((4, 4), np.uint8))[:-3], "declares an array.*cut off"),
        case("a.idx", b"\0\0\x08\x02" + b"\xff" * 8, "declares an array"),
        case("a.idx.gz", b"\x1f\x8bjunk", "damaged gzip"),
        case("a.idx.gz", gzip.compress(idx(np.ones((4, 4), np.uint8)))[:-9], "damaged gzip"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path, name, content, message):
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_table(path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
