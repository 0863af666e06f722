"""Tables as columns, beside the same tables as rows of text."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilewise import frames
from tilewise.tables import Streamed, read_all, read_rows, write_rows

COLUMNS = ("sample", "z", "tp", "found", "f1")
KINDS = {"z": "int64", "tp": "int64", "found": "Int64", "f1": "float64"}
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=4)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "sample": st.sampled_from(["NA", "nan", "1", "1.0", '"', "a\tb", "é", "-"]) | TEXTS,
            "z": st.integers(0, 10**6),
            "tp": st.integers(0, 2**53),
            "found": st.none() | st.integers(0, 2**53),
            "f1": st.none() | st.floats(allow_nan=False),
        }
    ),
    max_size=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@settings(deadline=None, max_examples=30, derandomize=True)
@given(tables=st.lists(ROWS, max_size=3))
def test_what_is_read_is_written_as_it_was(folder, tables):
    paths = [folder / f"{number}.tsv" for number in range(len(tables))]
    for path, rows in zip(paths, tables, strict=True):
        # lines that begin with # are comments, which no table of a step has
        write_rows(path, COLUMNS, [row for row in rows if not row["sample"].startswith("#")])
    frames.write(folder / "columns.tsv", COLUMNS, frames.read(paths, COLUMNS, KINDS))
    write_rows(folder / "rows.tsv", COLUMNS, [row for path in paths for row in read_rows(path)])
    assert (folder / "columns.tsv").read_bytes() == (folder / "rows.tsv").read_bytes()


def test_numbers_are_the_nearest_to_their_text(tmp_path):
    values = np.random.default_rng(0).random(1000).tolist()
    write_rows(tmp_path / "a.tsv", ["f1"], [{"f1": value} for value in values])
    assert frames.read([tmp_path / "a.tsv"], ["f1"], KINDS)["f1"].tolist() == values


def test_what_a_table_lacks_is_empty(tmp_path):
    write_rows(tmp_path / "a.tsv", ["sample", "z"], [{"sample": "a", "z": 1}])
    write_rows(
        tmp_path / "b.tsv", COLUMNS, [dict.fromkeys(COLUMNS, 3) | {"sample": "b", "f1": None}]
    )
    columns = ("found", "sample", "f1")
    table = frames.read([tmp_path / "a.tsv", tmp_path / "b.tsv"], columns, KINDS)
    frames.write(tmp_path / "both.tsv", columns, table)
    assert (tmp_path / "both.tsv").read_text() == "found\tsample\tf1\n\ta\t\n3\tb\t\n"
    with pytest.raises(ValueError, match="no column tp"):
        frames.read([tmp_path / "a.tsv", tmp_path / "b.tsv"], ("sample", "tp"), KINDS)


def test_rows_are_read_as_their_table_is(tmp_path):
    rows = [
        {"sample": "a", "z": "1", "tp": "2", "found": "", "f1": "0.1"},
        {"sample": "", "z": "0", "tp": "9", "found": "4", "f1": ""},
    ]
    write_rows(tmp_path / "a.tsv", COLUMNS, rows)
    for name, table in (
        ("rows", frames.of_rows(rows, COLUMNS, KINDS)),
        ("none", frames.of_rows([], COLUMNS, KINDS)),
    ):
        frames.write(tmp_path / f"{name}.tsv", COLUMNS, table)
    assert (tmp_path / "rows.tsv").read_bytes() == (tmp_path / "a.tsv").read_bytes()
    assert (tmp_path / "none.tsv").read_text() == "\t".join(COLUMNS) + "\n"


def test_samples_are_in_the_order_given_and_rows_of_one_as_they_were():
    # few rows would stay as they were however they are sorted
    rows = [{"sample": sample, "z": str(z)} for z, sample in enumerate("abcab" * 100)]
    found = frames.in_order(frames.of_rows(rows, ("sample", "z"), KINDS), "cab")
    assert "".join(found["sample"]) == "c" * 100 + "a" * 200 + "b" * 200
    assert found["z"].tolist() == [
        *range(2, 500, 5),
        *sorted([*range(0, 500, 5), *range(3, 500, 5)]),
        *sorted([*range(1, 500, 5), *range(4, 500, 5)]),
    ]


def test_streamed_rows_are_read_each_time(tmp_path):
    paths = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    for path, z in zip(paths, "12", strict=True):
        write_rows(path, ["z"], [{"z": z}])
    rows = Streamed(paths)
    assert list(rows) == list(rows) == [{"z": "1"}, {"z": "2"}]


DAMAGED = {
    "no text": b"sample\tz\n\xff\t1\n",
    "a number": b"sample\tz\na\tx\n",
    "a cut number": b"sample\tz\na\t\n",
    "nothing": b"",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_table_is_named(tmp_path, content):
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} is damaged: delete it"):
        frames.read([path], ["sample", "z"], {"z": "int64"})


@pytest.mark.parametrize("content", [b"a\tb\n1\n", b"a\tb\n1\t2\t3\n", b"a\tb\n1\t\xff\n"])
def test_rows_that_do_not_fit_their_header_are_damage(tmp_path, content):
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} is damaged: delete it"):
        read_rows(path)


def test_rows_of_samples_in_order_of_which_some_are_needed(tmp_path):
    paths = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    for path, names in zip(paths, ("aba", "cb"), strict=True):
        rows = [{"sample": name, "z": f"{path.stem} {z}"} for z, name in enumerate(names)]
        write_rows(path, ("sample", "z"), rows)
    every = [("c", "two 0"), ("a", "one 0"), ("a", "one 2"), ("b", "one 1"), ("b", "two 1")]
    assert [tuple(row.values()) for row in read_all(paths, "cab")] == every
    needed = read_all(paths, "cab", lambda row: row["z"].startswith("one"))
    assert [tuple(row.values()) for row in needed] == every[1:4]
