"""The jobs of rules/decide.smk: what annotated tiles choose."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any

from tilewise.plan import ingest, learn, paths, quality, reads, resources, segment, validate
from tilewise.plan.learn import ModelFiles
from tilewise.plan.methods import NO_FILTER
from tilewise.plan.reads import PixelJob
from tilewise.plan.segment import VariantSettings
from tilewise.plan.study import Study
from tilewise.segment import filters


@dataclass(frozen=True)
class TileHistograms(PixelJob):
    """Histograms of annotated tiles after a filter, of background and foreground apart."""

    margin: int | None


@cache
def tile_histograms(study: Study, stack: str, source: str, block: str) -> TileHistograms:
    """Of one block."""
    places = _counted_places(study, stack, block, source)
    return TileHistograms(
        parts=reads.parts(study, places),
        pixels=reads.filtered(study, places, source, is_tried=study.apply != "all"),
        margin=validate.scoring(study)["margin"],
        dtype=study.dtype(stack),
        need=resources.by_filtered(study, stack, source, "segment"),
    )


def _counted_places(study: Study, stack: str, block: str, source: str) -> list[tuple[str, str]]:
    """Annotated samples in a block that have what a filter begins with."""
    places = study.annotated_places(stack, block)
    return [place for place in places if study.has_source(place[0], source)]


@dataclass(frozen=True)
class HistogramFiles:
    """Files of histograms of annotated tiles, and the filter of each."""

    files: list[str]
    filters: list[str]


def _histogram_files(
    study: Study, filters: Iterable[str], samples: Iterable[str]
) -> HistogramFiles:
    stacks = dict.fromkeys(study.stack_of[sample].name for sample in samples)
    pairs = [
        (paths.TILE_HISTOGRAMS.format(stack=stack, source=source, block=block), source)
        for stack in stacks
        for source in filters
        for block in study.annotated_blocks(stack)
        if _counted_places(study, stack, block, source)
    ]
    return HistogramFiles([path for path, _ in pairs], [source for _, source in pairs])


@dataclass(frozen=True)
class Calibrate:
    """Calibrated thresholds of a method: of all annotated tiles, and without each fold."""

    histograms: HistogramFiles
    samples: list[str]
    """Those that are calibrated on; files may hold others."""
    variants: list[VariantSettings]
    dtypes: dict[str, str]
    """Of filtered pixels, by filter."""


@cache
def calibrate(study: Study, method: str) -> Calibrate:
    """Of one method."""
    samples = study.annotated_samples(study.methods[method])
    calibrated = [
        one for one in variants(study, method) if one["segmenter"]["scope"] == "calibrated"
    ]
    chosen = list(dict.fromkeys(one["filter"] for one in calibrated))
    stack = study.stack_of[samples[0]].name
    return Calibrate(
        histograms=_histogram_files(study, chosen, samples),
        samples=samples,
        variants=calibrated,
        dtypes={
            name: filters.chain_dtype(study.steps(name, stack), study.dtype(stack))
            for name in chosen
        },
    )


def variants(study: Study, method: str) -> list[VariantSettings]:
    """All sets of parameters of a method."""
    return list(map(segment.settings_of, study.methods[method].variants))


@dataclass(frozen=True)
class Sweep(PixelJob):
    """Scores of every set of a method's parameters on the annotated tiles of a block.

    Pixels are of the image, from which the method gives the mask with any of its parameters.
    Of each part: `counts`, names of the sets for whose outcome the sample is gone through first;
    and `spacing`.
    """

    calibrations: list[str]
    variants: list[VariantSettings]
    steps: dict[str, list[Any]]
    """Of each filter."""
    own_files: list[str]
    """The user's own files: what makes masks, and what steps of filters read."""
    models: ModelFiles
    scoring: dict[str, Any]


@cache
def sweep(study: Study, stack: str, method: str, block: str) -> Sweep:
    """Of one block."""
    tried = study.methods[method]
    reach = max(study.variant_reach(stack, variant) for variant in tried.variants)
    places = study.annotated_places(stack, block, method)
    is_tried = all(study.is_tried(sample, v) for sample, _ in places for v in tried.variants)
    pixels = reads.image(study, places, NO_FILTER, reach, tried.filters, is_tried)
    own_files = [file for variant in tried.variants for file in variant.own_files]
    return Sweep(
        parts=[
            validate.scored_part(
                study,
                sample,
                own,
                counts=[v.name for v in tried.variants if study.counts_sample(sample, v)],
            )
            for sample, own in places
        ],
        pixels=pixels,
        calibrations=calibrations(study, method),
        variants=variants(study, method),
        steps={filter: study.steps(filter, stack) for filter in tried.filters},
        own_files=list(dict.fromkeys([*own_files, *pixels.own_files])),
        models=learn.models(
            study,
            [(one.name, method, one) for one in tried.variants],
            is_tried=True,
            chooses=True,
        ),
        scoring=validate.scoring(study),
        dtype=study.dtype(stack),
        need=resources.sweep(study, stack, method),
    )


