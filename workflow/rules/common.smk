"""Configuration, samples and the functions of the rules."""

import json
import os
import re
import sys
from functools import cache
from math import inf
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.iocontainers import Wildcards
from snakemake.utils import validate

sys.path.insert(0, str(Path(workflow.basedir, "scripts")))

from tilewise import imports
from tilewise.plan import methods, sheet
from tilewise.plan.methods import SEGMENTATION
from tilewise.read.header import Header
from tilewise.segment.filters import chain_reach
from tilewise.store.blocks import at_once
from tilewise.store.grid import Grid, choose_block

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
        get_sheet_path(),
        get_named_files(),
        config["channel"],
        config["truth_foreground"],
        config["pixel_size"],
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
SHARED = [name for name in ANNOTATED if SAMPLES[name].annotators]
SWEPT = [name for name, method in METHODS.items() if method.is_swept]
SCORING = config["validate"]
APPLY = config["apply"]
# methods that are compared: all of them on the same samples, and fit to be applied to all
COMPARED = set(SAMPLES if APPLY == "best" else ANNOTATED)
RANKED = [name for name, method in METHODS.items() if set(method.samples) >= COMPARED]


def check_decision():
    """Whether what is to be decided, and applied, can be.

    Raises
    ------
    WorkflowError
        Says what to change in the configuration.
    """
    if APPLY not in ("best", "all", "none", *METHODS):
        known = f"best, all, none or a method: {', '.join(METHODS)}"
        raise WorkflowError(f"apply: {APPLY} is not configured: set it to {known}")
    if APPLY == "best" and not ANNOTATED and len(METHODS) > 1:
        raise WorkflowError(
            "apply: best needs truth to decide on a method, and no sample has any: "
            "set `apply` to the name of a method, or to `all`"
        )
    if APPLY == "best" and not RANKED:
        raise WorkflowError(
            "apply: best needs a method that runs on all samples: leave its `samples` out, "
            "or set `apply` to `all` or `none`"
        )
    if SWEPT and not ANNOTATED:
        raise WorkflowError(
            f"method {SWEPT[0]} has a grid, and no sample has truth to choose from it: "
            "leave `grid` out, or give truth"
        )
    structural = {"cldice": "cldice", "nsd": "nsd", "object_f1": "objects"}
    needed = structural.get(config["decision"]["metric"])
    if needed and needed not in SCORING["metrics"]:
        raise WorkflowError(
            f"decision: metric {config['decision']['metric']} is not computed: "
            f"add {needed} to `metrics` under `validate`"
        )
    if needed and SCORING["extent"] != "tile":
        raise WorkflowError(
            f"decision: metric {config['decision']['metric']} is decided on by tiles: "
            "set `extent` under `validate` to tile, or decide by a metric of pixels"
        )
    for sample in ANNOTATED:
        if SCORING["unit"] == "micrometer" and not SAMPLES[sample].pixel_size:
            raise WorkflowError(
                f"validate: unit micrometer needs the pixel size of sample {sample}, which its files "
                "do not have: give it in the column `pixel_size` of the sheet"
            )


check_decision()


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
    method=get_alternatives([SEGMENTATION, *METHODS]),
    label=r"[^/]+",
    block=r"\d+/\d+/\d+",
    annotator=r"\d+",
    part=r"\d+|stack",
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


def get_pixel_size(wildcards):
    """Micrometres in z, y and x as numbers, for `params`; none where the size is unknown."""
    size = SAMPLES[wildcards.sample].pixel_size
    return None if size is None else list(size)


def get_channel(wildcards):
    return SAMPLES[wildcards.sample].channel


def get_truth_foreground(wildcards):
    return SAMPLES[wildcards.sample].truth_foreground


def has_roi(wildcards):
    return bool(SAMPLES[wildcards.sample].roi)


def is_color(sample):
    return SAMPLES[sample].header.channels == 3


