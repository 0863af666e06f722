"""Tiles of the report, read block by block."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.labels import NOT_ANNOTATED
from tilewise.score.formulas import METRICS
from tilewise.segment.filtered import Filtered
from tilewise.segment.thresholds import Threshold
from tilewise.store.blocks import open_blocks
from tilewise.store.grid import Tile
from tilewise.store.parts import Part, parts_of
from tilewise.tables import SLIVER, read_rows
from tilewise.view import tile_packs
from tilewise.view.overlay import display

KINDS = (
    *("images", "colors", "rois", "truths", "masks", "thresholds", "probabilities"),
    *("filtered", "filtered_rois"),
)
"""Of files; of each, a block has the next few."""
NO_THRESHOLD = {"values": [], "note": "outside of the region of interest"}


class Block:
    """A block of a stack: its tiles, and what is stored of them.

    Parameters
    ----------
    settings
        As the plan has it: `block`, `dtype`, `is_color`, `parts`, `masks`, each with its `method`,
        whether it `is_applied`, made of all tiles, and `has_probability`, and `filters`, each with
        its `name`, `methods`, `blocks`, `steps`, `codec`, `channels` and `dtype`.
    files
        By kind, those of the block.
    following
        Tiles to annotate next, by sample and name: they are shown like those with truth.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        files: Mapping[str, Sequence[str]],
        following: Collection[tuple[str, str]] = (),
    ) -> None:
        self._settings, self._files, self._following = settings, files, following
        self.parts = parts_of(settings["parts"])
        self._grid = self.parts[0].grid

    def tiles(self) -> Iterator[tuple[Part, Tile, bool]]:
        """Tiles that are shown, and whether each is annotated."""
        for part in self.parts:
            truth = self._truths.of(part) if self._truths else None
            for tile in part.grid.tiles(part.block):
                is_annotated = truth is not None and truth.is_stored(tile)
                is_next = (part.sample, tile.name) in self._following
                if is_annotated or is_next or part.settings["is_shown"]:
                    yield part, tile, is_annotated

    def picture(self, part: Part, tile: Tile) -> NDArray[np.uint8]:
        """The image of a tile, grey or red, green and blue."""
        pixels = display(self._images.of(part).tile(tile))
        return np.moveaxis(pixels, 0, -1) if self._settings["is_color"] else pixels

    def masks(self, part: Part, tile: Tile, is_annotated: bool) -> dict[str, NDArray[np.uint8]]:
        """By method whose mask covers the tile."""
        numbers = self._covering(part, is_annotated)
        return {name: self._masks[i].of(part).tile(tile) for name, i in numbers.items()}

    def _covering(self, part, is_annotated):
        """By method, the number of its mask: its own, or that which is made of all tiles."""
        own = part.settings["methods" if is_annotated else "everywhere"]
        made = list(enumerate(self._settings["masks"]))
        numbers = {
            one["method"]: i for i, one in made if not one["is_applied"] and one["method"] in own
        }
        for i, one in made:
            if one["is_applied"] and part.settings["is_applied"]:
                numbers.setdefault(one["method"], i)
        return numbers

    def codes(
        self, part: Part, tile: Tile, masks: Mapping[str, NDArray[np.uint8]]
    ) -> dict[str, NDArray[np.uint8]]:
        """What masks of a tile and its truth, if any, say of each pixel, by method."""
        truth = self._truths.of(part).tile(tile) if self._truths else None
        inside = self._inside(part, tile)
        return {name: tile_packs.label_codes(mask, truth, inside) for name, mask in masks.items()}

    def pack(self, part: Part, tile: Tile, is_annotated: bool) -> dict[str, Any]:
        """Everything of a tile that the report shows."""
        codes = self.codes(part, tile, self.masks(part, tile, is_annotated))
        numbers, place = self._covering(part, is_annotated), (part.sample, tile.name)
        pack: dict[str, Any] = {
            **{"sample": part.sample, "tile": tile.name},
            "image": tile_packs.image(self.picture(part, tile)),
            **{name: {} for name in ("filtered", "method_filter", "histograms")},
            "codes": {name: tile_packs.labels(own) for name, own in codes.items()},
            "probability": {
                name: tile_packs.image(self._probabilities[i].of(part).tile(tile))
                for name, i in numbers.items()
                if i in self._probabilities
            },
            "thresholds": {
                name: self._thresholds[i].get(place, NO_THRESHOLD) for name, i in numbers.items()
            },
        }
        region = part.grid.tile_region(tile)
        for settings, pixels in self._filtered:
            methods = [name for name in settings["methods"] if name in codes]
            if not methods:
                continue
            own, name = self._of_filter(settings, pixels, part), settings["name"]
            # of several channels the first
            found = own.read(region).reshape(-1, *region.shape[1:])[0]
            inside = own.inside(region)
            pack["filtered"][name] = tile_packs.image(display(found))
            values = found if inside is None else found[inside]
            pack["histograms"][name] = tile_packs.histogram(values)
            pack["method_filter"] |= dict.fromkeys(methods, name)
        return pack

    def _inside(self, part, tile):
        if not self._rois:
            return None
        inside = self._rois.of(part).tile(tile) != 0
        return None if inside.all() else inside

    def _open(self, files, blocks=None, dtype="uint8", **layout):
        blocks = [self._settings["block"]] if blocks is None else blocks
        return open_blocks(files, blocks, self._grid, dtype, **layout)

    @cached_property
    def _images(self):
        if self._settings["is_color"]:
            return self._open(self._files["colors"], dtype=self._settings["dtype"], channels=3)
        return self._open(self._files["images"], dtype=self._settings["dtype"])

    @cached_property
    def _truths(self):
        files = self._files["truths"]
        return self._open(files, fill=NOT_ANNOTATED) if files else None

    @cached_property
    def _rois(self):
        files = self._files["rois"]
        return self._open(files) if files else None

    @cached_property
    def _masks(self):
        return [self._open([path]) for path in self._files["masks"]]

    @cached_property
    def _probabilities(self):
        """By the number of the mask."""
        files = iter(self._files["probabilities"])
        return {
            i: self._open([next(files)])
            for i, one in enumerate(self._settings["masks"])
            if one["has_probability"]
        }

    @cached_property
    def _thresholds(self):
        """Of each mask, by sample and tile: values and note."""
        return list(map(_thresholds_in, self._files["thresholds"]))

    @cached_property
    def _filtered(self):
        """Of each filter: its settings, pixels and regions of interest."""
        files, rois = iter(self._files["filtered"]), iter(self._files["filtered_rois"])
        opened = []
        for own in self._settings["filters"]:
            layout = {"codec": own["codec"], "channels": own["channels"]}
            number = len(own["blocks"])
            pixels = self._open(islice(files, number), own["blocks"], own["dtype"], **layout)
            inside = None
            if self._files["rois"]:
                inside = self._open(islice(rois, number), own["blocks"])
            opened.append((own, (pixels, inside)))
        return opened

    def _of_filter(self, settings, pixels, part):
        own, inside = pixels
        roi = inside.of(part) if inside else None
        return Filtered(own.of(part), settings["steps"], part.grid, settings["dtype"], roi)


