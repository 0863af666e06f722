"""The sample sheet: what each sample consists of, checked before any work starts."""

import glob
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from operator import attrgetter
from pathlib import Path

from tilewise.doubts import Doubt
from tilewise.labels import MOST_ANNOTATORS
from tilewise.pixels import PixelSize
from tilewise.plan import sampling
from tilewise.plan.file_names import check_path
from tilewise.plan.sample_names import lines_of_samples
from tilewise.plan.sampling import EVERYWHERE, Sampling
from tilewise.plan.sheet_columns import (
    GROUP,
    NAMES_OF_NEEDED,
    NEEDED,
    SHEET_COLUMNS,
    check_columns,
    shared_values,
)
from tilewise.plan.sheet_table import read_table
from tilewise.plan.windows import Found, joined, read_windows, unpainted_doubts
from tilewise.read.annotation import Piece
from tilewise.read.files import read_header
from tilewise.read.header import Header, channel_number, channels_of, check_size
from tilewise.read.pixel_size import parse_pixel_size
from tilewise.read.planes import match_planes, natural_key
from tilewise.read.sources import Planes
from tilewise.read.truth_values import LABELS, Foreground
from tilewise.store.grid import Shape

AUTO = "auto"
"""A region of interest that is to be found."""
AND = re.compile(r"\s\+\s")
"""Between entries of a truth that belong together."""
JPEG = b"\xff\xd8\xff"
"""First bytes of a JPEG file."""

FoundFiles = list[tuple[str, Header]]
"""Files with their headers."""
NamedFiles = dict[str, FoundFiles]
"""Files whose headers are known, by the name a sheet gives them, as in `phantom:cortex/image`."""
IN_ORDER = attrgetter("z", "y", "x")


@dataclass(frozen=True)
class External:
    """Masks of a sample that were made elsewhere."""

    pieces: tuple[Piece, ...]
    """One for each plane of the image."""
    channels: int
    is_float: bool = False
    """Whether their pixels are floats, as probabilities are, and labels seldom."""


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
    truth_foreground: Foreground | None
    pixel_size: PixelSize | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    is_framed: bool = False
    """Whether the region of interest is what lies inside of a frame of one value."""
    doubts: tuple[Doubt, ...] = ()
    """What could mislead in its files and its row."""
    sampling: Sampling = field(default_factory=Sampling)
    """How its annotated tiles were picked."""
    external: dict[str, External] = field(default_factory=dict)
    """By the column of the sheet that names them."""
    decoded: dict[str, int] = field(default_factory=dict, compare=False)
    """Most bytes that one of its files is decoded into at once, by the column that names them."""

    @property
    def group(self) -> str:
        """What it depends on together with other samples; empty if it is independent."""
        return self.metadata.get(GROUP, "")

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
    truth_foreground: float | str | None,
    pixel_size: str | float | Sequence[float] | None = None,
    roi: str | None = None,
    external: Collection[str] = (),
    most_gb: float = math.inf,
) -> dict[str, Sample]:
    """Read a sample sheet and the headers of all files that it names: samples by name, in order.

    The sheet is a table as for `read_table`, with the columns `sample` and `image` and further ones
    of `SHEET_COLUMNS`; files are relative to its folder. `channel`, `truth_foreground`, `roi` are
    defaults of these columns. `pixel_size`, as for `parse_pixel_size`, is of samples whose size
    neither the sheet nor the file has; the sheet counts more than the file, and where one of the
    three does not know z, the next gives it. `external` are columns with masks made elsewhere, and
    `most_gb` is what a plane of a file may take when it is decoded.
    ValueError names the sheet or the file, the sample and the remedy; also for a file in two roles,
    and for an image of two samples that are not of one group.
    """
    path = Path(path)
    check_path(path)
    if not os.path.isfile(path):
        raise ValueError(f"sample sheet {path} does not exist: set `samples` in the configuration")
    rows = read_table(path, NEEDED, NAMES_OF_NEEDED)
    if not rows:
        raise ValueError(f"sample sheet {path} has no rows: add one per sample")
    naming_files = check_columns(path, rows, named, external)
    default_size = None if pixel_size is None else parse_pixel_size(pixel_size)
    default_foreground = None if truth_foreground is None else _foreground(truth_foreground)
    lines = lines_of_samples(path, rows)
    samples: dict[str, Sample] = {}
    for line, row in rows:
        name = row["sample"]
        try:
            samples[name] = _read_sample(
                name,
                row,
                path.parent,
                named,
                channel,
                default_foreground,
                default_size,
                roi,
                external,
                most_gb,
            )
        except ValueError as error:
            raise ValueError(f"sample {name} in {path}, line {line}: {error}") from error
    _check_roles(samples, path, lines)
    doubts = [_ungrouped(*shared, path) for shared in shared_values(rows)]
    if naming_files:
        doubts.append(_unread(naming_files, path))
    name, first = next(iter(samples.items()))
    samples[name] = replace(first, doubts=(*first.doubts, *doubts))
    return samples


