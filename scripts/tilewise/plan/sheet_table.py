"""Tables that people write: what could be read in another way than it was meant is refused."""

import codecs
import difflib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of the files of Excel and LibreOffice."""
SEPARATORS = {",": "commas", ";": "semicolons", " ": "spaces"}
"""What else columns may be separated by."""
LEAST_ALIKE = 0.8
"""Of `difflib.SequenceMatcher.ratio`: `truht` and `truth`, but not `age` and `image`."""
LONGEST_CELL = 100_000
"""Characters: tables of results repeat cells, and csv reads no more than 131,072."""
MOST_COLUMNS = 1000
"""Each is compared with the names that are known."""
SHORTEST_ALIKE = 3
"""Letters of a name that others are compared with: `pid` is not meant for `pi`."""


class TableRow(NamedTuple):
    """A row of a table."""

    line: int
    """Its number in an editor, from 1."""
    cells: dict[str, str]
    """By column, without white space around them."""


def read_table(
    path: Path, needed: Sequence[str], others: Mapping[str, Sequence[str]]
) -> list[TableRow]:
    """Read tab-separated text with a header.

    `needed` are columns that it must have, `others` names that people give to these, for messages.
    Empty lines, and lines that start with `#`, are passed over. Text is UTF-8, or UTF-16 that says
    so; lines may end as on any system. Cells may be quoted where they begin and end with `"` and
    hold no tab.

    Raises
    ------
    ValueError
        If the file is another than that, a column is missing, has no name or that of another, there
        are more than `MOST_COLUMNS`, a row has not a cell for each column, or a cell is longer than
        `LONGEST_CELL`; the message names the file, line, column and remedy.
    """
    lines = [
        (number, line)
        for number, line in enumerate(_read_lines(path), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not lines:
        raise ValueError(f"{path} is empty: begin with a line of the columns {', '.join(needed)}")
    place = f"{path}, line {lines[0][0]}"
    for separator, name in SEPARATORS.items():
        if {column.strip('" ') for column in lines[0][1].split(separator)} >= set(needed):
            raise ValueError(
                f"{place}: columns are separated by {name}: save them with tabs, in Excel as "
                "Unicode Text"
            )
    header = _cells(lines[0][1], (), place)
    if len(header) > MOST_COLUMNS:
        raise ValueError(f"{place}: {len(header):,} columns: keep up to {MOST_COLUMNS:,}")
    for column in needed:
        if column not in header:
            alike = [name for name in header if name and column in resembled(name, needed, others)]
            listed = ", ".join(f"`{name}`" for name in header if name)
            remedy = f"rename `{alike[0]}`" if alike else f"name it, tabs between, beside {listed}"
            raise ValueError(f"{place} has no column `{column}`: {remedy}")
    for number, column in enumerate(header, 1):
        first = header.index(column) + 1
        if column and first < number:
            raise ValueError(f"{place}: columns {first} and {number} are both `{column}`: keep one")
    rows: list[TableRow] = []
    for line, text in lines[1:]:
        place = f"{path}, line {line}"
        cells = _cells(text, header, place)
        if len(cells) < len(header):
            raise ValueError(
                f"{place}: {len(cells)} cells, but {len(header)} columns: "
                "write a tab for each cell that is empty, at the end of the line, too"
            )
        for number, cell in enumerate(cells, 1):
            if cell and not (number <= len(header) and header[number - 1]):
                raise ValueError(
                    f"{place}: column {number} ({cell!r}) has no name in the header: "
                    "name it, or remove a tab"
                )
        row = dict(zip(header, cells, strict=False))
        row.pop("", None)
        rows.append(TableRow(line, row))
    return rows


def _read_lines(path: Path) -> list[str]:
    """Lines as an editor shows them."""
    data = path.read_bytes()
    if data.startswith(WORKBOOKS):
        raise ValueError(f"{path} is a workbook, whatever its name: save it as tab-separated text")
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"{path}, line {line}: no text in UTF-8: save it as that") from None
    if "\0" in text:
        raise ValueError(f"{path} is no text in UTF-8: save it as that")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _cells(line: str, header: Sequence[str], place: str) -> list[str]:
    """Cells of a line, without white space and quotation marks around them."""
    cells = [cell.strip() for cell in line.split("\t")]
    for i, cell in enumerate(cells):
        name = f" ({header[i]})" if i < len(header) else ""
        if len(cell) > LONGEST_CELL:
            raise ValueError(
                f"{place}, column {i + 1}{name}: a cell of {len(cell):,} characters: shorten it to "
                f"{LONGEST_CELL:,} or fewer"
            )
        if cell.startswith('"'):
            inner = cell[1:-1].replace('""', "")
            if len(cell) < 2 or not cell.endswith('"') or '"' in inner:
                raise ValueError(
                    f"{place}, column {i + 1}{name}: {cell} has a quotation mark without a second "
                    'one: a cell begins and ends with `"`, or has none at its start'
                )
            cells[i] = cell[1:-1].replace('""', '"').strip()
    return cells


def resembled(
    column: str, known: Collection[str], others: Mapping[str, Sequence[str]]
) -> list[str]:
    """The known columns that an unknown one may be meant for, none of most.

    `others` are further names of known columns. Case, spaces and punctuation do not count.
    """
    own = bare(column)
    same = [name for name in known if own in {bare(name), *map(bare, others.get(name, ()))}]
    if same:
        return same
    by_name = {bare(name): name for name in known if len(name) >= SHORTEST_ALIKE}
    return [by_name[one] for one in difflib.get_close_matches(own, by_name, 1, LEAST_ALIKE)]


def bare(column: str) -> str:
    """Its letters and digits, in lower case."""
    return "".join(filter(str.isalnum, column.casefold()))
