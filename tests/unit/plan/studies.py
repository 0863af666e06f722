"""Studies of tiny images, for the tests of the plan."""

import copy
from pathlib import Path

import numpy as np
from PIL import Image
from snakemake.utils import validate

from tilewise.plan.methods import read_methods
from tilewise.plan.sheet import Sample
from tilewise.plan.stacks import Stack, read_stacks
from tilewise.plan.study import Study, read_study
from tilewise.read.header import Header
from tilewise.store.grid import Grid

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
OTSU = {"otsu": {"threshold": "otsu"}}
ALONE = {"side": 0}
"""What makes a stack of each sample: tests of collected samples say `collect={}`, or more."""


def with_defaults(settings):
    """A configuration as the workflow has it: checked, with all defaults."""
    small = {"samples": "my.tsv", "tile": 16, "methods": OTSU, "pyramid": {"levels": 0}}
    small |= {"collect": ALONE}
    # a copy, since defaults are written into what is given
    config = copy.deepcopy(small | settings)
    validate(config, str(SCHEMA))
    return config


def write_sample(folder, name, shape=(1, 64, 64), truth=(), dtype="uint8", **columns):
    """Planes of a sample, PNG each, and truth of the planes with these numbers.

    Returns
    -------
    dict
        Its row of the sheet.
    """
    (folder / name).mkdir()
    planes, rows, columns_of_plane = shape
    for z in range(planes):
        pixels = np.zeros((rows, columns_of_plane), dtype)
        Image.fromarray(pixels).save(folder / name / f"image_{z}.png")
        if z in truth:
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"truth_{z}.png")
    row = {"sample": name, "image": f"{name}/image_*.png"}
    return row | ({"truth": f"{name}/truth_*.png"} if truth else {}) | columns


def make_study(folder, *rows, cores=None, **settings):
    """The study of a sheet with these rows."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    (folder / "my.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    return read_study(with_defaults(settings), folder, cores)


def imagined_study(shape, block=None, dtype="uint8", cores=None, names=("s",), **settings):
    """A study of samples without truth whose files do not exist, of any size.

    Each is a stack of its own if a block is given, else what the configuration makes of them.
    """
    config = with_defaults(settings)
    header = Header(*shape, 1, dtype)
    samples = {
        name: Sample(name, ("s.tif",), (shape[0],), header, (), (), (), "luma", None)
        for name in names
    }
    if block is None:
        stacks, grids = read_stacks(samples, config)
    else:
        grids = dict.fromkeys(names, Grid(shape, config["tile"], block))
        stacks = [Stack(name, {name: 0}, grids[name]) for name in names]
    by_name = {stack.name: stack for stack in stacks}
    return Study(config, samples, read_methods(config, samples), by_name, grids, cores)
