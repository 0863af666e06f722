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
from tilewise.formats import Header
from tilewise.grid import Grid, choose_block

validate(config, "../schemas/config.schema.yaml")


def get_made_files():
    """Files that the rules of sources.smk make, by the name that a sheet gives them."""
    made = {}
    for name, phantom in config["phantoms"].items():
        header = Header(*phantom["shape"], 1, "uint8")
        for part in ("image", "truth"):
            made[f"phantom:{name}/{part}"] = (f"results/sources/phantom/{name}/{part}.tif", header)
    for file, download in config["downloads"].items():
        header = Header(*download["shape"], 1, download["dtype"])
        made[f"download:{file}"] = (f"results/sources/download/{file}", header)
    return made


def get_sheet_path():
    """The sample sheet, relative to the configuration that names it."""
    folder = Path(workflow.configfiles[-1]).absolute().parent
    return os.path.relpath(folder / config["samples"])


try:
    SAMPLES = sheet.read_samples(
        get_sheet_path(), get_made_files(), config["channel"], config["truth_foreground"]
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

LEVELS = range(1, config["pyramid"]["levels"] + 1)
NOTHING = r"(?!)"
GREY = [name for name, sample in SAMPLES.items() if sample.header.channels == 1]
COLOR = [name for name in SAMPLES if name not in GREY]


def get_alternatives(names):
    """A regular expression that matches the names and nothing else."""
    return "|".join(map(re.escape, names)) or NOTHING


wildcard_constraints:
    sample=get_alternatives(SAMPLES),
    filter=get_alternatives(config["filters"]),
    method=get_alternatives(METHODS),
    label=r"[^/]+",
    block=r"\d+/\d+/\d+",
    level=r"\d+",
    array=r"image\.zarr|color\.zarr|image\.zarr/labels/[^/]+",


@cache
def get_code(script):
    """A rule's script and the library modules that it imports, directly or not."""
    folder = Path(workflow.basedir, "scripts")
    return [os.path.relpath(path) for path in imports.find(folder / f"{script}.py", folder)]


@cache
def get_grid(sample):
    """A sample's grid, for `params`."""
    grid = GRIDS[sample]
    return {"shape": list(grid.shape), "tile": grid.tile, "block": list(grid.block)}


def get_dtype(wildcards):
    return SAMPLES[wildcards.sample].header.dtype


def get_samples(method):
    """Samples that a method is run on."""
    return METHODS[method].samples


@cache
def get_blocks(sample):
    return GRIDS[sample].blocks()


@cache
def get_annotated_blocks(sample):
    """Blocks that a piece of truth touches."""
    return sheet.blocks_of(SAMPLES[sample].truth, GRIDS[sample])


def get_images(wildcards):
    """Image files that hold a block's planes."""
    region = GRIDS[wildcards.sample].region(wildcards.block)
    return SAMPLES[wildcards.sample].images_of(region.z0, region.z1)[0]


def get_first_plane(wildcards):
    """Plane of the first of `get_images` that is the block's first."""
    region = GRIDS[wildcards.sample].region(wildcards.block)
    return SAMPLES[wildcards.sample].images_of(region.z0, region.z1)[1]


def get_pieces(wildcards, part):
    """Pieces of truth or of the region of interest in a block, as dictionaries."""
    pieces = getattr(SAMPLES[wildcards.sample], part)
    region = GRIDS[wildcards.sample].region(wildcards.block)
    return [vars(piece) for piece in pieces if piece.region.intersects(region)]


def get_truth_files(wildcards):
    return list(dict.fromkeys(piece["path"] for piece in get_pieces(wildcards, "truth")))


def get_roi_files(wildcards):
    return list(dict.fromkeys(piece["path"] for piece in get_pieces(wildcards, "roi")))


def get_neighbours(wildcards, reach):
    """The block and those blocks of its planes that hold pixels within its reach."""
    grid = GRIDS[wildcards.sample]
    return grid.blocks_of(grid.around(grid.region(wildcards.block), reach))


def get_filter_blocks(wildcards):
    """Blocks of the image that a block of a filter is computed from."""
    steps = config["filters"][wildcards.filter]
    return get_neighbours(wildcards, methods.filter_reach(steps, get_dtype(wildcards)))


def get_filter_input(wildcards):
    return expand(
        "results/{sample}/image.zarr/0/c/{block}",
        sample=wildcards.sample,
        block=get_filter_blocks(wildcards),
    )
