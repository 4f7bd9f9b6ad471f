import numpy as np
import pytest

from minigrad.datasets import read_table
from tests.datasets.contents import fails, idx, npy, npz


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b\n1,2\n\n3,four\n", "line 4, column 2: expected a number. Received: 'four'. Leave"),
        ("x,1\n2,3\n", "line 1, column 1: expected a number. Received: 'x'"),
        ("1,2\n3,\n", "line 2, column 2: .*Received: ''. Fill in the missing value"),
        ("1,5;2,5\n3,5;4,5\n", "line 2, column 1: .*'3,5'. Write decimals with a point"),
        ("1 2\n3 4\n", "line 2, column 1: .*'3 4'. Separate numbers by commas"),
        ("1,2\n3,4_000\n", "line 2, column 2: .*'4_000'"),
        ("1,2\n3," + "z" * 5000 + "\n", "line 2, column 2: .*'z{40}…'"),
        ("1,2\n3,4,5\n", "line 2: expected 2 columns as in line 1. Received: 3"),
        ("\n1,2\n3\n", "line 3: expected 2 columns as in line 2. Received: 1"),
        ("a,b,c\n1,2\n3,4\n", "line 2: expected 3 columns as in line 1. Received: 2"),
        ('1,2\n"3,4\n', "line 2: expected cells of numbers. Received: '\"3,4'.*Mend its quotes"),
        ("a,b\n", "a header and no line of numbers. Expected numbers below"),
        ("\n \n\n", "is empty. Expected lines of numbers"),
        ("a,b\n1,2\n", r"at least 2 samples.*\(1, 2\)"),
    ],
)
def test_a_csv_error_names_line_column_and_text(put, text, match):
    fails(put("bad.csv", text), match)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_that_are_not_finite_are_counted_and_the_first_is_placed(put, value):
    values = np.ones((4, 3))
    values[1, 2] = values[3, 0] = float(value)
    match = rf"Received: 2 values are nan or infinite.*the first \({value}\) in row 2, column 3"
    for name, contents in (
        ("inf.npy", npy(values)),
        ("inf.npz", npz(x=values)),
        ("inf.idx", idx(values.astype(">f8"), 0x0E)),
    ):
        fails(put(name, contents), match)
    text = f"a,b,c\n1,2,3\n\n1,2,{value}\n{value},2,3\n"
    fails(put("inf.csv", text), match + r" \(line 4\)")


def test_numbers_beyond_float32_are_refused_without_a_warning(put):
    fails(
        put("far.npy", npy(np.array([[1, 2], [3, -1e39]]))),
        r"1 value is .*\(-1e\+39\) in row 2, column 2",
    )
    fails(put("far.csv", "1,2\n1e999,3\n"), r"\(inf\) in row 2, column 1 \(line 2\)")


def test_whole_numbers_beyond_int64_are_read_as_floats(put):
    table = read_table(put("long.csv", f"1,2\n{10**20},4\n"))
    assert table.values[1, 0] == np.float32(1e20)
    assert table.note.endswith("read as they are.")