def get_variant(wildcards):
    """What segments: the only set of parameters of a method, or the one that was chosen."""
    method = METHODS[get_method_name(wildcards)]
    if not method.is_swept:
        return method.variants[0]
    return method.variant(
        read_choice(checkpoints.choose.get(method=method.name).output.choice)["variant"]
    )


def get_method_name(wildcards):
    """The method itself, or the one that was decided on."""
    if wildcards.method != SEGMENTATION:
        return wildcards.method
    if APPLY != "best":
        return APPLY
    if len(METHODS) == 1:
        return next(iter(METHODS))
    return read_choice(checkpoints.decide.get().output.choice)["method"]


@cache
def read_choice(file):
    """What a checkpoint chose; kept, since the copy of a file in object storage goes again."""
    with file.open() as text:
        return json.load(text)


def get_choices(wildcards):
    """Files of the checkpoints that a mask waits for; only what they choose makes it new, not their time."""
    files = []
    if wildcards.method == SEGMENTATION and APPLY == "best" and len(METHODS) > 1:
        files.append("results/choice.json")
    name = get_method_name(wildcards)
    if name in SWEPT:
        files.append(f"results/sweeps/{name}/choice.json")
    return list(map(ancient, files))


def get_calibration(wildcards):
    """The threshold that annotated tiles gave, as a row of a table; none if they gave none."""
    if get_variant(wildcards).segmenter.scope != "calibrated":
        return None
    name = get_method_name(wildcards)
    return read_choice(checkpoints.choose.get(method=name).output.choice)["calibration"]


def get_candidates(wildcards):
    """Variants that may come to segment, whatever is chosen."""
    name = wildcards.method
    if name != SEGMENTATION:
        return METHODS[name].variants
    names = METHODS if APPLY == "best" else [APPLY]
    return [variant for name in names for variant in METHODS[name].variants]


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
    """Pieces of truth, of one annotator or of the region of interest, by their plane."""
    by_plane = {}
    pieces = (
        SAMPLES[sample].annotators[part]
        if isinstance(part, int)
        else getattr(SAMPLES[sample], part)
    )
    for piece in pieces:
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


# Several annotators: numbered from 1 in the order of the sheet.


def get_annotator_files(wildcards):
    return list(map(get_file, get_piece_files(wildcards, int(wildcards.annotator) - 1)))


def get_annotator_pieces(wildcards):
    return get_pieces(wildcards, int(wildcards.annotator) - 1)


def get_annotators_of_block(wildcards):
    return expand(
        "results/{sample}/image.zarr/labels/annotator-{annotator}/0/c/{block}",
        annotator=range(1, len(SAMPLES[wildcards.sample].annotators) + 1),
        sample=wildcards.sample,
        block=wildcards.block,
    )


def get_votes(wildcards):
    return expand(
        "results/{sample}/votes/{block}.npy",
        sample=wildcards.sample,
        block=get_annotated_blocks(wildcards.sample),
    )


def get_annotator_tables(wildcards):
    return expand("results/{sample}/annotators.tsv", sample=SHARED)


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
def get_users(sample, filter):
    """Methods that a sample is segmented with after a filter, as far as is known beforehand."""
    return [
        name
        for name in get_methods_of(sample)
        if is_run(sample, name) and filter in METHODS[name].filters
    ]


@cache
def is_sparse(sample):
    """Whether few tiles of the annotated blocks are annotated, and others are not segmented by all."""
    grid = GRIDS[sample]
    tiles = sum(grid.number_of_tiles(grid.region(block)) for block in get_annotated_blocks(sample))
    annotated = sum(grid.number_of_tiles(piece.region) for piece in SAMPLES[sample].truth)
    return APPLY != "all" and 4 * annotated < tiles


