"""Tables as columns, and back."""

import math

import pytest

from tilewise.view.columns import number, rows_of, table


def test_numbers_texts_and_what_is_missing():
    rows = [
        {"sample": "2", "mcc": "0.123456789", "tp": "12345678", "note": "a"},
        {"sample": "1", "mcc": "", "tp": "3.0", "note": ""},
        {"sample": "2", "mcc": "nan", "tp": None, "note": "a"},
    ]
    assert table(rows) == {
        "columns": ["sample", "mcc", "tp", "note"],
        # a name is text, even if it is a number
        "sample": {"values": ["2", "1"], "codes": [0, 1, 0]},
        "mcc": [0.123457, None, None],
        "tp": [12345678, 3, None],
        "note": {"values": ["a", ""], "codes": [0, 1, 0]},
    }


def test_one_word_makes_a_column_text():
    assert table([{"hd95": "1"}, {"hd95": "far"}])["hd95"] == {
        "values": ["1", "far"],
        "codes": [0, 1],
    }


def test_a_table_without_rows_keeps_its_columns():
    empty = table([], ["sample", "mcc"])
    assert empty == {"columns": ["sample", "mcc"], "sample": {"values": [], "codes": []}, "mcc": []}
    assert rows_of(empty) == rows_of(table([])) == []


def test_rows_come_back():
    rows = [{"sample": "a", "tp": 3, "mcc": None}, {"sample": "", "tp": 1, "mcc": -0.5}]
    assert rows_of(table(rows)) == rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("", None), (None, None), (math.nan, None), (math.inf, None), ("-inf", None), (0, 0)],
        *[(2.0, 2), ("1e-9", 1e-9), (1234.56789, 1234.57), (True, 1)],
    ],
)
def test_numbers(value, expected):
    assert number(value) == expected
