import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from tilewise.store.blocks import Blocks, strips
from tilewise.store.grid import Grid, Region, choose_block
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part, each_part
from tilewise.store.pyramid import LevelsWriter, mean, nearest


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_mean_of_four(dtype):
    pixels = np.array([[1, 2, 10], [3, 5, 12], [7, 7, 100]], dtype)
    # 11 / 4 and 44 / 4; an odd last row and column count twice: 28 / 4 and 400 / 4
    expected = [[2.75, 11], [7, 100]] if dtype == "float32" else [[3, 11], [7, 100]]
    reduced = mean(pixels)
    assert reduced.dtype == dtype
    np.testing.assert_array_equal(reduced, expected)


def test_mean_does_not_overflow():
    for dtype in ("uint8", "uint16"):
        highest = np.iinfo(dtype).max
        assert mean(np.full((2, 2), highest, dtype)) == highest
    lowest = np.full((2, 2), -32768, np.int16)
    assert mean(lowest) == -32768


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mean_of_the_largest_floats_is_exact(dtype):
    highest, power = np.finfo(dtype).max, 2.0 ** (np.finfo(dtype).maxexp - 2)
    large = np.array([[3, 1, 2, -3], [2, 2, -1, 2]]) * power
    pixels = np.concatenate([np.full((2, 4), highest), large]).astype(dtype)
    # a plane of what must not be lost beside them: 2 and 3 of the smallest number
    small = np.zeros((4, 4), dtype)
    small[:2, :2] = [[2, 3], [2, 1]]
    small *= np.finfo(dtype).smallest_subnormal
    reduced = mean(np.stack([pixels, -pixels, small]))
    assert reduced.dtype == dtype
    expected = np.array([[highest, highest], [2 * power, 0]])
    np.testing.assert_array_equal(reduced[0], expected)
    np.testing.assert_array_equal(reduced[1], -expected)
    np.testing.assert_array_equal(reduced[2], [[2 * np.finfo(dtype).smallest_subnormal, 0], [0, 0]])


@settings(deadline=None, database=None, max_examples=200)
@given(exponent=st.integers(-149, 127), seed=st.integers(0, 99))
def test_mean_of_floats_of_any_size(exponent, seed):
    random = np.random.default_rng(seed)
    with np.errstate(over="ignore", under="ignore"):
        pixels = (random.uniform(-2, 2, (6, 8)) * 2.0**exponent).astype(np.float32)
    four = pixels.reshape(3, 2, 4, 2).astype(float)
    expected, sizes = four.mean(axis=(1, 3)), np.abs(four).max(axis=(1, 3))
    # two sums of floats, each rounded
    smallest = float(np.finfo(np.float32).smallest_subnormal)
    assert (np.abs(mean(pixels) - expected) <= 2.0**-22 * sizes + smallest).all()
    if exponent < 125:
        upper, lower = pixels[::2], pixels[1::2]
        total = (upper + lower)[:, ::2] + (upper + lower)[:, 1::2]
        np.testing.assert_array_equal(mean(pixels), total / np.float32(4))


def test_what_is_no_number_remains_so():
    pixels = np.array([[np.inf, 1, np.nan, 1], [1, 1, 1, 1], [np.inf, -np.inf, 3, 3]], np.float32)
    np.testing.assert_array_equal(mean(pixels), [[np.inf, np.nan], [np.nan, 3]])


def test_channels_are_kept_apart():
    pixels = np.stack([np.zeros((2, 4), np.uint8), np.full((2, 4), 9, np.uint8)])
    np.testing.assert_array_equal(mean(pixels), [[[0, 0]], [[9, 9]]])


def test_nearest_makes_no_new_value():
    labels = np.array([[0, 4, 255], [4, 4, 4], [1, 2, 3]], np.uint8)
    np.testing.assert_array_equal(nearest(labels), [[0, 255], [1, 3]])