def _thresholds_in(path):
    known = {}
    for row in read_rows(path):
        one = Threshold.from_row(row)
        known[row["sample"], row["tile"]] = {"values": list(one.values), "note": one.note}
    return known


def blocks_of(
    listed: Iterable[Mapping[str, Any]],
    files: Mapping[str, Sequence[str]],
    following: Collection[tuple[str, str]] = (),
) -> Iterator[Block]:
    """Blocks as the plan lists them, each with its own of all files, of which it has `files`."""
    waiting = {kind: iter(files[kind]) for kind in KINDS}
    for settings in listed:
        numbers = settings["files"]
        own = {kind: list(islice(waiting[kind], numbers[kind])) for kind in KINDS}
        yield Block(settings, own, following)


@dataclass(frozen=True)
class Survey:
    """What is seen of all tiles, in the order of the blocks.

    `places` are their samples and places; `disagreement` the share of pixels on which methods
    differ, nan where there are less than two. `image` and `confusion`, this by method, are small
    pictures in base64, or None.
    """

    places: list[dict[str, Any]] = field(default_factory=list)
    annotated: list[bool] = field(default_factory=list)
    disagreement: list[float] = field(default_factory=list)
    image: list[str | None] = field(default_factory=list)
    confusion: dict[str, list[str | None]] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> dict[tuple[str, str], int]:
        """The number of each tile, by its sample and name."""
        return {(place["sample"], place["tile"]): i for i, place in enumerate(self.places)}

    def only(self, own: Sequence[int]) -> "Survey":
        """The same of some of the tiles, in their order."""
        return Survey(
            [self.places[i] for i in own],
            [self.annotated[i] for i in own],
            [self.disagreement[i] for i in own],
            [self.image[i] for i in own],
            {method: [values[i] for i in own] for method, values in self.confusion.items()},
        )