def get_tiles(wildcards):
    """Tiles of a block that a mask covers, as plane, tile row and tile column; none is all of them."""
    if wildcards.method == SEGMENTATION or APPLY == "all":
        return None
    grid, region = GRIDS[wildcards.sample], get_region(wildcards)
    pieces = get_pieces_of_block(wildcards, "truth")
    if sum(piece.region.shape == (1, *grid.shape[1:]) for piece in pieces) == region.shape[0]:
        return None
    tiles = {tile for piece in pieces for tile in grid.tiles_in(piece.region)}
    inside = (tile for tile in tiles if grid.tile_region(tile).intersects(region))
    return sorted([tile.z, tile.row, tile.column] for tile in inside)


@cache
def is_filtered_inline(sample, filter, method):
    """Whether a method's own job filters the image: nobody else needs the result, and nobody keeps it."""
    if config["keep_filtered"]:
        return False
    tiles = get_number_of_tiles(sample)
    users = [METHODS[name] for name in get_users(sample, filter)]
    needs_histogram = any(
        variant.filter == filter and variant.segmenter.needs_sample(tiles)
        for user in users
        for variant in user.variants
    )
    # filtered planes are better written than kept in memory beside the method's own
    needs_plane = (
        chain_reach(config["filters"].get(filter, []), SAMPLES[sample].header.dtype) == inf
    )
    is_shared = len(users) > 1 and not (method == SEGMENTATION or is_sparse(sample))
    return not (needs_histogram or needs_plane or is_shared)


def get_source(wildcards):
    """Where a rule's pixels come from: a filter, or `image`."""
    if "source" in wildcards.keys():
        return wildcards.source
    filter = get_variant(wildcards).filter
    if is_filtered_inline(wildcards.sample, filter, wildcards.method):
        return methods.NO_FILTER
    return filter


def get_inline_steps(wildcards):
    """Steps of the filter that a threshold's job applies itself."""
    filter = get_variant(wildcards).filter
    if is_filtered_inline(wildcards.sample, filter, wildcards.method):
        return config["filters"].get(filter, [])
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
        source=get_variant(wildcards).filter,
        block=get_blocks(wildcards.sample),
    )


def get_segmenter(wildcards):
    """A method's segmenter as a dictionary, for `params`."""
    return vars(get_variant(wildcards).segmenter)


def get_threshold_blocks(wildcards):
    """Filtered blocks that a block's mask is computed from."""
    grid = GRIDS[wildcards.sample]
    return grid.blocks_of(grid.around(get_region(wildcards), get_threshold_reach(wildcards)))


def get_threshold_reach(wildcards):
    """Pixels around a pixel that its mask depends on, with those of a filter that is applied inline."""
    steps = get_inline_steps(wildcards)
    reach = get_variant(wildcards).segmenter.reach
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
    if get_variant(wildcards).segmenter.needs_sample(tiles):
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
    return config["filters"].get(get_variant(wildcards).filter, [])


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
    return max(
        get_variant_memory(wildcards, variant, threads, attempt)
        for variant in get_candidates(wildcards)
    )


def get_variant_memory(wildcards, variant, threads, attempt):
    doubles = 32 / get_bytes(wildcards) if variant.segmenter.is_local else 0
    steps = []
    if is_filtered_inline(wildcards.sample, variant.filter, wildcards.method):
        steps = config["filters"].get(variant.filter, [])
    reach = variant.segmenter.reach + chain_reach(steps, get_dtype(wildcards))
    pixels = 8 if reach == inf else 16
    return get_memory(wildcards, reach, pixels + doubles, threads, attempt)


def get_sweep_memory(wildcards, threads, attempt):
    """Pixels that are filtered once, and what a set of parameters makes of them."""
    dtype, bytes_per_pixel = get_dtype(wildcards), get_bytes(wildcards)
    memory = 0
    for variant in METHODS[wildcards.method].variants:
        reach = variant.segmenter.reach
        reach += chain_reach(config["filters"].get(variant.filter, []), dtype)
        doubles = 40 / bytes_per_pixel if variant.segmenter.is_local else 0
        memory = max(memory, get_memory(wildcards, reach, 20 + doubles, threads, attempt))
    return memory


