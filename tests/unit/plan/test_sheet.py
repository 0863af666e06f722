import os
import re
from itertools import combinations, product

import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tilewise.plan.pieces import blocks_of, choose_tiles
from tilewise.plan.sheet import number_files, read_samples
from tilewise.plan.sheet_columns import COMPUTED
from tilewise.plan.windows import overlapping
from tilewise.read.annotation import Piece
from tilewise.read.header import Header
from tilewise.score.formulas import METRICS
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


def test_a_folder_is_no_pattern(folder):
    inner = folder / "[1]*" / "{}"
    inner.mkdir(parents=True)
    for number in (1, 2):
        (inner / f"plane_{number}.png").write_bytes((folder / "plane_1.png").read_bytes())
    (folder / "1").mkdir()
    # the second is another file, of another folder, and the pattern is one
    (folder / "1" / "plane_3.png").symlink_to(folder / "plane_1.png")
    sample = read(inner, {"sample": "brain", "image": "plane_?.png"})["brain"]
    assert sample.images == tuple(str(inner / f"plane_{number}.png") for number in (1, 2))


def test_what_separates_annotators_may_be_part_of_a_name(folder):
    for name in ("a;b + c.png", "b.png"):
        Image.fromarray(np.eye(50, dtype=np.uint8)[:40]).save(folder / name)
    row = {"sample": "brain", "image": "plane_1.png"}
    sample = read(folder, row | {"truth": "a;b + c.png"})["brain"]
    assert [piece.path for piece in sample.truth] == [str(folder / "a;b + c.png")]
    assert sample.annotators == ()
    with pytest.raises(ValueError, match=r"truth .*a does not exist"):
        read(folder, row | {"truth": "a;b.png"})


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
        ({"image": "[pw]*.png"}, r"window.png is 10 x 20 px, .*plane_1.png 40 x 50: planes of one"),
        ({"image": "none.png"}, r"image .*none.png does not exist: correct the path in the sheet"),
        ({"image": "none_*.png"}, r"image .*none_\*.png matches no file: correct the glob"),
    ],
)
def test_rows_that_cannot_be(folder, row, message):
    with pytest.raises(ValueError, match=message):
        read(folder, {"sample": "brain", "image": "plane_*.png"} | row)


PLACES, SIDES = st.integers(0, 12), st.integers(1, 5)


@given(
    st.lists(
        st.builds(
            Piece, st.just("a.png"), st.just(0), st.integers(0, 1), PLACES, PLACES, SIDES, SIDES
        ),
        max_size=12,
    )
)
def test_windows_that_overlap(pieces):
    pairs = {
        (i, j)
        for i, j in combinations(range(len(pieces)), 2)
        if pieces[i].region.intersects(pieces[j].region)
    }
    found = overlapping(pieces)
    assert found in pairs if pairs else found is None


def test_many_windows_that_do_not_overlap():
    # as many comparisons as there are pairs would take a quarter of an hour
    corners = product(range(0, 2560, 16), range(0, 2560, 16))
    assert overlapping([Piece("a.png", 0, 0, y, x, 16, 16) for y, x in corners]) is None


def test_planes_of_several_kinds_are_refused(folder):
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(folder / "plane_11.png")
    with pytest.raises(
        ValueError, match=r"plane_11.png has 3 channels of uint8, .*plane_1.png 1 of uint8"
    ):
        read(folder, {"sample": "brain", "image": "plane_*.png"})


def test_a_sheet_without_rows_is_refused(folder):
    (folder / "sheet.tsv").write_text("sample\timage\n")
    with pytest.raises(ValueError, match=r"sheet.tsv has no rows: add one per sample"):
        read_samples(folder / "sheet.tsv", {}, "luma", None, None)
    with pytest.raises(ValueError, match="other.tsv does not exist: set `samples`"):
        read_samples(folder / "other.tsv", {}, "luma", None, None)


def test_truth_foreground_of_a_row_and_of_the_configuration(folder):
    rows = {"sample": "a", "image": "plane_1.png"}, {"sample": "b", "image": "plane_2.png"}
    rows[1]["truth_foreground"] = "7"
    samples = read(folder, *rows, truth_foreground=3)
    assert [samples[name].truth_foreground for name in "ab"] == [3, 7]


def test_labels_in_a_jpeg_are_refused(folder):
    Image.fromarray(np.zeros((40, 50), np.uint8)).save(folder / "labels.jpg")
    row = {"sample": "a", "image": "plane_1.png", "truth": "labels.jpg"}
    assert read(folder, row)["a"].truth
    with pytest.raises(ValueError, match=r"truth .*labels\.jpg is a JPEG file, .* as PNG or TIFF"):
        read(folder, row | {"truth_foreground": "labels"})


