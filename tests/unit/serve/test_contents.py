"""What a folder of results has, against folders that are written by hand."""

import json

import pytest

from tilewise.serve import contents, tile_rows

STACKS = """\
sample stack block first_plane planes height width tile_height tile_width
large large - 0 3 100 90 64 64
b _small 0/0/0 0 1 20 30 20 30
a _small 0/0/0 1 2 16 40 16 20
c _small 1/0/0 4 1 8 8 8 8
"""
SMALL, LARGE = "_small/image.zarr", "large/image.zarr"
METRICS = (
    "sample method tile z y x height width patch annotated tp fp fn tn accuracy f1 mcc hd95 edge"
)
THRESHOLDS = "sample method tile z y x scope threshold note"
TRUST = "sample tile z y x height width trust flags"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_table(path, columns, *rows):
    """A table, with `-` for an empty field, and spaces for tabs."""
    lines = ["\t".join(line.split()) for line in (columns, *rows)]
    fields = [["" if field == "-" else field for field in line.split("\t")] for line in lines]
    write(path, "".join("\t".join(line) + "\n" for line in fields))


def write_array(path, shape, block, dtype="uint8", fill=0, is_stored=True):
    known = {
        "node_type": "array",
        "shape": shape,
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": block}},
        "fill_value": fill,
    }
    write(path / "zarr.json", json.dumps(known))
    if is_stored:
        write(path / "c/0/0/0", "")


def write_group(path, levels=1, **ome):
    ome["multiscales"] = [{"datasets": [{"path": str(level)} for level in range(levels)]}]
    write(path / "zarr.json", json.dumps({"node_type": "group", "attributes": {"ome": ome}}))


def write_image(path, shape, block, levels=1, dtype="uint8", fill=0, is_stored=True, **ome):
    """A group with its arrays, of which all have the shape of the first."""
    write_group(path, levels, **ome)
    for level in range(levels):
        write_array(path / str(level), shape, block, dtype, fill, is_stored)


def write_labels(image, *names):
    """The list of an image's labels, and each with the values that have a colour."""
    group = {"node_type": "group", "attributes": {"ome": {"labels": list(names)}}}
    write(image / "labels/zarr.json", json.dumps(group))


def write_label(image, name, colors, fill=0, **settings):
    listed = [{"label-value": value, "rgba": rgba} for value, rgba in colors.items()]
    label = {"image-label": {"colors": listed}}
    write_image(image / "labels" / name, [3, 100, 90], [2, 64, 128], fill=fill, **settings, **label)


def write_record(path, *sources):
    listed = [[list(source), [1, 2], 3] for source in sources]
    write(path, json.dumps({"revision": "", "sources": listed}))


@pytest.fixture
def results(tmp_path):
    """A sample of blocks of two planes and a tile row; three in shared blocks of four planes."""
    results = tmp_path.resolve() / "results"
    results.mkdir()
    write_table(results / "stacks.tsv", *STACKS.splitlines())
    write_image(results / LARGE, [3, 100, 90], [2, 64, 128], levels=3, dtype="uint16")
    write_image(results / SMALL, [5, 20, 40], [4, 64, 64])
    return results


def layers(results, stack="large"):
    return contents.of_results(results)["stacks"][stack]["layers"]


def test_the_method_that_was_decided_on(results):
    assert contents.of_results(results)["decided"] is None
    write(results / "choice.json", '{"method": "otsu"}')
    assert contents.of_results(results)["decided"] == "otsu"


def test_samples(results):
    found = contents.of_results(results)
    assert found["name"] == "results"
    place = {"stack": "_small", "plane_names": None}
    assert found["samples"] == [
        {
            **{"sample": "large", "stack": "large", "first_plane": 0, "planes": 3, "height": 100},
            **{"width": 90, "tile": [64, 64], "plane_names": None},
        },
        {"sample": "b", "first_plane": 0, "planes": 1, "height": 20, "width": 30, "tile": [20, 30]}
        | place,
        {"sample": "a", "first_plane": 1, "planes": 2, "height": 16, "width": 40, "tile": [16, 20]}
        | place,
        {"sample": "c", "first_plane": 4, "planes": 1, "height": 8, "width": 8, "tile": [8, 8]}
        | place,
    ]
    assert list(found["stacks"]) == ["large", "_small"]
    # what is sent is JSON
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_an_image(results):
    assert layers(results) == [
        {
            "id": "image",
            "title": "Image",
            "role": "image",
            "method": None,
            "path": "large/image.zarr",
            "arrays": [f"large/image.zarr/{level}" for level in range(3)],
            "dtype": "uint16",
            "levels": 3,
            "window": [0, 65535],
            "colors": None,
            "fill": 0,
        }
    ]


