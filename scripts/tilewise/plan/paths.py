"""Where results lie, as the rules have it: the paths that jobs read as lists."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from tilewise.segment.sources import channel_folder, is_channel

IMAGE = "results/{stack}/image.zarr"
COLOR = "results/{stack}/color.zarr"
FILTERED = "results/{stack}/filtered/{filter}.zarr"
SOURCE = "results/{stack}/external/{array}.zarr"
PROBABILITY = "results/{stack}/probability/{method}.zarr"
CHANNEL = "results/{stack}/channels/{channel}.zarr"
NEAR_TRUTH = "-tried"
"""Last part of the name of an array that has only annotated tiles, and what is near them."""
SOURCE_COST = "results/{stack}/external/cost/{array}/{block}.tsv"
LABEL = IMAGE + "/labels/{label}"
BLOCK = "/{level}/c/{block}"
COLOR_BLOCK = "/{level}/c/0/{block}"
FILTERED_BLOCK = "/c/{block}"
MADE_FROM = "results/{stack}/made_from/{label}/{block}.json"
CHECKS = "results/{stack}/checks/{block}.tsv"
CONTRAST = "results/{stack}/contrast.json"
ROI = "roi"
METRICS = "results/{stack}/{method}/metrics/{block}.tsv"
THRESHOLDS = "results/{stack}/{method}/thresholds/{block}.tsv"
COST = "results/{stack}/{method}/cost/{block}.tsv"
FILTER_COST = "results/{stack}/filtered/cost/{filter}/{block}.tsv"
OVERLAY = "results/{stack}/{method}/overlay/{block}"
SWEEP = "results/{stack}/{method}/sweep/{block}.tsv"
STRUCTURE = "results/{stack}/{method}/structure/{extent}.tsv"
HISTOGRAM = "results/{stack}/histograms/{source}/{block}.npz"
EXTENT = "results/{stack}/histograms/{source}/extent/{block}.tsv"
GUARD = "results/{stack}/{method}/guard.json"
TILE_HISTOGRAMS = "results/{stack}/histograms/{source}/truth/{block}.npz"
QUALITY = "results/{stack}/quality/{block}.tsv"
SURVEY = "results/{stack}/survey/{block}.tsv"
STRATA = "results/{stack}/errors/strata/{block}.tsv"
DIFFERENCES = "results/{stack}/errors/differences/{block}.tsv"
CHOICE = "results/sweeps/{method}/choice.json"
UNITS = "results/sweeps/{method}/units.tsv"
TRIED = "results/sweeps/{method}/sweep.tsv"
TRIED_FOLDS = "results/sweeps/{method}/folds.tsv"
CALIBRATION = "results/sweeps/{method}/calibration.tsv"
DRAWN = "results/{stack}/{method}/drawn/{number}/{block}.npz"
WINDOWS = "results/{stack}/{method}/windows/{number}/{block}.npz"
ASSIGNED = "results/models/{method}/{number}/places.tsv"
MODEL = "results/models/{method}/{number}/{model}.npz"
NETWORK = "results/models/{method}/{number}/unet-{model}.npz"
LEARNING_CURVE = "results/models/{method}/learning_curve.tsv"
APPLIED_MODEL = "results/models/{method}.npz"
CONSENSUS = "results/{stack}/consensus/{extent}.npz"
AGREEMENT = "results/{stack}/agreement/{extent}.tsv"
ANNOTATORS = "results/{stack}/annotators/{extent}.tsv"
MASKS = "results/masks/{file}"
DECIDED = "results/choice.json"
FOLDS = "results/folds.tsv"
FIGURE = "results/figures/{method}-{kind}.{format}"
COMPARISON = "results/figures/comparison.{format}"


def of_array(stack: str, array: str) -> str:
    """The path of an array that filters may begin with: of a source, or of a channel."""
    if is_channel(array):
        return CHANNEL.format(stack=stack, channel=channel_folder(array))
    return SOURCE.format(stack=stack, array=array)


def of_blocks(pattern: str, blocks: Iterable[str], **names: Any) -> list[str]:
    """The path of each block."""
    return [pattern.format(block=block, **names) for block in blocks]


def of_masks(
    pattern: str, pairs: Iterable[tuple[str, str]], blocks: Callable[[str, str], list[str]]
) -> list[str]:
    """The path of each block of pairs of stack and method."""
    return [
        path
        for stack, method in pairs
        for path in of_blocks(pattern, blocks(stack, method), stack=stack, method=method)
    ]


def of_label(stack: str, label: str, blocks: Iterable[str]) -> list[str]:
    """The path of each block of a label, at its full resolution."""
    return of_blocks(LABEL + BLOCK, blocks, stack=stack, label=label, level=0)


def any_of(names: Iterable[str]) -> str:
    """A regular expression of the names and nothing else."""
    return "|".join(map(re.escape, names)) or r"(?!)"


def confusion(method: str) -> str:
    """The label of a method's confusion maps."""
    return f"{method}-confusion"


def annotator(number: int) -> str:
    """The label of an annotator's truth; numbered from 1 in the order of the sheet."""
    return f"annotator-{number}"