def test_label_images_may_have_32_bits(folder):
    tifffile.imwrite(folder / "labels.tif", np.zeros((40, 50), np.int32))
    (folder / "windows.tsv").write_text("z\ty\tx\tpath\n0\t0\t0\tlabels.tif\n", "utf-8")
    for truth in ("labels.tif", "windows.tsv"):
        row = {"sample": "a", "image": "plane_1.png", "truth": truth}
        with pytest.raises(ValueError, match=r"labels\.tif has pixels of int32, .*: labels"):
            read(folder, row)
        assert read(folder, row | {"truth_foreground": "labels"})["a"].truth_foreground == "labels"
        assert read(folder, row, truth_foreground="labels")["a"].truth_foreground == "labels"


@pytest.mark.parametrize("entry", ["white", "0,5", "nan", "inf", "1e999"])
def test_truth_foreground_that_is_no_number(folder, entry):
    row = {"sample": "a", "image": "plane_1.png", "truth_foreground": entry}
    message = rf"^sample a in .*sheet\.tsv, line 2: truth_foreground '{entry}' is no number: give "
    with pytest.raises(ValueError, match=message):
        read(folder, row)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_truth_foreground_of_the_configuration_that_is_no_number(folder, value):
    row = {"sample": "a", "image": "plane_1.png", "truth_foreground": "7"}
    with pytest.raises(ValueError, match=r"^truth_foreground (nan|inf|10*) is no number: give the"):
        read(folder, row, truth_foreground=value)


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


@pytest.mark.parametrize(
    "name", ["annotate", "masks", "sweeps", "metrics.tsv", "decision.json", "_small"]
)
def test_names_that_results_need_are_refused(folder, name):
    with pytest.raises(ValueError, match=f"{name}' cannot be a sample's name"):
        read(folder, {"sample": name, "image": "plane_*.png"})


def test_names_that_differ_only_in_case_are_refused(folder):
    rows = [{"sample": name, "image": f"plane_{n}.png"} for n, name in ((1, "Gel_a"), (2, "b"))]
    read(folder, *rows)
    message = (
        r"sheet\.tsv, line 4: samples Gel_a \(line 2\) and gel_A differ only in case, "
        r".*: rename one$"
    )
    with pytest.raises(ValueError, match=message):
        read(folder, *rows, {"sample": "gel_A", "image": "plane_10.png"})


ROW = {"sample": "a", "image": "plane_1.png"}


@pytest.mark.parametrize("column", ["tp", "mcc", "MCC", "annotated", "prevalence", "tile", "flags"])
def test_metadata_with_the_name_of_a_result(folder, column):
    message = rf"sheet.tsv: the column `{column}` has the name of a result: rename it, .*, mcc, "
    with pytest.raises(ValueError, match=message):
        read(folder, ROW | {column: "0.1"})


def test_every_metric_is_reserved():
    counts = {count for metric in METRICS.values() for count in metric.counts}
    assert {*METRICS, *counts, "z", "y", "x", "method", "extent", "estimate"} <= set(COMPUTED)


@pytest.mark.parametrize(
    ("column", "cell", "known"),
    [
        ("mask", "nowhere.png", "`truth` or `roi`"),
        ("labels", "", "`truth`"),
        ("ground truth", "window.png", "`truth`"),
        ("truth2", "window.png", "`truth`"),
        ("Truth", "window.png", "`truth`"),
        ("image_2", "plane_2.png", "`image`"),
        ("region_of_interest", "", "`roi`"),
        ("pixelsize", "0.5", "`pixel_size`"),
        ("groups", "m1", "`group`"),
        # common for metadata, unless they name files
        ("fov", "./window.png", "`roi`"),
        ("Field of view", "window.png", "`roi`"),
        ("region", "phantom:a/truth", "`roi`"),
        ("reference", "window.png", "`truth`"),
    ],
)
def test_columns_that_may_be_meant_for_others(folder, column, cell, known):
    named = {"phantom:a/truth": [("a.tif", Header(1, 40, 50, 1, "uint8"))]}
    message = rf"sheet.tsv: the column `{column}` is not known: name it {known}; metadata, in"
    with pytest.raises(ValueError, match=message):
        read(folder, ROW | {column: cell}, named=named)


