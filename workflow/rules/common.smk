"""Configuration, samples and the functions of the rules."""

import os
import re
import sys
from functools import cache
from math import inf
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

sys.path.insert(0, str(Path(workflow.basedir, "scripts")))

from tilewise import imports, methods, sheet
from tilewise.blocks import at_once
from tilewise.filters import chain_reach
from tilewise.formats import Header
from tilewise.grid import Grid, choose_block

validate(config, "../schemas/config.schema.yaml")


def get_named_files():
    """Files whose headers the configuration knows, by the name that a sheet gives them.

    Those that the rules of sources.smk make, and those in object storage.
    """
    named = {}
    for name, phantom in config["phantoms"].items():
        header = Header(*phantom["shape"], 1, "uint8")
        for part in ("image", "truth"):
            path = f"results/sources/phantom/{name}/{part}.tif"
            named[f"phantom:{name}/{part}"] = [(path, header)]
    for file, download in config["downloads"].items():
        header = Header(*download["shape"], 1, download["dtype"])
        named[f"download:{file}"] = [(f"results/sources/download/{file}", header)]
    for name, stored in config["stored"].items():
        header = Header(*stored["shape"], stored["channels"], stored["dtype"])
        files = sheet.number_files(stored["files"], stored["first"], header)
        named[f"stored:{name}"] = files
    return named


def get_sheet_path():
    """The sample sheet, relative to the configuration that names it."""
    folder = Path(workflow.configfiles[-1]).absolute().parent
    return os.path.relpath(folder / config["samples"])


try:
    SAMPLES = sheet.read_samples(
        get_sheet_path(), get_named_files(), config["channel"], config["truth_foreground"]
    )
    METHODS = methods.read_methods(config, SAMPLES)
    GRIDS = {
        name: Grid(
            sample.shape,
            config["tile"],
            choose_block(
                sample.shape, config["tile"], config["pyramid"]["levels"], **config["block"]
            ),
        )
        for name, sample in SAMPLES.items()
    }
except ValueError as error:
    raise WorkflowError(str(error)) from None

FIGURE_FORMAT = config["figures"]["format"]
FIGURES = ("tiles", "histogram", "confusion") if config["figures"]["tiles"] else ()
LEVELS = range(1, config["pyramid"]["levels"] + 1)
FILTERED_CODEC = config["filtered_codec"]
GREY = [name for name, sample in SAMPLES.items() if sample.header.channels == 1]
COLOR = [name for name in SAMPLES if name not in GREY]
ANNOTATED = [name for name, sample in SAMPLES.items() if sample.truth]


def get_alternatives(names):
    """A regular expression that matches the names and nothing else."""
    return "|".join(map(re.escape, names)) or r"(?!)"


def get_sample_pattern(names):
    """As `get_alternatives`, but for many samples any name: Snakemake tries each rule on each path."""
    is_every = set(names) == set(SAMPLES)
    return sheet.NAME.pattern if is_every and len(names) > 50 else get_alternatives(names)


wildcard_constraints:
    sample=get_sample_pattern(SAMPLES),
    filter=get_alternatives(config["filters"]),
    source=get_alternatives([methods.NO_FILTER, *config["filters"]]),
    method=get_alternatives(METHODS),
    label=r"[^/]+",
    block=r"\d+/\d+/\d+",
    array=r"image\.zarr|color\.zarr|image\.zarr/labels/[^/]+",


@cache
def get_code(script):
    """A rule's script and the library modules that it imports, directly or not."""
    folder = Path(workflow.basedir, "scripts")
    # the code is where the workflow is, wherever images and results are
    return [local(os.path.relpath(path)) for path in imports.find(folder / f"{script}.py", folder)]


