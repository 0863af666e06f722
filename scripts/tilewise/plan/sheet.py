"""The sample sheet: what each sample consists of, checked before any work starts."""

import glob
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from tilewise.doubts import Doubt
from tilewise.labels import MOST_ANNOTATORS
from tilewise.pixels import PixelSize
from tilewise.read.annotation import Piece
from tilewise.read.files import read_header
from tilewise.read.header import Header
from tilewise.read.pixel_size import parse_pixel_size
from tilewise.read.planes import match_planes, natural_key
from tilewise.read.sources import Planes
from tilewise.store.grid import Grid, Shape, Tile
from tilewise.tables import read_rows

SAMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
RESERVED_NAMES = {"all", "figures", "masks", "sources", "sweeps"}
"""What results/ uses itself."""
RESULT_ENDINGS = (".html", ".json", ".md", ".tsv")
"""Of the names of files in results/."""
AUTO = "auto"
"""A region of interest that is to be found."""
SHEET_COLUMNS = ("sample", "image", "truth", "roi", "channel", "truth_foreground", "pixel_size")
"""Those with a meaning; others are kept as metadata."""

NamedFiles = dict[str, list[tuple[str, Header]]]
"""Files whose headers are known, by the name a sheet gives them, as in `phantom:cortex/image`."""
Item = TypeVar("Item")
IN_ORDER = attrgetter("z", "y", "x")


@dataclass(frozen=True)
class Sample:
    """One row of the sheet, its files found and their headers read."""

    name: str
    images: tuple[str, ...]
    pages: tuple[int, ...]
    """Planes in each file of `images`."""
    header: Header
    truth: tuple[Piece, ...]
    """Of all annotators."""
    annotators: tuple[tuple[Piece, ...], ...]
    """The pieces of each of several annotators; empty where there is one."""
    roi: tuple[Piece, ...]
    channel: str | int
    truth_foreground: float | None
    pixel_size: PixelSize | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    is_framed: bool = False
    """Whether the region of interest is what lies inside of a frame of one value."""
    doubts: tuple[Doubt, ...] = ()
    """What its files leave in doubt, by their headers."""

    @property
    def has_roi(self) -> bool:
        """Whether it has a region of interest, given or to be found."""
        return bool(self.roi) or self.is_framed

    @property
    def shape(self) -> Shape:
        """Planes, rows and columns."""
        return self.header.planes, self.header.height, self.header.width

    def images_of(self, z0: int, z1: int) -> list[Planes]:
        """Where planes z0 to z1 are."""
        first = 0
        held: list[Planes] = []
        for path, pages in zip(self.images, self.pages, strict=True):
            start, end = max(z0 - first, 0), min(z1 - first, pages)
            if start < end:
                held.append(Planes(path, start, end - start))
            first += pages
        return held