def test_metadata(folder):
    more = {"patient": "p1", "age": "61", "stain": "H&E", "fov": "3", "region": "CA1", "id": "7"}
    more |= {"sample_id": "x", "file": "scan 7", "subgroup": "g", "stage": "E14.5", "site": "plane"}
    more |= {"note": "x." * 5000, "channel_name": "DAPI", "usage": "train", "reference": "2024"}
    sample = read(folder, ROW | more)["a"]
    assert sample.metadata == more
    assert sample.doubts == ()


def test_metadata_that_name_files_are_doubted_once(folder):
    rows = [ROW | {"raw": ""}, {"sample": "b", "image": "plane_2.png", "raw": "window.png"}]
    (doubt,) = [doubt for sample in read(folder, *rows).values() for doubt in sample.doubts]
    assert (doubt.code, doubt.sample) == ("metadata_columns", "")
    assert re.match(r"raw in .*sheet\.tsv: these columns name files, which are not", doubt.message)


@pytest.mark.parametrize("column", ["patient", "Mouse ID", "animals", "donor_number"])
def test_samples_of_one_patient_without_a_group_are_doubted(folder, column):
    full_size(folder, "t1.png", "t2.png", "t3.png")
    rows = [
        {"sample": name, "image": f"plane_{page}.png", "truth": truth, column: own}
        for name, page, truth, own in (
            ("a", 1, "t1.png", "p1"),
            ("b", 2, "t2.png", "p2"),
            ("c", 10, "t3.png", "p2"),
        )
    ]

    def ungrouped(rows):
        doubts = [doubt for sample in read(folder, *rows).values() for doubt in sample.doubts]
        return [doubt for doubt in doubts if doubt.code == "ungrouped"]

    (doubt,) = ungrouped(rows)
    assert f"the same `{column}` (p2: b, c) are taken for independent" in doubt.message
    # not of patients of their own, of samples without truth, or where groups are known
    assert ungrouped(rows[:2]) == []
    assert ungrouped([*rows[:2], rows[2] | {"truth": ""}]) == []
    assert ungrouped([row | {"group": f"g{row[column]}"} for row in rows]) == []
    # nor of patients that nobody knows
    assert ungrouped([row | {column: ""} for row in rows]) == []


def other(folder, name, target="window.png"):
    """A second name of a file."""
    (folder / name).symlink_to(folder / target)
    return name


def full_size(folder, *names):
    for name in names:
        Image.fromarray(np.zeros((40, 50), np.uint8)).save(folder / name)


@pytest.mark.parametrize("column", ["truth", "roi"])
@pytest.mark.parametrize("pixels", [np.zeros((40, 50), np.uint8), np.zeros((9, 9), np.uint16)])
@pytest.mark.parametrize("entry", ["b_truth_1.png", "b_truth_*.png"])
def test_a_pattern_that_also_matches_the_truth(folder, column, pixels, entry):
    full_size(folder, "b_1.png", "b_2.png")
    Image.fromarray(pixels).save(folder / "b_truth_1.png")
    row = {"sample": "b", "image": "b_*.png", column: entry}
    message = (
        rf"sample b in .*sheet\.tsv, line 2: .*b_truth_1\.png is `image` and `{column}`: "
        r"correct one; b_\*\.png may match more files"
    )
    with pytest.raises(ValueError, match=message):
        read(folder, row)


def test_a_pattern_that_matches_the_truth_of_another_sample(folder):
    full_size(folder, "b_1.png", "b_2.png", "c.png")
    rows = ROW | {"truth": "b_2.png"}, {"sample": "b", "image": "b_*.png"}
    message = (
        r"sheet\.tsv: .*b_2\.png is `truth` of sample a \(line 2\) and `image` of sample b "
        r"\(line 3\): correct one; a pattern may match more files than it should"
    )
    with pytest.raises(ValueError, match=message):
        read(folder, *rows)


@pytest.mark.parametrize("alias", ["./f.png", "sub/../f.png", "link.png", "linked/f.png"])
@pytest.mark.parametrize(
    ("roles", "message"),
    [
        (("image", "truth"), "is `image` of sample a .* and `truth` of sample b"),
        (("truth", "roi"), "is `truth` of sample a .* and `roi` of sample b"),
        (("roi", "image"), "is `roi` of sample a .* and `image` of sample b"),
    ],
)
def test_a_file_in_two_roles(folder, alias, roles, message):
    full_size(folder, "f.png")
    other(folder, "link.png", "f.png")
    other(folder, "linked", "")
    (folder / "sub").mkdir()
    rows = ROW | {roles[0]: "f.png"}, {"sample": "b", "image": "plane_2.png"} | {roles[1]: alias}
    with pytest.raises(ValueError, match=message):
        read(folder, *rows)
    # the same in two truths, or two regions of interest
    if roles[0] != "image":
        read(folder, rows[0], {"sample": "b", "image": "plane_2.png", roles[0]: alias})


