"""Tables of windows: which parts of planes are truth, or region of interest, and in which files."""

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from pathlib import Path

from tilewise.doubts import Doubt
from tilewise.plan import sampling
from tilewise.plan.file_names import check_path
from tilewise.plan.sampling import SAMPLING, Window
from tilewise.plan.sheet_columns import NAMES_OF_NEEDED, NAMES_OF_SAMPLING
from tilewise.plan.sheet_table import TableRow, read_table, resembled
from tilewise.read.annotation import Piece
from tilewise.read.files import read_header
from tilewise.read.header import Header
from tilewise.read.painted import CODE, REMEDY, Start, file_checksum, parse_start

WINDOW = ("z", "y", "x", "path")
"""Columns that a table of windows has."""
OF_TRUTH = (*SAMPLING, "start", "accepted")
"""Further ones that it may have if it is of truth; `context`, `height` and `width` are of any."""
NAMES_OF_PATH = {"path": (*NAMES_OF_NEEDED["image"], "image", "truth", "mask", "roi")}
FINISH = "; tiles with `pi` were drawn together: scores are right once all of them are painted"
"""Of a random draw of which somebody has painted a part."""
MOST_DIGITS = 100
"""Of the column `context`."""
ANSWERS = {"": False, "no": False, "yes": True}
"""What the column `accepted` may say."""


@dataclass(frozen=True)
class Found:
    """Files of an entry of the sheet, and where they lie in the sample."""

    pieces: tuple[Piece, ...] = ()
    files: tuple[tuple[str, Header], ...] = ()
    windows: tuple[Window, ...] = ()
    """What a table says of how windows of truth were picked, if it says anything."""
    unpainted: tuple[tuple[str, bool], ...] = ()
    """Starting points that nobody has painted in, and whether each has a pi; they are no pieces."""


def joined(column: str, parts: Sequence[Found]) -> Found:
    """Several entries as one; ValueError if any overlap."""
    pieces = [piece for part in parts for piece in part.pieces]
    if pair := overlapping(pieces):
        one, other = (pieces[number] for number in pair)
        raise ValueError(
            f"{column}: {other.path} and {one.path} overlap at z {one.z}: name one of them, or "
            "cut one"
        )
    return Found(
        tuple(sorted(pieces, key=lambda piece: (piece.z, piece.y, piece.x))),
        tuple(file for part in parts for file in part.files),
        tuple(window for part in parts for window in part.windows),
        tuple(mask for part in parts for mask in part.unpainted),
    )


def overlapping(pieces: Sequence[Piece]) -> tuple[int, int] | None:
    """Numbers of two pieces that overlap, the lower one first; None if there are none.

    Down a plane, those that have pixels in a row lie side by side, in order: a further one can
    overlap only its neighbours. So it takes little more time for each of many pieces.
    """
    order = sorted(range(len(pieces)), key=lambda i: (pieces[i].z, pieces[i].y))
    beside: list[tuple[int, int]] = []
    ends: list[tuple[int, int, int]] = []
    plane = None
    for i in order:
        piece = pieces[i]
        if piece.z != plane:
            beside, ends, plane = [], [], piece.z
        while ends and ends[0][0] <= piece.y:
            _, x, other = heappop(ends)
            del beside[bisect_left(beside, (x, other))]
        at = bisect_left(beside, (piece.x, i))
        for x, other in beside[max(at - 1, 0) : at + 1]:
            if x < piece.x + piece.width and piece.x < x + pieces[other].width:
                return min(i, other), max(i, other)
        beside.insert(at, (piece.x, i))
        heappush(ends, (piece.y + piece.height, piece.x, i))
    return None


def unpainted_doubts(sample: str, found: Sequence[Found]) -> Iterator[Doubt]:
    """That starting points of a sample were left out, if there are any."""
    masks = [mask for own in found for mask in own.unpainted]
    if not masks:
        return
    names = ", ".join(os.path.basename(path) for path, _ in masks[:3])
    names += ", ..." if len(masks) > 3 else ""
    number = len(masks) + sum(piece.is_painted for own in found for piece in own.pieces)
    folder = os.path.dirname(masks[0][0])
    yield Doubt(
        CODE,
        f"sample {sample}: {len(masks)} of {number} masks to paint are as they were written, and "
        f"no truth ({names} in {folder})",
        f"paint in them; where a mask is right as it is, {REMEDY}"
        + (FINISH if any(has_pi for _, has_pi in masks) else ""),
        sample,
    )