@dataclass
class Shared:
    """Samples in blocks of a few planes, with void planes between some of them.

    Parameters
    ----------
    parts : list of Part
    pixels : list of (planes, rows, columns) or (channels, planes, rows, columns) ndarray
        Of each part, none of them the fill value.
    levels : int
        Reduced ones.
    """

    parts: list[Part]
    pixels: list[np.ndarray]
    block: tuple[int, int, int]
    levels: int
    channels: int
    dtype: str
    fill: int
    halve: callable
    threads: int

    def layout(self, level=0):
        grid = self.parts[0].grid.level(level)
        return layout_of(grid, self.dtype, self.fill, "none", self.channels)

    def shape(self, level=0):
        """The array is as large as its samples need."""
        shapes = [part.grid.level(level).shape for part in self.parts]
        planes = max(part.offset + part.grid.shape[0] for part in self.parts)
        return planes, max(shape[1] for shape in shapes), max(shape[2] for shape in shapes)

    def place(self, part):
        """Number of the block along z."""
        return part.offset // self.block[0]

    def path(self, folder, level, z):
        return Path(folder, str(level), "c", *"0" * (self.channels > 1), str(z), "0", "0")

    def write(self, folder):
        for z in {self.place(part) for part in self.parts}:
            paths = [self.path(folder, level, z) for level in range(self.levels + 1)]
            for path in paths:
                path.parent.mkdir(parents=True)
            own = [part for part in self.parts if self.place(part) == z]
            block = f"{z}/0/0"
            writer = LevelsWriter(paths, block, self.layout(), own, self.halve, self.threads)
            with writer:
                each_part(
                    lambda part, _, writer=writer: self.store(writer, part), own, self.threads
                )

    def store(self, writer, part):
        pixels = self.pixels[self.parts.index(part)]
        for strip in strips(part.grid, part.block):
            writer.write(part, strip, pixels[..., strip.z0, strip.y0 : strip.y1, :])

    def read(self, folder, part, level):
        """Each plane of a sample, at a level."""
        z, grid = self.place(part), part.grid.level(level)
        blocks = Blocks({f"{z}/0/0": self.path(folder, level, z)}, self.layout(level))
        planes, rows, columns = grid.shape
        return np.stack(
            [
                blocks.of(part.level(level)).read(Region(z, z + 1, 0, rows, 0, columns)).copy()
                for z in range(planes)
            ],
            axis=-3,
        )

    def reduced(self, number, level):
        """What a sample comes to by itself."""
        pixels = self.pixels[number]
        for _ in range(level):
            pixels = self.halve(pixels)
        return pixels


@st.composite
def shared_samples(draw):
    side, tile = draw(st.sampled_from([(1, 4), (1, 8), (2, 4), (4, 4)]))
    block = draw(st.integers(1, 4)), side * tile, side * tile
    channels, halve = draw(st.sampled_from([(1, mean), (1, nearest), (3, mean)]))
    fill = 255 if halve is nearest and draw(st.booleans()) else 0
    dtype = "uint8" if halve is nearest else draw(st.sampled_from(["uint8", "uint16"]))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    parts, pixels, end = [], [], 0
    for number in range(draw(st.integers(1, 5))):
        size = draw(st.integers(1, block[1])), draw(st.integers(1, block[2]))
        shape = draw(st.integers(1, block[0])), *size
        offset = end + draw(st.integers(0, 2))
        if offset % block[0] + shape[0] > block[0]:
            offset += -offset % block[0]
        end = offset + shape[0]
        parts.append(Part(f"s{number}", Grid(shape, tile, block), "0/0/0", offset))
        lead = (channels,) if channels > 1 else ()
        pixels.append(random.integers(1, 255, (*lead, *shape)).astype(dtype))
    levels, threads = draw(st.integers(0, 2)), draw(st.integers(1, 3))
    return Shared(parts, pixels, block, levels, channels, dtype, fill, halve, threads)


@settings(deadline=None, database=None, max_examples=60)
@given(shared=shared_samples())
def test_companions_change_no_pixel_of_any_level(shared):
    with tempfile.TemporaryDirectory() as folder:
        shared.write(folder)
        for number, part in enumerate(shared.parts):
            for level in range(shared.levels + 1):
                found = shared.read(folder, part, level)
                assert found.dtype == shared.dtype
                np.testing.assert_array_equal(found, shared.reduced(number, level))


