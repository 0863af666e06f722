"""Masks made elsewhere: columns of the sheet, and what jobs read of them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from studies import make_study, write_sample

from tilewise.plan import decide, doubts, ingest, metadata, reads, segment, validate
from tilewise.plan.study import Choice

CELLS = {"threshold": {"external": "cells"}}
SMOOTH = {"smooth": [{"external": {"column": "maps", "channel": 1}}, {"median": 3}]}


def write_masks(path, shape=(1, 64, 64), dtype="uint32", **settings):
    tifffile.imwrite(path, np.ones(shape, dtype), photometric="minisblack", **settings)


def write(folder, name, cells=True, **settings):
    """A sample with truth, and masks of 32 bits if it has `cells`."""
    row = write_sample(folder, name, truth=(0,), **settings)
    if cells:
        write_masks(folder / f"{name}_cells.tif")
    return row | {"cells": f"{name}_cells.tif" * cells}


@pytest.fixture
def row(tmp_path):
    return write(tmp_path, "a")


def study_of_maps(folder, row, **settings):
    """With a filter that begins with probabilities of two classes."""
    write_masks(folder / "maps.tif", (2, 64, 64), "float32", metadata={"axes": "CYX"})
    row = row | {"maps": "maps.tif"}
    methods = {"maps": {"filter": "smooth", "threshold": "otsu", "scope": "calibrated"}}
    return make_study(folder, row, filters=SMOOTH, methods=methods | CELLS_TOO, **settings)


CELLS_TOO = {"cells": CELLS, "swept": {"threshold": "otsu", "grid": {"filter": ["smooth", None]}}}


def test_one_line_is_a_method(tmp_path, row):
    study = make_study(tmp_path, row, methods={"m": CELLS})
    (variant,) = study.methods["m"].variants
    segmenter = variant.segmenter
    assert (segmenter.threshold, segmenter.settings) == ("manual", {"value": 0})
    job = segment.threshold(study, "a", "m", "0/0/0", Choice("m"))
    assert job.pixels.sources == ["results/a/external/cells.zarr/c/0/0/0"]
    assert (job.pixels.files, job.pixels.colors) == ([], [])
    assert (job.pixels.arrays, job.pixels.steps) == (["cells"], [{"array": "cells"}])
    assert study.metadata_columns == []


def test_a_grid_has_thresholds_and_columns(tmp_path, row):
    write_masks(tmp_path / "others.tif")
    row |= {"others": "others.tif"}
    grid = {"column": ["cells", "others"], "above": [0.5, 0.9]}
    study = make_study(tmp_path, row, methods={"m": CELLS | {"grid": grid}})
    found = [(v.filter, v.segmenter.settings["value"]) for v in study.methods["m"].variants]
    assert found == [
        (f"external-{column}", above) for column in ("cells", "others") for above in (0.5, 0.9)
    ]
    assert decide.sweep(study, "a", "m", "0/0/0").pixels.arrays == ["cells", "others"]


def test_masks_are_read_as_they_lie_in_the_sheet(tmp_path, row):
    study = study_of_maps(tmp_path, row)
    job = ingest.external(study, "a", "maps-channel-1", "0/0/0")
    assert ([Path(path).name for path in job.files], job.channel) == (["maps.tif"], 1)
    (piece,) = job.parts[0]["pieces"]
    assert piece == {"path": 0, "page": 0, "z": 0, "y": 0, "x": 0, "height": 64, "width": 64}


def test_a_filter_may_begin_with_masks(tmp_path, row):
    study = study_of_maps(tmp_path, row, keep_filtered=True)
    pixels = reads.filtered(study, [("a", "0/0/0")], "smooth", takes_temporary=True)
    assert pixels.sources == ["results/a/external/maps-channel-1.zarr/c/0/0/0"]
    assert pixels.steps == [{"array": "maps-channel-1"}, {"median": 3}]
    # the window reaches one pixel around
    assert study.reach("a", "smooth") == 1
    assert decide.calibrate(study, "maps").dtypes == {"smooth": "float32"}
    written = {(one.kind, one.name, one.pattern) for one in metadata.arrays(study)}
    folder = "results/a/external/{}.zarr/c/{{block}}"
    for name in ("maps-channel-1", "cells"):
        assert ("external", name, folder.format(name)) in written
    assert not any(kind == "filtered" for kind, _, _ in written)


def test_a_sweep_reads_masks_and_the_image(tmp_path, row):
    pixels = decide.sweep(study_of_maps(tmp_path, row), "a", "swept", "0/0/0").pixels
    assert pixels.files == ["results/a/image.zarr/0/c/0/0/0"]
    assert pixels.sources == ["results/a/external/maps-channel-1.zarr/c/0/0/0"]


def test_no_reference_is_a_threshold_of_masks(tmp_path, row):
    study = make_study(tmp_path, row, methods={"m": CELLS, "otsu": {"threshold": "otsu"}})
    assert set(decide.decide(study).histograms.filters) == {"image"}


def test_filters_of_masks_do_not_count_as_kept_images(tmp_path, row):
    # of 64 x 64 bytes one fits, and two do not
    settings = {"filters": {"a": [{"median": 3}]}, "keep_filtered_limit": 64**2 / 2**30}
    settings["methods"] = {"m": CELLS, "a": {"filter": "a", "threshold": "otsu"}}
    assert make_study(tmp_path, row, **settings).filtered == "kept"


def test_a_sample_without_masks_is_left_out_of_jobs(tmp_path, row):
    other = write(tmp_path, "b", cells=False)
    cells = CELLS | {"samples": ["a"], "scope": "sample"}
    methods = {"m": cells, "otsu": {"threshold": "otsu"}}
    study = make_study(tmp_path, row, other, methods=methods, collect={"side": 4})
    (stack,) = study.stacks
    job = ingest.external(study, stack, "cells", "0/0/0")
    counted = decide.tile_histograms(study, stack, "external-cells", "0/0/0")
    masked = segment.threshold(study, stack, "m", "0/0/0", Choice("m"))
    for own in (job, counted, masked):
        assert [part["sample"] for part in own.parts] == ["a"]
    assert len(validate.validate(study, stack, "otsu", "0/0/0").parts) == 2


def test_floats_of_several_blocks_are_counted_between_their_extents(tmp_path):
    row = write(tmp_path, "a", shape=(2, 64, 64), cells=False)
    write_masks(tmp_path / "cells.tif", (2, 64, 64))
    study = make_study(
        tmp_path,
        row | {"cells": "cells.tif"},
        filters={"cells": [{"external": "cells"}]},
        methods={"m": {"filter": "cells", "threshold": "otsu", "scope": "sample"}},
        block={"planes": 1},
    )
    assert len(segment.histogram(study, "a", "cells", "0/0/0").extents) == 2
    assert segment.histogram(study, "a", "image", "0/0/0").extents == []


def test_masks_take_memory_of_their_own_dtype(tmp_path, row):
    study = study_of_maps(tmp_path, row)
    need, image = (
        segment.histogram(study, "a", source, "0/0/0").need.memory for source in ("smooth", "image")
    )
    assert need >= image


def refused(folder, row, words, **settings):
    with pytest.raises(ValueError, match=words):
        make_study(folder, row, **{"methods": {"m": CELLS}} | settings)


METHODS = {
    "no column": (
        {"external": "nuclei"},
        {},
        "m: sample a: the column `nuclei` is empty",
    ),
    "a filter, too": (CELLS["threshold"], {"filter": "f"}, "m: external takes the place of the"),
    "meaning": ({"external": "truth"}, {}, "external: the column `truth` has another meaning"),
    "no name": ({"external": 3}, {}, "column is 3: give the name of a column"),
    "of a program": ({"external": "command-m"}, {}, "column is 'command-m': rename it"),
    "nothing": ("external", {}, "threshold method external needs a value for column"),
    "words": (
        {"external": {"column": "cells", "above": "all"}},
        {},
        "threshold method external: above is 'all': give a number",
    ),
    "no channel": (
        {"external": {"column": "cells", "channel": 1}},
        {},
        "m: sample a: `cells` has no channel 1: it has 1, from 0 on",
    ),
}


@pytest.mark.parametrize("case", METHODS)
def test_methods_are_refused(tmp_path, row, case):
    threshold, keys, words = METHODS[case]
    methods = {"m": {"threshold": threshold} | keys}
    refused(tmp_path, row, words, methods=methods, filters={"f": ["invert"]})


def test_masks_come_first(tmp_path, row):
    filters = {"f": [{"median": 3}, {"external": "cells"}]}
    refused(tmp_path, row, "filters.f: filter external has pixels of its own", filters=filters)


def test_several_channels_need_a_number(tmp_path, row):
    write_masks(tmp_path / "a_cells.tif", (3, 64, 64), metadata={"axes": "CYX"})
    refused(tmp_path, row, "`cells` has 3 channels: name the one that counts")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((1, 64, 63), "sample a in .*: cells .*a_cells.tif is 64 x 63 px, the image 64 x 64"),
        ((2, 64, 64), "cells a_cells.tif has 2 planes, the image 1: give one plane each$"),
    ],
)
def test_masks_are_as_large_as_the_image(tmp_path, row, shape, words):
    write_masks(tmp_path / "a_cells.tif", shape)
    refused(tmp_path, row, words)


def test_all_planes_have_masks(tmp_path):
    row = write(tmp_path, "a", shape=(3, 64, 64), cells=False)
    for z in (0, 2):
        write_masks(tmp_path / f"cells_{z}.tif")
    row |= {"cells": "cells_*.tif"}
    refused(tmp_path, row, r"cells cells_\*.tif has 2 planes, the image 3: give one each")


def test_masks_are_no_truth(tmp_path, row):
    row |= {"cells": row["truth"]}
    refused(tmp_path, row, "is `truth` of sample a .* and `cells` of sample a")


def test_no_table_of_windows(tmp_path, row):
    (tmp_path / "windows.tsv").write_text("z\ty\tx\tpath\n")
    refused(tmp_path, row | {"cells": "windows.tsv"}, "windows.tsv is a table: name images of")


def test_images_of_32_bits_are_refused_still(tmp_path, row):
    refused(tmp_path, row | {"image": row["cells"], "cells": ""}, "pixels of uint32")


def test_an_unread_column_of_files_says_how_to_read_it(tmp_path, row):
    study = make_study(tmp_path, row)
    (doubt,) = study.samples["a"].doubts
    assert doubt.code == "metadata_columns"
    assert "`{external: COLUMN}`" in doubt.remedy


@pytest.mark.parametrize(
    ("dtype", "settings", "expected"),
    [
        ("float32", {}, [("float_masks", "a", "m")]),
        ("float32", {"above": 0.5}, []),
        ("uint32", {}, []),
    ],
)
def test_probabilities_without_a_threshold_are_doubted(tmp_path, row, dtype, settings, expected):
    write_masks(tmp_path / "a_cells.tif", dtype=dtype)
    methods = {"m": {"threshold": {"external": {"column": "cells"} | settings}}}
    found = doubts.warnings(make_study(tmp_path, row, methods=methods)).doubts
    assert [(doubt.code, doubt.sample, doubt.method) for doubt in found] == expected
