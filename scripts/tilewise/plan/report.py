"""The jobs of rules/report.smk: all tiles together, and what people look at."""

from dataclasses import dataclass
from functools import cache

from tilewise.plan import ingest, paths, pieces, quality, quantities, reads, validate
from tilewise.plan.reads import PartSettings
from tilewise.plan.study import Choice, Study
from tilewise.plan.validate import pixel_size
from tilewise.store.grid import Tile

FIGURES = ("tiles", "histogram", "confusion")


@dataclass(frozen=True)
class Aggregate:
    """Every annotated tile of every sample and method, and what they amount to."""

    metrics: list[str]
    structures: list[str]
    features: list[str]
    strata: list[str]
    differences: list[str]
    agreements: list[str]
    annotators: list[str]
    order: dict[str, list[str]]
    """Samples and methods in the order of the sheet and the configuration."""
    metadata: dict[str, dict[str, str]]
    """Further columns of the sheet, by sample."""
    trained: dict[str, str]
    """Of methods that only learn: the table that says which model predicts which annotated tile."""


@cache
def aggregate(study: Study) -> Aggregate:
    """Of the study."""
    return Aggregate(
        metrics=validate.tables(study),
        structures=validate.structure_tables(study),
        features=quality.features(study, study.annotated),
        strata=validate.error_tables(study, paths.STRATA),
        differences=validate.error_tables(study, paths.DIFFERENCES),
        agreements=ingest.consensus_files(study, paths.AGREEMENT),
        annotators=ingest.consensus_files(study, paths.ANNOTATORS),
        order={"samples": list(study.samples), "methods": list(study.methods)},
        metadata={name: sample.metadata for name, sample in study.samples.items()},
        trained={
            name: paths.ASSIGNED.format(method=name, number=0)
            for name, method in study.methods.items()
            if method.is_learned and name not in study.tuned
        },
    )


@dataclass(frozen=True)
class Figures:
    """A few annotated tiles through every method's steps; the lists go tile by tile."""

    images: list[str]
    filtered: list[str]
    """Of each tile, as many as its filter has blocks."""
    rois: list[str]
    """As many, of the tiles whose stack has regions of interest."""
    masks: list[str]
    truths: list[str]
    colors: list[str]
    """Of the tiles that have colours."""
    thresholds: list[str]
    shown: list[PartSettings]
    """Of each tile: its part, method and place, and what its filter still has to do."""


@cache
def figures(study: Study, choices: tuple[Choice, ...]) -> Figures:
    """Of the study, by what was chosen for each of `figure_methods`."""
    shown: list[PartSettings] = []
    images: list[str] = []
    filtered, rois, masks, truths, colors, thresholds = ([] for _ in range(6))
    for choice in choices:
        variant = study.methods[choice.method].variant(choice.variant)
        for sample, tile in tiles_to_show(study, choice.method):
            grid, stack = study.grids[sample], study.stack_of[sample]
            (own,) = grid.blocks_of(grid.tile_region(tile))
            is_tried = study.is_tried(sample, variant)
            pixels = reads.shown(
                reads.filtered(study, [(sample, own)], variant.filter, is_tried=is_tried)
            )
            names = {"stack": stack.name, "block": stack.block(sample, own), "level": 0}
            label = paths.LABEL + paths.BLOCK
            images.append((paths.IMAGE + paths.BLOCK).format(**names))
            filtered += pixels.files or pixels.colors or pixels.sources
            rois += pixels.rois
            masks.append(label.format(label=choice.method, **names))
            truths.append(label.format(label="truth", **names))
            thresholds.append(paths.THRESHOLDS.format(method=choice.method, **names))
            if study.is_color(stack.name):
                colors.append((paths.COLOR + paths.COLOR_BLOCK).format(**names))
            shown.append(
                reads.part(
                    study,
                    sample,
                    own,
                    stored=names["block"],
                    method=choice.method,
                    tile=[tile.z, tile.row, tile.column],
                    blocks=pixels.blocks,
                    steps=pixels.steps,
                    codec=pixels.codec,
                    channels=3 if pixels.colors else 1,
                    filtered_dtype=reads.stored_dtype(pixels, study.dtype(stack.name)),
                    has_roi=bool(pixels.rois),
                    dtype=study.dtype(stack.name),
                    is_color=study.is_color(stack.name),
                    pixel_size=pixel_size(study, sample),
                )
            )
    return Figures(images, filtered, rois, masks, truths, colors, thresholds, shown)


