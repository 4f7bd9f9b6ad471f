import csv
import sys
import types

import numpy as np
import pytest

from minigrad.search import PathTable

ROWS = [
    {"l1": 0.0, "seed": 0, "data": 0.1, "c/kernel_norm": 2.5, "seconds": 1.5, "error": None},
    {"l1": 0.1, "seed": 0, "seconds": 0.5, "error": "ValueError: a < b, says <i>"},
    {"l1": 0.2, "seed": 0, "data": 1 / 3, "c/activity": 0.5, "c/active": 3.0, "c/kernel_norm": 1.0,
     "seconds": 2.0, "error": None},
]  # fmt: skip


def table():
    return PathTable(ROWS, ["l1"])


def test_columns_are_those_of_all_rows_and_missing_values_are_none_or_nan():
    found = table()
    assert found.columns == [
        "l1", "seed", "data", "c/activity", "c/active", "c/kernel_norm", "seconds", "error",
    ]  # fmt: skip
    assert found[1]["data"] is None
    np.testing.assert_array_equal(found["data"], [0.1, np.nan, 1 / 3])
    assert found["seed"].dtype.kind == "i"
    assert found["error"].tolist() == [None, "ValueError: a < b, says <i>", None]
    assert len(found) == len(list(found)) == 3
    with pytest.raises(KeyError, match=r"unknown column 'dta'. Known: l1, seed, data"):
        found["dta"]


def test_its_text_says_what_failed_and_what_is_not_shown():
    text = str(table())
    assert text.startswith("3 runs; 1 failed (first: ValueError: a < b, says <i>)\n")
    assert "0.3333" in text
    assert text.endswith("Not shown: c/activity, c/kernel_norm")
    assert "error" not in repr(PathTable(ROWS[:1], ["l1"]))


def test_long_tables_are_cut_and_say_so():
    long = PathTable([{"l1": float(i)} for i in range(45)], ["l1"])
    assert "… 15 more rows" in str(long)
    assert "… 15 more rows" in long._repr_html_()
    assert long._repr_html_().count("<tr>") == 31


def test_html_shows_all_columns_and_escapes_what_errors_say():
    html = table()._repr_html_()
    assert "says &lt;i&gt;" in html
    assert "<i>" not in html
    assert all(f">{name}</th>" in html for name in table().columns)


def test_csv_keeps_all_digits_and_leaves_missing_values_empty(tmp_path):
    table().to_csv(tmp_path / "path.csv")
    with (tmp_path / "path.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [table().columns] * 3
    assert float(rows[2]["data"]) == 1 / 3
    assert rows[1]["data"] == rows[0]["error"] == ""
    assert rows[1]["error"] == ROWS[1]["error"]


def test_pandas_gets_rows_and_columns_and_its_absence_is_explained(monkeypatch):
    def frame(rows, columns):
        return rows, columns

    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(DataFrame=frame))
    assert table().to_pandas() == (table().rows, table().columns)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        table().to_pandas()


def test_a_table_without_rows_shows_itself():
    empty = PathTable([], ["l1"], unfinished=3)
    assert "0 runs; 3 more were not finished" in str(empty)
    assert "0 runs" in empty._repr_html_()