def survey(blocks: Iterable[Block], methods: Sequence[str], *, has_pictures: bool = True) -> Survey:
    """Go through all tiles; one is in memory at a time."""
    found = _no_tiles(methods)
    for block in blocks:
        for place in block.tiles():
            _see(found, block, *place, has_pictures=has_pictures)
        logging.info("%d tiles seen", len(found.places))
    return found


def _no_tiles(methods):
    return Survey(confusion={method: [] for method in methods})


def _see(found, block, part, tile, is_annotated, *, has_pictures):
    """Add a tile to a survey, once all of it is read."""
    masks = block.masks(part, tile, is_annotated)
    share = tile_packs.disagreement(list(masks.values()))
    image, codes = _small(block, part, tile, masks) if has_pictures else (None, {})
    found.places.append({"sample": part.sample, **part.grid.place(tile)})
    found.annotated.append(is_annotated)
    found.disagreement.append(np.nan if share is None else share)
    found.image.append(image)
    for method, own in found.confusion.items():
        own.append(codes.get(method))


def add_pictures(found: Survey, blocks: Iterable[Block]) -> None:
    """Give the tiles of a survey their small pictures."""
    for block in blocks:
        for part, tile, is_annotated in block.tiles():
            number = found.numbers.get((part.sample, tile.name))
            if number is not None:
                masks = block.masks(part, tile, is_annotated)
                found.image[number], codes = _small(block, part, tile, masks)
                for method, small in codes.items():
                    found.confusion[method][number] = small


def full(
    blocks: Iterable[Block], numbers: Mapping[tuple[str, str], int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The packs of some tiles, by sample and name, with their numbers; one at a time."""
    for block in blocks:
        for part, tile, is_annotated in block.tiles():
            number = numbers.get((part.sample, tile.name))
            if number is not None:
                yield number, block.pack(part, tile, is_annotated)


def readable(
    blocks: Iterable[Block], methods: Sequence[str], wanted: Mapping[tuple[str, str], int]
) -> tuple[Survey, list[dict[str, Any]]]:
    """Some tiles, and their packs, as far as they can be read while a run goes on.

    What is missing in a block, or not written to its end, ends what is shown of it.

    Parameters
    ----------
    methods
        Those of the survey.
    wanted
        By sample and name, the place of each tile in the order.
    """
    found, numbers, packs = _no_tiles(methods), [], []
    for block in blocks:
        try:
            for part, tile, is_annotated in block.tiles():
                number = wanted.get((part.sample, tile.name))
                if number is not None:
                    pack = block.pack(part, tile, is_annotated)
                    _see(found, block, part, tile, is_annotated, has_pictures=True)
                    numbers.append(number)
                    packs.append(pack)
        except (OSError, ValueError) as error:
            logging.info("left out: %s", error)
    order = np.argsort(numbers).tolist()
    return found.only(order), [packs[i] for i in order]


def _small(block, part, tile, masks):
    codes = block.codes(part, tile, masks) if masks else {}
    image = tile_packs.thumbnail(block.picture(part, tile))
    return image, {method: tile_packs.small_codes(own) for method, own in codes.items()}


def to_record(found: Survey, shown: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """A survey as JSON has it, with the numbers of the tiles that are shown in full, and why."""
    shares = [None if np.isnan(share) else share for share in found.disagreement]
    return {
        **{"places": found.places, "image": found.image, "confusion": found.confusion},
        **{"disagreement": shares, "shown": [[i, *reasons] for i, reasons in shown.items()]},
    }


def merits_of(
    rows: Iterable[Mapping[str, str]], found: Survey, metric: str
) -> dict[str, NDArray[np.float64]]:
    """By method, how good its mask of each tile is, the higher the better.

    nan where that is not known, and of tiles that are excluded, or slivers.

    Parameters
    ----------
    rows
        Of `metrics.tsv`.
    """
    values: dict[str, NDArray[np.float64]] = {}
    for row in rows:
        is_counted = row["extent"] == "tile" and not row["excluded"] and row["edge"] != SLIVER
        number = found.numbers.get((row["sample"], row["tile"]))
        if is_counted and number is not None and row[metric]:
            own = values.setdefault(row["method"], np.full(len(found.places), np.nan))
            own[number] = float(row[metric])
    return {method: METRICS[metric].merit(own) for method, own in values.items()}