@settings(deadline=None, database=None, max_examples=30)
@given(shared=shared_samples())
def test_zarr_reads_shared_arrays_and_what_is_void(shared):
    with tempfile.TemporaryDirectory() as folder:
        shared.write(folder)
        for level in range(shared.levels + 1):
            layout, shape = shared.layout(level), shared.shape(level)
            lead = (shared.channels,) if shared.channels > 1 else ()
            metadata = json.dumps(layout.metadata((*lead, *shape)))
            Path(folder, str(level), "zarr.json").write_text(metadata)
            expected = np.full((*lead, *shape), shared.fill, shared.dtype)
            chunks = dict.fromkeys(map(shared.place, shared.parts), 0)
            for number, part in enumerate(shared.parts):
                own = shared.reduced(number, level)
                planes, rows, columns = own.shape[-3:]
                z = part.offset
                expected[..., z : z + planes, :rows, :columns] = own
                side = layout.chunk[-1]
                tiles = planes * -(-rows // side) * -(-columns // side)
                chunks[shared.place(part)] += shared.channels * tiles
            found = zarr.open_array(Path(folder, str(level)), mode="r")[:]
            np.testing.assert_array_equal(found, expected)
            # nothing but the samples' own tiles takes bytes: uncompressed, with checksums
            stored = side * side * np.dtype(shared.dtype).itemsize + 4
            index = 16 * np.prod(layout.chunks_along) + 4
            for z, number in chunks.items():
                size = shared.path(folder, level, z).stat().st_size
                assert size == number * stored + index


def test_a_sample_of_a_pixel_beside_a_large_one():
    # hand-written: level 1 of a 3 x 3 and of a 1 x 1 plane, whose only pixel counts four times
    block = (2, 4, 4)
    parts = [Part("one", Grid((1, 1, 1), 4, block), "0/0/0", 0)]
    parts.append(Part("three", Grid((1, 3, 3), 4, block), "0/0/0", 1))
    pixels = [np.array([[[5]]], np.uint8), np.array([[[1, 2, 9], [3, 6, 9], [7, 7, 8]]], np.uint8)]
    shared = Shared(parts, pixels, block, 2, 1, "uint8", 0, mean, 1)
    with tempfile.TemporaryDirectory() as folder:
        shared.write(folder)
        for level, ones, threes in ((1, [[5]], [[3, 9], [7, 8]]), (2, [[5]], [[7]])):
            np.testing.assert_array_equal(shared.read(folder, parts[0], level), [ones])
            np.testing.assert_array_equal(shared.read(folder, parts[1], level), [threes])


def test_chunks_that_several_tiles_end_are_in_the_same_order_on_any_number_of_threads(tmp_path):
    # tiles of 10 px end chunks of 8 px in another order than that of the chunks
    grid = Grid((1, 19, 19), 8, (1, 24, 24), "even")
    assert grid.sides == (10, 10)
    pixels = np.arange(1, 362, dtype=np.uint16).reshape(19, 19)
    part = Part("s", grid, "0/0/0", 0)
    for threads in (1, 2):
        paths, layout = [tmp_path / str(threads)], layout_of(grid, "uint16")
        with LevelsWriter(paths, "0/0/0", layout, [part], nearest, threads) as writer:
            for region in map(grid.tile_region, grid.tiles("0/0/0")):
                own = pixels[region.y0 : region.y1, region.x0 : region.x1]
                writer.write(part, region, own)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@st.composite
def large_grids(draw):
    """A sample of any number of tiles and blocks, with reduced levels that it can have."""
    tile = 4 * draw(st.integers(1, 3))
    shape = 1, draw(st.integers(1, 50)), draw(st.integers(1, 50))
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(2, 6))
    block = choose_block(shape, tile, rows=rows, columns=columns)
    split = [step for step, size in zip(block, shape, strict=True) if step < size]
    halvings = [(step & -step).bit_length() - 1 for step in split]
    return Grid(shape, tile, block), min([draw(st.integers(0, 4)), *halvings])


def write_levels(folder, grid, levels, pixels, halve, threads):
    """Write a sample that is a stack of its own, for zarr-python to read."""
    for block in grid.blocks():
        paths = [Path(folder, str(level), "c", block) for level in range(levels + 1)]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        part = Part("s", grid, block, 0)
        layout = layout_of(grid, pixels.dtype.name)
        with LevelsWriter(paths, block, layout, [part], halve, threads) as writer:
            for strip in strips(grid, block):
                own = pixels[strip.z0, strip.y0 : strip.y1, strip.x0 : strip.x1]
                # as of masks of some tiles: what holds nothing is not written
                if own.any():
                    writer.write(part, strip, own)
    for level in range(levels + 1):
        reduced = grid.level(level)
        metadata = layout_of(reduced, pixels.dtype.name).metadata(reduced.shape)
        Path(folder, str(level), "zarr.json").write_text(json.dumps(metadata))


@settings(deadline=None, database=None, max_examples=25)
@given(sized=large_grids(), halve=st.sampled_from([mean, nearest]), seed=st.integers(0, 99))
def test_blocks_and_threads_change_no_pixel_of_any_level(sized, halve, seed):
    grid, levels = sized
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 255, grid.shape, np.uint8)
    # whole rows of tiles are empty
    pixels[:, random.integers(0, grid.shape[1]) :: 3 * grid.tile] = 0
    pixels[:, random.integers(0, grid.shape[1]) :][:, : 2 * grid.tile] = 0
    with tempfile.TemporaryDirectory() as folder:
        for threads in (1, 3):
            write_levels(f"{folder}/{threads}", grid, levels, pixels, halve, threads)
        expected = pixels
        for level in range(levels + 1):
            found = zarr.open_array(Path(folder, "1", str(level)), mode="r")[:]
            np.testing.assert_array_equal(found, expected)
            expected = np.stack([halve(plane) for plane in expected])
        for path in Path(folder, "1").rglob("c/*/*/*"):
            other = Path(folder, "3", path.relative_to(Path(folder, "1")))
            assert path.read_bytes() == other.read_bytes()
