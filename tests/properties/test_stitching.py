"""Stitching tiles gives back the image, for every shape, tile, block, stack and part."""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import zarr
from drawn import EDGES, SEEDS, cut, examples, grids
from hypothesis import given
from hypothesis import strategies as st

from tilewise.store.blocks import Blocks, BlockWriter, strips
from tilewise.store.grid import Grid, Region
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part


@st.composite
def shared_stacks(draw):
    """Samples of any size in blocks of a shared stack, one after the other."""
    tile, along, planes = (draw(st.integers(low, high)) for low, high in ((3, 20), (1, 3), (1, 4)))
    side = along * tile
    parts, end = [], 0
    for number in range(draw(st.integers(1, 4))):
        # even tiles may be larger than a chunk, but a sample is no larger than its block
        shape = draw(st.integers(1, planes)), *draw(st.tuples(*[st.integers(1, side)] * 2))
        offset = end + draw(st.integers(0, 2))
        if offset % planes + shape[0] > planes:
            offset += -offset % planes
        grid = Grid(shape, tile, (planes, side, side), draw(EDGES))
        parts.append(Part(f"s{number}", grid, "0/0/0", offset))
        end = offset + shape[0]
    return parts


def alone(grid):
    return [Part("s0", grid, block, 0) for block in grid.blocks()]


def block_of(part):
    """The block of the stack that a part lies in."""
    z, y, x = map(int, part.block.split("/"))
    return f"{z + part.offset // part.grid.block[0]}/{y}/{x}"


@examples(60)
@given(
    parts=grids().map(alone) | shared_stacks(),
    kind=st.tuples(
        st.sampled_from(("uint8", "uint16", "int16", "float32")),
        st.sampled_from(("none", "zstd", "lz4")),
        st.sampled_from((1, 3)),
        st.sampled_from((0, 255)),
    ),
    by_tile=st.booleans(),
    threads=st.integers(1, 3),
    seed=SEEDS,
)
def test_tiles_are_stitched_to_the_image(parts, kind, by_tile, threads, seed):
    (dtype, codec, channels, fill), random = kind, np.random.default_rng(seed)
    fill = fill if dtype == "uint8" else 0
    lead = (channels,) if channels > 1 else ()
    layout = layout_of(parts[0].grid, dtype, fill, codec, channels)
    images = {
        # half of the pixels, and some whole tiles, have the value of what is not stored
        part.sample: np.where(
            random.random((*lead, *part.grid.shape)) < random.choice([0, 0.5, 1]),
            fill,
            random.integers(0, 127, (*lead, *part.grid.shape)),
        ).astype(dtype)
        for part in parts
    }

    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for block in dict.fromkeys(map(block_of, parts)):
            z, y, x = block.split("/")
            files[block] = Path(folder, "c", *"0" * len(lead), z, y, x)
            files[block].parent.mkdir(parents=True, exist_ok=True)
            with BlockWriter(files[block], block, layout, threads) as writer:
                jobs = []
                for part in filter(lambda part, own=block: block_of(part) == own, parts):
                    grid, regions = part.grid, list(strips(part.grid, part.block))
                    if by_tile:
                        regions = list(map(grid.tile_region, grid.tiles(part.block)))
                        random.shuffle(regions)
                    jobs += [(part, own, cut(images[part.sample], own)) for own in regions]
                # tiles of one part that are no chunks meet in a chunk, from several threads
                with ThreadPoolExecutor(threads) as pool:
                    list(pool.map(lambda job, to=writer: to.write(*job), jobs))
        planes = max(part.offset + part.grid.shape[0] for part in parts)
        rows, columns = (max(part.grid.shape[axis] for part in parts) for axis in (1, 2))
        expected = np.full((*lead, planes, rows, columns), fill, dtype)
        blocks = Blocks(files, layout)
        for part in parts:
            own, (depth, height, width) = images[part.sample], part.grid.shape
            expected[..., part.offset : part.offset + depth, :height, :width] = own
            reader, stitched = blocks.of(part), np.zeros_like(own)
            for tile in part.grid.tiles_in(Region(0, depth, 0, height, 0, width)):
                region = part.grid.tile_region(tile)
                cut(stitched, region)[:] = reader.tile(tile)
                assert reader.is_stored(tile) or (cut(own, region) == fill).all()
            np.testing.assert_array_equal(stitched, own)
            z, y, x = (int(random.integers(size)) for size in part.grid.shape)
            y1, x1 = int(random.integers(y, height)) + 1, int(random.integers(x, width)) + 1
            region = Region(z, z + 1, y, y1, x, x1)
            np.testing.assert_array_equal(reader.read(region), cut(own, region))
        metadata = json.dumps(layout.metadata(expected.shape))
        Path(folder, "zarr.json").write_text(metadata)
        np.testing.assert_array_equal(zarr.open_array(folder, mode="r")[:], expected)