@cache
def get_threads():
    """Threads of a block's job: more than one where there are fewer blocks than cores.

    A start of a process takes one core, so that several jobs at once are better than one with threads.
    """
    try:
        cores = workflow.cores
    except WorkflowError:
        # a cluster's scheduler has the cores
        return 1
    return max(1, cores // sum(len(get_blocks(sample)) for sample in SAMPLES))


def keep_if(keep, path):
    """An output that is deleted when no job needs it any more, unless it is kept."""
    return path if keep else temp(path)


# What a sample is.


@cache
def get_sample_grid(sample):
    grid = GRIDS[sample]
    return {"shape": list(grid.shape), "tile": grid.tile, "block": list(grid.block)}


def get_grid(wildcards):
    """The grid as numbers, for `params`."""
    return get_sample_grid(wildcards.sample)


def get_dtype(wildcards):
    return SAMPLES[wildcards.sample].header.dtype


def get_channel(wildcards):
    return SAMPLES[wildcards.sample].channel


def get_truth_foreground(wildcards):
    return SAMPLES[wildcards.sample].truth_foreground


def has_roi(wildcards):
    return bool(SAMPLES[wildcards.sample].roi)


def is_color(sample):
    return SAMPLES[sample].header.channels == 3


def get_sample_metadata(wildcards):
    """Further columns of the sheet, by sample."""
    return {name: sample.metadata for name, sample in SAMPLES.items()}


def get_order(wildcards):
    """Samples and methods in the order of the sheet and the configuration."""
    return {"samples": list(SAMPLES), "methods": list(METHODS)}


@cache
def get_blocks(sample):
    return GRIDS[sample].blocks()


@cache
def get_annotated_blocks(sample):
    """Blocks that a piece of truth touches."""
    return sheet.blocks_of(SAMPLES[sample].truth, GRIDS[sample])


def get_region(wildcards):
    return GRIDS[wildcards.sample].region(wildcards.block)


# Steps: where a block's input is.


def get_file(path):
    """A file that the sheet names: on this machine, in object storage, or made by a rule."""
    if "://" in path:
        return storage(path)
    return path if path.startswith("results/sources/") else local(path)


def get_images(wildcards):
    """Image files that hold a block's planes."""
    region = get_region(wildcards)
    return list(map(get_file, SAMPLES[wildcards.sample].images_of(region.z0, region.z1)[0]))


def get_first_plane(wildcards):
    """Plane of the first of `get_images` that is the block's first."""
    region = get_region(wildcards)
    return SAMPLES[wildcards.sample].images_of(region.z0, region.z1)[1]


@cache
def get_pieces_by_plane(sample, part):
    """Pieces of truth or of the region of interest, by their plane."""
    by_plane = {}
    for piece in getattr(SAMPLES[sample], part):
        by_plane.setdefault(piece.z, []).append(piece)
    return by_plane


def get_pieces_of_block(wildcards, part):
    region = get_region(wildcards)
    by_plane = get_pieces_by_plane(wildcards.sample, part)
    return [
        piece
        for z in range(region.z0, region.z1)
        for piece in by_plane.get(z, ())
        if piece.region.intersects(region)
    ]


def get_piece_files(wildcards, part):
    return list(dict.fromkeys(piece.path for piece in get_pieces_of_block(wildcards, part)))


def get_truth_files(wildcards):
    return list(map(get_file, get_piece_files(wildcards, "truth")))


def get_roi_files(wildcards):
    return list(map(get_file, get_piece_files(wildcards, "roi")))


def get_pieces(wildcards, part):
    """Pieces in a block as dictionaries; the path is the number of the file in the rule's input."""
    number = {path: i for i, path in enumerate(get_piece_files(wildcards, part))}
    pieces = get_pieces_of_block(wildcards, part)
    return [vars(piece) | {"path": number[piece.path]} for piece in pieces]


def get_filter_blocks(wildcards):
    """Blocks of the image that a block of a filter is computed from: itself and what it reaches."""
    grid = GRIDS[wildcards.sample]
    reach = chain_reach(config["filters"][wildcards.filter], get_dtype(wildcards))
    return grid.blocks_of(grid.around(get_region(wildcards), reach))


def get_filter_input(wildcards):
    return get_source_paths(wildcards.sample, methods.NO_FILTER, get_filter_blocks(wildcards))


def get_source_paths(sample, source, blocks):
    """Blocks of a filter's result, or of the image."""
    if source == methods.NO_FILTER:
        return expand("results/{sample}/image.zarr/0/c/{block}", sample=sample, block=blocks)
    return expand(
        "results/{sample}/filtered/{filter}.zarr/c/{block}",
        sample=sample,
        filter=source,
        block=blocks,
    )


@cache
def is_filtered_inline(sample, method):
    """Whether a method's own job filters the image: nobody else needs the result, and nobody keeps it."""
    users = [name for kind, name in get_runs() if kind == sample]
    users = [name for name in users if METHODS[name].filter == METHODS[method].filter]
    needs_histogram = METHODS[method].segmenter.needs_sample(get_number_of_tiles(sample))
    # filtered planes are better written than kept in memory beside the method's own
    steps = config["filters"].get(METHODS[method].filter, [])
    needs_plane = chain_reach(steps, SAMPLES[sample].header.dtype) == inf
    return not (config["keep_filtered"] or needs_histogram or needs_plane or len(users) > 1)


def get_source(wildcards):
    """Where a rule's pixels come from: a filter, or `image`."""
    if "source" in wildcards.keys():
        return wildcards.source
    if is_filtered_inline(wildcards.sample, wildcards.method):
        return methods.NO_FILTER
    return METHODS[wildcards.method].filter


def get_inline_steps(wildcards):
    """Steps of the filter that a threshold's job applies itself."""
    if is_filtered_inline(wildcards.sample, wildcards.method):
        return get_method_steps(wildcards)
    return []


def get_source_codec(wildcards):
    return "zstd" if get_source(wildcards) == methods.NO_FILTER else FILTERED_CODEC


def get_source_block(wildcards):
    return get_source_paths(wildcards.sample, wildcards.source, [wildcards.block])


def get_extents(wildcards):
    """Extents of all blocks of a sample, where its pixels are floats."""
    if get_dtype(wildcards) != "float32":
        return []
    return expand(
        "results/{sample}/histograms/{source}/extent/{block}.tsv",
        sample=wildcards.sample,
        source=wildcards.source,
        block=get_blocks(wildcards.sample),
    )


def get_histograms(wildcards):
    return expand(
        "results/{sample}/histograms/{source}/{block}.npz",
        sample=wildcards.sample,
        source=METHODS[wildcards.method].filter,
        block=get_blocks(wildcards.sample),
    )


def get_segmenter(wildcards):
    """A method's segmenter as a dictionary, for `params`."""
    return vars(METHODS[wildcards.method].segmenter)


def get_threshold_blocks(wildcards):
    """Filtered blocks that a block's mask is computed from."""
    grid = GRIDS[wildcards.sample]
    return grid.blocks_of(grid.around(get_region(wildcards), get_threshold_reach(wildcards)))


def get_threshold_reach(wildcards):
    """Pixels around a pixel that its mask depends on, with those of a filter that is applied inline."""
    steps = get_inline_steps(wildcards)
    reach = METHODS[wildcards.method].segmenter.reach
    return reach + chain_reach(steps, get_dtype(wildcards))


def get_threshold_input(wildcards):
    blocks = get_threshold_blocks(wildcards)
    return get_source_paths(wildcards.sample, get_source(wildcards), blocks)


def get_number_of_tiles(sample):
    grid = GRIDS[sample]
    return grid.shape[0] * grid.tiles_along[0] * grid.tiles_along[1]


def get_sample_threshold(wildcards):
    """The sample's threshold, where a method may use it."""
    tiles = get_number_of_tiles(wildcards.sample)
    if METHODS[wildcards.method].segmenter.needs_sample(tiles):
        return ["results/{sample}/{method}/threshold.tsv"]
    return []


def get_channels(wildcards):
    return 3 if is_color(wildcards.sample) else 1


def get_picture(wildcards):
    """What an overlay is laid over."""
    if is_color(wildcards.sample):
        return "results/{sample}/color.zarr/0/c/0/{block}"
    return "results/{sample}/image.zarr/0/c/{block}"


def get_overlaid_tiles(wildcards):
    """Names of the tiles that get a PNG; none is all annotated ones."""
    if config["overlay"]["per_plane"] is None:
        return None
    grid = GRIDS[wildcards.sample]
    region = get_region(wildcards)
    return [
        tile.name
        for z in range(region.z0, region.z1)
        for tile in get_tiles_to_overlay(wildcards.sample, z)
        if grid.tile_region(tile).intersects(region)
    ]


@cache
def get_tiles_to_overlay(sample, z):
    """A few tiles of a plane, whatever its blocks."""
    pieces = get_pieces_by_plane(sample, "truth").get(z, [])
    return sheet.choose_tiles(pieces, GRIDS[sample], config["overlay"]["per_plane"])


def get_method_steps(wildcards):
    """Steps of a method's filter."""
    return config["filters"].get(METHODS[wildcards.method].filter, [])


# Schedulers: what a job takes, and which jobs are submitted as one.


def get_memory(wildcards, reach, bytes_per_pixel, threads, attempt):
    """Megabytes of a job that has a strip, or a plane if the reach is one, in memory per thread.

    250 MB are Python and its libraries.
    """
    grid = GRIDS[wildcards.sample]
    rows = min(grid.tile + 2 * reach, grid.shape[1])
    columns = min(grid.block[2] + 2 * reach, grid.shape[2])
    pixels = rows * columns
    pixels *= at_once(pixels, threads)
    return attempt * (250 + round(pixels * bytes_per_pixel * get_bytes(wildcards) / 2**20))


def get_bytes(wildcards):
    """Bytes of a pixel of the image."""
    return int(re.search(r"\d+", get_dtype(wildcards)).group()) // 8


def get_strip_memory(wildcards, threads, attempt):
    return get_memory(wildcards, 0, 16, threads, attempt)


def get_plane_memory(wildcards, threads, attempt):
    """Compressed truth is decoded a plane at a time; one 8-bit plane, and the one before."""
    return get_memory(wildcards, inf, 3 / get_bytes(wildcards), 1, attempt)


def get_ingest_memory(wildcards, threads, attempt):
    """Compressed files are decoded a plane at a time, in all of their channels."""
    channels = SAMPLES[wildcards.sample].header.channels
    return get_memory(wildcards, inf, 1 + 2 * channels, 1, attempt)


def get_filter_memory(wildcards, threads, attempt):
    reach = chain_reach(config["filters"][wildcards.filter], get_dtype(wildcards))
    return get_memory(wildcards, reach, 8 if reach == inf else 16, threads, attempt)


def get_threshold_memory(wildcards, threads, attempt):
    """A local method has several planes of doubles, the same for every dtype."""
    segmenter = METHODS[wildcards.method].segmenter
    doubles = 32 / get_bytes(wildcards) if segmenter.is_local else 0
    reach = get_threshold_reach(wildcards)
    pixels = 8 if reach == inf else 16
    return get_memory(wildcards, reach, pixels + doubles, threads, attempt)


def get_runtime(wildcards, attempt):
    """Minutes, at 2 Mpx/s: the slowest filters; most are 50 times faster."""
    planes, rows, columns = GRIDS[wildcards.sample].block
    return attempt * (5 + planes * rows * columns // (2 * 60 * 10**6))


def is_split(sample):
    """Whether a plane has several blocks, so that blocks depend on each other."""
    return GRIDS[sample].blocks_along[1:] != (1, 1)


@cache
def needs_sample_threshold(sample):
    """Whether a threshold waits for all blocks of a sample."""
    tiles = get_number_of_tiles(sample)
    return any(
        METHODS[method].segmenter.needs_sample(tiles)
        for name, method in get_runs()
        if name == sample
    )


def get_filter_group(wildcards):
    """A block's chain is one submission, cut where it waits for other blocks."""
    sample = wildcards.sample
    return "prepare" if needs_sample_threshold(sample) or is_split(sample) else "segment"


def get_ingest_group(wildcards):
    return "ingest" if is_split(wildcards.sample) else get_filter_group(wildcards)


def get_histogram_group(wildcards):
    """A histogram of floats waits for the extents of all blocks."""
    return "count" if get_dtype(wildcards) == "float32" else get_filter_group(wildcards)


# Figures: a few annotated tiles of a sample.


@cache
def get_tiles_to_show(sample):
    return sheet.choose_tiles(SAMPLES[sample].truth, GRIDS[sample], config["figures"]["tiles"])


def get_shown_tiles(wildcards):
    """Plane, tile row and tile column of each."""
    return [[tile.z, tile.row, tile.column] for tile in get_tiles_to_show(wildcards.sample)]


def get_shown_blocks(wildcards, reach=0):
    """Blocks that hold those tiles and what is within reach of them."""
    grid = GRIDS[wildcards.sample]
    regions = map(grid.tile_region, get_tiles_to_show(wildcards.sample))
    blocks = [block for region in regions for block in grid.blocks_of(grid.around(region, reach))]
    return list(dict.fromkeys(blocks))


def get_shown_image_blocks(wildcards):
    """Blocks of the image from which the filter gives those tiles."""
    steps = get_method_steps(wildcards)
    return get_shown_blocks(wildcards, chain_reach(steps, get_dtype(wildcards)))


def get_shown_image(wildcards):
    blocks = get_shown_image_blocks(wildcards)
    return get_source_paths(wildcards.sample, methods.NO_FILTER, blocks)


def get_shown(pattern, wildcards):
    return expand(pattern, block=get_shown_blocks(wildcards), **wildcards)


def get_shown_color(wildcards):
    if not is_color(wildcards.sample):
        return []
    return get_shown("results/{sample}/color.zarr/0/c/0/{block}", wildcards)


def get_sample_metrics(wildcards):
    """Metrics of a method on all annotated blocks of a sample."""
    return expand(
        "results/{sample}/{method}/metrics/{block}.tsv",
        block=get_annotated_blocks(wildcards.sample),
        **wildcards,
    )


# Viewing.


def get_labels(wildcards):
    """Labels of a sample: its truth, and each method's mask and confusion map."""
    chosen = [name for name, method in METHODS.items() if wildcards.sample in method.samples]
    if wildcards.sample not in ANNOTATED:
        return chosen
    return ["truth", *chosen, *(f"{name}-confusion" for name in chosen)]


def is_label(wildcards):
    return "/labels/" in wildcards.array


def get_array_dtype(wildcards):
    return "uint8" if is_label(wildcards) else get_dtype(wildcards)


def get_fill(wildcards):
    """Value of what is not stored: truth is not annotated there."""
    return 255 if wildcards.array == "image.zarr/labels/truth" else 0


def get_array_channels(wildcards):
    return 3 if wildcards.array == "color.zarr" else 1


# What a run makes.


def get_runs(annotated=False):
    """Pairs of sample and method; only of samples with truth, if asked."""
    return [
        (sample, name)
        for sample in (ANNOTATED if annotated else SAMPLES)
        for name, method in METHODS.items()
        if sample in method.samples
    ]


def get_per_block(pattern, annotated=False):
    """A path for each block of each pair of sample and method."""
    blocks = get_annotated_blocks if annotated else get_blocks
    return [
        path
        for sample, method in get_runs(annotated)
        for path in expand(pattern, sample=sample, method=method, block=blocks(sample))
    ]


def get_masks(wildcards):
    return get_per_block("results/{sample}/image.zarr/labels/{method}/0/c/{block}")


def get_confusions(wildcards):
    return get_per_block(
        "results/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}", annotated=True
    )


def get_all_metrics(wildcards):
    return get_per_block("results/{sample}/{method}/metrics/{block}.tsv", annotated=True)


def get_overlays(wildcards):
    if config["overlay"]["format"] == "zarr-only":
        return []
    return get_per_block("results/{sample}/{method}/overlay/{block}", annotated=True)


def get_figures(wildcards):
    return [
        f"results/figures/{sample}/{method}-{kind}.{FIGURE_FORMAT}"
        for sample, method in get_runs(annotated=True)
        for kind in FIGURES
    ]


def get_figure_names(wildcards):
    """Sample and method of each of `get_figures`."""
    return [names for names in get_runs(annotated=True) for _ in FIGURES]


def get_kept_filters(wildcards):
    """Filtered images with their metadata, where they are kept."""
    if not config["keep_filtered"]:
        return []
    used = dict.fromkeys((sample, METHODS[method].filter) for sample, method in get_runs())
    return [
        path
        for sample, filter in used
        if filter != methods.NO_FILTER
        for path in (
            *get_source_paths(sample, filter, get_blocks(sample)),
            f"results/{sample}/filtered/{filter}.zarr/zarr.json",
        )
    ]


def get_arrays():
    """Arrays for viewers, each with the blocks that it has: sample, array, blocks."""
    arrays = []
    for sample in SAMPLES:
        arrays.append((sample, "image.zarr", get_blocks(sample)))
        if is_color(sample):
            blocks = [f"0/{block}" for block in get_blocks(sample)]
            arrays.append((sample, "color.zarr", blocks))
        if sample in ANNOTATED:
            arrays.append((sample, "image.zarr/labels/truth", get_annotated_blocks(sample)))
    for sample, method in get_runs():
        arrays.append((sample, f"image.zarr/labels/{method}", get_blocks(sample)))
    for sample, method in get_runs(annotated=True):
        label = f"image.zarr/labels/{method}-confusion"
        arrays.append((sample, label, get_annotated_blocks(sample)))
    return arrays


def get_metadata(wildcards):
    return [f"results/{sample}/{array}/zarr.json" for sample, array, _ in get_arrays()]


def get_pyramids(wildcards):
    """The smallest level of each block; the job that makes it makes the others."""
    return [
        path
        for sample, array, places in get_arrays()
        for path in expand(
            "results/{sample}/{array}/{level}/c/{place}",
            sample=sample,
            array=array,
            level=LEVELS[-1:],
            place=places,
        )
    ]
