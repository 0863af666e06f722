"""How many examples a property is tried on, and what several of them are tried on."""

import json
import os
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tilewise.store.blocks import BlockWriter, strips
from tilewise.store.grid import Grid, choose_block
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part

TIMES = float(os.environ.get("TILEWISE_FUZZ", "1"))
"""As many examples as usual."""
SEEDS = st.integers(0, 2**32 - 1)
EDGES = st.sampled_from(("even", "keep"))
SCALES = {"uint8": (1, 0), "uint16": (150, 0), "int16": (150, -9000), "float32": (0.01, -1)}


def examples(usual):
    """Settings of a property; the same examples in every run."""
    return settings(
        max_examples=max(round(usual * TIMES), 1),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # what fails is small already, and shrinking it takes minutes
        phases=set(Phase) - {Phase.shrink, Phase.explain},
    )


@st.composite
def grids(draw, planes=3, longest=60, least_tile=3):
    """A sample of any shape, cut into tiles and blocks of any size."""
    tile, edges = draw(st.integers(least_tile, 24)), draw(EDGES)
    # as many sides of less than a tile as of several, with any rest
    side = st.builds(
        lambda number, rest: min(number * tile + rest, longest),
        *(st.integers(0, 3), st.integers(1, tile)),
    )
    shape = draw(st.integers(1, planes)), draw(side), draw(side)
    numbers = [draw(st.none() | st.integers(1, 3)) for _ in range(3)]
    return Grid(shape, tile, choose_block(shape, tile, *numbers, edges=edges), edges)


@st.composite
def images(draw, shape, dtypes=("uint8", "uint16", "int16", "float32")):
    """An image of objects on a ground, of noise alone, of a few grey levels, or of one."""
    random, dtype = np.random.default_rng(draw(SEEDS)), draw(st.sampled_from(dtypes))
    kind = draw(st.sampled_from(("objects", "objects", "noise", "levels", "constant")))
    if kind == "objects":
        y, x = np.indices(shape[-2:])
        is_object = (x // 5 + y // 7) % draw(st.integers(2, 5)) == 0
        values = random.normal(60, 10, shape) + draw(st.integers(1, 120)) * is_object
    elif kind == "levels":
        values = random.choice(random.integers(0, 256, draw(st.integers(2, 6))), shape)
    else:
        values = random.uniform(0, 255 if kind == "noise" else 0, shape)
    scale, offset = SCALES[dtype]
    values = values * scale + offset
    if dtype == "float32":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def regions_of_interest(shape):
    """Which pixels of a sample are in its region of interest; often all of them."""

    def drawn(seed, share):
        return (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)

    return st.builds(drawn, SEEDS, st.sampled_from((0.1, 0.9, 1)))


def cut(pixels, region):
    return pixels[..., region.z0, region.y0 : region.y1, region.x0 : region.x1]


def write(folder, grid, pixels, fill=0, codec="zstd"):
    """A sample that is a stack of its own, strip by strip: the files of its blocks, by block."""
    layout = layout_of(grid, pixels.dtype.name, fill, codec)
    files = {}
    for block in grid.blocks():
        files[block] = Path(folder, "c", block)
        files[block].parent.mkdir(parents=True, exist_ok=True)
        with BlockWriter(files[block], block, layout) as writer:
            for strip in strips(grid, block):
                writer.write(Part("s", grid, block, 0), strip, cut(pixels, strip))
    Path(folder, "zarr.json").write_text(json.dumps(layout.metadata(grid.shape)))
    return files
