"""The jobs of rules/validate.smk: masks against the truth."""

from dataclasses import dataclass
from functools import cache

from tilewise.plan import paths, reads, resources, sheet
from tilewise.plan.reads import Part
from tilewise.plan.resources import Need
from tilewise.plan.study import Study


def scoring(study: Study, sample: str, metrics: list[str] | None = None) -> dict:
    """What a mask is scored by; metrics of structure are those of tiles unless they are given."""
    validation = study.config["validate"]
    size = study.samples[sample].pixel_size if validation["unit"] == "micrometer" else None
    z, y, x = size or (1.0, 1.0, 1.0)
    return {
        "metrics": study.tile_metrics if metrics is None else metrics,
        "spacing": [z or 1.0, y, x],
        "tolerance": validation["tolerance"],
        "objects": validation["objects"],
        "margin": validation["margin"] if study.is_single_tile else None,
    }


@dataclass(frozen=True)
class Validate:
    """A mask's confusion map, and its counts and metrics per annotated tile."""

    parts: list[Part]
    scoring: dict
    need: Need


@cache
def validate(study: Study, sample: str, method: str, block: str) -> Validate:
    """Of one block."""
    group = resources.method_group(study, method)
    workers = resources.method_threads(study, method)
    return Validate(
        parts=[reads.part(study, sample, block)],
        scoring=scoring(study, sample),
        need=resources.by_strips(study, sample, group, workers),
    )


def tables(study: Study) -> list[str]:
    """Tables of metrics of all tiles, methods and samples that have truth."""
    return [
        path
        for sample, method in study.validated
        for path in paths.of_blocks(
            paths.METRICS, study.annotated_blocks(sample), sample=sample, method=method
        )
    ]


@dataclass(frozen=True)
class Structure:
    """Metrics of whole planes, or of the stack."""

    parts: list[Part]
    masks: list[str]
    truths: list[str]
    scoring: dict
    need: Need


@cache
def structure(study: Study, sample: str, method: str, extent: str) -> Structure:
    """Of the annotated planes in the blocks with a number along z, or of the `stack`."""
    blocks = [
        block
        for block in study.annotated_blocks(sample)
        if extent in ("stack", block.split("/")[0])
    ]
    pattern, names = paths.LABEL + paths.BLOCK, {"sample": sample, "level": 0}
    return Structure(
        parts=[reads.part(study, sample, block) for block in blocks],
        masks=paths.of_blocks(pattern, blocks, label=method, **names),
        truths=paths.of_blocks(pattern, blocks, label="truth", **names),
        scoring=scoring(study, sample, study.config["validate"]["metrics"]),
        need=resources.structure(study, sample, extent),
    )


def structure_tables(study: Study) -> list[str]:
    """Tables of metrics of planes or stacks, where they are not those of tiles."""
    validation = study.config["validate"]
    if validation["extent"] == "tile" or not validation["metrics"]:
        return []
    return [
        paths.STRUCTURE.format(sample=sample, method=method, extent=extent)
        for sample, method in study.validated
        for extent in (
            ["stack"]
            if validation["extent"] == "sample"
            else dict.fromkeys(block.split("/")[0] for block in study.annotated_blocks(sample))
        )
    ]


@dataclass(frozen=True)
class Errors:
    """Where the methods of a block differ."""

    parts: list[Part]
    confusions: list[str]
    methods: list[str]
    connectivity: int
    need: Need


@cache
def errors(study: Study, sample: str, block: str) -> Errors:
    """Of one block."""
    methods, pattern = study.methods_of(sample), paths.LABEL + paths.BLOCK
    return Errors(
        parts=[reads.part(study, sample, block)],
        confusions=[
            pattern.format(sample=sample, label=paths.confusion(method), level=0, block=block)
            for method in methods
        ],
        methods=methods,
        connectivity=study.config["validate"]["objects"]["connectivity"],
        need=resources.by_strips(study, sample, "compare"),
    )


def error_tables(study: Study, pattern: str) -> list[str]:
    """Tables of errors of all annotated blocks."""
    return [
        path
        for sample in study.annotated
        if study.has_errors(sample)
        for path in paths.of_blocks(pattern, study.annotated_blocks(sample), sample=sample)
    ]


@dataclass(frozen=True)
class Overlay:
    """Confusion maps over the image, a PNG per tile."""

    parts: list[Part]
    picture: str
    channels: int
    tiles: list[str] | None
    """Names of the tiles that get a PNG; None is all annotated ones."""
    pixel_size: list | None
    dtype: str
    need: Need


@cache
def overlay(study: Study, sample: str, method: str, block: str) -> Overlay:
    """Of one block."""
    is_color = study.is_color(sample)
    pattern = paths.COLOR + paths.COLOR_BLOCK if is_color else paths.IMAGE + paths.BLOCK
    group = resources.method_group(study, method)
    return Overlay(
        parts=[reads.part(study, sample, block)],
        picture=pattern.format(sample=sample, level=0, block=block),
        channels=3 if is_color else 1,
        tiles=_overlaid(study, sample, block),
        pixel_size=pixel_size(study, sample),
        dtype=study.dtype(sample),
        need=resources.by_strips(study, sample, group, workers=1),
    )


def pixel_size(study: Study, sample: str) -> list | None:
    """Micrometres in z, y and x as numbers, for `params`; None where the size is unknown."""
    size = study.samples[sample].pixel_size
    return None if size is None else list(size)


def _overlaid(study, sample, block):
    if study.config["overlay"]["per_plane"] is None:
        return None
    grid, region = study.grids[sample], study.region(sample, block)
    return [
        tile.name
        for z in range(region.z0, region.z1)
        for tile in _overlaid_of_plane(study, sample, z)
        if grid.tile_region(tile).intersects(region)
    ]


@cache
def _overlaid_of_plane(study, sample, z):
    """A few tiles of a plane, whatever its blocks."""
    pieces = reads.pieces_by_plane(study, sample, "truth").get(z, [])
    number = study.config["overlay"]["per_plane"]
    return sheet.choose_tiles(pieces, study.grids[sample], number)
