import numpy as np
import pytest
from PIL import Image

from tilewise.plan.sheet import blocks_of, choose_tiles, number_files, read_samples
from tilewise.read.annotation import Piece
from tilewise.read.header import Header
from tilewise.store.grid import Grid
from tilewise.view.png import write_png


@pytest.fixture
def folder(tmp_path):
    for number in (1, 2, 10):
        Image.fromarray(np.zeros((40, 50), np.uint8)).save(tmp_path / f"plane_{number}.png")
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(tmp_path / "window.png")
    return tmp_path


def read(folder, *rows, named=None, channel="luma", truth_foreground=None, pixel_size=None):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    (folder / "sheet.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    path = folder / "sheet.tsv"
    return read_samples(path, named or {}, channel, truth_foreground, pixel_size)


def test_planes_in_natural_order(folder):
    sample = read(folder, {"sample": "brain", "image": "plane_*.png", "site": "A"})["brain"]
    assert [path.rsplit("_")[-1] for path in sample.images] == ["1.png", "2.png", "10.png"]
    assert sample.shape == (3, 40, 50)
    assert sample.metadata == {"site": "A"}
    assert sample.truth == ()
    assert sample.images_of(1, 2) == [(sample.images[1], 0, 1)]
    assert sample.images_of(1, 3) == [(path, 0, 1) for path in sample.images[1:]]


def test_pages_of_a_stack(folder):
    named = {"phantom:a/image": [("a.tif", Header(4, 40, 50, 1, "uint8"))]}
    sample = read(folder, {"sample": "a", "image": "phantom:a/image"}, named=named)["a"]
    assert sample.shape == (4, 40, 50)
    assert sample.images_of(2, 4) == [("a.tif", 2, 2)]


def test_stored_planes(folder):
    header = Header(3, 40, 50, 1, "uint16")
    files = number_files("s3://bucket/plane_{:03d}.tif", 9, header)
    assert [file for file, _ in files] == [
        f"s3://bucket/plane_{n}.tif" for n in ("009", "010", "011")
    ]
    truth = number_files("s3://bucket/truth.tif", 0, header)
    named = {"stored:a": files, "stored:b": truth}
    rows = {"sample": "a", "image": "stored:a", "truth": "stored:b"}
    sample = read(folder, rows, named=named)["a"]
    assert sample.shape == (3, 40, 50)
    assert sample.images_of(1, 2) == [("s3://bucket/plane_010.tif", 0, 1)]
    assert [(piece.path, piece.page, piece.z) for piece in sample.truth] == [
        ("s3://bucket/truth.tif", z, z) for z in range(3)
    ]


def test_truth_by_number(folder):
    for number in (2, 10):
        path = folder / f"truth{number:03d}.png"
        Image.fromarray(np.zeros((40, 50), np.uint8)).save(path)
    rows = {"sample": "brain", "image": "plane_*.png", "truth": "truth*.png"}
    assert [piece.z for piece in read(folder, rows)["brain"].truth] == [1, 2]


def windows(folder, *lines):
    text = "".join("\t".join(map(str, line)) + "\n" for line in [("z", "y", "x", "path"), *lines])
    (folder / "windows.tsv").write_text(text)
    return {"sample": "brain", "image": "plane_*.png", "truth": "windows.tsv"}


def test_windows(folder):
    row = windows(folder, (2, 30, 30, "window.png"), (0, 0, 0, "window.png"))
    pieces = read(folder, row)["brain"].truth
    assert [(p.z, p.y, p.x, p.height, p.width) for p in pieces] == [
        (0, 0, 0, 10, 20),
        (2, 30, 30, 10, 20),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([(3, 0, 0, "window.png")], "does not lie within"),
        ([(0, 31, 0, "window.png")], "does not lie within"),
        ([(0, 0, 31, "window.png")], "does not lie within"),
        ([(0, "a", 0, "window.png")], "whole numbers"),
        ([(0, 0, 0, "window.png"), (0, 5, 19, "window.png")], "overlap"),
    ],
)
def test_windows_that_cannot_be(folder, lines, message):
    with pytest.raises(ValueError, match=message):
        read(folder, windows(folder, *lines))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"truth": "window.png"}, "10 x 20 px, the image 40 x 50"),
        ({"truth": "plane_[12].png", "image": "plane_1.png"}, "2 planes, the image 1"),
        ({"channel": "infrared"}, "infrared"),
        ({"channel": "1"}, "the image has 1"),
        ({"image": "phantom:none/image"}, "is not configured"),
        ({"image": "stored:none"}, "is not configured"),
        ({"image": "s3://bucket/plane.tif"}, "under `stored`"),
        ({"image": ""}, "is empty"),
    ],
)
def test_rows_that_cannot_be(folder, row, message):
    with pytest.raises(ValueError, match=message):
        read(folder, {"sample": "brain", "image": "plane_*.png"} | row)


