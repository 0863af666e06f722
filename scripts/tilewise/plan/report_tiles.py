"""The job `report_tiles` of rules/report.smk: pictures of tiles, small ones and in full."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from tilewise.plan import paths, reads, resources
from tilewise.plan.methods import NO_FILTER, Variant
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study
from tilewise.report.limits import MOST_TILES
from tilewise.segment.sources import DTYPE

MOST_MINUTES = 24 * 60
TILES = "results/report/tiles.json.gz"
PACK = "results/report/pack_{number:04d}.js"


@dataclass(frozen=True)
class ReportTiles:
    """Tiles with truth, and all others of a small study; the lists go block by block."""

    images: list[str]
    """Of grey images."""
    colors: list[str]
    """Of images in colour."""
    rois: list[str]
    truths: list[str]
    masks: list[str]
    """Of each annotated block, as many as methods are tried there."""
    thresholds: list[str]
    """As many."""
    filtered: list[str]
    """Of each filter of an annotated block, as many as it reads blocks."""
    filtered_rois: list[str]
    """As many, where the stack has regions of interest."""
    blocks: list[dict[str, Any]]
    """What `report.tiles.Block` takes, and in `files` how many a block has of each kind."""
    own_files: list[str]
    """Files of the user's that steps of filters read."""


@cache
def report_tiles(study: Study, choices: tuple[Choice, ...]) -> ReportTiles:
    """Of the study, by what was chosen for each method that is compared."""
    variants = {one.method: study.methods[one.method].variant(one.variant) for one in choices}
    job = ReportTiles(*([] for _ in range(10)))
    every = is_small(study)
    for stack in study.stacks:
        annotated = set(study.annotated_blocks(stack))
        for block in study.blocks(stack):
            if block in annotated or every:
                _add(job, study, stack, block, variants)
    return job


def _add(
    job: ReportTiles, study: Study, stack: str, block: str, variants: dict[str, Variant]
) -> None:
    """Add a block and its files."""
    annotated = study.annotated_places(stack, block)
    methods = [name for name in variants if block in study.annotated_blocks(stack, name)]
    names = {"stack": stack, "block": block, "level": 0}
    is_color = study.is_color(stack)
    files: dict[str, list[str]] = {
        "images": [] if is_color else [(paths.IMAGE + paths.BLOCK).format(**names)],
        "colors": [(paths.COLOR + paths.COLOR_BLOCK).format(**names)] if is_color else [],
        "rois": reads.rois(study, stack, [block]),
        "truths": paths.of_label(stack, "truth", [block]) if annotated else [],
        "masks": [path for name in methods for path in paths.of_label(stack, name, [block])],
        "thresholds": [paths.THRESHOLDS.format(method=name, **names) for name in methods],
        **{"filtered": [], "filtered_rois": []},
    }
    filters: dict[str, dict[str, Any]] = {}
    for name in methods:
        variant = variants[name]
        if variant.filter in filters:
            filters[variant.filter]["methods"].append(name)
            continue
        places = study.annotated_places(stack, block, name)
        is_tried = all(study.is_tried(sample, variant) for sample, _ in places)
        pixels = reads.filtered(study, places, variant.filter, is_tried=is_tried)
        files["filtered"] += pixels.files or pixels.colors or pixels.sources
        files["filtered_rois"] += pixels.rois
        job.own_files.extend(file for file in pixels.own_files if file not in job.own_files)
        filters[variant.filter] = {
            **{"name": variant.filter, "methods": [name], "blocks": pixels.blocks},
            **{"steps": pixels.steps, "codec": pixels.codec},
            "channels": 3 if pixels.colors else 1,
            "dtype": DTYPE if pixels.arrays else study.dtype(stack),
        }
    shown = is_small(study)
    job.blocks.append(
        {
            **{"block": block, "dtype": study.dtype(stack), "is_color": is_color},
            "parts": [
                reads.part(study, sample, own, methods=study.methods_of(sample), is_shown=shown)
                for sample, own in (study.places(stack, block) if shown else annotated)
            ],
            **{"methods": methods, "filters": list(filters.values())},
            "files": {kind: len(own) for kind, own in files.items()},
        }
    )
    for kind, own in files.items():
        getattr(job, kind).extend(own)


@cache
def number_of_tiles(study: Study) -> int:
    """Of all samples."""
    return sum(_tiles_of(study, sample) for sample in study.samples)


def _tiles_of(study: Study, sample: str) -> int:
    grid = study.grids[sample]
    rows, columns = grid.tiles_along
    return grid.shape[0] * rows * columns


def is_small(study: Study) -> bool:
    """Whether all tiles of a study have pictures."""
    return number_of_tiles(study) <= MOST_TILES


def are_few(study: Study) -> bool:
    """Whether all tiles that have pictures are listed."""
    return is_small(study) or _number_annotated(study) <= MOST_TILES


@cache
def _number_annotated(study: Study) -> int:
    return sum(_annotated_tiles(study, sample) for sample in study.annotated)


@cache
def need(study: Study) -> Need:
    """What the job takes: it has one tile in memory, with what filters reach around it."""
    compared = [name for name in study.methods if study.annotated_samples(study.methods[name])]
    filters = {filter: None for name in compared for filter in study.methods[name].filters}
    memory = max(
        resources.by_strips(
            study, stack, workers=1, reach=study.reach(stack, filter), buffers=20, filter=filter
        ).memory
        for stack in study.stacks
        for filter in (NO_FILTER, *filters)
    )
    blocks = sum(
        len(study.annotated_blocks(stack)) * resources.runtime(study, stack)
        for stack in study.stacks
    )
    return Need(memory, min(max(blocks, 5), MOST_MINUTES))


@cache
def number_of_packs(study: Study) -> int:
    """Files with a tile each that the job writes: some may have none, but never one too few."""
    if not is_wanted(study):
        return 0
    most: int = study.config["report"]["tiles"]
    annotated = {sample: _annotated_tiles(study, sample) for sample in study.annotated}
    following = 0
    if study.config["quality"]["measure"]:
        number = study.config["quality"]["next"]
        following = sum(
            min(number, _tiles_of(study, sample) - annotated.get(sample, 0))
            for sample in (study.samples if is_small(study) else annotated)
        )
    return min(most, sum(annotated.values()) + following)


def _annotated_tiles(study: Study, sample: str) -> int:
    grid, truth = study.grids[sample], study.samples[sample].truth
    return len({tile for piece in truth for tile in grid.tiles_in(piece.region)})


def is_wanted(study: Study) -> bool:
    """Whether the report has pictures of tiles."""
    return bool(study.config["report"]["tiles"])


def packs(study: Study) -> list[str]:
    """Files with a tile each."""
    return [PACK.format(number=number) for number in range(number_of_packs(study))]


def tables(study: Study) -> list[str]:
    """The file with small pictures, if there are any."""
    return [TILES] if is_wanted(study) else []