def calibrations(study: Study, method: str) -> list[str]:
    """The table of a method's calibrated thresholds, where it has any."""
    is_calibrated = study.methods[method].is_calibrated
    return [paths.CALIBRATION.format(method=method)] if is_calibrated else []


@dataclass(frozen=True)
class Folds:
    """What is held out together, of all annotated tiles."""

    truths: list[str]
    """Of all annotated blocks, stack by stack."""
    stacks: list[dict[str, Any]]
    """Of each: its annotated `blocks`, and the `parts` in them."""
    features: list[str]
    """Of annotated samples' tiles, where some quality excludes them."""
    margin: int | None
    sampling: dict[str, dict[str, Any]]
    """How each sample's tiles were picked, as `decide.sampling.SampleSettings`."""


@cache
def folds(study: Study) -> Folds:
    """Of the study."""
    stacks = dict.fromkeys(study.stack_of[sample].name for sample in study.annotated)
    blocks = {stack: study.annotated_blocks(stack) for stack in stacks}
    excludes = study.config["quality"]["exclude"]
    return Folds(
        truths=[
            path for stack, own in blocks.items() for path in paths.of_label(stack, "truth", own)
        ],
        stacks=[
            {
                "blocks": own,
                "parts": [
                    part
                    for block in own
                    for part in reads.parts(study, study.annotated_places(stack, block))
                ],
            }
            for stack, own in blocks.items()
        ],
        features=quality.features(study, study.annotated) if excludes else [],
        margin=validate.scoring(study)["margin"],
        sampling={name: _sampling(study, name) for name in study.annotated},
    )


def _sampling(study: Study, sample: str) -> dict[str, Any]:
    grid, everywhere = study.grids[sample], study.samples[sample].sampling.all_tiles
    return {
        **{"purpose": everywhere.purpose, "pi": everywhere.pi},
        "tiles": [
            [*tile, drawn.purpose, drawn.pi] for tile, drawn in study.drawn_tiles[sample].items()
        ],
        **{"planes": grid.shape[0], "tiles_of_plane": prod(grid.tiles_along)},
    }


@dataclass(frozen=True)
class Choose:
    """The parameters that annotated tiles choose for a method."""

    scores: list[str]
    calibrations: list[str]
    variants: list[str]
    is_trained: bool
    """Whether the scores are of models that were trained without the tiles."""


@cache
def choose(study: Study, method: str) -> Choose:
    """Of one method."""
    pairs = [(stack, name) for stack, name in study.validated if name == method]
    return Choose(
        scores=paths.of_masks(paths.SWEEP, pairs, study.annotated_blocks),
        calibrations=calibrations(study, method),
        variants=[variant.name for variant in study.methods[method].variants],
        is_trained=study.methods[method].is_learned,
    )


@dataclass(frozen=True)
class Decide:
    """The methods in order, and the one to use."""

    metrics: list[str]
    units: list[str]
    histograms: HistogramFiles
    annotators: list[str]
    features: list[str]
    methods: list[str]
    swept: dict[str, dict[str, Any]]
    """Those of `methods` whose parameters are chosen, and how many; of each, a table in `units`."""
    left_out: list[str]


@cache
def decide(study: Study) -> Decide:
    """Of the study."""
    swept = {
        name: {
            "parameters": own.parameters,
            "grid": dict(own.grid),
            "is_trained": own.is_learned,
        }
        for name, own in study.methods.items()
        if name in study.ranked and name in study.swept
    }
    # a threshold of hues is no reference, since they are a circle; nor is one of others' masks, or
    # of several channels
    applied = dict.fromkeys(
        filter
        for name in study.ranked
        for filter in study.methods[name].filters
        if not (study.is_circular(filter) or study.source(filter) or study.filter_channels(filter))
    )
    has_oracles = study.config["validate"]["oracles"]
    return Decide(
        metrics=validate.tables(study),
        units=[paths.UNITS.format(method=method) for method in swept],
        histograms=_histogram_files(study, applied if has_oracles else (), study.annotated),
        annotators=ingest.consensus_files(study, paths.ANNOTATORS),
        features=quality.features(study, study.annotated),
        methods=study.ranked,
        swept=swept,
        left_out=study.left_out,
    )
