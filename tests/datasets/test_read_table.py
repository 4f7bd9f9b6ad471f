import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from minigrad.datasets import Table, read_table
from tests.datasets.contents import PIXELS, idx, npy, npz

SCALED = np.array([[0, 0.2, 0.4, 1], [1, 0, 0, 0]], np.float32)

FLOATS = st_np.arrays(
    np.float32,
    st_np.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(FLOATS)
def test_floats_come_back_as_they_were_from_npy_npz_csv_and_idx(put, values):
    lines = "\n".join(",".join(repr(float(v)) for v in row) for row in values)
    for name, contents in (
        ("floats.npy", npy(values)),
        ("floats.npz", npz(anything=values)),
        ("floats.csv", lines),
        ("floats.idx", idx(values.astype(">f4"), 0x0D)),
    ):
        table = read_table(put(name, contents))
        assert table.values.dtype == np.float32
        np.testing.assert_array_equal(table.values, values)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", ">i2"])
@given(data=st.data())
def test_whole_numbers_are_divided_by_the_largest_unless_one_is_negative(put, dtype, data):
    shape = st_np.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=5)
    values = data.draw(st_np.arrays(dtype, shape))
    table = read_table(put("whole.npy", npy(values)))
    if values.min() < 0 or values.max() <= 1:
        np.testing.assert_array_equal(table.values, values.astype(np.float32))
        assert table.note.endswith("features, read as they are.")
    else:
        np.testing.assert_allclose(table.values, values / values.max(), rtol=3e-7)
        assert (table.values.min() >= 0, table.values.max()) == (True, 1)
        assert table.note.endswith(f"divided by {values.max()}.")


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("a.npy", npy(PIXELS)),
        ("a.npz", npz(whatever=PIXELS)),
        ("b.npz", npz(x=PIXELS, y=np.arange(2))),
        ("d.npz", npz(images=PIXELS[:1], x=PIXELS)),
        ("c.npz", npz(labels=np.arange(2), images=PIXELS)),
        ("a.csv", "0,51,102,255\n255,0,0,0\n"),
        ("b.csv", "a;b;c;d\r\n0;51;102;255\r\n255;0;0;0"),
        ("a.tsv", "0\t51\t102\t255\n255\t0\t0\t0\n"),
        ("a.txt", "\ufeffa,b,c,d\n\n0, 51, 102, 255\n \n255,0,0,0\n"),
        ("c.csv", '"p, q";r;s;t\n"0";51;102;255\n255;0;0;0\n'),
        ("d.csv", "\ufeff0,51,102,255\n255,0,0,0\n"),
        ("e.csv", '"a; in cm",b,c,d\n0,51,102,255\n255,0,0,0\n'),
        ("a.idx", idx(PIXELS)),
        ("a.idx.gz", gzip.compress(idx(PIXELS))),
        ("A.IDX2-UBYTE", idx(PIXELS)),
        ("train-images-idx3-ubyte.gz", gzip.compress(idx(PIXELS.reshape(2, 2, 2)))),
        ("b.idx", idx(PIXELS.astype(">i4"), 0x0C)),
    ],
)
def test_every_format_gives_the_same_table(put, name, contents):
    table = read_table(put(name, contents))
    np.testing.assert_array_equal(table.values, SCALED)
    assert table.values.dtype == np.float32
    assert table.image_shape == (2, 2)
    assert table.note == "2 samples of 4 features, whole numbers divided by 255."


def test_a_path_may_be_a_string(put):
    assert isinstance(read_table(str(put("s.npy", npy(PIXELS)))), Table)


def test_a_single_point_makes_a_csv_floating_so_that_it_is_not_scaled(put):
    table = read_table(put("point.csv", "0,2\n4,8.0\n"))
    assert table.values.tolist() == [[0, 2], [4, 8]]
    assert table.note == "2 samples of 2 features, read as they are."


def test_booleans_are_0_and_1(put):
    table = read_table(put("bool.npy", npy(np.eye(3, dtype=bool))))
    np.testing.assert_array_equal(table.values, np.eye(3, dtype=np.float32))
    assert table.note == "3 samples of 3 features, false as 0 and true as 1."


def test_columns_first_arrays_come_back_rows_first(put):
    values = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    table = read_table(put("fortran.npy", npy(values)))
    np.testing.assert_array_equal(table.values, values)
    assert table.values.flags.c_contiguous
    assert table.values.flags.writeable


@pytest.mark.parametrize(
    ("shape", "features", "image_shape"),
    [
        ((3, 2, 5), 10, (2, 5)),  # pictures, as the file gives them
        ((3, 4, 1), 4, (4, 1)),
        ((3, 2, 5, 1), 10, (2, 5)),  # with one channel, last or first
        ((3, 1, 2, 5), 10, (2, 5)),
        ((3, 2, 2, 4), 16, None),  # channels: 16 is a square, and still no picture
        ((3, 9), 9, (3, 3)),
        ((3, 8), 8, None),
        ((3, 1), 1, None),
        ((3, 1, 1, 1), 1, None),
    ],
)
def test_images_become_rows_and_their_shape_is_kept(put, shape, features, image_shape):
    values = np.random.default_rng(0).random(shape, np.float32)
    table = read_table(put("images.npy", npy(values)))
    np.testing.assert_array_equal(table.values, values.reshape(3, features))
    assert table.image_shape == image_shape