@dataclass(frozen=True)
class Costs:
    """What each method that is compared with truth costs, on the tiles that it is tried on."""

    masks: list[str]
    mask_methods: list[str]
    """Of each of the masks."""
    filtered: list[str]
    """Where filters have jobs of their own."""
    filtered_methods: list[str]


@cache
def costs(study: Study, choices: tuple[Choice, ...]) -> Costs:
    """Of the study, by what was chosen for each of `cost_methods`."""
    found = Costs([], [], [], [])
    for choice in choices:
        variant = study.methods[choice.method].variant(choice.variant)
        filter = variant.filter
        for stack in (stack for stack, method in study.validated if method == choice.method):
            blocks = study.annotated_blocks(stack, choice.method)
            names: dict[str, str] = {"stack": stack, "method": choice.method, "filter": filter}
            found.masks.extend(paths.of_blocks(paths.COST, blocks, **names))
            found.mask_methods.extend([choice.method] * len(blocks))
            if study.filtered != "inline" and study.may_be_written(filter):
                found.filtered.extend(paths.of_blocks(paths.FILTER_COST, blocks, **names))
                found.filtered_methods.extend([choice.method] * len(blocks))
            array = study.array(filter) or ""
            for block in blocks if array in study.commands else ():
                places = study.annotated_places(stack, block, choice.method)
                is_tried = all(study.is_tried(sample, variant) for sample, _ in places)
                own = reads.array_of_block(study, stack, array, block, is_tried)
                found.filtered.append(paths.SOURCE_COST.format(stack=stack, array=own, block=block))
                found.filtered_methods.append(choice.method)
    return found


def cost_methods(study: Study) -> list[str]:
    """Methods that are compared with truth."""
    return [name for name, method in study.methods.items() if study.annotated_samples(method)]


def report_tables(study: Study) -> dict[str, list[str]]:
    """Tables that the report is made of, by their names; none of those that the study has not."""
    decided = ["ranking", "scores", "units", "costs"] if study.decides else []
    names = ["metrics", "summary", "warnings", "errors", "differences", "agreement", "annotators"]
    names += ["quality", "trust", "annotate_next"] if study.config["quality"]["measure"] else []
    names += ["quantities", "quantities_groups"] if quantities.tables(study) else []
    names += ["folds"] if study.annotated else []
    tables = {name: [f"results/{name}.tsv"] for name in (*names, *decided)}
    return tables | {"decision": ["results/decision.json"] if study.decides else []}


def sweeps(study: Study) -> list[str]:
    """What was tried of each method with parameters to choose, in order of `swept`."""
    return [paths.TRIED.format(method=method) for method in study.swept]


def figure_methods(study: Study) -> list[str]:
    """Methods that have figures: those that are compared with truth, if any are wanted."""
    if not study.config["figures"]["tiles"]:
        return []
    return cost_methods(study)


def figure_files(study: Study, kind: str) -> list[str]:
    """Of one kind, a file per method."""
    ending = study.config["figures"]["format"]
    return [
        paths.FIGURE.format(method=method, kind=kind, format=ending)
        for method in figure_methods(study)
    ]


def comparison_files(study: Study) -> list[str]:
    """The figure of all methods' scores, where they are compared, and figures are wanted."""
    if not figure_methods(study) or not study.decides:
        return []
    return [paths.COMPARISON.format(format=study.config["figures"]["format"])]


@cache
def tiles_to_show(study: Study, method: str) -> list[tuple[str, Tile]]:
    """Annotated tiles, a bounded number over all samples of a method, spread evenly over them."""
    samples = study.annotated_samples(study.methods[method])
    number = study.config["figures"]["tiles"]
    return [
        (sample, tile)
        for i, sample in enumerate(samples)
        for tile in pieces.choose_tiles(
            study.samples[sample].truth,
            study.grids[sample],
            (i + 1) * number // len(samples) - i * number // len(samples),
        )
    ]
