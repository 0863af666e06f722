"""Tables as people and programs write them: each is read as it was meant, or refused."""

import io
import zipfile

import pytest

from tilewise.plan.sheet_table import TableRow, read_table, resembled
from tilewise.tables import read_rows, write_rows

TEXT = "sample\timage\tnote\na\ta.png\tgood\nb\tb.png\t\n"
EXPECTED = [
    TableRow(2, {"sample": "a", "image": "a.png", "note": "good"}),
    TableRow(3, {"sample": "b", "image": "b.png", "note": ""}),
]
NAMES = {"image": ("file", "path")}


def read(folder, data):
    path = folder / "my.tsv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_table(path, ("sample", "image"), NAMES)


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        TEXT.rstrip("\n"),
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        # as Excel writes `Unicode Text`
        TEXT.replace("\n", "\r\n").encode("utf-16"),
        TEXT.replace("a.png", '"a.png"').replace("note", '"note"'),
        TEXT.replace("a.png", " a.png ").replace("note", "note\xa0"),
        # empty columns at the end, as a spreadsheet leaves them
        TEXT.replace("\n", "\t\t\n"),
        TEXT + "\t\t\n\n",
    ],
    ids=[
        *("plain", "no last end", "byte-order mark", "windows", "old mac", "utf-16", "quoted"),
        *("spaces", "empty columns", "empty lines"),
    ],
)
def test_what_works(tmp_path, data):
    assert read(tmp_path, data) == EXPECTED


def test_lines_are_those_of_an_editor(tmp_path):
    text = "# by whom\n\nsample\timage\n\n# the first\na\ta.png\n \t \nb\tb.png\n"
    assert [row.line for row in read(tmp_path, text)] == [6, 8]
    with pytest.raises(ValueError, match=r"my\.tsv, line 9: 1 cells, but 2 columns"):
        read(tmp_path, text + "c\n")


def test_quotation_marks(tmp_path):
    text = 'sample\timage\na\t"plane ""1"".png"\nb\t5" plane.png\nc\t""\n'
    rows = read(tmp_path, text)
    assert [row.cells["image"] for row in rows] == ['plane "1".png', '5" plane.png', ""]


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ('"a.png', 2),
        ('"', 2),
        ('"""', 2),
        ('"a"b', 2),
        # across cells, and across lines
        ('"a\tb"', 2),
        ('"a\nb\tc"\tx', 2),
        ('a\t"b', 3),
    ],
)
def test_a_quotation_mark_swallows_nothing(tmp_path, cell, column):
    text = f"sample\timage\tnote\na\t{cell}\tx\nz\tz.png\tx\n"
    name = {2: "image", 3: "note"}[column]
    match = rf"my\.tsv, line 2, column {column} \({name}\): \".* has a quotation mark without"
    with pytest.raises(ValueError, match=match):
        read(tmp_path, text)


def test_a_quotation_mark_in_the_header(tmp_path):
    with pytest.raises(ValueError, match=r"line 1, column 3: \"note has a quotation mark"):
        read(tmp_path, TEXT.replace("note", '"note'))


def test_a_long_cell_can_be_read_back_from_results(tmp_path):
    rows = read(tmp_path, TEXT.replace("good", '"' + "x" * 99_990 + '""y"'))
    write_rows(tmp_path / "result.tsv", ("note",), [{"note": rows[0].cells["note"]}])
    assert read_rows(tmp_path / "result.tsv") == [{"note": "x" * 99_990 + '"y'}]


def workbook():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (workbook(), r"my\.tsv is a workbook, whatever its name: save it as tab-separated text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), r"my\.tsv is a workbook"),
        (TEXT.replace("good", "gr\xfcn").encode("latin-1"), r"my\.tsv, line 2: no text in UTF-8"),
        (TEXT.encode("utf-16-le"), r"my\.tsv is no text in UTF-8"),
        (b"", r"my\.tsv is empty: begin with a line of the columns sample, image"),
        ("# sample\timage\n", r"my\.tsv is empty"),
        (TEXT.replace("\t", ","), r"line 1: columns are separated by commas: save them with tabs"),
        (TEXT.replace("\t", ";"), r"line 1: columns are separated by semicolons"),
        (TEXT.replace("\t", "  "), r"line 1: columns are separated by spaces"),
        ('"sample","image"\n"a","b"\n', r"line 1: columns are separated by commas"),
        (
            TEXT.replace("image", "picture"),
            r"no column `image`: name it, tabs between, beside `sample`, `pict",
        ),
        (TEXT.replace("image", "file"), r"line 1 has no column `image`: rename `file`"),
        (TEXT.replace("image", "Image"), r"line 1 has no column `image`: rename `Image`"),
        (TEXT.replace("sample", "smaple"), r"line 1 has no column `sample`: rename `smaple`"),
        (TEXT.replace("note", "image"), r"line 1: columns 2 and 3 are both `image`: keep one"),
        (TEXT.replace("good", "good\tday"), r"line 2: column 4 \('day'\) has no name"),
        (TEXT.replace("good", "good\t\tx"), r"line 2: column 5 \('x'\) has no name"),
        (TEXT.replace("note", ""), r"line 2: column 3 \('good'\) has no name in the header"),
        (TEXT.replace("b.png\t", "b.png"), r"line 3: 2 cells, but 3 columns: write a tab"),
        (TEXT.replace("b\tb.png\t", "b b.png"), r"line 3: 1 cells, but 3 columns"),
        (
            TEXT.replace("good", "x" * 100_001),
            r"line 2, column 3 \(note\): a cell of 100,001 characters: shorten it to 100,000",
        ),
    ],
)
def test_what_is_refused(tmp_path, data, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, data)


KNOWN = ["image", "truth", "roi", "pixel_size", "group"]
OTHERS = {"truth": ["mask", "ground_truth"], "roi": ["mask"]}


@pytest.mark.parametrize(
    ("column", "known"),
    [
        ("Truth", ["truth"]),
        ("turth", ["truth"]),
        ("truth_2", ["truth"]),
        ("images", ["image"]),
        ("Pixel size", ["pixel_size"]),
        ("ROIs", ["roi"]),
        ("gruop", ["group"]),
        ("mask", ["truth", "roi"]),
        ("Ground-Truth", ["truth"]),
        *((name, []) for name in ("age", "stage", "usage", "patient", "stain", "age_group")),
        *((name, []) for name in ("rot", "date", "dose", "region", "slide", "subgroup", "")),
    ],
)
def test_what_a_column_may_be_meant_for(column, known):
    assert resembled(column, KNOWN, OTHERS) == known


def test_columns_without_end_are_refused(tmp_path):
    path = tmp_path / "my.tsv"
    for number in (1000, 1001):
        names = ["sample", "image", *(f"c{i}" for i in range(number - 2))]
        path.write_text("\t".join(names) + "\n")
        if number == 1000:
            assert read_table(path, ("sample", "image"), {}) == []
    with pytest.raises(ValueError, match=r"my\.tsv, line 1: 1,001 columns: keep up to 1,000"):
        read_table(path, ("sample", "image"), {})