@pytest.mark.parametrize(
    ("dtype", "window"),
    [
        *(("uint8", [0, 255]), ("uint16", [0, 65535]), ("int16", [-32768, 32767])),
        ("float32", [0, 1]),
    ],
)
def test_the_window_is_the_range_of_the_dtype(results, dtype, window):
    write_image(results / LARGE, [3, 100, 90], [2, 64, 128], dtype=dtype)
    assert layers(results)[0]["window"] == window


def test_the_window_is_that_of_the_metadata(results):
    window = {"min": 0, "max": 65535, "start": 120, "end": 3000}
    omero = {"channels": [{"window": window}]}
    write_image(results / LARGE, [3, 100, 90], [2, 64, 128], dtype="uint16", omero=omero)
    assert layers(results)[0]["window"] == [120, 3000]


def test_layers_are_in_the_order_in_which_they_are_drawn(results):
    image = results / LARGE
    names = ("truth", "roi", "annotator-1", "segmentation", "b", "a", "b-confusion", "errors")
    write_labels(image, *names)
    for name in names:
        fill = 255 if name in ("truth", "annotator-1") else 0
        write_label(image, name, {1: [1, 2, 3, 255]}, fill)
    write_image(results / "large/color.zarr", [3, 3, 100, 90], [3, 2, 64, 128])
    write_image(results / "large/probability/b.zarr", [3, 100, 90], [2, 64, 128])
    write_array(results / "large/filtered/smooth.zarr", [3, 100, 90], [2, 64, 128], "float32")
    found = {layer["id"]: layer for layer in layers(results)}
    assert list(found) == [
        *("image", "color", "filtered/smooth", "probability/b", "roi", "truth", "annotator-1"),
        *("segmentation", "b", "a", "b-confusion", "errors"),
    ]
    told = {name: (one["role"], one["method"], one["title"]) for name, one in found.items()}
    assert told == {
        "image": ("image", None, "Image"),
        "color": ("color", None, "Image in colour"),
        "filtered/smooth": ("filtered", None, "smooth, filtered image"),
        "probability/b": ("probability", "b", "b, probability"),
        "roi": ("roi", None, "Region of interest"),
        "truth": ("truth", None, "Truth"),
        "annotator-1": ("annotator", None, "Annotator 1"),
        "segmentation": ("mask", None, "Segmentation"),
        "b": ("mask", "b", "b"),
        "a": ("mask", "a", "a"),
        "b-confusion": ("confusion", "b", "b, right and wrong"),
        "errors": ("errors", None, "Methods that are wrong"),
    }
    # an array without a group
    assert found["filtered/smooth"]["arrays"] == ["large/filtered/smooth.zarr"]
    assert found["probability/b"]["arrays"] == ["large/probability/b.zarr/0"]
    assert (found["truth"]["fill"], found["b"]["fill"]) == (255, 0)
    assert found["b"]["window"] is None


@pytest.mark.parametrize(
    ("name", "colors", "expected"),
    [
        (
            "truth",
            {1: [255, 255, 255, 255], 255: [128, 128, 128, 0]},
            [
                (0, [0, 0, 0, 0], "background"),
                (1, [255, 255, 255, 255], "foreground"),
                (255, [128, 128, 128, 0], "not annotated"),
            ],
        ),
        (
            "m-confusion",
            {0: [0, 0, 0, 9], 4: [0, 9, 9, 9], 2: [9, 0, 9, 9], 3: [9, 9, 0, 9], 1: [0, 0, 0, 0]},
            [
                (0, [0, 0, 0, 9], "not scored"),
                (1, [0, 0, 0, 0], "true negative"),
                (2, [9, 0, 9, 9], "false positive"),
                (3, [9, 9, 0, 9], "false negative"),
                (4, [0, 9, 9, 9], "true positive"),
            ],
        ),
        (
            "errors",
            {1: [0, 0, 0, 0], 2: [1, 1, 1, 255], 3: [2, 2, 2, 255]},
            [
                (0, [0, 0, 0, 0], "not scored"),
                (1, [0, 0, 0, 0], "no method is wrong"),
                (2, [1, 1, 1, 255], "1 method is wrong"),
                (3, [2, 2, 2, 255], "2 methods are wrong"),
            ],
        ),
        ("roi", {1: [5, 5, 5, 5]}, [(0, [0, 0, 0, 0], "outside"), (1, [5, 5, 5, 5], "inside")]),
    ],
)
def test_colours_and_meanings_of_all_values(results, name, colors, expected):
    write_labels(results / LARGE, name)
    write_label(results / LARGE, name, colors)
    found = [tuple(color.values()) for color in layers(results)[1]["colors"]]
    assert found == expected