def _check_roles(samples: dict[str, Sample], path: Path, lines: dict[str, int]) -> None:
    """Make sure that a file has one role, and is the image of one sample or group, once."""
    known: dict[str, tuple[str, str]] = {}
    for name, sample in samples.items():
        for role, file in _roles(sample):
            real = _real(file)
            if real not in known:
                known[real] = role, name
                continue
            other_role, other = known[real]
            both = (
                f"{path}: {file} is `{other_role}` of sample {other} (line {lines[other]}) "
                f"and `{role}` of sample {name} (line {lines[name]})"
            )
            if role != other_role or (role == "image" and other == name):
                raise ValueError(
                    f"{both}: correct one; a pattern may match more files than it should"
                )
            is_one_group = bool(sample.group) and sample.group == samples[other].group
            if role == "image" and not is_one_group:
                raise ValueError(
                    f"{both}: correct one, or give both the same `{GROUP}`, "
                    "since they are not independent"
                )


def _roles(sample: Sample) -> Iterator[tuple[str, str]]:
    """Roles and files of a sample; a file of several pieces once."""
    yield from (("image", file) for file in sample.images)
    masks = ((column, own.pieces) for column, own in sample.external.items())
    for role, pieces in (("truth", sample.truth), ("roi", sample.roi), *masks):
        yield from ((role, file) for file in dict.fromkeys(piece.path for piece in pieces))


def _real(file: str) -> str:
    """A path without links; addresses have none."""
    if "://" in file:
        return file
    # a folder's is asked once, and most files are no links
    folder, name = os.path.split(file)
    path = os.path.join(_real_folder(os.path.join(os.getcwd(), folder)), name)
    is_plain = bool(name) and name != ".." and not os.path.islink(path)
    return path if is_plain else os.path.realpath(file)


@cache
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _unread(naming_files: Sequence[str], path: Path) -> Doubt:
    """Metadata that name files."""
    return Doubt(
        "metadata_columns",
        f"{', '.join(naming_files)} in {path}: these columns name files, which are not read",
        f"if they should be, name the columns {', '.join(SHEET_COLUMNS[1:4])}; to read masks made "
        "elsewhere, give a method the threshold `{external: COLUMN}`",
    )


def _ungrouped(column: str, value: str, samples: Sequence[str], path: Path) -> Doubt:
    """Samples that share a value of a column of metadata, and count as independent."""
    shown = ", ".join(samples[:3]) + (", ..." if len(samples) > 3 else "")
    return Doubt(
        "ungrouped",
        f"{path}: samples with the same `{column}` ({value}: {shown}) are taken for independent, "
        "which makes intervals too narrow if they are not",
        f"name the column `{GROUP}`, or add one of that name",
    )


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
    default_foreground: Foreground | None,
    default_size: PixelSize | None,
    default_roi: str | None,
    external: Collection[str],
    most_gb: float,
) -> Sample:
    images = _find(row["image"], folder, named, "image")
    if len(images) > 1:
        others = ("truth", "roi", *external)
        _check_pattern(row, others, folder, {_real(file) for file, _ in images})
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
    entry = row.get("truth_foreground")
    foreground = _foreground(entry) if entry else default_foreground
    entries = _annotators(row.get("truth", ""), folder)
    if len(entries) > MOST_ANNOTATORS:
        raise ValueError(f"{len(entries)} annotators: at most {MOST_ANNOTATORS} can be combined")
    is_labels = foreground == LABELS
    annotated = [_truth(entry, folder, named, header, images, is_labels) for entry in entries]
    truths = tuple(own.pieces for own in annotated if own.pieces)
    _check_annotators(truths)
    entry = row.get("roi") or default_roi
    is_framed = entry == AUTO
    roi = _pieces(None if is_framed else entry, folder, named, header, images, "roi")
    files = {
        "image": images,
        "truth": [file for own in annotated for file in own.files],
        "roi": roi.files,
    }
    for file, own in chain.from_iterable(files.values()):
        check_size(own, file, most_gb)
    masks = {
        column: _external(row[column], folder, named, header, images, column)
        for column in external
        if row.get(column)
    }
    return Sample(
        name=name,
        images=tuple(file for file, _ in images),
        pages=pages,
        header=header,
        truth=tuple(sorted(chain.from_iterable(truths), key=IN_ORDER)),
        annotators=truths if len(truths) > 1 else (),
        roi=roi.pieces,
        is_framed=is_framed,
        channel=_channel(row.get("channel") or channel, header),
        truth_foreground=foreground,
        pixel_size=_pixel_size(row.get("pixel_size"), header, default_size),
        metadata={
            column: text
            for column, text in row.items()
            if column not in (*SHEET_COLUMNS, *external)
        },
        doubts=(
            *_doubts(name, files, foreground is not None),
            *unpainted_doubts(name, annotated),
        ),
        sampling=Sampling(
            sampling.parse(row).within(EVERYWHERE),
            tuple(window for own in annotated for window in own.windows),
        ),
        external={column: own for column, (own, _) in masks.items()},
        decoded={
            column: max((own.at_once for _, own in found), default=0)
            for column, found in (files | {name: own for name, (_, own) in masks.items()}).items()
        },
    )