def get_level_memory(wildcards, threads, attempt):
    steps = config["filters"].get(wildcards.source, [])
    reach = chain_reach(steps, get_dtype(wildcards))
    return get_memory(wildcards, reach, 20, threads, attempt)


def get_sweep_runtime(wildcards, attempt):
    """Minutes, at 2 Mpx/s for each set of parameters, as if all tiles were annotated."""
    return get_runtime(wildcards, attempt) * len(METHODS[wildcards.method].variants)


def get_part_memory(wildcards, threads, attempt):
    """A plane or a stack, with its distances in 3-D, 40 bytes per pixel."""
    planes, rows, columns = GRIDS[wildcards.sample].shape
    if wildcards.part != "stack":
        planes = 1
    return attempt * (300 + planes * rows * columns * 40 // 2**20)


def get_runtime_of_part(wildcards, attempt):
    planes, rows, columns = GRIDS[wildcards.sample].shape
    return attempt * (5 + planes * rows * columns // (60 * 10**6))


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
        variant.segmenter.needs_sample(tiles)
        for method in get_methods_of(sample)
        for variant in METHODS[method].variants
    )


def get_filter_group(wildcards):
    """A block's chain is one submission, cut where it waits for other blocks."""
    sample = wildcards.sample
    return "prepare" if needs_sample_threshold(sample) or is_split(sample) else "segment"


def get_method_group(wildcards):
    """What waits for annotated tiles to choose parameters, or the method, is another submission."""
    if wildcards.method == SEGMENTATION:
        return "apply"
    return "chosen" if wildcards.method in SWEPT else "segment"


def get_pyramid_group(wildcards):
    """An array is reduced with the job that makes it."""
    label = wildcards.array.removeprefix("image.zarr/labels/")
    if label == "errors":
        return "compare"
    method = label.removesuffix("-confusion")
    if method in (SEGMENTATION, *SWEPT):
        return get_method_group(Wildcards(fromdict={"method": method}))
    return "segment"


def get_ingest_group(wildcards):
    return "ingest" if is_split(wildcards.sample) else get_filter_group(wildcards)


def get_histogram_group(wildcards):
    """A histogram of floats waits for the extents of all blocks."""
    return "count" if get_dtype(wildcards) == "float32" else get_filter_group(wildcards)


# Decision: what is tried on annotated tiles, and what comes of it.


@cache
def get_methods_of(sample):
    """Methods that are tried on a sample."""
    return [name for name, method in METHODS.items() if sample in method.samples]


@cache
def get_groups():
    """What each annotated sample counts as: its group, or itself."""
    return {name: SAMPLES[name].metadata.get("group") or name for name in ANNOTATED}


@cache
def is_single_tile():
    """Whether all truth lies in one tile, which is then cut into spatial blocks."""
    tiles = [
        GRIDS[sample].number_of_tiles(piece.region)
        for sample in ANNOTATED
        for piece in SAMPLES[sample].truth
    ]
    return tiles == [1]


def get_scoring(wildcards):
    """What a mask is scored by, for `params`."""
    size = SAMPLES[wildcards.sample].pixel_size if SCORING["unit"] == "micrometer" else None
    z, y, x = size or (1.0, 1.0, 1.0)
    return {
        "metrics": SCORING["metrics"] if SCORING["extent"] == "tile" else [],
        "spacing": [z or 1.0, y, x],
        "tolerance": SCORING["tolerance"],
        "objects": SCORING["objects"],
        "margin": SCORING["margin"] if is_single_tile() else None,
    }


def get_variants(wildcards):
    """All sets of parameters of a method, by filter, for `params`."""
    variants = METHODS[wildcards.method].variants
    return [vars(variant) | {"segmenter": vars(variant.segmenter)} for variant in variants]


def get_variant_steps(wildcards):
    """Steps of each filter of a method."""
    filters = METHODS[wildcards.method].filters
    return {filter: config["filters"].get(filter, []) for filter in filters}


def get_sweep_blocks(wildcards):
    """Blocks of the image from which a method gives a block's mask, with any of its parameters."""
    dtype = get_dtype(wildcards)
    reach = max(
        variant.segmenter.reach + chain_reach(config["filters"].get(variant.filter, []), dtype)
        for variant in METHODS[wildcards.method].variants
    )
    grid = GRIDS[wildcards.sample]
    return grid.blocks_of(grid.around(get_region(wildcards), reach))


def get_sweep_image(wildcards):
    return get_source_paths(wildcards.sample, methods.NO_FILTER, get_sweep_blocks(wildcards))


@cache
def get_counted_filters(sample, method):
    """Filters of a method whose histogram of the whole sample some parameters need."""
    tiles = get_number_of_tiles(sample)
    return [
        filter
        for filter in METHODS[method].filters
        if any(
            variant.filter == filter and variant.segmenter.needs_sample(tiles)
            for variant in METHODS[method].variants
        )
    ]


def get_sweep_histograms(wildcards):
    """Histograms of all blocks, filter by filter."""
    return [
        path
        for filter in get_counted_filters(wildcards.sample, wildcards.method)
        for path in expand(
            "results/{sample}/histograms/{source}/{block}.npz",
            sample=wildcards.sample,
            source=filter,
            block=get_blocks(wildcards.sample),
        )
    ]


def get_sweep_calibration(wildcards):
    if METHODS[wildcards.method].is_calibrated:
        return ["results/sweeps/{method}/calibration.tsv"]
    return []


def get_calibrated(wildcards):
    """Sets of a method's parameters whose threshold annotated tiles give."""
    return [one for one in get_variants(wildcards) if one["segmenter"]["scope"] == "calibrated"]


def get_level_files(filters, samples=tuple(ANNOTATED)):
    """Sample, filter and file of the grey levels of annotated tiles."""
    pattern = "results/{sample}/histograms/{source}/truth/{block}.npz"
    return [
        (sample, source, path)
        for sample in samples
        for source in filters
        for path in expand(
            pattern, sample=sample, source=source, block=get_annotated_blocks(sample)
        )
    ]


def get_calibration_files(wildcards):
    filters = dict.fromkeys(one["filter"] for one in get_calibrated(wildcards))
    samples = tuple(name for name in ANNOTATED if name in METHODS[wildcards.method].samples)
    return get_level_files(filters, samples)


def get_calibration_names(wildcards):
    return [names[:2] for names in get_calibration_files(wildcards)]


def get_calibration_levels(wildcards):
    return [path for *_, path in get_calibration_files(wildcards)]


def get_oracle_files():
    if not SCORING["oracles"]:
        return []
    return get_level_files(dict.fromkeys(f for name in RANKED for f in METHODS[name].filters))


def get_oracle_names(wildcards):
    return [names[:2] for names in get_oracle_files()]


def get_oracle_levels(wildcards):
    return [path for *_, path in get_oracle_files()]


def get_level_blocks(wildcards):
    """Blocks of the image that a block is filtered from."""
    steps = config["filters"].get(wildcards.source, [])
    grid = GRIDS[wildcards.sample]
    reach = chain_reach(steps, get_dtype(wildcards))
    return grid.blocks_of(grid.around(get_region(wildcards), reach))


def get_level_image(wildcards):
    return get_source_paths(wildcards.sample, methods.NO_FILTER, get_level_blocks(wildcards))


def get_sweeps(wildcards):
    """Scores of all parameters of a method, on all annotated blocks."""
    return [
        path
        for sample in ANNOTATED
        if sample in METHODS[wildcards.method].samples
        for path in expand(
            "results/{sample}/{method}/sweep/{block}.tsv",
            sample=sample,
            method=wildcards.method,
            block=get_annotated_blocks(sample),
        )
    ]


def get_swept():
    """Methods in the ranking whose parameters are chosen."""
    return [name for name in RANKED if name in SWEPT]


def get_decision_metrics():
    """Metrics of structure that are known per unit: those of tiles."""
    return SCORING["metrics"] if SCORING["extent"] == "tile" else []


def get_common_dtype():
    """Dtype of all annotated samples, for a threshold that they share."""
    dtypes = {SAMPLES[sample].header.dtype for sample in ANNOTATED}
    if len(dtypes) > 1:
        raise WorkflowError(
            f"scope calibrated needs samples of one dtype, these are {', '.join(sorted(dtypes))}: "
            "convert them, or use the scope sample"
        )
    return dtypes.pop()


def get_part_blocks(wildcards):
    """Annotated blocks of some whole planes, or of the whole stack."""
    return [
        block
        for block in get_annotated_blocks(wildcards.sample)
        if wildcards.part in ("stack", block.split("/")[0])
    ]


def get_part(pattern, wildcards):
    names = {"sample": wildcards.sample, "method": wildcards.method}
    return expand(pattern, block=get_part_blocks(wildcards), **names)


def get_structures(wildcards):
    """Tables of metrics of planes or stacks, where they are not those of tiles."""
    if SCORING["extent"] == "tile" or not SCORING["metrics"]:
        return []
    return [
        f"results/{sample}/{method}/structure/{part}.tsv"
        for sample, method in get_runs(annotated=True)
        for part in (
            ["stack"]
            if SCORING["extent"] == "sample"
            else dict.fromkeys(block.split("/")[0] for block in get_annotated_blocks(sample))
        )
    ]


def get_confusions_of_block(wildcards):
    return expand(
        "results/{sample}/image.zarr/labels/{method}-confusion/0/c/{block}",
        method=get_methods_of(wildcards.sample),
        sample=wildcards.sample,
        block=wildcards.block,
    )


def has_errors(sample):
    """Whether the errors of a sample's methods are compared."""
    return SCORING["errors"] and bool(get_methods_of(sample))


def get_error_tables(kind):
    return [
        f"results/{sample}/errors/{kind}/{block}.tsv"
        for sample in ANNOTATED
        if has_errors(sample)
        for block in get_annotated_blocks(sample)
    ]


def get_unit_tables(wildcards):
    return expand("results/sweeps/{method}/units.tsv", method=get_swept())


def get_left_out():
    """Methods that are tried, but not run on all samples that methods are compared by."""
    return [
        name
        for name in METHODS
        if name not in RANKED and set(METHODS[name].samples) & set(ANNOTATED)
    ]


def get_excluding_quality(wildcards):
    """Flags of the tiles of annotated samples, where they exclude tiles."""
    return get_annotated_quality(wildcards) if config["quality"]["exclude"] else []


def get_annotated_quality(wildcards):
    if not config["quality"]["measure"]:
        return []
    return expand("results/{sample}/quality.tsv", sample=ANNOTATED)


# Quality: all tiles, and a few on which all methods are run.


def get_features(wildcards):
    return expand(
        "results/{sample}/quality/{block}.tsv",
        sample=wildcards.sample,
        block=get_blocks(wildcards.sample),
    )


@cache
def get_surveyed(sample):
    """Tiles of a sample that are surveyed, by block; evenly spread."""
    tiles = {}
    for tile in GRIDS[sample].spread(config["quality"]["survey"]):
        (block,) = GRIDS[sample].blocks_of(GRIDS[sample].tile_region(tile))
        tiles.setdefault(block, []).append([tile.z, tile.row, tile.column])
    return tiles


def get_surveyed_of_block(wildcards):
    return get_surveyed(wildcards.sample)[wildcards.block]


def needs_sample(sample, variant):
    return variant.segmenter.needs_sample(get_number_of_tiles(sample))


@cache
def get_survey_methods(sample):
    """Methods that are compared on a sample: those that need no pass over all of it for themselves."""
    return [
        name
        for name in get_methods_of(sample)
        if is_run(sample, name)
        or not any(needs_sample(sample, variant) for variant in METHODS[name].variants)
    ]


def get_survey_wildcards(wildcards):
    """The wildcards of each method's mask."""
    for name in get_survey_methods(wildcards.sample):
        yield Wildcards(fromdict={"sample": wildcards.sample, "method": name})


def get_survey_choices(wildcards):
    return [path for one in get_survey_wildcards(wildcards) for path in get_choices(one)]


def get_survey_thresholds(wildcards):
    return [
        path.format(sample=one.sample, method=one.method)
        for one in get_survey_wildcards(wildcards)
        for path in get_sample_threshold(one)
    ]


def get_survey_variants(wildcards):
    return [
        {
            "steps": get_method_steps(one),
            "segmenter": get_segmenter(one),
            "needs_sample": bool(get_sample_threshold(one)),
            "calibration": get_calibration(one),
        }
        for one in get_survey_wildcards(wildcards)
    ]


def get_survey_reach(wildcards):
    """Pixels around a tile that any method, with any of its parameters, needs."""
    return max(
        variant.segmenter.reach
        + chain_reach(config["filters"].get(variant.filter, []), get_dtype(wildcards))
        for name in get_survey_methods(wildcards.sample)
        for variant in METHODS[name].variants
    )


def get_survey_blocks(wildcards):
    grid = GRIDS[wildcards.sample]
    return grid.blocks_of(grid.around(get_region(wildcards), get_survey_reach(wildcards)))


def get_survey_image(wildcards):
    return get_source_paths(wildcards.sample, methods.NO_FILTER, get_survey_blocks(wildcards))


def get_survey_memory(wildcards, threads, attempt):
    return get_memory(wildcards, get_survey_reach(wildcards), 40, 1, attempt)


def get_agreement_tables(wildcards):
    if len(METHODS) < 2 or not config["quality"]["survey"]:
        return []
    return [
        f"results/{sample}/survey/{block}.tsv"
        for sample in SAMPLES
        if len(get_survey_methods(sample)) > 1
        for block in get_surveyed(sample)
    ]


def get_quality_tables(wildcards):
    return expand("results/{sample}/quality.tsv", sample=SAMPLES)


def get_fraction_tables(wildcards):
    """Tables with the fraction of foreground of all tiles, where anything segments all of them."""
    runs = get_runs() if APPLY == "all" else [(name, SEGMENTATION) for name in get_applied()]
    return [
        path
        for sample, method in runs
        for path in expand(
            "results/{sample}/{method}/thresholds/{block}.tsv",
            sample=sample,
            method=method,
            block=get_blocks(sample),
        )
    ]


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
    """Labels of a sample: its truth, masks, confusion maps, and where methods are wrong."""
    prefix = "image.zarr/labels/"
    arrays = get_arrays_by_sample()[wildcards.sample]
    return [array.removeprefix(prefix) for array in arrays if array.startswith(prefix)]


def is_label(wildcards):
    return "/labels/" in wildcards.array


def get_array_dtype(wildcards):
    return "uint8" if is_label(wildcards) else get_dtype(wildcards)


def get_fill(wildcards):
    """Value of what is not stored: truth is not annotated there."""
    return 255 if is_truth(wildcards.array.removeprefix("image.zarr/labels/")) else 0


def get_label_fill(wildcards):
    return 255 if is_truth(wildcards.label) else 0


def is_truth(label):
    """Whether a label is a truth, of all annotators or of one."""
    return label == "truth" or label.startswith("annotator-")


def get_array_channels(wildcards):
    return 3 if wildcards.array == "color.zarr" else 1


# What a run makes.


def is_applied():
    """Whether the method that was decided on segments everything."""
    return APPLY not in ("all", "none")


@cache
def get_runs(annotated=False):
    """Pairs of sample and method that masks are made of; only of samples with truth, if asked."""
    return [
        (sample, name)
        for sample in (SAMPLES if APPLY == "all" and not annotated else ANNOTATED)
        for name, method in METHODS.items()
        if sample in method.samples
    ]


@cache
def is_run(sample, method):
    """Whether a method's own mask is made of a sample."""
    return method in get_methods_of(sample) and (APPLY == "all" or bool(SAMPLES[sample].truth))


@cache
def get_applied():
    """Samples that are segmented with the method that was decided on."""
    if not is_applied():
        return []
    samples = SAMPLES if APPLY == "best" else METHODS[APPLY].samples
    return list(samples)


def get_mask_blocks(sample, method=None):
    """Blocks of a mask: all of them, or, of a method that is only tried, the annotated ones."""
    if method == SEGMENTATION or APPLY == "all":
        return get_blocks(sample)
    return get_annotated_blocks(sample)


def get_per_block(pattern, annotated=False):
    """A path for each block of each pair of sample and method."""
    return [
        path
        for sample, method in get_runs(annotated)
        for path in expand(
            pattern,
            sample=sample,
            method=method,
            block=get_annotated_blocks(sample) if annotated else get_mask_blocks(sample),
        )
    ]


def get_masks(wildcards):
    pattern = "results/{sample}/image.zarr/labels/{method}/0/c/{block}"
    applied = [
        path
        for sample in get_applied()
        for path in expand(pattern, sample=sample, method=SEGMENTATION, block=get_blocks(sample))
    ]
    return get_per_block(pattern) + applied


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


def get_decision(wildcards):
    """What annotated tiles decide, where there are any."""
    if not RANKED or not ANNOTATED:
        return []
    return ["results/decision.json", *expand("results/sweeps/{method}/sweep.tsv", method=SWEPT)]


def get_decision_tables(wildcards):
    """Decision, ranking and scores for the report."""
    names = ("decision.json", "ranking.tsv", "scores.tsv")
    return [f"results/{name}" for name in names if get_decision(wildcards)]


def get_next(wildcards):
    return ["results/annotate_next.tsv"] if get_trust(wildcards) else []


def get_differences(wildcards):
    return ["results/errors.tsv", "results/differences.tsv"] if get_error_tables("strata") else []


def get_trust(wildcards):
    return ["results/trust.tsv"] if config["quality"]["measure"] else []


def get_kept_filters(wildcards):
    """Filtered images with their metadata, where they are kept."""
    if not config["keep_filtered"]:
        return []
    used = dict.fromkeys(
        (sample, filter) for sample, method in get_runs() for filter in METHODS[method].filters
    )
    return [
        path
        for sample, filter in used
        if filter != methods.NO_FILTER
        for path in (
            *get_source_paths(sample, filter, get_blocks(sample)),
            f"results/{sample}/filtered/{filter}.zarr/zarr.json",
        )
    ]


@cache
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
        for number, _ in enumerate(SAMPLES[sample].annotators, 1):
            label = f"image.zarr/labels/annotator-{number}"
            arrays.append((sample, label, get_annotated_blocks(sample)))
    for sample in get_applied():
        arrays.append((sample, f"image.zarr/labels/{SEGMENTATION}", get_blocks(sample)))
    for sample, method in get_runs():
        arrays.append((sample, f"image.zarr/labels/{method}", get_mask_blocks(sample)))
    for sample, method in get_runs(annotated=True):
        label = f"image.zarr/labels/{method}-confusion"
        arrays.append((sample, label, get_annotated_blocks(sample)))
    for sample in ANNOTATED:
        if has_errors(sample):
            arrays.append((sample, "image.zarr/labels/errors", get_annotated_blocks(sample)))
    return arrays


@cache
def get_arrays_by_sample():
    arrays = {}
    for sample, array, _ in get_arrays():
        arrays.setdefault(sample, []).append(array)
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