def test_truth_foreground_of_a_row_and_of_the_configuration(folder):
    rows = {"sample": "a", "image": "plane_1.png"}, {"sample": "b", "image": "plane_2.png"}
    rows[1]["truth_foreground"] = "7"
    samples = read(folder, *rows, truth_foreground=3)
    assert [samples[name].truth_foreground for name in "ab"] == [3, 7]


@pytest.mark.parametrize(
    ("entry", "default", "expected"),
    [
        # without an entry of the sheet, the first file's size counts more than the default
        ("", None, (None, 0.6, 0.7)),
        ("", 2, (None, 0.6, 0.7)),
        ("0.5", 2, (None, 0.5, 0.5)),
        # z is taken from the next that knows it
        ("", [3, 2, 2], (3, 0.6, 0.7)),
        ("0.5 0.4", [3, 2, 2], (3, 0.5, 0.4)),
        ("1, 0.5, 0.4", [3, 2, 2], (1, 0.5, 0.4)),
    ],
)
def test_pixel_size_of_row_file_and_configuration(folder, entry, default, expected):
    for number, size in ((1, 0.6), (2, 5), (10, None)):
        given = None if size is None else (None, size, size + 0.1)
        write_png(folder / f"plane_{number}.png", np.zeros((40, 50), np.uint8), given)
    row = {"sample": "a", "image": "plane_*.png", "pixel_size": entry}
    sample = read(folder, row, pixel_size=default)["a"]
    assert sample.pixel_size == pytest.approx(expected)
    assert sample.shape == (3, 40, 50)
    assert sample.metadata == {}


def test_pixel_size_that_only_the_configuration_knows(folder):
    row = {"sample": "a", "image": "plane_*.png"}
    assert read(folder, row)["a"].pixel_size is None
    assert read(folder, row, pixel_size=[0.6, 0.7])["a"].pixel_size == (None, 0.6, 0.7)


def test_pixel_size_that_cannot_be(folder):
    row = {"sample": "a", "image": "plane_*.png", "pixel_size": "0,6"}
    message = r"sample a in .*sheet.tsv, line 2: pixel_size '0,6' is no size: give micrometres"
    with pytest.raises(ValueError, match=message):
        read(folder, row)
    with pytest.raises(ValueError, match=r"pixel_size -1 is no size: give micrometres"):
        read(folder, row | {"pixel_size": ""}, pixel_size=-1)


def test_blocks_and_tiles_of_pieces():
    grid = Grid((12, 100, 100), 20, (2, 100, 100))
    pieces = [Piece("a", 0, z, 10, 10, 20, 20) for z in (1, 2, 11)]
    assert blocks_of(pieces, grid) == ["0/0/0", "1/0/0", "5/0/0"]
    (tile,) = choose_tiles(pieces, grid, 1)
    assert tile.z == 2
    # four tiles in each plane
    assert len(choose_tiles(pieces, grid, 5)) == 5
    assert len(set(choose_tiles(pieces, grid, 40))) == 12


@pytest.mark.parametrize("name", ["masks", "sweeps", "metrics.tsv", "decision.json", "_small"])
def test_names_that_results_need_are_refused(folder, name):
    with pytest.raises(ValueError, match=f"{name}' cannot be a sample's name"):
        read(folder, {"sample": name, "image": "plane_*.png"})
