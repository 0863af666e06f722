"""Folders of tiles to paint in, from results that are written here without a run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tilewise.annotate import folder
from tilewise.annotate.pictures import contrast, picture
from tilewise.annotate.results import Results
from tilewise.annotate.tiles import read_tiles
from tilewise.read.painted import file_checksum, pixel_checksum
from tilewise.store import ngff
from tilewise.store.blocks import BlockWriter
from tilewise.store.grid import Grid, Region
from tilewise.store.layout import layout_of
from tilewise.store.parts import Part
from tilewise.tables import read_rows, write_rows

HEIGHT, WIDTH = 40, 56
RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.integers(1000, 3000, (2, HEIGHT, WIDTH)).astype(np.uint16)
MASK = (RANDOM.random((2, HEIGHT, WIDTH)) < 0.3).astype(np.uint8)
OTHER = 1 - MASK
COLORS = RANDOM.integers(0, 256, (3, 1, 24, 30), dtype=np.uint8)
TILES = {"z0001_y01_x02": (1, 16, 32, 16, 16), "z0000_y02_x03": (0, 32, 48, 8, 8)}
"""Of the large sample: plane, corner and size."""


def write_array(path, pixels, block, offset=0, fill=0):
    """An array in blocks of chunks of 16 x 16 pixels, and what says so."""
    shape = pixels.shape[-3:]
    grid = Grid(shape, 16, block)
    channels = pixels.shape[0] if pixels.ndim == 4 else 1
    layout = layout_of(grid, pixels.dtype.name, fill, channels=channels)
    for own in grid.blocks():
        z, y, x = map(int, own.split("/"))
        stored = f"{(offset + z * block[0]) // block[0]}/{y}/{x}"
        file = path / "0/c" / (f"0/{stored}" if channels > 1 else stored)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = Part("s", grid, own, offset)
        with BlockWriter(file, stored, layout) as writer:
            for tile in grid.tiles(own):
                region = grid.tile_region(tile)
                at = pixels[..., tile.z, region.y0 : region.y1, region.x0 : region.x1]
                writer.write(part, region, at)
    axes = "czyx" if channels > 1 else "zyx"
    ngff.write(path / "0/zarr.json", ngff.array(layout, pixels.shape, axes))


@pytest.fixture
def results(tmp_path):
    """A large sample of uint16 in blocks of 1 x 32 x 64, and a small one in colour, which shares.

    The method that was decided on has segmented the first tile of the large sample, another one
    the second.
    """
    root = tmp_path / "results"
    large, small = root / "large", root / "_small_uint8_rgb_4"
    write_array(large / "image.zarr", IMAGE, (1, 32, 64))
    write_array(large / "image.zarr/labels/segmentation", MASK, (1, 32, 64))
    write_array(large / "image.zarr/labels/other", OTHER, (1, 32, 64))
    inside = np.ones_like(MASK)
    inside[1, :, :36] = 0
    write_array(large / "image.zarr/labels/roi", inside, (1, 32, 64))
    labels = ["truth", "segmentation", "worse", "other"]
    ngff.write(large / "image.zarr/labels/zarr.json", ngff.labels_group(labels))
    for label, block, tile in (
        ("segmentation", "1/0/0", "z0001_y01_x02"),
        ("other", "0/1/0", "z0000_y02_x03"),
    ):
        table = large / label / f"thresholds/{block}.tsv"
        table.parent.mkdir(parents=True)
        write_rows(table, ("sample", "tile"), [{"sample": "large", "tile": tile}])
    write_array(small / "image.zarr", COLORS[0], (4, 32, 32), offset=6)
    write_array(small / "color.zarr", COLORS, (4, 32, 32), offset=6)
    (small / "image.zarr/labels").mkdir()
    ngff.write(small / "image.zarr/labels/zarr.json", ngff.labels_group([]))
    columns = ("sample", "stack", "block", "first_plane", "planes", "height", "width")
    places = [
        ("large", "large", "", 0, 2, HEIGHT, WIDTH),
        ("small", "_small_uint8_rgb_4", "1/0/0", 6, 1, 24, 30),
    ]
    rows = [dict(zip(columns, place, strict=True)) for place in places]
    write_rows(root / "stacks.tsv", columns, rows)
    (root / "choice.json").write_text(json.dumps({"method": "best"}))
    write_rows(root / "ranking.tsv", ("method",), [{"method": "best"}, {"method": "other"}])
    write_next(root)
    return Results(root)


def write_next(root, **cells):
    columns = ("sample", "tile", "z", "y", "x", "height", "width", "purpose", "pi")
    rows = [
        dict(zip(columns, ("large", name, *place, "train", ""), strict=True)) | cells
        for name, place in TILES.items()
    ]
    small = ("small", "z0000_y00_x00", 0, 0, 0, 24, 30, "train", "")
    rows.append(dict(zip(columns, small, strict=True)) | cells)
    write_rows(root / "annotate_next.tsv", columns, rows)


def write(results, context=4, **settings):
    tiles = read_tiles(results.folder / "annotate_next.tsv", results)
    return folder.write(results, tiles, results.folder / "annotate", "next", context, **settings)


def test_images_and_masks_are_those_of_the_results(results):
    written = write(results)
    own = written.folder / "large"
    # 16 to 31, 32 to 47, and four more on each side
    values = tifffile.imread(own / "z0001_y01_x02_values.tif")
    np.testing.assert_array_equal(values, IMAGE[1, 12:36, 28:52])
    mask = tifffile.imread(own / "z0001_y01_x02_mask.tif")
    assert mask.dtype == np.uint8
    expected = np.full((24, 24), 128)
    expected[4:20, 4:20] = np.where(MASK[1, 16:32, 32:48], 255, 0)
    # columns 32 to 35 are outside of the region of interest
    expected[:, :8] = 128
    np.testing.assert_array_equal(mask, expected)
    # the other tile lies in the corner of its plane, and another method has segmented it
    mask = tifffile.imread(own / "z0000_y02_x03_mask.tif")
    np.testing.assert_array_equal(mask[4:, 4:], np.where(OTHER[0, 32:, 48:], 255, 0))
    assert (mask.shape, np.unique(mask[:4]).tolist()) == ((12, 12), [128])


def test_images_in_colour_of_a_shared_stack(results):
    written = write(results)
    shown = np.asarray(Image.open(written.folder / "small/z0000_y00_x00_image.png"))
    np.testing.assert_array_equal(shown, np.moveaxis(COLORS[:, 0], 0, -1))
    # nothing has segmented it, and all values are shown
    mask = tifffile.imread(written.folder / "small/z0000_y00_x00_mask.tif")
    assert (mask.shape, mask.max()) == ((24, 30), 0)
    assert not (written.folder / "small/z0000_y00_x00_values.tif").exists()
    assert written.masks == {"segmentation": 1, "other": 1, "empty": 1}


def test_the_table_says_where_tiles_lie_and_how_they_began(results):
    written = write(results)
    rows = read_rows(written.tables["large"])
    assert [row["path"] for row in rows] == ["z0001_y01_x02_mask.tif", "z0000_y02_x03_mask.tif"]
    first, last = rows
    place = ",".join(first[name] for name in ("z", "y", "x", "height", "width"))
    assert place == "1,16,32,16,16"
    assert (first["context"], last["context"]) == ("4 4 4 4", "4 0 4 0")
    assert [row["mask"] for row in rows] == ["segmentation", "other"]
    assert (first["purpose"], first["pi"], first["accepted"]) == ("train", "", "")
    labels = MASK[1, 16:32, 32:48].copy()
    labels[:, :4] = 255
    file = file_checksum(written.folder / "large" / first["path"])
    assert first["start"] == f"{file:08x}-{pixel_checksum(labels):08x}"


def test_probabilities_are_carried_over(results):
    write_next(results.folder, purpose="estimate", pi="0.125")
    written = write(results)
    (row,) = read_rows(written.tables["small"])
    assert (row["purpose"], row["pi"]) == ("estimate", "0.125")
    text = (written.folder / "README.txt").read_text()
    assert "drawn at random" in text
    assert "look hard" not in text


def test_masks_may_begin_without_foreground(results):
    written = write(results, is_empty=True)
    assert written.masks == {"empty": 3}
    mask = tifffile.imread(written.folder / "large/z0001_y01_x02_mask.tif")
    assert sorted(np.unique(mask)) == [0, 128]


def test_another_run_changes_nothing_of_an_earlier_one(results):
    first = write(results)
    before = {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    (results.folder / "annotate/next-7").mkdir()
    second = write(results)
    assert (first.folder.name, second.folder.name) == ("next-1", "next-8")
    assert {path: path.read_bytes() for path in before} == before


def test_a_folder_of_another_run_at_the_same_time_is_not_taken(results, monkeypatch):
    rename = type(results.folder).rename

    def late(path, target):
        if not target.exists():
            target.mkdir()
            (target / "README.txt").write_text("of the other")
            monkeypatch.undo()
        return rename(path, target)

    monkeypatch.setattr(type(results.folder), "rename", late)
    written = write(results)
    assert written.folder.name == "next-2"
    assert "next-2/large/windows.tsv" in (written.folder / "README.txt").read_text()
    assert (results.folder / "annotate/next-1/README.txt").read_text() == "of the other"


def test_what_is_interrupted_leaves_nothing(results, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "mask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(results)
    assert os.listdir(results.folder / "annotate") == []


def test_instructions_name_the_tables_and_three_programs(results):
    written = write(results)
    text = (written.folder / "README.txt").read_text()
    for name in ("napari", "Fiji", "GIMP", "accepted", "look hard"):
        assert name in text
    for sample in ("large", "small"):
        assert f"    {sample}: {written.tables[sample].as_posix()}\n" in text
    assert "1: that of other" in text


def refused(results, message, **settings):
    with pytest.raises(ValueError, match=message):
        read_tiles(results.folder / "annotate_next.tsv", results, **settings)


def test_a_number_of_tiles_is_of_each_sample(results):
    tiles = read_tiles(results.folder / "annotate_next.tsv", results, 1)
    assert [tile.name for tile in tiles] == ["z0001_y01_x02", "z0000_y00_x00"]


def test_no_part_of_a_random_draw_is_taken(results):
    write_next(results.folder, pi="0.5")
    refused(results, "is a random draw, of which `pi` holds for all tiles together", number=1)


def test_tables_that_cannot_be(results, tmp_path):
    table = results.folder / "annotate_next.tsv"
    write_next(results.folder, sample="gone")
    refused(results, r"sample gone is not in .*stacks\.tsv: take the table of the same results")
    write_next(results.folder, x="60")
    refused(results, r"tile z0001_y01_x02 does not lie within sample large \(2 x 40 x 56\)")
    write_next(results.folder, y="")
    refused(results, "z, y, x, height, width of tile z0001_y01_x02 of sample large must be whole")
    table.write_text("sample\ttile\tz\ty\tx\n" + "large\ta\t0\t0\t0\n")
    refused(results, "has no column `height`: it needs")
    table.write_text("sample\ttile\tz\ty\tx\theight\twidth\n")
    refused(results, "has no tiles: all have truth or are empty, or `next`")
    for damaged in (b"sample\ttile\nlarge\n", b"sample\ttile\nlarge\t\xff\n"):
        table.write_bytes(damaged)
        # it may be a table of the user's
        refused(results, "is no table, or a row has other fields than its header: save it as text")
    table.unlink()
    refused(results, "does not exist: run snakemake first, with `measure: true`")
    with pytest.raises(ValueError, match=r"stacks\.tsv does not exist: run snakemake first, or"):
        read_tiles(table, Results(tmp_path / "nowhere"))


def test_the_command_says_in_one_line_what_is_wrong(results):
    script = Path(__file__).parents[3] / "scripts/annotate.py"
    command = [sys.executable, script, "--results", results.folder, "--random"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    table = results.folder / "annotate_random.tsv"
    assert done.stderr.startswith(f"annotate.py: {table} does not exist: run snakemake first")
    assert done.stderr.count("\n") == 1
    assert not (results.folder / "annotate").exists()


def test_damaged_and_missing_results_are_named(results):
    block = results.folder / "large/image.zarr/0/c/1/0/0"
    block.unlink()
    with pytest.raises(ValueError, match=r"large/image\.zarr/0/c/1/0/0 does not exist: run"):
        results.image("large", Region(1, 2, 0, 8, 0, 8))
    (results.folder / "large/image.zarr/0/zarr.json").write_text("{}")
    with pytest.raises(ValueError, match="zarr.json: it describes no array of tilewise"):
        Results(results.folder).image("large", Region(0, 1, 0, 8, 0, 8))


def test_contrast_is_that_of_all_images():
    low, high = np.zeros((10, 100), np.float32), np.full((10, 100), 2.0, np.float32)
    assert contrast([low, high]) == (0.0, 2.0)
    assert picture(np.array([[-1.0, 0.0, 1.0, 2.0, 9.0]]), (0.0, 2.0)).tolist() == [
        [0, 0, 128, 255, 255]
    ]
    # a single bright pixel is above the percentile, which is that of all others
    point = np.zeros((100, 100), np.float32)
    point[0, 0] = 50
    assert contrast([point]) == (0.0, 50.0)
    constant = np.full((2, 2), 7, np.int16)
    assert picture(constant, contrast([constant])).tolist() == [[0, 0], [0, 0]]
    assert contrast([np.zeros((2, 2), np.uint8)]) is None
