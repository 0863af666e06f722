"""The jobs of rules/validate.smk: masks against the truth."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.plan import paths, reads, resources
from tilewise.plan.pieces import choose_tiles
from tilewise.plan.reads import PartSettings
from tilewise.plan.resources import Need
from tilewise.plan.study import Study
from tilewise.store.grid import Tile


def scoring(study: Study, metrics: list[str] | None = None) -> dict[str, Any]:
    """What masks are scored by; metrics of structure are those of tiles unless they are given."""
    validation = study.config["validate"]
    return {
        "metrics": study.tile_metrics if metrics is None else metrics,
        "tolerance": validation["tolerance"],
        "objects": validation["objects"],
        "margin": validation["margin"] if study.is_single_tile else None,
    }


def scored_part(study: Study, sample: str, own: str, **settings: Any) -> PartSettings:
    """A part, with the `spacing` of its sample's pixels in z, y and x, in the unit of distances."""
    is_physical = study.config["validate"]["unit"] == "micrometer"
    size = study.samples[sample].pixel_size if is_physical else None
    z, y, x = size or (1.0, 1.0, 1.0)
    return reads.part(study, sample, own, spacing=[z or 1.0, y, x], **settings)


@dataclass(frozen=True)
class Validate:
    """A mask's confusion map, and its counts and metrics per annotated tile.

    Of each part: `spacing`.
    """

    parts: list[PartSettings]
    scoring: dict[str, Any]
    need: Need


@cache
def validate(study: Study, stack: str, method: str, block: str) -> Validate:
    """Of one block."""
    group = resources.method_group(study, stack, method)
    workers = resources.method_threads(study, method)
    return Validate(
        parts=[
            scored_part(study, sample, own)
            for sample, own in study.annotated_places(stack, block, method)
        ],
        scoring=scoring(study),
        need=resources.by_labels(study, stack, group, workers),
    )


def tables(study: Study) -> list[str]:
    """Tables of metrics of all tiles, methods and samples that have truth."""
    return paths.of_masks(paths.METRICS, study.validated, study.annotated_blocks)


def thresholds(study: Study) -> list[str]:
    """Tables of thresholds of the same tiles."""
    return paths.of_masks(paths.THRESHOLDS, study.validated, study.annotated_blocks)


@dataclass(frozen=True)
class Structure:
    """Metrics of whole planes, or of all planes of a sample.

    Of each part: `spacing`.
    """

    parts: list[PartSettings]
    masks: list[str]
    truths: list[str]
    blocks: list[str]
    """Of each of the masks and of the truths."""
    scoring: dict[str, Any]
    need: Need


@cache
def structure(study: Study, stack: str, method: str, extent: str) -> Structure:
    """Of the annotated planes or samples in the blocks of an extent."""
    blocks = reads.extent_blocks(study, stack, extent)
    return Structure(
        parts=[
            scored_part(study, sample, own)
            for block in blocks
            for sample, own in study.annotated_places(stack, block, method)
        ],
        masks=paths.of_label(stack, method, blocks),
        truths=paths.of_label(stack, "truth", blocks),
        blocks=blocks,
        scoring=scoring(study, study.config["validate"]["metrics"]),
        need=resources.structure(study, stack),
    )


def structure_tables(study: Study) -> list[str]:
    """Tables of metrics of planes or samples, where they are not those of tiles."""
    validation = study.config["validate"]
    if validation["extent"] == "tile" or not validation["metrics"]:
        return []
    is_plane = validation["extent"] == "plane"
    return [
        paths.STRUCTURE.format(stack=stack, method=method, extent=extent)
        for stack, method in study.validated
        for extent in dict.fromkeys(
            block.split("/")[0] if is_plane else reads.extent_of(study, stack, block)
            for block in study.annotated_blocks(stack, method)
        )
    ]


@dataclass(frozen=True)
class Errors:
    """Where the methods of a block differ.

    Of each part: `methods`, those that its sample has.
    """

    parts: list[PartSettings]
    confusions: list[str]
    methods: list[str]
    """Of each of the confusion maps."""
    connectivity: int
    need: Need


@cache
def errors(study: Study, stack: str, block: str) -> Errors:
    """Of one block."""
    parts = [
        reads.part(study, sample, own, methods=study.methods_of(sample))
        for sample, own in study.annotated_places(stack, block)
        if study.has_errors(sample)
    ]
    tried = {method for part in parts for method in part["methods"]}
    methods = [method for method in study.methods if method in tried]
    labels = map(paths.confusion, methods)
    return Errors(
        parts=parts,
        confusions=[path for label in labels for path in paths.of_label(stack, label, [block])],
        methods=methods,
        connectivity=study.config["validate"]["objects"]["connectivity"],
        need=resources.by_labels(study, stack, "compare"),
    )


def error_blocks(study: Study, stack: str) -> list[str]:
    """Blocks with samples whose methods are compared."""
    return [
        block
        for block in study.annotated_blocks(stack)
        if any(study.has_errors(sample) for sample, _ in study.annotated_places(stack, block))
    ]


def error_tables(study: Study, pattern: str) -> list[str]:
    """Tables of errors of all annotated blocks."""
    return [
        path
        for stack in study.stacks
        for path in paths.of_blocks(pattern, error_blocks(study, stack), stack=stack)
    ]


@dataclass(frozen=True)
class Overlay:
    """Confusion maps over the image, a PNG per tile.

    Of each part: `tiles`, names of those that get a PNG, or None for all annotated ones; and
    `pixel_size`.
    """

    parts: list[PartSettings]
    picture: str
    channels: int
    dtype: str
    need: Need


@cache
def overlay(study: Study, stack: str, method: str, block: str) -> Overlay:
    """Of one block."""
    is_color = study.is_color(stack)
    pattern = paths.COLOR + paths.COLOR_BLOCK if is_color else paths.IMAGE + paths.BLOCK
    group = resources.method_group(study, stack, method)
    workers = resources.method_threads(study, method) if study.stacks[stack].is_shared else 1
    return Overlay(
        parts=[
            reads.part(
                study,
                sample,
                own,
                tiles=_overlaid(study, sample, own),
                pixel_size=pixel_size(study, sample),
            )
            for sample, own in study.annotated_places(stack, block, method)
        ],
        picture=pattern.format(stack=stack, level=0, block=block),
        channels=3 if is_color else 1,
        dtype=study.dtype(stack),
        need=resources.by_strips(study, stack, group, workers),
    )


def pixel_size(study: Study, sample: str) -> list[float | None] | None:
    """Micrometres in z, y and x as numbers, for `params`; None where the size is unknown."""
    size = study.samples[sample].pixel_size
    return None if size is None else list(size)


def _overlaid(study: Study, sample: str, own: str) -> list[str] | None:
    if study.config["overlay"]["per_plane"] is None:
        return None
    grid, region = study.grids[sample], study.region(sample, own)
    return [
        tile.name
        for z in range(region.z0, region.z1)
        for tile in _overlaid_of_plane(study, sample, z)
        if grid.tile_region(tile).intersects(region)
    ]


@cache
def _overlaid_of_plane(study: Study, sample: str, z: int) -> list[Tile]:
    """A few tiles of a plane, whatever its blocks."""
    pieces = reads.pieces_by_plane(study, sample, "truth").get(z, [])
    number = study.config["overlay"]["per_plane"]
    return choose_tiles(pieces, study.grids[sample], number)