def test_what_a_run_has_not_made_yet_is_left_out(results):
    image = results / LARGE
    write_labels(image, "truth", "otsu", "li", "yen")
    # otsu has no metadata, li no block, yen no array
    write_label(image, "truth", {1: [1, 1, 1, 255]})
    write_label(image, "li", {1: [1, 1, 1, 255]}, is_stored=False)
    write_label(image, "yen", {1: [1, 1, 1, 255]})
    (image / "labels/yen/0/zarr.json").unlink()
    assert [layer["id"] for layer in layers(results)] == ["image", "truth"]
    (image / "labels/zarr.json").unlink()
    assert [layer["id"] for layer in layers(results)] == ["image"]


def test_names_of_planes(results):
    write_record(
        results / "large/made_from/image/0/0/0.json",
        *(("in/one.png", 0, 1), ("in/many.tif", 1, 1)),
    )
    write_record(results / "large/made_from/image/1/0/0.json", ("in/many.tif", 2, 1))
    # b has its own file, and a the two planes of one; c has no record
    sources = ("/data/b.png", 0, 1), ("a.tif", 0, 2)
    write_record(results / "_small/made_from/image/0/0/0.json", *sources)
    found = {one["sample"]: one["plane_names"] for one in contents.of_results(results)["samples"]}
    assert found == {
        "large": ["one.png", "many.tif, plane 1", "many.tif, plane 2"],
        "b": ["b.png"],
        "a": ["a.tif, plane 0", "a.tif, plane 1"],
        "c": None,
    }


def test_names_of_some_planes(results):
    # as of a run that goes on; and a record of other planes than there are
    write_record(results / "large/made_from/image/1/0/0.json", ("in/three.png", 0, 1))
    write_record(results / "_small/made_from/image/0/0/0.json", ("b.png", 0, 1))
    found = {one["sample"]: one["plane_names"] for one in contents.of_results(results)["samples"]}
    assert found == {"large": [None, None, "three.png"], "b": None, "a": None, "c": None}


def tiles(results, sample, plane):
    return {tile["tile"]: tile for tile in contents.of_plane(results, sample, plane)["tiles"]}


def test_tiles_of_a_plane_of_which_nothing_is_known(results):
    nothing = {"flags": [], "trust": None, "scores": {}, "thresholds": {}}
    assert contents.of_plane(results, "large", "2")["tiles"] == [
        {"tile": "z0002_y00_x00", "y": 0, "x": 0, "height": 64, "width": 64} | nothing,
        {"tile": "z0002_y00_x01", "y": 0, "x": 64, "height": 64, "width": 26} | nothing,
        {"tile": "z0002_y01_x00", "y": 64, "x": 0, "height": 36, "width": 64} | nothing,
        {"tile": "z0002_y01_x01", "y": 64, "x": 64, "height": 36, "width": 26} | nothing,
    ]
    assert [tile["tile"] for tile in contents.of_plane(results, "a", "1")["tiles"]] == [
        "z0001_y00_x00",
        "z0001_y00_x01",
    ]