def _external(
    entry: str, folder: Path, named: NamedFiles, image: Header, images: FoundFiles, column: str
) -> tuple[External, FoundFiles]:
    """Masks of all planes of a sample, made elsewhere, and their files."""
    if entry.lower().endswith(".tsv"):
        raise ValueError(f"{column} {entry} is a table: name images of whole planes")
    found = _pieces(entry, folder, named, image, images, column, allows_any=True)
    pieces, files = found.pieces, found.files
    if len(pieces) != image.planes:
        raise ValueError(
            f"{column} {entry} has {len(pieces)} planes, the image {image.planes}: give one each"
        )
    kinds = {header.channels for _, header in files}
    if len(kinds) > 1:
        raise ValueError(
            f"{column} {entry}: some files have more channels: convert them to one kind"
        )
    is_float = any(header.dtype.startswith("float") for _, header in files)
    return External(pieces, max(kinds), is_float), list(files)


def _check_pattern(
    row: dict[str, str], others: Iterable[str], folder: Path, images: set[str]
) -> None:
    """Make sure that images' pattern matches no other file; before its size seems to be wrong."""
    for column in others:
        for entry in _entries(row.get(column, ""), folder):
            for file in _matched(entry, folder):
                if _real(file) in images:
                    raise ValueError(
                        f"{file} is `image` and `{column}`: "
                        f"correct one; {row['image']} may match more files than it should"
                    )


def _matched(entry: str, folder: Path) -> list[str]:
    """The file of an entry of the sheet or those that it matches, in natural order."""
    path = str(Path(folder, entry))
    if os.path.exists(path):
        return [path]
    # the folder is no pattern
    pattern = str(Path(glob.escape(str(folder)), entry))
    return sorted(glob.glob(pattern, recursive=True), key=natural_key)


def _check_annotators(truths: Sequence[tuple[Piece, ...]]) -> None:
    """Make sure that no annotator's files are another's, who would agree in everything."""
    first: dict[frozenset[Piece], int] = {}
    for number, pieces in enumerate(truths, 1):
        other = first.setdefault(frozenset(replace(p, path=_real(p.path)) for p in pieces), number)
        if other != number:
            raise ValueError(
                f"truth: annotators {other} and {number} have the same file {pieces[0].path}: "
                "name each annotator's own, once"
            )


def _doubts(
    name: str, files: Mapping[str, Sequence[tuple[str, Header]]], is_foreground_known: bool
) -> Iterator[Doubt]:
    """What could mislead in the files of a sample: of each kind one, with the number of files."""
    left_out = {file: header for own in files.values() for file, header in own if header.left_out}
    for file, header in list(left_out.items())[:1]:
        message = f"sample {name}: {file}: {header.left_out}{_and_more(left_out)}"
        yield Doubt("left_out", message, "save the picture wanted as a file of its own", name)
    remedies = {
        "truth": "look at an overlay; if objects are what viewers show as white, set "
        "`truth_foreground: 0`, else to the value that they show as black",
        "roi": "if the region is what viewers show as white, store it with 0 as black",
    }
    if is_foreground_known:
        del remedies["truth"]
    inverted = {
        file: (header, role)
        for role in remedies
        for file, header in files[role]
        if header.black is not None
    }
    for file, (header, role) in list(inverted.items())[:1]:
        yield Doubt(
            "white_is_zero",
            f"{role} of sample {name}: {file} is stored with WhiteIsZero: viewers show its marked "
            f"pixels, of {header.black}, as black; stored values count here{_and_more(inverted)}",
            "; ".join(
                remedies[one] for one in dict.fromkeys(role for _, role in inverted.values())
            ),
            name,
        )


def _and_more(files: Collection[str]) -> str:
    """The number of files, of which a message names the first."""
    return f" (and so of {len(files) - 1} more)" if len(files) > 1 else ""


def _channel(channel: str | int, header: Header) -> str | int:
    """A channel by its number, or a projection of colours by its name."""
    names = ("luma", "red", "green", "blue")
    if isinstance(channel, str) and channel.isdigit():
        channel = int(channel)
    if channel in names and header.channels in (1, 3):
        return channel
    if channel in names and channel not in header.channel_names:
        raise ValueError(
            "of several channels, one is the grey image: set `channel` to its number or name; "
            f"{channels_of(header)}"
        )
    try:
        return channel_number(header, channel)
    except ValueError as error:
        known = ", ".join(names)
        raise ValueError(f"{error}; set `channel` to one of these or to {known}") from error


