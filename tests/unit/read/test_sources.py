import os
import shutil

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from tilewise.read import sources
from tilewise.read.sources import Planes, first_planes, record, revision_of, write

RNG = np.random.default_rng(3)
STACK = RNG.integers(0, 256, (6, 40, 50), np.uint8)


@pytest.fixture(autouse=True)
def a_new_process():
    """What is asked once per process is asked again in every test."""
    forget()
    yield
    forget()


def forget():
    sources.stamp.cache_clear()
    sources.checksum.cache_clear()


def save_png(path):
    Image.fromarray(STACK[0]).save(path, "PNG")


def save_tiff(path, pixels=STACK, **options):
    tifffile.imwrite(path, pixels, photometric="minisblack", **options)


def save_zarr(path, version=3, **options):
    group = zarr.open_group(path, mode="w", zarr_format=version)
    array = group.create_array("0", data=STACK, **options)
    entry = {"axes": [{"name": axis} for axis in "zyx"], "datasets": [{"path": "0"}]}
    multiscales = {"multiscales": [entry]}
    group.attrs.update({"ome": multiscales} if version == 3 else multiscales)
    return array


def recorded(path, planes, revision=""):
    """A record of planes, which the next process will find."""
    write(path, record(planes), revision)
    forget()


def touch(path, by=10**9):
    """Another time, of a file or of all in a folder; `by` nanoseconds later."""
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + by))


MAKERS = {
    "png": (save_png, 1),
    "tiff": (save_tiff, 6),
    "pages": (lambda path: save_tiff(path, compression="zlib"), 6),
    "tiles": (lambda path: save_tiff(path, tile=(16, 16)), 6),
    "zarr": (lambda path: save_zarr(path, chunks=(2, 16, 16)), 6),
    "shards": (lambda path: save_zarr(path, chunks=(1, 16, 16), shards=(2, 32, 32)), 6),
    "zarr 2": (lambda path: save_zarr(path, 2, chunks=(2, 16, 16)), 6),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("by", [10**9, -(10**9)])
def test_touched_files_are_at_the_same_revision(tmp_path, kind, by):
    make, number = MAKERS[kind]
    make(tmp_path / "image")
    planes = [Planes(str(tmp_path / "image"), 0, number)]
    assert revision_of(tmp_path / "record", planes) == ""
    recorded(tmp_path / "record", planes, "abc")
    assert revision_of(tmp_path / "record", planes) == "abc"
    touch(tmp_path / "image", by)
    forget()
    assert revision_of(tmp_path / "record", planes) == "abc"


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("by", [10**9, -(10**9)])
def test_other_pixels_are_another_revision(tmp_path, kind, by, monkeypatch):
    make, number = MAKERS[kind]
    make(tmp_path / "image")
    planes = [Planes(str(tmp_path / "image"), 0, number)]
    recorded(tmp_path / "record", planes)
    before = (tmp_path / "image").stat().st_mtime_ns
    other = STACK.copy()
    other[:, 39, 49] ^= 1
    monkeypatch.setattr("test_sources.STACK", other)
    shutil.rmtree(tmp_path / "image", ignore_errors=True)
    if kind in ("tiff", "pages", "tiles"):
        save_options = {"tiff": {}, "pages": {"compression": "zlib"}, "tiles": {"tile": (16, 16)}}
        save_tiff(tmp_path / "image", other, **save_options[kind])
    else:
        make(tmp_path / "image")
    os.utime(tmp_path / "image", ns=(before, before + by))
    revision = revision_of(tmp_path / "record", planes)
    assert revision != ""
    # what has been read by then stays at it
    recorded(tmp_path / "record", planes, revision)
    assert revision_of(tmp_path / "record", planes) == revision


@pytest.mark.parametrize("kind", ["tiff", "pages", "tiles"])
def test_only_the_planes_that_changed(tmp_path, kind):
    options = {"tiff": {}, "pages": {"compression": "zlib"}, "tiles": {"tile": (16, 16)}}[kind]
    path = tmp_path / "image"
    save_tiff(path, **options)
    parts = [[Planes(str(path), first, 2)] for first in (0, 2, 4)]
    for number, planes in enumerate(parts):
        recorded(tmp_path / str(number), planes)
    other = STACK.copy()
    other[3, 5, 5] ^= 1
    save_tiff(path, other, **options)
    touch(path)
    changed = [
        bool(revision_of(tmp_path / str(number), planes)) for number, planes in enumerate(parts)
    ]
    # of compressed pages, those behind a longer one have moved, but are the same
    assert changed == [False, True, False]


def test_pixels_that_change_inside_a_folder(tmp_path):
    array = save_zarr(tmp_path / "image", chunks=(2, 16, 16))
    parts = [[Planes(str(tmp_path / "image"), first, 2)] for first in (0, 2, 4)]
    for number, planes in enumerate(parts):
        recorded(tmp_path / str(number), planes)
    array[3, 5, 5] ^= 1
    changed = [
        bool(revision_of(tmp_path / str(number), planes)) for number, planes in enumerate(parts)
    ]
    assert changed == [False, True, False]


def test_tags_of_a_tiff_count(tmp_path):
    path = tmp_path / "a.tif"
    save_tiff(path)
    recorded(tmp_path / "record", [Planes(str(path), 3, 1)])
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[262].overwrite(0)
    touch(path)
    assert revision_of(tmp_path / "record", [Planes(str(path), 3, 1)]) != ""


def test_a_file_that_changes_while_it_is_read(tmp_path):
    save_png(tmp_path / "a.png")
    records = record([Planes(str(tmp_path / "a.png"), 0, 1)])
    touch(tmp_path / "a.png")
    with pytest.raises(ValueError, match="a.png was changed while it was read: run again"):
        write(tmp_path / "record", records, "")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"sources": [1]}', '{"sources": []}'])
def test_damaged_record_counts_as_none(tmp_path, text):
    save_png(tmp_path / "a.png")
    (tmp_path / "record").write_text(text)
    assert revision_of(tmp_path / "record", [Planes(str(tmp_path / "a.png"), 0, 1)]) == ""


def test_copies_have_equal_first_planes(tmp_path):
    for name, value in (("a.png", 1), ("b.png", 2), ("c.png", 3)):
        Image.fromarray(np.full((4, 5), value, np.uint8)).save(tmp_path / name)
    shutil.copyfile(tmp_path / "a.png", tmp_path / "copy.png")
    files = [str(tmp_path / name) for name in ("a.png", "b.png", "c.png", "copy.png")]
    for number, own in enumerate((files[:2], files[2:])):
        write(tmp_path / f"{number}.json", record(Planes(file, 0, 1) for file in own), "")
    read = first_planes([tmp_path / "0.json", tmp_path / "1.json"])
    assert list(read) == files
    assert read[files[0]] == read[files[3]]
    assert len(set(read.values())) == 3
