import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.datasets import DataError, read_table
from tests.datasets.contents import PIXELS, fails, idx, npy, npz


def fails_in_little_memory(path, match):
    tracemalloc.start()
    try:
        fails(path, match)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_a_version_of_npy_from_the_future_is_refused(put):
    contents = bytearray(npy(PIXELS))
    contents[6] = 9
    fails(
        put("future.npy", bytes(contents)), r"expected to be in version 1.0 or 2.0 .* Received: 9.0"
    )


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("cut.npy", npy(PIXELS)),
        ("cut.npz", npz(x=PIXELS)),
        ("cut.idx", idx(PIXELS)),
        ("cut.idx.gz", gzip.compress(idx(PIXELS))),
    ],
)
def test_a_file_cut_off_anywhere_is_refused(put, name, whole):
    for length in range(1, len(whole)):
        fails(put(name, whole[:length]), "expected|cut off|damaged|no readable")


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("bits.npy", npy(PIXELS)),
        ("bits.npz", npz(x=PIXELS)),
        ("bits.csv", b"a,b\n1,2\n3,4\n"),
        ("bits.idx", idx(PIXELS)),
        ("bits.idx.gz", gzip.compress(idx(PIXELS))),
    ],
)
@given(data=st.data())
def test_bytes_gone_wrong_give_a_table_or_one_clear_line(put, name, whole, data):
    contents = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        contents[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = put(name, bytes(contents))
    try:
        assert np.isfinite(read_table(file).values).all()
        message = name
    except DataError as error:
        message = str(error)
    assert name in message
    assert "\n" not in message


def test_a_header_of_npy_that_declares_more_than_is_there_allocates_nothing(put):
    for shape in ("(9999999999999, 4)", "(-2, -4)", "(0, 99999999999999999999)"):
        header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        contents = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
        fails_in_little_memory(
            put("huge.npy", contents), r"declares float64 of shape \(.* bytes in all. Received: "
        )


def test_a_zip_whose_directory_points_before_the_file_is_damaged(put):
    contents = bytearray(npz(x=PIXELS))
    contents[-6:-2] = struct.pack("<I", 2**31)  # where the directory is said to begin
    fails(put("offset.npz", bytes(contents)), "is no readable .npz: .*Save or download it again")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_idx_that_declares_more_than_is_there_allocates_nothing(put, pack):
    file = put("huge.idx", pack(idx(PIXELS, shape=(60_000, 2**31, 28))))
    fails_in_little_memory(
        file, r"shape \(60000, 2147483648, 28\), so 3,607,772,528,640,000 bytes.*Received: 8\."
    )


def test_an_idx_with_more_than_it_declares_is_refused(put):
    fails(put("more.idx", idx(PIXELS, shape=(2, 2))), "so 4 bytes of numbers. Received: more")


@pytest.mark.parametrize(
    "magic", [b"\0\0\x08\0", b"\0\0\x0a\x03", b"\1\0\x08\x03", b"\0\0"], ids=bytes.hex
)
def test_an_idx_with_a_wrong_magic_number_shows_it(put, magic):
    fails(put("magic.idx", magic), rf"no IDX file: .* Received: {magic.hex(' ')}\.")


def test_an_idx_that_ends_in_its_header_says_so(put):
    fails(put("head.idx", idx(PIXELS)[:9]), "ends inside its header: expected 2 .*Received: 5 byt")


def test_labels_in_idx_are_no_samples(put):
    fails(put("labels-idx1-ubyte", idx(np.arange(5, dtype=np.uint8))), "a file of labels")


def test_an_idx_of_no_images_is_refused(put):
    fails(put("zero-ubyte", idx(np.zeros((0, 28, 28), np.uint8))), r"\(0, 28, 28\), which holds n")


def bomb_npz(size):
    """A valid .npz of few bytes that unpacks to `size` zeros."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "|u1", "fortran_order": False, "shape": (2, size // 2)}
            )
            for _ in range(size // 2**20):
                member.write(bytes(2**20))
    return output.getvalue()


def bomb_idx(size):
    output = io.BytesIO()
    with gzip.GzipFile(fileobj=output, mode="wb") as stream:
        stream.write(struct.pack(">BBBB2I", 0, 0, 8, 2, 2, size // 2))
        for _ in range(size // 2**20):
            stream.write(bytes(2**20))
    return output.getvalue()


@pytest.mark.parametrize(("name", "bomb"), [("b.npz", bomb_npz), ("b.idx.gz", bomb_idx)])
def test_a_small_file_that_would_fill_the_memory_is_refused(put, name, bomb):
    contents = bomb(2**28 + 2**20)
    assert len(contents) < 2**20
    fails_in_little_memory(put(name, contents), r"would unpack to .*26\d,.* without compression")


@pytest.mark.parametrize(("name", "bomb"), [("b.npz", bomb_npz), ("b.idx.gz", bomb_idx)])
def test_data_of_mostly_zeros_are_no_bomb(put, name, bomb):
    assert read_table(put(name, bomb(2**21))).values.shape == (2, 2**20)
