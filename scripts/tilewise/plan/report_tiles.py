"""The job `report_tiles` of rules/report.smk: pictures of tiles, small ones and in full."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan import paths, reads, resources
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.reads import Pixels
from tilewise.plan.resources import Need
from tilewise.plan.study import Choice, Study
from tilewise.report.limits import MOST_TILES

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
    """Of each block, those of the methods that are tried there, then that of the applied one."""
    thresholds: list[str]
    """As many."""
    probabilities: list[str]
    """Of those of the masks that have them."""
    filtered: list[str]
    """Of each filter of a block's masks, as many as it reads blocks."""
    filtered_rois: list[str]
    """As many, where the stack has regions of interest."""
    blocks: list[dict[str, Any]]
    """What `report.tiles.Block` takes, and in `files` how many a block has of each kind."""
    own_files: list[str]
    """Files of the user's that steps of filters read."""


@cache
def report_tiles(
    study: Study, choices: tuple[Choice, ...], applied: Choice | None = None
) -> ReportTiles:
    """Of the study, by what was chosen for each of `shown_methods`, and what is applied to all."""
    every = is_small(study)
    blocks = [
        (stack, block, choices)
        for stack in study.stacks
        for block in study.blocks(stack)
        if every or block in study.annotated_blocks(stack)
    ]
    return of_blocks(study, blocks, applied)


def shown_methods(study: Study) -> list[str]:
    """Methods whose own masks the report shows."""
    every = study.apply == "all"
    return [name for name, one in study.methods.items() if every or study.annotated_samples(one)]


def of_blocks(
    study: Study,
    blocks: Iterable[tuple[str, str, Iterable[Choice]]],
    applied: Choice | None = None,
) -> ReportTiles:
    """Of blocks of stacks, each with the methods whose own masks it may have."""
    job = ReportTiles(*([] for _ in range(11)))
    for stack, block, choices in blocks:
        own = [one for one in choices if block in study.mask_blocks(stack, one.method)]
        made = [(one.method, one) for one in own]
        if applied and block in study.mask_blocks(stack, SEGMENTATION):
            made.append((SEGMENTATION, applied))
        _add(job, study, stack, block, made)
    return job


def _add(
    job: ReportTiles, study: Study, stack: str, block: str, made: list[tuple[str, Choice]]
) -> None:
    """Add a block and its files; `made` are labels of masks, each with what it is made by."""
    annotated = study.annotated_places(stack, block)
    labels = [label for label, _ in made]
    probable = [label for label in labels if label in study.with_probability]
    names = {"stack": stack, "block": block, "level": 0}
    is_color = study.is_color(stack)
    files: dict[str, list[str]] = {
        "images": [] if is_color else [(paths.IMAGE + paths.BLOCK).format(**names)],
        "colors": [(paths.COLOR + paths.COLOR_BLOCK).format(**names)] if is_color else [],
        "rois": reads.rois(study, stack, [block]),
        "truths": paths.of_label(stack, "truth", [block]) if annotated else [],
        "masks": [path for label in labels for path in paths.of_label(stack, label, [block])],
        "thresholds": [paths.THRESHOLDS.format(method=label, **names) for label in labels],
        "probabilities": [
            (paths.PROBABILITY + paths.BLOCK).format(method=label, **names) for label in probable
        ],
        **{"filtered": [], "filtered_rois": []},
    }
    filters = []
    for filter, users in _by_filter(study, made).items():
        pixels = reads.shown(_filtered(study, stack, block, filter, users))
        files["filtered"] += pixels.files or pixels.colors or pixels.sources
        files["filtered_rois"] += pixels.rois
        job.own_files.extend(file for file in pixels.own_files if file not in job.own_files)
        filters.append(
            {
                **{"name": filter, "blocks": pixels.blocks},
                "methods": list(dict.fromkeys(one.method for _, one in users)),
                **{"steps": pixels.steps, "codec": pixels.codec},
                "channels": 3 if pixels.colors else 1,
                "dtype": reads.stored_dtype(pixels, study.dtype(stack)),
            }
        )
    shown = is_small(study)
    job.blocks.append(
        {
            **{"block": block, "dtype": study.dtype(stack), "is_color": is_color},
            "parts": [
                reads.part(study, sample, own, is_shown=shown, **_methods_on(study, sample, own))
                for sample, own in (study.places(stack, block) if shown else annotated)
            ],
            "masks": [
                {
                    **{"method": one.method, "is_applied": label == SEGMENTATION},
                    "has_probability": label in probable,
                }
                for label, one in made
            ],
            **{"filters": filters, "files": {kind: len(own) for kind, own in files.items()}},
        }
    )
    for kind, own in files.items():
        getattr(job, kind).extend(own)


def _methods_on(study: Study, sample: str, own: str) -> dict[str, Any]:
    """Methods whose own masks cover annotated tiles of a block, and all of its tiles."""
    methods = study.methods_of(sample)
    covers_all = study.apply == "all" or reads.annotated_tiles(study, sample, own) is None
    return {
        **{"methods": methods, "everywhere": methods if covers_all else []},
        "is_applied": study.is_run(sample, SEGMENTATION),
    }


def _by_filter(study: Study, made: list[tuple[str, Choice]]) -> dict[str, list[tuple[str, Choice]]]:
    filters: dict[str, list[tuple[str, Choice]]] = {}
    for label, one in made:
        variant = study.methods[one.method].variant(one.variant)
        filters.setdefault(variant.filter, []).append((label, one))
    return filters


def _filtered(
    study: Study, stack: str, block: str, filter: str, users: list[tuple[str, Choice]]
) -> Pixels:
    """Filtered pixels of all tiles that masks cover which are made with the filter."""
    of_users = [study.mask_places(stack, block, label) for label, _ in users]
    wanted = set(chain(*of_users))
    places = [place for place in study.places(stack, block) if place in wanted]
    is_tried = all(
        label != SEGMENTATION
        and study.is_tried(sample, study.methods[one.method].variant(one.variant))
        for (label, one), own in zip(users, of_users, strict=True)
        for sample, _ in own
    )
    return reads.filtered(study, places, filter, is_tried=is_tried)


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
    filters = {filter: None for one in study.methods.values() for filter in one.filters}
    memory = max(
        resources.by_filtered(study, stack, filter, workers=1).memory
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


@cache
def _annotated_tiles(study: Study, sample: str) -> int:
    grid, number = study.grids[sample], 0
    for pieces in reads.pieces_by_plane(study, sample, "truth").values():
        # most planes have one piece, whose tiles need not be listed
        if len(pieces) == 1:
            number += grid.number_of_tiles(pieces[0].region)
        else:
            number += len({tile for piece in pieces for tile in grid.tiles_in(piece.region)})
    return number


def is_wanted(study: Study) -> bool:
    """Whether the report has pictures of tiles."""
    return bool(study.config["report"]["tiles"])


def packs(study: Study) -> list[str]:
    """Files with a tile each."""
    return [PACK.format(number=number) for number in range(number_of_packs(study))]


def tables(study: Study) -> list[str]:
    """The file with small pictures, if there are any."""
    return [TILES] if is_wanted(study) else []