def test_a_window_in_two_roles(folder):
    row = windows(folder, (0, 0, 0, "window.png"))
    (folder / "roi.tsv").write_text(f"z\ty\tx\tpath\n0\t0\t0\t{other(folder, 'w.png')}\n")
    with pytest.raises(ValueError, match=r"w\.png is `truth` of sample brain .* and `roi` of"):
        read(folder, row | {"roi": "roi.tsv"})


def test_a_folder_in_two_roles(folder):
    group = zarr.open_group(folder / "v.zarr", mode="w")
    group.create_array("0", data=np.zeros((3, 40, 50), np.uint8))
    entry = {"axes": [{"name": axis} for axis in "zyx"], "datasets": [{"path": "0"}]}
    group.attrs["ome"] = {"multiscales": [entry]}
    row = {"sample": "v", "image": "v.zarr", "truth": "plane_*.png"}
    assert len(read(folder, row)["v"].truth) == 3
    for alias in ("v.zarr/", "./v.zarr", other(folder, "w.zarr", "v.zarr")):
        with pytest.raises(ValueError, match=r"is `image` of sample v .* and `truth` of sample v"):
            read(folder, row | {"truth": alias})


def test_named_files_in_two_roles(folder):
    header = Header(1, 40, 50, 1, "uint8")
    named = {f"stored:{name}": [("s3://bucket/a.tif", header)] for name in "ab"}
    row = {"sample": "a", "image": "stored:a", "truth": "stored:b"}
    with pytest.raises(ValueError, match=r"s3://bucket/a\.tif is `image` of .* and `truth` of"):
        read(folder, row, named=named)


def test_an_image_of_two_samples(folder):
    rows = ROW | {"group": "m1"}, {"sample": "b", "image": "plane_*.png", "group": "m1"}
    assert list(read(folder, *rows)) == ["a", "b"]
    message = (
        r"plane_1\.png is `image` of sample a \(line 2\) and `image` of sample b \(line 3\): "
        r"correct one, or give both the same `group`, since they are not independent"
    )
    for groups in (("", ""), ("m1", ""), ("m1", "m2")):
        with pytest.raises(ValueError, match=message):
            read(folder, *({**row, "group": g} for row, g in zip(rows, groups, strict=True)))


def test_a_plane_twice(folder):
    other(folder, "plane_3.png", "plane_1.png")
    with pytest.raises(ValueError, match=r"plane_3\.png is `image` of sample a .* and `image` of"):
        read(folder, ROW | {"image": "plane_*.png"})


def test_an_annotator_twice(folder):
    full_size(folder, "t.png", "u.png")
    other(folder, "link.png", "t.png")
    assert len(read(folder, ROW | {"truth": "t.png; u.png"})["a"].annotators) == 2
    with pytest.raises(ValueError, match=r"annotators 1 and 3 have the same file .*link\.png"):
        read(folder, ROW | {"truth": "t.png; u.png; link.png"})