def test_scores_and_thresholds_of_the_blocks_of_a_plane(results):
    rest = "100 1 2 3 4 0.5 0.25 -0.125"
    write_table(
        results / "large/otsu/metrics/0/0/0.tsv",
        METRICS,
        f"large otsu z0000_y00_x00 0 0 0 64 64 - {rest} 2.5 normal",
        f"large otsu z0001_y00_x00 1 0 0 64 64 - {rest} inf normal",
        # a spatial block of a tile
        f"large otsu z0001_y00_x00 1 0 0 64 64 1 {rest} 9 normal",
    )
    write_table(
        results / "large/otsu/metrics/0/1/0.tsv",
        METRICS,
        "large otsu z0001_y01_x01 1 64 64 36 26 - 100 1 2 3 4 0.75 - 0.5 - empty_mask",
        # whose name begins alike
        "larger otsu z0001_y01_x00 1 64 0 36 64 - 100 1 2 3 4 0.1 0.1 0.1 1 normal",
    )
    # of other planes
    write_table(
        results / "large/otsu/metrics/1/0/0.tsv",
        METRICS,
        "large otsu z0002_y00_x00 2 0 0 64 64 - 100 1 2 3 4 0.9 0.9 0.9 1 normal",
    )
    write_table(
        results / "large/otsu/thresholds/0/0/0.tsv",
        THRESHOLDS,
        "large otsu z0001_y00_x00 1 0 0 tile 113.0 -",
        "large otsu z0001_y00_x01 1 0 64 tile - constant",
    )
    write_table(
        results / "large/edges/thresholds/0/1/0.tsv",
        THRESHOLDS,
        "large edges z0001_y01_x00 1 64 0 tile 10.0;20.5 -",
    )
    found = tiles(results, "large", "1")
    assert {name: tile["scores"] for name, tile in found.items()} == {
        # infinite and undefined values are none in JSON
        "z0001_y00_x00": {"otsu": {"accuracy": 0.5, "f1": 0.25, "mcc": -0.125, "hd95": None}},
        "z0001_y00_x01": {},
        "z0001_y01_x00": {},
        "z0001_y01_x01": {"otsu": {"accuracy": 0.75, "f1": None, "mcc": 0.5, "hd95": None}},
    }
    assert {name: tile["thresholds"] for name, tile in found.items()} == {
        "z0001_y00_x00": {"otsu": 113.0},
        "z0001_y00_x01": {"otsu": None},
        "z0001_y01_x00": {"edges": [10.0, 20.5]},
        "z0001_y01_x01": {},
    }
    assert tiles(results, "large", "2")["z0002_y00_x00"]["scores"]["otsu"]["f1"] == 0.9


def test_a_collected_sample_is_found_in_its_block(results):
    """Its planes are counted from 0 in tables, and lie elsewhere in the stack."""
    row = "100 1 2 3 4 0.5 {} 0.5 1 normal"
    write_table(
        results / "_small/otsu/metrics/0/0/0.tsv",
        METRICS,
        f"b otsu z0000_y00_x00 0 0 0 20 30 - {row.format(0.1)}",
        f"a otsu z0000_y00_x00 0 0 0 16 20 - {row.format(0.2)}",
        f"a otsu z0001_y00_x00 1 0 0 16 20 - {row.format(0.3)}",
    )
    write_table(
        results / "_small/otsu/metrics/1/0/0.tsv",
        METRICS,
        f"c otsu z0000_y00_x00 0 0 0 8 8 - {row.format(0.4)}",
    )
    found = [
        next(iter(tiles(results, sample, plane).values()))["scores"]["otsu"]["f1"]
        for sample, plane in (("b", "0"), ("a", "0"), ("a", "1"), ("c", "0"))
    ]
    assert found == [0.1, 0.2, 0.3, 0.4]


