"""Images and masks in a folder of results, which may have been copied from elsewhere."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tilewise.labels import SEGMENTATION
from tilewise.store.blocks import Blocks
from tilewise.store.grid import Grid, Region
from tilewise.store.layout import Layout, layout_from
from tilewise.store.parts import Part
from tilewise.tables import read_rows


@dataclass(frozen=True)
class Place:
    """Where a sample is."""

    stack: str
    block: str
    """Of the stack, if several samples share it; else empty."""
    offset: int
    """Plane of the stack that is its first."""
    shape: tuple[int, int, int]
    """Planes, rows and columns."""


class Results:
    """What a run has written; ValueError names what is missing or damaged, and what to do."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._segmented: dict[Path, set[tuple[str, str]]] = {}
        self._arrays: dict[Path, Layout] = {}

    @cached_property
    def samples(self) -> dict[str, Place]:
        """By name."""
        path = self.folder / "stacks.tsv"
        if not path.exists():
            raise ValueError(
                f"{path} does not exist: run snakemake first, or name the folder of results with "
                "--results"
            )
        return {
            row["sample"]: Place(
                row["stack"],
                row["block"],
                int(row["first_plane"]),
                (int(row["planes"]), int(row["height"]), int(row["width"])),
            )
            for row in read_rows(path)
        }

    @cached_property
    def _ranked(self) -> list[str]:
        """The method that was decided on, and the others by their rank."""
        names = []
        choice, ranking = self.folder / "choice.json", self.folder / "ranking.tsv"
        if choice.exists():
            names.append(json.loads(choice.read_text(encoding="utf-8"))["method"])
        if ranking.exists():
            names += [row["method"] for row in read_rows(ranking)]
        return names

    def image(self, sample: str, region: Region) -> NDArray:
        """Pixels of a region of one plane: (rows, columns), or (rows, columns, 3) in colour."""
        stack = self.folder / self.samples[sample].stack
        if (stack / "color.zarr").exists():
            return np.moveaxis(self._read(stack / "color.zarr", sample, region), 0, -1).copy()
        return self._read(stack / "image.zarr", sample, region).copy()

    def roi(self, sample: str, region: Region) -> NDArray[np.bool_]:
        """Which pixels are within the region of interest, if the sample has one; else all."""
        roi = self.folder / self.samples[sample].stack / "image.zarr/labels/roi"
        if not roi.exists():
            return np.ones(region.shape[1:], bool)
        return self._read(roi, sample, region) != 0

    def mask(self, sample: str, tile: str, region: Region) -> tuple[NDArray[np.bool_], str]:
        """A mask of a tile, and the label that it is from.

        That of the method that was decided on or, where it has not segmented the tile, that of the
        best that has. With no such mask, all is background, and the label is empty.
        """
        for label in self._labels(sample):
            if self._is_segmented(sample, label, tile, region):
                path = self.folder / self.samples[sample].stack / f"image.zarr/labels/{label}"
                return self._read(path, sample, region) != 0, label
        return np.zeros(region.shape[1:], bool), ""

    def _labels(self, sample: str) -> list[str]:
        """Labels that may be masks, the best first."""
        path = self.folder / self.samples[sample].stack / "image.zarr/labels/zarr.json"
        stored = _json(path)["attributes"]["ome"]["labels"]
        names = dict.fromkeys([SEGMENTATION, *self._ranked, *stored])
        return [name for name in names if name in stored]

    def _is_segmented(self, sample: str, label: str, tile: str, region: Region) -> bool:
        """Whether a method has segmented a tile: an empty mask has nothing stored."""
        place = self.samples[sample]
        image = self.folder / place.stack / "image.zarr"
        for block in self._blocks(image, sample, region):
            path = self.folder / place.stack / label / f"thresholds/{block}.tsv"
            if path not in self._segmented:
                rows = read_rows(path) if path.exists() else []
                self._segmented[path] = {(row["sample"], row["tile"]) for row in rows}
            if (sample, tile) in self._segmented[path]:
                return True
        return False

    def _array(self, path: Path, sample: str) -> tuple[Layout, Grid]:
        """How an array is stored, and the grid of a sample's chunks in it."""
        if path not in self._arrays:
            file = path / "0/zarr.json"
            try:
                layout = layout_from(_json(file))
            except ValueError as error:
                raise ValueError(f"{file}: {error}; run snakemake again") from error
            self._arrays[path] = layout
        layout = self._arrays[path]
        planes, rows, columns = layout.shard[-3:]
        return layout, Grid(self.samples[sample].shape, layout.chunk[-1], (planes, rows, columns))

    def _blocks(self, path: Path, sample: str, region: Region) -> list[str]:
        """Blocks of the stack that hold a region."""
        own = self.samples[sample].block
        return [own] if own else self._array(path, sample)[1].blocks_of(region)

    def _read(self, path: Path, sample: str, region: Region) -> NDArray:
        place = self.samples[sample]
        layout, grid = self._array(path, sample)
        files = {
            block: f"{path}/0/c/{'0/' if len(layout.shard) > 3 else ''}{block}"
            for block in self._blocks(path, sample, region)
        }
        # of a label, a block with nothing has no file
        is_label = path.parent.name == "labels"
        for file in files.values():
            if not is_label and not Path(file).exists():
                raise ValueError(f"{file} does not exist: run snakemake again")
        stored = {block: file for block, file in files.items() if Path(file).exists()}
        reader = Blocks(stored, layout).of(Part(sample, grid, "0/0/0", place.offset))
        return reader.read(region)


def _json(path: Path) -> dict:
    if not path.exists():
        raise ValueError(f"{path} does not exist: run snakemake again")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: delete it, and run snakemake again") from error
