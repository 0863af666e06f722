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
from tilewise.read.annotation import Piece
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


def imagined_sample(name, shape=(1, 16, 16), dtype="uint8", channels=1, truth=(), **fields):
    """A sample whose files do not exist.

    Parameters
    ----------
    truth : sequence of int, or of such sequences
        Planes that are annotated, in whole; of each annotator, if there are several.
    fields
        Of `Sample`.
    """
    header = Header(*shape, channels, dtype)
    voted = bool(truth) and not isinstance(truth[0], int)
    annotators = tuple(
        tuple(Piece(f"{name}_{who}_{z}.png", 0, z, 0, 0, *shape[1:]) for z in planes)
        for who, planes in enumerate(truth if voted else [truth], 1)
    )
    pieces = tuple(piece for own in annotators for piece in own)
    known = {"images": (f"{name}.tif",), "pages": shape[:1], "truth": pieces, "roi": ()}
    known |= {"channel": "luma", "truth_foreground": None}
    return Sample(name, header=header, annotators=annotators if voted else (), **known | fields)


def study_of(samples, config, cores=None):
    """The study of imagined samples, by a configuration with all defaults."""
    named = {sample.name: sample for sample in samples}
    stacks, grids = read_stacks(named, config)
    by_name = {stack.name: stack for stack in stacks}
    return Study(config, named, read_methods(config, named), by_name, grids, cores)


def imagined_study(shape, block, dtype="uint8", cores=None, names=("s",), **settings):
    """A study of stacks without truth whose files do not exist, of any size, a sample each."""
    config = with_defaults(settings)
    samples = {name: imagined_sample(name, shape, dtype) for name in names}
    grids = dict.fromkeys(names, Grid(shape, config["tile"], block))
    stacks = {name: Stack(name, {name: 0}, grids[name], 0) for name in names}
    return Study(config, samples, read_methods(config, samples), stacks, grids, cores)


def collected_study(apply="best", **settings):
    """A stack `S` of samples of a tile, in three blocks of four planes.

    The first holds a, b and two planes of c, the second d and e, the third three planes of f.
    All of a, one plane of c, and d have truth; the method li is for b, d and f alone.
    """
    samples = [
        imagined_sample("a", truth=[0]),
        imagined_sample("b"),
        imagined_sample("c", (2, 16, 16), truth=[1]),
        imagined_sample("d", (1, 9, 16), truth=[0]),
        imagined_sample("e"),
        imagined_sample("f", (3, 16, 5)),
    ]
    methods = OTSU | {"li": {"threshold": "li", "samples": ["b", "d", "f"]}}
    settings = {"methods": methods, "apply": apply, "collect": {"planes": 4}} | settings
    return study_of(samples, with_defaults(settings))


S = "_small_uint8_1"
"""The name of its stack."""