def test_lines_of_the_sheet(folder):
    (folder / "sheet.tsv").write_text("# mine\n\nsample\timage\na\tplane_1.png\n\na\tplane_2.png\n")
    message = r"sheet\.tsv, line 6: sample a has two rows, the other in line 4: rename one"
    with pytest.raises(ValueError, match=message):
        read_samples(folder / "sheet.tsv", {}, "luma", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z,y,x,path\n0,0,0,window.png\n", r"windows\.tsv, line 1: .* separated by commas"),
        ("z\ty\tx\tfile\n0\t0\t0\twindow.png\n", r"has no column `path`: rename `file`"),
        ("z\ty\tx\tpath\n", r"windows\.tsv has no rows: add one per window"),
        ('z\ty\tx\tpath\n0\t0\t0\t"window.png\n', r"line 2, column 4 \(path\): \"window"),
        ("z\ty\tx\tpath\n\n0\t0\twindow.png\n", r"windows\.tsv, line 3: 3 cells, but 4 col"),
        ("z\ty\tx\tpath\n0\t0\t0\t\n", r"line 2: the column `path` is empty: name a file"),
        ("z\ty\tx\tpath\n0\t0\t0.5\twindow.png\n", r"line 2: z, y and x of window.png must be"),
    ],
)
def test_tables_of_windows_that_cannot_be(folder, text, message):
    (folder / "windows.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        read(folder, ROW | {"truth": "windows.tsv"})


def test_tables_of_windows_of_other_programs(folder):
    text = "\ufeffz\ty\tx\tpath\tby\r\n0\t5\t6\twindow.png\tme\r\n"
    (folder / "windows.tsv").write_bytes(text.encode())
    (piece,) = read(folder, ROW | {"truth": "windows.tsv"})["a"].truth
    assert (piece.z, piece.y, piece.x, os.path.basename(piece.path)) == (0, 5, 6, "window.png")


def doubted(folder, *rows, **settings):
    return [doubt for sample in read(folder, *rows, **settings).values() for doubt in sample.doubts]


def test_pictures_that_are_left_out(folder):
    grey = Image.fromarray(np.zeros((40, 50), np.uint8))
    for name in ("photo_1.jpg", "photo_2.jpg", "truth.jpg"):
        grey.save(folder / name, format="MPO", save_all=True, append_images=[grey])
    (doubt,) = doubted(
        folder, ROW | {"image": "photo_1.jpg"}, {"sample": "b", "image": "plane_2.png"}
    )
    assert doubt.message == (
        f"sample a: {folder}/photo_1.jpg: of the 2 pictures in it, only the first is read"
    )
    assert (doubt.code, doubt.sample) == ("left_out", "a")
    assert doubt.remedy == "save the picture wanted as a file of its own"
    # one of each sample
    rows = (
        ROW | {"image": "photo_*.jpg"},
        {"sample": "b", "image": "plane_1.png", "truth": "truth.jpg"},
    )
    first, second = doubted(folder, *rows)
    assert first.message.endswith(
        "photo_1.jpg: of the 2 pictures in it, only the first is read (and so of 1 more)"
    )
    assert (second.sample, "truth.jpg" in second.message) == ("b", True)


@pytest.fixture
def inverted(folder):
    """Files in which 0 is white: of 8 bits, and of 1."""
    grey = np.zeros((40, 50), np.uint8)
    for name in ("w_1.tif", "w_2.tif", "w_10.tif"):
        tifffile.imwrite(folder / name, grey, photometric="miniswhite")
    Image.fromarray(grey).convert("1").save(
        folder / "bits.tif", compression="group4", tiffinfo={262: 0}
    )
    return folder


def test_truth_with_white_as_zero(inverted):
    row = {"sample": "a", "image": "plane_*.png", "truth": "w_*.tif"}
    (doubt,) = doubted(inverted, row)
    assert (doubt.code, doubt.sample) == ("white_is_zero", "a")
    assert doubt.message == (
        f"truth of sample a: {inverted}/w_1.tif is stored with WhiteIsZero: viewers show its "
        "marked pixels, of 255, as black; stored values count here (and so of 2 more)"
    )
    assert "look at an overlay; if objects are what viewers show as white" in doubt.remedy
    assert "`truth_foreground: 0`" in doubt.remedy
    # whoever has said which value is foreground knows
    assert doubted(inverted, row | {"truth_foreground": "0"}) == []
    assert doubted(inverted, row, truth_foreground=255) == []
    # images are inverted
    assert doubted(inverted, {"sample": "a", "image": "w_1.tif"}) == []


def test_roi_with_white_as_zero(inverted):
    row = ROW | {"truth": "w_1.tif", "roi": "bits.tif"}
    (doubt,) = doubted(inverted, row)
    assert doubt.message.startswith("truth of sample a")
    assert doubt.message.endswith("(and so of 1 more)")
    assert "`truth_foreground: 0`" in doubt.remedy
    assert "if the region is what viewers show as white" in doubt.remedy
    (doubt,) = doubted(inverted, row | {"truth_foreground": "255"})
    assert doubt.message.startswith(f"roi of sample a: {inverted}/bits.tif is stored with WhiteIs")
    assert "pixels, of 1, as black" in doubt.message
    assert "truth_foreground" not in doubt.remedy


def test_doubts_of_windows(inverted):
    tifffile.imwrite(inverted / "window.tif", np.zeros((5, 5), np.uint8), photometric="miniswhite")
    row = windows(
        inverted, (0, 0, 0, "window.tif"), (1, 0, 0, "window.tif"), (2, 0, 0, "window.png")
    )
    (doubt,) = doubted(inverted, row)
    assert doubt.code == "white_is_zero"
    assert doubt.message.endswith("stored values count here")