def read_windows(path: Path, image: Header, column: str, allows_any: bool = False) -> Found:
    """Pieces from a table of windows, `z`, `y`, `x` of the upper left corner and `path`.

    A file may hold more than the window, as `context` says. A truth's table may have the columns of
    `SAMPLING`, too, and those of masks to paint: `start`, and `accepted`. `allows_any` is that of
    `read_header`. ValueError names the table, the line and the remedy.
    """
    if not os.path.isfile(path):
        raise ValueError(f"{column} {path} does not exist: correct the path in the sheet")
    rows = read_table(path, WINDOW, NAMES_OF_PATH)
    if not rows:
        raise ValueError(f"{path} has no rows: add one per window")
    _check_columns(path, rows, column)
    is_sampled = sampling.says_anything([row for _, row in rows])
    pieces: list[Piece] = []
    files: list[tuple[str, Header]] = []
    windows: list[Window] = []
    unpainted: list[tuple[str, bool]] = []
    for line, row in rows:
        place = f"{path}, line {line}"
        if not row["path"]:
            raise ValueError(f"{place}: the column `path` is empty: name a file")
        file = str(Path(path.parent, row["path"]))
        try:
            check_path(file)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        start = _start(row, place)
        header = read_header(file, allows_any or start is not None)
        piece = _piece(file, header, row, image, place)
        try:
            drawn = sampling.parse(row)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
        if start:
            is_accepted = _is_accepted(row, place)
            if not is_accepted and file_checksum(file) == start.file:
                unpainted.append((file, drawn.pi is not None))
                continue
            piece = replace(piece, is_painted=True, start=None if is_accepted else start.pixels)
        pieces.append(piece)
        files.append((file, header))
        windows.append(Window(piece.region, drawn, place))
    if pair := overlapping(pieces):
        one, other = (pieces[number] for number in pair)
        raise ValueError(
            f"{windows[pair[1]].place}: {other.path} and {one.path} overlap at z {one.z}: cut one "
            "of them"
        )
    known = tuple(windows) if is_sampled else ()
    return Found(tuple(pieces), tuple(files), known, tuple(unpainted))


def _start(row: Mapping[str, str], place: str) -> Start | None:
    """The starting point of a mask to paint; None of other files."""
    text = row.get("start", "")
    try:
        return parse_start(text) if text else None
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _is_accepted(row: Mapping[str, str], place: str) -> bool:
    answer = row.get("accepted", "")
    if answer.casefold() not in ANSWERS:
        raise ValueError(
            f"{place}: accepted {answer!r} is no answer: write yes where the mask is right as it "
            "is, or leave it empty"
        )
    return ANSWERS[answer.casefold()]


def _piece(file: str, header: Header, row: Mapping[str, str], image: Header, place: str) -> Piece:
    """Where a window lies in the sample, and in its file."""
    name = row["path"]
    try:
        z, y, x = (int(row[axis]) for axis in "zyx")
    except ValueError:
        raise ValueError(f"{place}: z, y and x of {name} must be whole numbers of pixels") from None
    if header.planes > 1:
        raise ValueError(
            f"{place}: {name} has {header.planes} planes: save it alone, without other layers"
        )
    above, below, left, right = _context(row, place)
    height, width = header.height - above - below, header.width - left - right
    meant = tuple(row.get(side) or str(own) for side, own in (("height", height), ("width", width)))
    if meant != (str(height), str(width)) or min(height, width) < 1:
        around = f" and the context {row['context']}" if row.get("context") else ""
        raise ValueError(
            f"{place}: {name} has {header.height} x {header.width} px, but its row the window "
            f"{' x '.join(meant)}{around}: save it in the size that it had"
        )
    inside = (
        0 <= z < image.planes and 0 <= y <= image.height - height and 0 <= x <= image.width - width
    )
    if not inside:
        raise ValueError(
            f"{place}: {name} ({height} x {width}) at "
            f"z {z}, y {y}, x {x} does not lie within one plane of the image "
            f"({image.planes} x {image.height} x {image.width}): correct the window"
        )
    return Piece(file, 0, z, y, x, height, width, above, left)


def _context(row: Mapping[str, str], place: str) -> tuple[int, int, int, int]:
    """Pixels of a file above, below, left and right of its window."""
    text = row.get("context", "") or "0 0 0 0"
    cells = text.split()
    if len(cells) != 4 or not all(map(str.isdecimal, cells)) or len(text) > MOST_DIGITS:
        raise ValueError(
            f"{place}: context {text!r} is no four numbers of pixels: give those of the file that "
            "lie above, below, left and right of the window, as in 64 64 64 0"
        )
    above, below, left, right = map(int, cells)
    return above, below, left, right


def _check_columns(path: Path, rows: Sequence[TableRow], column: str) -> None:
    """Make sure that no column is nearly one of `SAMPLING`, and that only a truth has its own."""
    for name in rows[0].cells:
        if name in WINDOW:
            continue
        if name in OF_TRUTH:
            if column != "truth":
                raise ValueError(
                    f"{path}: the column `{name}` is of windows of truth: remove it from a table "
                    f"of {column}"
                )
        elif meant := _meant(name):
            raise ValueError(
                f"{path}: the column `{name}` is not known: name it `{meant[0]}`; what is nothing "
                "but a note, in another way"
            )


def _meant(name: str) -> list[str]:
    return resembled(name, SAMPLING, NAMES_OF_SAMPLING)