def _foreground(value: str | float) -> Foreground:
    if value == LABELS:
        return LABELS
    try:
        number = float(value)
    except (OverflowError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(
            f"truth_foreground {value!r} is no number: give the value of the truth's foreground, "
            "as in 255, or `labels` for label images"
        )
    return number


def _pixel_size(entry: str | None, header: Header, default: PixelSize | None) -> PixelSize | None:
    """Of the row, the files or the configuration: the first that knows it."""
    sizes = [parse_pixel_size(entry) if entry else None, header.pixel_size, default]
    known = [size for size in sizes if size is not None]
    if not known:
        return None
    z = next((size[0] for size in known if size[0] is not None), None)
    _, y, x = known[0]
    return z, y, x


def _find(
    entry: str, folder: Path, named: NamedFiles, column: str, allows_any: bool = False
) -> FoundFiles:
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
    files = _matched(entry, folder)
    if not files:
        pattern = Path(folder, entry)
        if not glob.has_magic(entry):
            raise ValueError(f"{column} {pattern} does not exist: correct the path in the sheet")
        raise ValueError(f"{column} {pattern} matches no file: correct the glob in the sheet")
    for file in files:
        check_path(file)
    return [(file, read_header(file, allows_any)) for file in files]


def _annotators(cell: str, folder: Path) -> list[str]:
    """What a cell names of each annotator."""
    # what separates them may be part of a file's name
    entries = [cell] if os.path.exists(Path(folder, cell)) else map(str.strip, cell.split(";"))
    return list(filter(None, entries))


def _entries(cell: str, folder: Path) -> list[str]:
    """Files, patterns and tables that a cell names."""
    parts: list[str] = []
    for entry in _annotators(cell, folder):
        parts += (
            [entry] if os.path.exists(Path(folder, entry)) else map(str.strip, AND.split(entry))
        )
    return list(filter(None, parts))


def _truth(
    entry: str,
    folder: Path,
    named: NamedFiles,
    image: Header,
    images: FoundFiles,
    is_labels: bool,
) -> Found:
    """What one annotator has traced: one entry, or several with ` + ` between."""
    parts = [
        _pieces(own, folder, named, image, images, "truth", is_labels)
        for own in _entries(entry, folder)
    ]
    found = joined("truth", parts)
    if is_labels:
        for file, _ in found.files:
            _check_labels(file)
    return found


def _check_labels(file: str) -> None:
    """Make sure that no JPEG is taken for labels: around each object it has other values than 0."""
    if os.path.isfile(file):
        with open(file, "rb") as start:
            if start.read(len(JPEG)) == JPEG:
                raise ValueError(
                    f"truth {file} is a JPEG file, which changes values, and `truth_foreground` is "
                    "labels: save labels as PNG or TIFF"
                )


def _pieces(
    entry: str | None,
    folder: Path,
    named: NamedFiles,
    image: Header,
    images: FoundFiles,
    column: str,
    allows_any: bool = False,
) -> Found:
    """Where the files of an entry lie in the sample."""
    if not entry:
        return Found()
    if entry.lower().endswith(".tsv"):
        return read_windows(Path(folder, entry), image, column, allows_any)
    files = _find(entry, folder, named, column, allows_any)
    is_external = column not in ("truth", "roi")
    windows = "" if is_external else "; for windows of a plane give a TSV of z, y, x and path"
    for file, header in files:
        if (header.height, header.width) != (image.height, image.width):
            raise ValueError(
                f"{column} {file} is {header.height} x {header.width} px, the image "
                f"{image.height} x {image.width}: they must be equal{windows}"
            )
    pages = [(file, page) for file, header in files for page in range(header.planes)]
    places: Sequence[int] = range(image.planes)
    if column == "roi" and len(pages) == 1 < image.planes:
        pages *= image.planes
    elif len(pages) == len(files) <= image.planes == len(images):
        places = match_planes([file for file, _ in images], [file for file, _ in files])
    elif len(pages) != image.planes:
        windows = "" if is_external else ", files numbered like the image's, or a TSV of windows"
        raise ValueError(
            f"{column} {entry} has {len(pages)} planes, the image {image.planes}: give one plane "
            f"each{windows}{'' if is_external else ' (z, y, x, path)'}"
        )
    size = image.height, image.width
    pieces = tuple(
        Piece(file, page, z, 0, 0, *size)
        for z, (file, page) in sorted(zip(places, pages, strict=True))
    )
    return Found(pieces, tuple(files))
