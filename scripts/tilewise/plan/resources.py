"""What a job takes of a machine or of a scheduler: memory, time, threads, and its submission."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import inf, prod
from typing import Any

from tilewise.labels import SEGMENTATION
from tilewise.plan.methods import NO_FILTER, Variant
from tilewise.plan.study import Study, bytes_of
from tilewise.segment import learned, own_model, roi, unet
from tilewise.store.blocks import at_once
from tilewise.store.grid import FEW_TILES

BASE_MEMORY = 250
"""MB of Python and its libraries, some 80, beside Snakemake that starts the job on a cluster."""
MASK_BYTES = 4
"""Of masks of a plane whose objects are labelled; and of its region of interest."""
LABEL_MEMORY = 50
"""MB of a band of a plane whose objects are labelled."""
COLOR_BUFFERS = 12
"""Of the size of a strip: rows that are kept, in two more channels, and what a projection has."""
CHANNEL_BUFFERS = 4
"""The same of each further channel that a filter gives: before and after its steps."""
NETWORK_WINDOW = 640 * 1152
"""Pixels of a window of a U-Net with what is around it."""
DRAWN_PIXELS = 4
"""Pixels that are drawn, for each that is asked for: of both classes, and more of many tiles."""
SOURCE_BYTES = 4
"""Per pixel of a source."""
ROI_PLANE_BYTES = 16
"""Per pixel of a plane: where the nearest pixel inside a region of interest is, and masks."""
ROI_STRIP_BYTES = 100
"""The same of a strip of `roi.STRIP_COLUMNS`, row and column and distance by 64 bits."""


@dataclass(frozen=True)
class Need:
    """What a job takes, at its first attempt."""

    memory: int
    """Megabytes."""
    runtime: int
    """Minutes."""
    threads: int = 1
    group: str = ""
    """Jobs of a group and of one block are one submission to a scheduler."""


def of_attempts(need: Callable[[Any], Need]) -> dict[str, Any]:
    """The `resources` of a rule, from the need of a job by its wildcards; more with each attempt.

    Each job takes one slot of its submission.
    """
    return {
        "mem_mb": lambda wildcards, attempt: attempt * need(wildcards).memory,
        "runtime": lambda wildcards, attempt: attempt * need(wildcards).runtime,
        "slot": 1,
    }


def threads(study: Study, methods: int = 1) -> int:
    """Threads of a block's job: several where there are fewer jobs of its kind than cores.

    A start of a process takes one core: several jobs at once are better than one with threads.
    A block has as many jobs of the kind as there are `methods`.
    """
    if study.cores is None:
        return 1
    jobs = methods * sum(len(study.blocks(stack)) for stack in study.stacks)
    return max(1, study.cores // max(jobs, 1))


def method_threads(study: Study, method: str) -> int:
    """Threads of a job of one block and one method."""
    return threads(study, 1 if method == SEGMENTATION else len(study.methods))


def memory(study: Study, stack: str, reach: float, bytes_per_pixel: float, workers: int = 1) -> int:
    """Megabytes of a job that has a strip per thread in memory, or a plane if the reach is one.

    `bytes_per_pixel` are buffers of the size of the strip, times the bytes of a pixel of the image;
    `workers` are threads.
    """
    rows, columns = _sides(study, stack, reach)
    pixels = rows * columns
    pixels *= at_once(pixels, workers)
    return BASE_MEMORY + round(pixels * bytes_per_pixel * bytes_of(study.dtype(stack)) / 2**20)


def _sides(study: Study, stack: str, reach: float) -> tuple[int, int]:
    """Rows and columns of the largest strip with what is around it, or of a plane."""
    _, height, width = shape(study, stack)
    rows = min(_strip(study, stack) + 2 * reach, height)
    columns = min(study.stacks[stack].grid.block[2] + 2 * reach, width)
    return int(rows), int(columns)


def _strip(study: Study, stack: str) -> int:
    """Rows of the largest strip: in a shared stack, of any sample that may be in it."""
    known = study.stacks[stack]
    if not known.is_shared:
        return study.grids[known.samples[0]].strip
    tile, rows = known.grid.tile, known.grid.block[1]
    may_be_whole = study.config["tile_edges"] == "even" and tile < rows <= (FEW_TILES + 1) * tile
    return FEW_TILES * tile if may_be_whole else tile


def shape(study: Study, stack: str) -> tuple[int, int, int]:
    """Planes, rows and columns of the largest sample that may be in a stack."""
    grid = study.stacks[stack].grid
    return grid.block if study.stacks[stack].is_shared else grid.shape


def runtime(study: Study, stack: str, filters: Collection[str] = ()) -> int:
    """Minutes of a block at 2 Mpx/s, 50 times less than most steps do, and of slow filters."""
    planes, rows, columns = study.stacks[stack].grid.block
    seconds = 0.5 + sum(_filter_seconds(study, stack, filter) for filter in filters)
    return 5 + int(planes * rows * columns * seconds // (60 * 10**6))


def _filter_seconds(study: Study, stack: str, filter: str) -> float:
    """Seconds of a slow filter per million pixels of a block, with what is filtered around them."""
    seconds, reach = study.filter_seconds(stack, filter), study.reach(stack, filter)
    if not seconds or reach == inf:
        return seconds
    rows, columns = _strip(study, stack), study.stacks[stack].grid.block[2]
    return seconds * (rows + 2 * reach) * (columns + 2 * reach) / (rows * columns)


def by_strips(
    study: Study,
    stack: str,
    group: str = "",
    workers: int | None = None,
    reach: float = 0,
    buffers: float = 16,
    filter: str = NO_FILTER,
) -> Need:
    """Of a job that goes through a block strip by strip, or plane by plane if its reach is one."""
    workers = threads(study) if workers is None else workers
    pixels = _buffers(study, stack, filter, 8 if reach == inf else buffers, reach)
    size = memory(study, stack, reach, pixels, workers)
    return Need(size, runtime(study, stack, [filter]), workers, group)


def by_filtered(
    study: Study,
    stack: str,
    filter: str,
    group: str = "",
    takes_temporary: bool = False,
    workers: int | None = None,
) -> Need:
    """Of a job that reads filtered pixels of a block, or filters it itself."""
    if study.is_written(filter, takes_temporary):
        return by_strips(study, stack, group, workers, buffers=20)
    reach = study.reach(stack, filter)
    return by_strips(study, stack, group, workers, reach, buffers=20, filter=filter)


def _buffers(study: Study, stack: str, filter: str, number: float, reach: float) -> float:
    """Buffers of a job that filters: so many, of pixels of the image or of a source.

    Besides what the filter holds: three channels, or arrays of doubles. The reach is that of all
    that the job does.
    """
    sides = _sides(study, stack, reach)
    size = study.filter_bytes(stack, filter, *sides) + _roi_bytes(study, stack, filter, *sides)
    if study.source(filter):
        return (number * SOURCE_BYTES + size) / bytes_of(study.dtype(stack))
    colors = COLOR_BUFFERS if study.takes_colors(stack, filter) else 0
    colors += CHANNEL_BUFFERS * max(len(study.filter_channels(filter)) - 1, 0)
    return number + colors + size / bytes_of(study.dtype(stack))


def _roi_bytes(study: Study, stack: str, filter: str, rows: int, columns: int) -> float:
    """Per pixel that is filtered: what is outside of a region of interest gets values before."""
    if filter == NO_FILTER or not study.has_roi(stack):
        return 0
    reach = study.reach(stack, filter)
    if reach == inf:
        return ROI_PLANE_BYTES
    near = int(roi.surroundings(reach) - reach)
    height, width = rows + 2 * near, columns + 2 * near
    strip = height * min(max(roi.STRIP_COLUMNS, 4 * near) + 2 * near, width)
    # pixels, before and after, and which are inside
    filled = height * width * (2 * bytes_of(study.dtype(stack)) + 2)
    return (strip * ROI_STRIP_BYTES + filled) / (rows * columns)


def ingest(study: Study, stack: str) -> Need:
    """Compressed files are decoded a plane at a time, in all of their channels.

    OME-Zarr is decoded by rows of chunks, or by all planes of them.
    """
    channels = study.channels(stack)
    decoded = _decoded(study, stack, "image", (1 + 2 * channels) * bytes_of(study.dtype(stack)))
    size = memory(study, stack, inf, 1 + 2 * channels, decoders(study, stack))
    if decoded:
        strips = memory(study, stack, 0, 16 * channels, threads(study)) + decoded // 2**20
        # one of many samples may be compressed, and another deep
        is_by_rows = not study.stacks[stack].is_shared and decoded < _plane(study, stack, channels)
        size = strips if is_by_rows else max(size, strips)
    return Need(size, runtime(study, stack), threads(study), ingest_group(study, stack))


def _plane(study: Study, stack: str, channels: int) -> int:
    """Bytes of a plane of the image."""
    return channels * prod(shape(study, stack)[1:]) * bytes_of(study.dtype(stack))


@cache
def _decoded(study: Study, stack: str, column: str, plane_bytes: int) -> int:
    """Bytes that files of a column of the sheet are decoded into at once; 0 where rows are.

    In a shared stack, only what takes more than `plane_bytes` per pixel of a plane counts: chunks
    of several planes. For all else, the largest sample that may be in it needs more.
    """
    samples = [study.samples[name] for name in study.stacks[stack].samples]
    decoded = [
        sample.header.at_once if column == "image" else sample.decoded.get(column, 0)
        for sample in samples
    ]
    if not study.stacks[stack].is_shared:
        return decoded[0]
    deep = [
        size
        for size, sample in zip(decoded, samples, strict=True)
        if size > plane_bytes * prod(sample.shape[1:])
    ]
    return max(deep, default=0) * decoders(study, stack)


def truth(study: Study, stack: str) -> Need:
    """Compressed truth is decoded a plane at a time: one 8-bit plane, and the one before."""
    return _of_masks(study, stack, "truth", 3, "segment")


def external(study: Study, stack: str, array: str) -> Need:
    """The same of masks made elsewhere, of up to 8 bytes per pixel."""
    column = study.arrays[array]["column"]
    return _of_masks(study, stack, column, 24, ingest_group(study, stack))


def region_of_interest(study: Study, stack: str) -> Need:
    """The same of regions of interest; a frame is looked for in a plane of the image."""
    own = _of_masks(study, stack, "roi", 3)
    is_framed = any(study.samples[name].is_framed for name in study.stacks[stack].samples)
    frames = by_strips(study, stack, reach=inf if is_framed else 0)
    return replace(frames, memory=max(own.memory, frames.memory))


def _of_masks(study: Study, stack: str, column: str, bytes_per_pixel: int, group: str = "") -> Need:
    """Of planes of so many bytes per pixel, or chunks of OME-Zarr that are decoded at once."""
    itemsize = bytes_of(study.dtype(stack))
    decoded = _decoded(study, stack, column, bytes_per_pixel)
    size = memory(study, stack, inf, bytes_per_pixel / itemsize, decoders(study, stack))
    if decoded:
        strips = memory(study, stack, 0, 16 / itemsize, threads(study))
        size = max(size, strips + decoded // 2**20)
    return Need(size, runtime(study, stack), threads(study), group)


def by_labels(study: Study, stack: str, group: str = "", workers: int | None = None) -> Need:
    """Of a job that goes strip by strip through labels, whose pixels have a byte."""
    return by_strips(study, stack, group, workers, buffers=16 / bytes_of(study.dtype(stack)))


def command(study: Study, stack: str, array: str) -> Need:
    """Tiles in and out, and what a program takes."""
    _, settings = study.commands[array]
    own = by_strips(study, stack, reach=settings["halo"], filter=settings["filter"] or NO_FILTER)
    minutes = own.runtime + round(settings["timeout"] / 60)
    return Need(own.memory + (settings["memory"] or 0), minutes, own.threads)


def decoders(study: Study, stack: str) -> int:
    """Samples that a job decodes at once: threads take turns with the planes of one."""
    return threads(study) if study.stacks[stack].is_shared else 1


def threshold(study: Study, stack: str, method: str) -> Need:
    """Of a mask, by whichever parameters or method annotated tiles come to choose."""
    workers, variants = method_threads(study, method), study.candidates(method)
    size = max(_variant_memory(study, stack, variant, workers) for variant in variants)
    # a vote makes the masks of all that it counts from the image, one after the other
    counted = [one for name in study.methods for _, one in study.voters(name)]
    if any(variant.segmenter.is_vote for variant in variants):
        variants = [*variants, *counted]
        size = max(size, trials(study, stack, counted, workers))
    # samples of one block are gone through before, for their histograms: of floats twice
    # whatever their tiles, so that companions change nothing
    counts = not study.has_several_blocks(stack) and any(
        variant.segmenter.needs_sample(2) for variant in variants
    )
    passes = 1 + counts * (2 if study.dtype(stack) == "float32" else 1)
    # each of the variants may come to be chosen
    chosen = [{one.filter for one in variants}] if counted else [{one.filter} for one in variants]
    minutes = max(runtime(study, stack, filters) for filters in chosen) * passes
    minutes += _network_minutes(study, stack, variants)
    return Need(size, minutes, workers, method_group(study, stack, method))


def _variant_memory(study: Study, stack: str, variant: Variant, workers: int) -> int:
    # a local method has thresholds in double precision, the same for every dtype
    doubles = 16 if variant.segmenter.is_local else 0
    filter = NO_FILTER if study.is_written(variant.filter, True) else variant.filter
    inline = study.reach(stack, filter)
    own = variant.segmenter.reach
    reach = own if inline == inf else own + inline
    if variant.segmenter.is_classifier:
        # codes of a window, a byte per feature, and the probability; the rest is small
        doubles = 4
    if variant.segmenter.is_network or variant.segmenter.threshold == unet.NAME:
        # windows are counted apart
        doubles = 0
    applied = NO_FILTER if inline == inf and own != inf else filter
    pixels = _buffers(study, stack, applied, 8 if reach == inf else 16, reach)
    pixels += (doubles + _plane_bytes(study, stack, variant)) / bytes_of(study.dtype(stack))
    size = memory(study, stack, reach, pixels, workers)
    size += LABEL_MEMORY * workers if _is_labelled(variant) else 0
    if inline == inf:
        # the filter's planes, beside the strip or plane of the method
        plane = _buffers(study, stack, filter, 8, inf) if applied != filter else 8
        size += memory(study, stack, inf, plane, workers) - BASE_MEMORY
    return size + _network_memory(variant, workers)


def _plane_bytes(study: Study, stack: str, variant: Variant) -> int:
    """Per pixel of a method that takes whole planes, what has a byte in any dtype: masks."""
    if variant.segmenter.reach != inf:
        return 0
    return MASK_BYTES * (_is_labelled(variant) + study.has_roi(stack))


def _is_labelled(variant: Variant) -> bool:
    """Whether objects of whole planes are labelled."""
    segmenter = variant.segmenter
    is_connected = segmenter.threshold == "hysteresis" or bool(segmenter.cleanup)
    return segmenter.reach == inf and is_connected


def _network_memory(variant: Variant, workers: int) -> int:
    """Megabytes of what a network has in memory, with a window in each thread."""
    segmenter = variant.segmenter
    if segmenter.threshold == unet.NAME:
        return unet.TORCH_MEMORY + workers * unet.memory(segmenter.settings, NETWORK_WINDOW)
    return own_model.memory(segmenter.settings) * workers if segmenter.is_network else 0


def _network_minutes(study: Study, stack: str, variants: Iterable[Variant]) -> int:
    """Minutes of a block that U-Nets take besides, all of them."""
    networks = [one.segmenter.settings for one in variants if one.segmenter.threshold == unet.NAME]
    pixels = prod(study.stacks[stack].grid.block)
    return sum(int(pixels * unet.seconds(own) // (60 * 10**6)) for own in networks)


def sweep(study: Study, stack: str, method: str) -> Need:
    """Pixels that are filtered once, and what a set of parameters makes of them.

    Minutes are as if all tiles were annotated.
    """
    variants = study.methods[method].variants
    workers = threads(study, len(study.swept))
    size = trials(study, stack, variants, workers)
    # of each set that is nested, masks by as many models as there are folds
    masks = sum(one.segmenter.settings["folds"] if one.is_nested else 1 for one in variants)
    filters = {variant.filter for variant in variants}
    minutes = runtime(study, stack) * (masks - 1) + runtime(study, stack, filters)
    minutes += _network_minutes(study, stack, variants)
    return Need(size, minutes, workers, "sweep")


def trials(study: Study, stack: str, variants: Collection[Variant], workers: int) -> int:
    """Megabytes of masks that are made of the same pixels, one after the other.

    Each filter that takes whole planes keeps one, and thresholds per pixel are kept for those sets
    of parameters that share them.
    """
    itemsize = bytes_of(study.dtype(stack))
    whole = {one.filter for one in variants if study.reach(stack, one.filter) == inf}
    kept = memory(study, stack, inf, len(whole), workers) - BASE_MEMORY

    def size(variant: Variant) -> int:
        reach = study.variant_reach(stack, variant)
        doubles = 24 + 8 * _surfaces(variants, variant) if variant.segmenter.is_local else 0
        pixels = _buffers(study, stack, variant.filter, 8 if reach == inf else 20, reach)
        pixels += (doubles + _plane_bytes(study, stack, variant)) / itemsize
        labels = LABEL_MEMORY * workers if _is_labelled(variant) else 0
        return memory(study, stack, reach, pixels, workers) + labels

    # what a network has taken stays with the job when others follow
    networks = max(_network_memory(variant, workers) for variant in variants)
    return max(map(size, variants)) + kept + networks


def _surfaces(variants: Iterable[Variant], variant: Variant) -> int:
    """How many sets of parameters after one filter have thresholds per pixel of their own."""
    settings = (
        one.segmenter.settings
        for one in variants
        if one.filter == variant.filter and one.segmenter.threshold == variant.segmenter.threshold
    )
    return len({str({**own, "offset": 0}) for own in settings if "offset" in own})


def draw(study: Study, stack: str, variant: Variant) -> Need:
    """Annotated tiles one after the other, all features of each in single precision.

    What is drawn is there twice at the end.
    """
    number, workers = _features(study, variant), threads(study)
    # nothing is cleaned up
    own = learned.reach(variant.segmenter.settings)
    reach = own + study.reach(stack, variant.filter)
    buffers = _buffers(study, stack, variant.filter, 8 if reach == inf else 20, reach)
    size = memory(study, stack, reach, buffers, workers)
    # a tile may have one and a half sides of a chunk
    side = study.stacks[stack].grid.tile * 1.5 + 2 * own
    size += int(workers * side**2 * (4 * number + 16)) // 2**20
    size += 2 * 4 * DRAWN_PIXELS * variant.segmenter.settings["pixels"] * number // 2**20
    return Need(size, runtime(study, stack, [variant.filter]), workers, "draw")


def _features(study: Study, variant: Variant) -> int:
    """How many features there are of a pixel."""
    channels = study.filter_channels(variant.filter)
    return len(learned.names_of(variant.segmenter.settings, channels))


def train(study: Study, variant: Variant) -> Need:
    """All drawn pixels: their features, codes and keys."""
    settings = variant.segmenter.settings
    number = _features(study, variant)
    pixels = DRAWN_PIXELS * settings["pixels"]
    minutes = 5 + pixels * number * settings["trees"] * settings["depth"] // (60 * 10**7)
    return Need(BASE_MEMORY + 100 + pixels * number * 24 // 2**20, minutes)


def windows(study: Study, stack: str, variant: Variant) -> Need:
    """Annotated tiles, of which all that a job has drawn are in memory."""
    own = by_strips(study, stack, "draw", reach=study.reach(stack, variant.filter))
    _, rows, columns = study.stacks[stack].grid.block
    channels = max(len(study.filter_channels(variant.filter)), 1)
    tiles = rows * columns * (bytes_of(study.dtype(stack)) * channels + 1) * 3 // 2**20
    return Need(own.memory + tiles, own.runtime, own.threads, own.group)


def train_network(study: Study, stack: str, variant: Variant, tiles: int) -> Need:
    """All annotated tiles with their truth, and what a step keeps to go back from.

    Minutes are those of one slow core.
    """
    settings = unet.settings_of(variant.segmenter.settings)
    pixels = settings.batch * settings.crop**2
    height, width = study.grids[study.stacks[stack].samples[0]].sides
    channels = max(len(study.filter_channels(variant.filter)), 1)
    own = bytes_of(study.dtype(stack)) * channels
    planes = tiles * height * width * (own + 4 + 20 + settings.networks * (own + 2))
    size = BASE_MEMORY + unet.TORCH_MEMORY + planes // 2**20
    size += 8 * unet.memory(variant.segmenter.settings, pixels)
    size += unet.memory(variant.segmenter.settings, NETWORK_WINDOW)
    steps = settings.networks * settings.steps
    return Need(size, 10 + steps * pixels * settings.width**2 // (60 * 5 * 10**6))


def structure(study: Study, stack: str) -> Need:
    """A plane, or all planes of a sample with distances in 3-D, 40 bytes per pixel."""
    planes, rows, columns = shape(study, stack)
    is_plane = study.config["validate"]["extent"] == "plane"
    pixels = (1 if is_plane else planes) * rows * columns
    minutes = 5 + planes * rows * columns // (60 * 10**6)
    return Need(300 + pixels * 40 // 2**20, minutes)


def export(study: Study, stacks: Collection[str]) -> Need:
    """A plane, and what becomes of it."""
    sizes = [memory(study, stack, inf, 4 / bytes_of(study.dtype(stack))) for stack in stacks]
    minutes = sum(runtime(study, stack) * len(study.blocks(stack)) for stack in stacks)
    return Need(max(sizes, default=0), minutes)


# Submissions: a block's chain is one, cut where it waits for other blocks.


def filter_group(study: Study, stack: str) -> str:
    """The image's and the filters' jobs, where they lead straight to masks, or before others."""
    waits = has_histograms(study, stack) or study.is_split(stack)
    return "prepare" if waits else "segment"


def has_histograms(study: Study, stack: str) -> bool:
    """Whether a threshold waits for all blocks of a sample."""
    # one of many samples would be asked for each of its blocks
    return study.has_several_blocks(stack) and any(
        study.waits_for_sample(stack, variant)
        for sample in study.stacks[stack].samples
        for method in study.methods_of(sample)
        for variant in study.methods[method].variants
    )


def ingest_group(study: Study, stack: str) -> str:
    """The image's own."""
    return "ingest" if study.is_split(stack) else filter_group(study, stack)


def histogram_group(study: Study, stack: str, filter: str) -> str:
    """A histogram of floats waits for the extents of all blocks."""
    is_float = study.filtered_dtype(stack, filter) == "float32"
    return "count" if is_float else filter_group(study, stack)


def method_group(study: Study, stack: str, method: str) -> str:
    """What waits for a checkpoint is another submission: none may hold jobs before and after it.

    Annotated tiles choose parameters, or the method; the guard says what the sample decides.
    """
    if method == SEGMENTATION:
        return "apply"
    voters = [one for _, one in study.voters(method)]
    if method in study.swept or any(one.is_learned for one in voters):
        return "chosen"
    makers = voters or study.methods[method].variants
    waits = any(study.waits_for_sample(stack, one) for one in makers)
    return "guarded" if waits else "segment"
