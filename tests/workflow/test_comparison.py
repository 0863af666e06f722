"""The comparison of results sees what it is there to see."""

import lzma
import math
import subprocess
import sys

import numpy as np
import pytest
import zarr
from comparison import differences, read
from PIL import Image
from projects import ROOT

SCORE = 0.1 + 0.2
"""0.30000000000000004; its neighbours differ in the last bit."""


def write(folder, score=SCORE, chunk=4):
    """A folder of results that has one of everything."""
    (folder / "discs/quality").mkdir(parents=True)
    (folder / "discs/overlay").mkdir()
    (folder / "figures").mkdir()
    pixels = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    stored = zarr.create_array(
        folder / "discs/image.zarr/0", shape=pixels.shape, chunks=(1, chunk, 8), dtype="uint8"
    )
    stored[:] = pixels
    Image.fromarray(pixels[0]).save(folder / "discs/overlay/tile.png")
    np.save(folder / "discs/consensus.npy", pixels[0, 0])
    np.savez(folder / "discs/counts.npz", levels=pixels[0, 1], edges=pixels[0, 2])
    (folder / "metrics.tsv").write_text(f"sample\tmcc\ndiscs\t{score}\n")
    (folder / "decision.json").write_text(f'{{\n"interval": [{score}, 1.0]\n}}\n')
    (folder / "decision.md").write_text(f"The best has an MCC of {score}, of 1.\n")
    (folder / "discs/quality/0.tsv").write_text("tile\tfocus\nz0\t3\n")
    (folder / "figures/otsu.svg").write_text("<svg/>")
    return folder


@pytest.fixture
def old(tmp_path):
    return write(tmp_path / "old")


@pytest.fixture
def new(tmp_path):
    return write(tmp_path / "new")


def compare(old, new, tolerance=0.0):
    return differences(read(old), read(new), tolerance)


def named(found):
    """Files that differ."""
    return [line.split(":")[0] for line in found]


def test_equal_results_have_no_differences(old, new):
    assert compare(old, new) == []
    # all that there is has been compared, but the figure
    assert read(old).keys() == {
        *("discs/image.zarr/0", "discs/overlay/tile.png", "discs/consensus.npy"),
        *("discs/counts.npz", "discs/quality/0.tsv"),
        *("metrics.tsv", "decision.json", "decision.md"),
    }


def test_chunks_and_figures_do_not_count(old, tmp_path):
    new = write(tmp_path / "new", chunk=8)
    (new / "figures/otsu.svg").write_text("<svg></svg>")
    assert compare(old, new) == []


def test_a_changed_pixel_of_an_array(old, new):
    zarr.open_array(new / "discs/image.zarr/0", mode="r+")[0, 7, 7] = 0
    assert named(compare(old, new, 1.0)) == ["discs/image.zarr/0"]


def test_other_types_of_equal_pixels_differ(old, new):
    np.save(new / "discs/consensus.npy", np.arange(8, dtype=np.int8))
    assert named(compare(old, new)) == ["discs/consensus.npy"]


def test_a_changed_pixel_of_a_picture(old, new):
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    pixels[3, 3] += 1
    Image.fromarray(pixels).save(new / "discs/overlay/tile.png")
    assert named(compare(old, new, 1.0)) == ["discs/overlay/tile.png"]


def test_a_changed_part_of_an_archive(old, new):
    levels, edges = np.arange(8, 16, dtype=np.uint8), np.arange(17, 25, dtype=np.uint8)
    np.savez(new / "discs/counts.npz", levels=levels, edges=edges)
    assert named(compare(old, new, 1.0)) == ["discs/counts.npz"]


def test_a_changed_cell(old, new):
    (new / "metrics.tsv").write_text("sample\tmcc\ndiscs\t0.31\n")
    line = f"metrics.tsv: line 2: discs\t{SCORE} became discs\t0.31"
    assert compare(old, new) == compare(old, new, 1e-9) == [line]
    # within the tolerance
    assert compare(old, new, 0.1) == []


def test_a_changed_word_is_a_difference_with_any_tolerance(old, new):
    (new / "metrics.tsv").write_text(f"sample\tmcc\ndisks\t{SCORE}\n")
    assert named(compare(old, new, 1.0)) == ["metrics.tsv"]


@pytest.mark.parametrize("text", ["sample\tmcc\n", "sample\tmcc\ndiscs\t0.3\t1\n"])
def test_a_lost_row_and_a_new_column(old, new, text):
    (new / "metrics.tsv").write_text(text)
    assert named(compare(old, new, 1.0)) == ["metrics.tsv"]


def test_a_missing_table(old, new):
    (new / "metrics.tsv").unlink()
    assert compare(old, new, 1.0) == ["metrics.tsv: only in the old results"]
    assert compare(new, old, 1.0) == ["metrics.tsv: only in the new results"]


def test_a_missing_array(old, new):
    (new / "discs/image.zarr/0/zarr.json").unlink()
    assert "discs/image.zarr/0: only in the old results" in compare(old, new)


def test_a_missing_intermediate_table_shows_in_others(old, new):
    (new / "discs/quality/0.tsv").unlink()
    assert compare(old, new) == compare(new, old) == []


def test_a_changed_intermediate_table(old, new):
    (new / "discs/quality/0.tsv").write_text("tile\tfocus\nz0\t4\n")
    assert compare(old, new) == ["discs/quality/0.tsv: line 2: z0\t3 became z0\t4"]


def test_last_bits_count_without_a_tolerance(old, tmp_path):
    new = write(tmp_path / "new", score=math.nextafter(SCORE, 1))
    assert named(compare(old, new)) == ["decision.json", "decision.md", "metrics.tsv"]
    assert compare(old, new, 1e-9) == []


def test_changed_attributes_of_an_image_count_and_those_of_labels_do_not(old, new):
    for path, attributes in ((old, {"ome": 1}), (new, {"ome": 2})):
        zarr.create_group(path / "stain.zarr", attributes=attributes)
    assert named(compare(old, new)) == ["stain.zarr/zarr.json"]
    for path, attributes in ((old, {"ome": 1}), (new, {"ome": 1})):
        zarr.create_group(path / "stain.zarr", attributes=attributes, overwrite=True)
        zarr.create_group(path / "stain.zarr/labels/otsu", attributes={"folder": str(path)})
    assert compare(old, new) == []


def test_frozen_results_are_the_folder_s(old, new, tmp_path):
    def command(*arguments):
        script = ROOT / "tests/workflow/comparison.py"
        return subprocess.run(
            [sys.executable, script, *arguments], capture_output=True, text=True, check=False
        )

    frozen = tmp_path / "frozen.json.xz"
    assert command("--freeze", old, frozen).returncode == 0
    assert lzma.decompress(frozen.read_bytes()).startswith(b"{")
    assert compare(frozen, new) == []
    done = command(frozen, new)
    assert (done.returncode, done.stdout) == (0, "0 differences; 8 files and arrays compared\n")
    (new / "decision.md").unlink()
    done = command(frozen, new)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "decision.md: only in the old results"
