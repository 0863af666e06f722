"""A folder of tiles to paint in: images, masks, a table of windows per sample, and what to do."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from tilewise.annotate.instructions import instructions
from tilewise.annotate.pictures import contrast, picture
from tilewise.annotate.results import Results
from tilewise.annotate.tiles import Tile
from tilewise.read.painted import (
    FOREGROUND,
    UNKNOWN,
    Start,
    file_checksum,
    labels_of,
    pixel_checksum,
)
from tilewise.store.grid import Region, crop
from tilewise.tables import write_rows
from tilewise.view.png import write_png

TABLE = "windows.tsv"
COLUMNS = (
    *("z", "y", "x", "path", "purpose", "pi"),
    *("height", "width", "context", "accepted", "tile", "mask", "start"),
)
"""Of the table: those of a table of windows, and `tile` and `mask`, which are notes."""
EMPTY = "empty"
"""In the column `mask`: there was none to begin with."""


@dataclass(frozen=True)
class Written:
    """What was written."""

    folder: Path
    tables: dict[str, Path]
    """Of windows, by sample."""
    masks: dict[str, int]
    """How many tiles begin with which."""


def write(
    results: Results,
    tiles: Sequence[Tile],
    parent: Path,
    kind: str,
    context: int,
    is_empty: bool = False,
) -> Written:
    """Write a new folder `KIND-NUMBER` in `parent`; it appears once all of it is written.

    Parameters
    ----------
    tiles
        At least one.
    kind
        What the folder's name begins with.
    context
        Pixels of the image to show around each tile.
    is_empty
        Whether masks begin without foreground, whatever methods have found.
    """
    tables: dict[str, Path] = {}
    masks: dict[str, int] = {}
    with _unfinished(parent) as folder:
        for sample, own in groupby(sorted(tiles, key=attrgetter("sample")), attrgetter("sample")):
            rows = _write_sample(folder / sample, results, list(own), context, is_empty)
            for row in rows:
                masks[row["mask"]] = masks.get(row["mask"], 0) + 1
            tables[sample] = Path(sample, TABLE)
        final = _finish(
            folder,
            parent,
            kind,
            lambda name: instructions(
                {sample: parent / name / table for sample, table in tables.items()},
                masks,
                purposes={tile.purpose for tile in tiles},
                is_random=any(tile.pi for tile in tiles),
            ),
        )
    return Written(final, {sample: final / table for sample, table in tables.items()}, masks)


def _write_sample(
    folder: Path, results: Results, tiles: Sequence[Tile], context: int, is_empty: bool
) -> list[dict[str, Any]]:
    """Images and masks of a sample's tiles, and their table: its rows."""
    folder.mkdir()
    shape = results.samples[tiles[0].sample].shape
    regions = [_around(tile.region, context, shape) for tile in tiles]
    images = [
        results.image(tile.sample, region) for tile, region in zip(tiles, regions, strict=True)
    ]
    limits = contrast(images)
    rows = []
    for tile, outer, image in zip(tiles, regions, images, strict=True):
        write_png(folder / f"{tile.name}_image.png", picture(image, limits))
        if limits is not None:
            _write_tiff(folder / f"{tile.name}_values.tif", image)
        mask, label = np.zeros(tile.region.shape[1:], bool), ""
        if not is_empty:
            mask, label = results.mask(tile.sample, tile.name, tile.region)
        painting = np.full(outer.shape[1:], UNKNOWN, np.uint8)
        window = crop(painting, outer, tile.region)
        roi = results.roi(tile.sample, tile.region)
        window[roi] = np.where(mask[roi], FOREGROUND, 0)
        path = folder / f"{tile.name}_mask.tif"
        _write_tiff(path, painting)
        start = Start(file_checksum(path), pixel_checksum(labels_of(window)))
        _, height, width = tile.region.shape
        values = (
            *(tile.region.z0, tile.region.y0, tile.region.x0, path.name, tile.purpose, tile.pi),
            *(height, width, _sides(tile.region, outer), "", tile.name, label or EMPTY, start),
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    write_rows(folder / TABLE, COLUMNS, rows)
    return rows


def _write_tiff(path: Path, pixels: NDArray) -> None:
    """Uncompressed, which every program reads."""
    kind = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(path, pixels, photometric=kind, metadata=None)


def _around(region: Region, context: int, shape: tuple[int, int, int]) -> Region:
    """A region with some pixels around it, as far as the plane goes."""
    _, height, width = shape
    return Region(
        *(region.z0, region.z1),
        *(max(region.y0 - context, 0), min(region.y1 + context, height)),
        *(max(region.x0 - context, 0), min(region.x1 + context, width)),
    )


def _sides(region: Region, outer: Region) -> str:
    """Pixels above, below, left and right of a region within another."""
    sides = (
        *(region.y0 - outer.y0, outer.y1 - region.y1),
        *(region.x0 - outer.x0, outer.x1 - region.x1),
    )
    return " ".join(map(str, sides))


@contextmanager
def _unfinished(parent: Path) -> Iterator[Path]:
    """A folder beside those that are ready, which is gone afterwards if it was not moved."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=parent))
    try:
        # others may read it, as all that is written
        folder.chmod(0o777 & ~_umask())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _finish(folder: Path, parent: Path, kind: str, text_of: Callable[[str], str]) -> Path:
    """Give a folder the first number that no other of its kind has, nor a later one."""
    while True:
        numbers = [
            int(found[1])
            for path in parent.iterdir()
            if (found := re.fullmatch(rf"{re.escape(kind)}-(\d+)", path.name))
        ]
        name = f"{kind}-{max(numbers, default=0) + 1}"
        (folder / "README.txt").write_text(text_of(name), encoding="utf-8")
        final = parent / name
        try:
            # which replaces no folder that has anything in it
            folder.rename(final)
        except OSError:
            if not final.exists():
                raise
        else:
            return final