def read_samples(
    path: str | Path,
    named: NamedFiles,
    channel: str | int,
    truth_foreground: float | None,
    pixel_size: str | float | Sequence[float] | None = None,
    roi: str | None = None,
) -> dict[str, Sample]:
    """Read a sample sheet and the headers of all files that it names: samples by name, in order.

    The sheet is tab-separated text with the columns `sample` and `image` and, optionally, others
    of `SHEET_COLUMNS`; files are relative to its folder. `channel`, `truth_foreground` and `roi`
    are defaults of these columns. `pixel_size`, as for `parse_pixel_size`, is of samples whose size
    neither the sheet nor the file has; the sheet counts more than the file, and where one of the
    three does not know z, the next gives it. ValueError names the sheet or the file, the sample
    and the remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"sample sheet {path} does not exist: set `samples` in the configuration")
    rows = read_rows(path)
    if not rows:
        raise ValueError(f"sample sheet {path} has no rows: add one per sample")
    for column in ("sample", "image"):
        if column not in rows[0]:
            raise ValueError(
                f"sample sheet {path} has no column `{column}`: its header must name it, "
                "and columns are separated by tabs"
            )
    default_size = None if pixel_size is None else parse_pixel_size(pixel_size)
    samples = {}
    for row in rows:
        name = (row["sample"] or "").strip()
        is_taken = name in RESERVED_NAMES or name.endswith(RESULT_ENDINGS)
        if not SAMPLE_NAME.fullmatch(name) or ".." in name or is_taken:
            raise ValueError(
                f"sample sheet {path}: {name!r} cannot be a sample's name: use letters, digits, "
                f"`_`, `-` and `.`, none of {', '.join(sorted(RESERVED_NAMES))}, and no end like "
                f"{', '.join(RESULT_ENDINGS)}"
            )
        if name in samples:
            raise ValueError(f"sample sheet {path}: sample {name} has two rows: rename one")
        try:
            samples[name] = _read_sample(
                name, row, path.parent, named, channel, truth_foreground, default_size, roi
            )
        except ValueError as error:
            raise ValueError(f"sample {name} in {path}: {error}") from error
    return samples


def number_files(files: str, first: int, header: Header) -> list[tuple[str, Header]]:
    """The files of a pattern, with their headers; `header` is that of all planes together.

    With a format of a number, as in `s3://bucket/plane_{:04d}.tif`, there is a file per plane,
    numbered from `first`; without one, there is one file of all planes.
    """
    if "{" not in files:
        return [(files, header)]
    plane = replace(header, planes=1)
    return [(files.format(first + z), plane) for z in range(header.planes)]


def _read_sample(
    name: str,
    row: dict[str, str],
    folder: Path,
    named: NamedFiles,
    channel: str | int,
    truth_foreground: float | None,
    default_size: PixelSize | None,
    default_roi: str | None,
) -> Sample:
    row = {column: (text or "").strip() for column, text in row.items() if column}
    images = _find(row["image"], folder, named, "image")
    roi = row.get("roi") or default_roi
    headers = [header for _, header in images]
    first = headers[0]
    for file, header in images:
        if (header.height, header.width) != (first.height, first.width):
            raise ValueError(
                f"{file} is {header.height} x {header.width} px, {images[0][0]} "
                f"{first.height} x {first.width}: planes of one sample have one size"
            )
        if (header.channels, header.dtype) != (first.channels, first.dtype):
            raise ValueError(
                f"{file} has {header.channels} channels of {header.dtype}, {images[0][0]} "
                f"{first.channels} of {first.dtype}: convert them to one kind"
            )
    pages = tuple(header.planes for header in headers)
    header = replace(first, planes=sum(pages))
    foreground = row.get("truth_foreground") or truth_foreground
    entries = [entry.strip() for entry in row.get("truth", "").split(";") if entry.strip()]
    if len(entries) > MOST_ANNOTATORS:
        raise ValueError(f"{len(entries)} annotators: at most {MOST_ANNOTATORS} can be combined")
    truths = tuple(_pieces(entry, folder, named, header, images, "truth") for entry in entries)
    return Sample(
        name=name,
        images=tuple(file for file, _ in images),
        pages=pages,
        header=header,
        truth=tuple(sorted(chain.from_iterable(truths), key=IN_ORDER)),
        annotators=truths if len(truths) > 1 else (),
        roi=() if roi == AUTO else _pieces(roi, folder, named, header, images, "roi"),
        is_framed=roi == AUTO,
        channel=_channel(row.get("channel") or channel, header),
        truth_foreground=None if foreground is None else float(foreground),
        pixel_size=_pixel_size(row.get("pixel_size"), header, default_size),
        metadata={column: text for column, text in row.items() if column not in SHEET_COLUMNS},
    )


def _channel(channel: str | int, header: Header) -> str | int:
    names = ("luma", "red", "green", "blue")
    if isinstance(channel, str) and channel.isdigit():
        channel = int(channel)
    if channel not in names and not isinstance(channel, int):
        raise ValueError(f"channel {channel!r} is none of {', '.join(names)} or a number from 0")
    if header.channels not in (1, 3) and not isinstance(channel, int):
        raise ValueError(
            f"the image has {header.channels} channels: set `channel` to the number of one, "
            f"0 to {header.channels - 1}"
        )
    if isinstance(channel, int) and channel >= header.channels:
        raise ValueError(f"channel {channel} does not exist: the image has {header.channels}")
    return channel


def _pixel_size(entry: str | None, header: Header, default: PixelSize | None) -> PixelSize | None:
    """Of the row, the files or the configuration: the first that knows it."""
    sizes = [parse_pixel_size(entry) if entry else None, header.pixel_size, default]
    known = [size for size in sizes if size is not None]
    if not known:
        return None
    z = next((size[0] for size in known if size[0] is not None), None)
    _, y, x = known[0]
    return z, y, x


def _find(entry: str, folder: Path, named: NamedFiles, column: str) -> list[tuple[str, Header]]:
    """Files that an entry of the sheet names, in natural order, with their headers."""
    if not entry:
        raise ValueError(f"the column `{column}` is empty: name a file or a glob")
    if entry in named:
        return named[entry]
    if entry.split(":")[0] in ("phantom", "download", "stored"):
        raise ValueError(
            f"{column} {entry} is not configured: known are {', '.join(named) or 'none'}"
        )
    if "://" in entry:
        raise ValueError(
            f"{column} {entry} is an address, whose header cannot be read beforehand: configure it "
            "under `stored`, with its shape, and name it `stored:NAME`"
        )
    pattern = str(Path(folder, entry))
    if Path(pattern).exists():
        return [(pattern, read_header(pattern))]
    if not glob.has_magic(entry):
        raise ValueError(f"{column} {pattern} does not exist: correct the path in the sheet")
    files = sorted(glob.glob(pattern, recursive=True), key=natural_key)
    if not files:
        raise ValueError(f"{column} {pattern} matches no file: correct the glob in the sheet")
    return [(file, read_header(file)) for file in files]


def _pieces(
    entry: str | None,
    folder: Path,
    named: NamedFiles,
    image: Header,
    images: list[tuple[str, Header]],
    column: str,
) -> tuple[Piece, ...]:
    """Where the files of an entry lie in the sample."""
    if not entry:
        return ()
    if entry.lower().endswith(".tsv"):
        return _windows(Path(folder, entry), image, column)
    files = _find(entry, folder, named, column)
    for file, header in files:
        if (header.height, header.width) != (image.height, image.width):
            raise ValueError(
                f"{column} {file} is {header.height} x {header.width} px, the image "
                f"{image.height} x {image.width}: they must be equal; "
                "for windows of a plane give a TSV of z, y, x and path"
            )
    pages = [(file, page) for file, header in files for page in range(header.planes)]
    places: Sequence[int] = range(image.planes)
    if column == "roi" and len(pages) == 1 < image.planes:
        pages *= image.planes
    elif len(pages) == len(files) <= image.planes == len(images):
        places = match_planes([file for file, _ in images], [file for file, _ in files])
    elif len(pages) != image.planes:
        raise ValueError(
            f"{column} {entry} has {len(pages)} planes, the image {image.planes}: give one plane "
            "each, files numbered like the image's, or a TSV of windows (z, y, x, path)"
        )
    size = image.height, image.width
    return tuple(
        Piece(file, page, z, 0, 0, *size)
        for z, (file, page) in sorted(zip(places, pages, strict=True))
    )


def _windows(path: Path, image: Header, column: str) -> tuple[Piece, ...]:
    """Pieces from a TSV of windows: `z`, `y`, `x` of the upper left corner and `path`."""
    if not path.is_file():
        raise ValueError(f"{column} {path} does not exist: correct the path in the sheet")
    rows = read_rows(path)
    if not rows or not {"z", "y", "x", "path"} <= set(rows[0]):
        raise ValueError(f"{path} must have the columns z, y, x and path, and a row per window")
    pieces: list[Piece] = []
    for row in rows:
        file = str(Path(path.parent, row["path"]))
        header = read_header(file)
        try:
            z, y, x = (int(row[axis]) for axis in "zyx")
        except (TypeError, ValueError):
            raise ValueError(
                f"{path}: z, y and x of {row['path']} must be whole numbers of pixels"
            ) from None
        piece = Piece(file, 0, z, y, x, header.height, header.width)
        inside = (
            header.planes == 1
            and 0 <= z < image.planes
            and 0 <= y <= image.height - header.height
            and 0 <= x <= image.width - header.width
        )
        if not inside:
            raise ValueError(
                f"{path}: {row['path']} ({header.planes} x {header.height} x {header.width}) at "
                f"z {z}, y {y}, x {x} does not lie within one plane of the image "
                f"({image.planes} x {image.height} x {image.width}): correct the window"
            )
        for other in pieces:
            if piece.region.intersects(other.region):
                raise ValueError(
                    f"{path}: {file} and {other.path} overlap at z {z}: cut one of them"
                )
        pieces.append(piece)
    return tuple(sorted(pieces, key=IN_ORDER))


def blocks_of(pieces: Collection[Piece], grid: Grid) -> list[str]:
    """Blocks of a grid that the pieces touch, in the grid's order."""
    touched = {block for piece in pieces for block in grid.blocks_of(piece.region)}
    return sorted(touched, key=lambda block: tuple(map(int, block.split("/"))))


def choose_tiles(pieces: Sequence[Piece], grid: Grid, number: int) -> list[Tile]:
    """At most so many tiles that the pieces touch, spread evenly over them."""
    if len(pieces) > number:
        pieces = _spread(pieces, number)
        return [_spread(grid.tiles_in(piece.region), 1)[0] for piece in pieces]
    tiles = dict.fromkeys(tile for piece in pieces for tile in grid.tiles_in(piece.region))
    return _spread(list(tiles), number)


def _spread(items: Sequence[Item], number: int) -> list[Item]:
    """At most so many items, at equal distances: one is the middle one."""
    number = min(number, len(items))
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]