def test_trust_and_flags(results):
    rows = [
        "c z0000_y00_x00 0 0 0 8 8 0.5 -",
        "large z0000_y00_x00 0 0 0 64 64 0.25 blurred",
        "large z0001_y00_x00 1 0 0 64 64 0.75 blurred;saturated",
        "large z0001_y01_x00 1 64 0 36 64 - -",
    ]
    write_table(results / "trust.tsv", TRUST, *rows)
    write_table(results / "quality.tsv", TRUST.replace(" trust", ""), "c z0000_y00_x00 0 0 0 8 8 f")
    found = tiles(results, "large", "1")
    assert {name: (tile["trust"], tile["flags"]) for name, tile in found.items()} == {
        "z0001_y00_x00": (0.75, ["blurred", "saturated"]),
        "z0001_y00_x01": (None, []),
        "z0001_y01_x00": (None, []),
        "z0001_y01_x01": (None, []),
    }
    assert tiles(results, "large", "2")["z0002_y00_x00"]["trust"] is None
    assert tiles(results, "c", "0")["z0000_y00_x00"]["trust"] == 0.5
    # another run has made it anew
    write_table(results / "trust.tsv", TRUST, *rows[2:])
    assert tiles(results, "large", "1")["z0001_y00_x00"]["trust"] == 0.75
    assert tiles(results, "c", "0")["z0000_y00_x00"]["trust"] is None
    # a run without a mask of all tiles knows their quality alone
    (results / "trust.tsv").unlink()
    assert tiles(results, "c", "0")["z0000_y00_x00"]["flags"] == ["f"]
    assert tiles(results, "c", "0")["z0000_y00_x00"]["trust"] is None


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_tables_that_are_being_written(results, cut):
    """A row whose end is not there yet is none, wherever it ends."""
    table = results / "trust.tsv"
    row = "large z0001_y00_x0{} 1 0 0 64 64 0.125 blurred"
    write_table(table, TRUST, row.format(0), row.format(1))
    whole = table.read_bytes()
    table.write_bytes(whole[:-cut] if cut < len(whole) else b"")
    found = tile_rows.of_plane(table, "large", 1)
    expected = ["z0001_y00_x00"] if cut <= len(row.format(1)) + 1 else []
    assert [one["tile"] for one in found] == expected
    assert [one["trust"] for one in found] == ["0.125"] * len(expected)
    # and a table that begins with the method's column, likewise
    assert [row["tile"] for row in tile_rows.of_block(table, "large\tz0001_")] == expected


@pytest.mark.parametrize(
    ("sample", "plane"),
    [
        *(("large", "3"), ("large", "-1"), ("large", ""), ("large", "1.0"), ("large", "\u0661")),
        *(("large", "9" * 5000), ("nobody", "0"), ("", "0"), ("../large", "0"), ("_small", "0")),
    ],
)
def test_planes_that_there_are_not(results, sample, plane):
    with pytest.raises(contents.NotFoundError, match="There is no (sample|plane) "):
        contents.of_plane(results, sample, plane)


def test_no_folder(tmp_path):
    with pytest.raises(ValueError, match="nothing is no folder: run the workflow first"):
        contents.of_results(tmp_path / "nothing")


def test_a_folder_without_results(results):
    (results / "stacks.tsv").rename(results / "other.tsv")
    message = r"results is no folder of results, as it has no stacks\.tsv: run the workflow first"
    with pytest.raises(ValueError, match=message):
        contents.of_results(results)


def test_the_folder_around_the_results(results):
    with pytest.raises(ValueError, match=r"has no stacks\.tsv: name .*/results$"):
        contents.of_results(results.parent)


def test_results_without_an_array(results):
    (results / SMALL / "0/zarr.json").unlink()
    assert set(contents.of_results(results)["stacks"]) == {"large", "_small"}
    (results / LARGE / "0/zarr.json").unlink()
    with pytest.raises(ValueError, match="has no image yet: wait"):
        contents.of_results(results)


def test_a_table_of_an_older_version(results):
    table = results / "stacks.tsv"
    table.write_text(table.read_text().replace("\ttile_height\ttile_width", ""))
    with pytest.raises(ValueError, match=r"stacks\.tsv is of another version or damaged: run"):
        contents.of_results(results)


def test_names_that_lead_out_of_the_folder(results):
    """As in results that somebody else has made."""
    outside = results.parent / "outside"
    write_image(outside, [1, 8, 8], [1, 8, 8])
    write_image(outside / "image.zarr", [1, 8, 8], [1, 8, 8])
    (results / "linked").symlink_to(outside)
    scores = [METRICS, "x otsu z0000_y00_x00 0 0 0 8 8 - 1 1 1 1 1 1 1 1 1 normal"]
    write_table(outside / "otsu/metrics/0/0/0.tsv", *scores)
    write_labels(results / LARGE, "../../../../outside", "..", str(outside))
    assert [layer["id"] for layer in layers(results)] == ["image"]
    for stack in ("../outside", str(outside), "linked"):
        row = f"x {stack} - 0 1 8 8 8 8"
        write_table(results / "stacks.tsv", *STACKS.splitlines()[:2], row)
        assert layers(results, stack) == []
        assert contents.of_plane(results, "x", "0")["tiles"][0]["scores"] == {}


def test_it_writes_nothing(results):
    write_table(results / "trust.tsv", TRUST, "c z0000_y00_x00 0 0 0 8 8 0.5 -")
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    contents.of_results(results)
    contents.of_plane(results, "large", "1")
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before
