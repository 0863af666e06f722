"""All tiles together, and the few that are shown."""

import numpy as np
import pytest
from PIL import Image
from studies import OTSU, S, collected_study, make_study, write_sample

from tilewise.plan import report
from tilewise.plan.study import Choice
from tilewise.store.grid import Tile

FILTERS = {"smooth": [{"median": 3}]}


@pytest.fixture
def rows(tmp_path):
    """Samples of a plane of 2 x 2 tiles with truth, and one without."""
    annotated = [write_sample(tmp_path, name, (1, 32, 32), truth=(0,)) for name in "abcd"]
    return [*annotated, write_sample(tmp_path, "bare", (1, 32, 32))]


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [(1, [0, 0, 0, 1]), (3, [0, 1, 1, 1]), (4, [1, 1, 1, 1]), (6, [1, 2, 1, 2]), (20, [4] * 4)],
)
def test_tiles_are_few_and_spread_over_samples(tmp_path, rows, wanted, shown):
    study = make_study(tmp_path, *rows, figures={"tiles": wanted})
    tiles = report.tiles_to_show(study, "otsu")
    assert [sum(sample == name for sample, _ in tiles) for name in "abcd"] == shown
    assert len(set(tiles)) == len(tiles)


def test_one_tile_is_the_middle_one(tmp_path, rows):
    study = make_study(tmp_path, rows[0], figures={"tiles": 1})
    assert report.tiles_to_show(study, "otsu") == [("a", Tile(0, 1, 0))]


def test_figures_of_methods_that_are_compared(tmp_path, rows):
    methods = OTSU | {"bare": {"threshold": "li", "samples": ["bare"]}}
    study = make_study(tmp_path, *rows, methods=methods)
    assert report.figure_methods(study) == ["otsu"]
    assert report.figure_files(study, "tiles") == ["results/figures/otsu-tiles.svg"]
    none = make_study(tmp_path, *rows, figures={"tiles": 0})
    assert report.figure_methods(none) == report.figure_files(none, "tiles") == []


def test_figures_go_tile_by_tile(tmp_path, rows):
    methods = OTSU | {"m": {"threshold": "manual", "filter": "smooth", "grid": {"value": [1, 2]}}}
    settings = {"methods": methods, "filters": FILTERS, "block": {"rows": 1}}
    study = make_study(tmp_path, *rows[:2], figures={"tiles": 2}, **settings)
    job = report.figures(study, (Choice("otsu"), Choice("m", "value=2")))
    # one tile of each sample, in the lower block of two
    places = [("otsu", "a"), ("otsu", "b"), ("m", "a"), ("m", "b")]
    assert [(shown["method"], shown["sample"]) for shown in job.shown] == places
    assert all(shown["block"] == "0/1/0" and shown["tile"] == [0, 1, 0] for shown in job.shown)
    image = "results/{}/image.zarr/{}0/c/0/1/0"
    assert job.images == [image.format(sample, "") for _, sample in places]
    assert job.masks == [image.format(sample, f"labels/{method}/") for method, sample in places]
    assert job.truths == [image.format(sample, "labels/truth/") for _, sample in places]
    assert job.thresholds == [
        f"results/{sample}/{method}/thresholds/0/1/0.tsv" for method, sample in places
    ]
    # without a filter the image itself, else what is kept of it
    assert job.filtered == [
        *(image.format(sample, "") for sample in "ab"),
        *(f"results/{sample}/filtered/smooth.zarr/c/0/1/0" for sample in "ab"),
    ]
    assert job.colors == []


@pytest.mark.parametrize("keep", [{"keep_filtered": False}, {"keep_filtered_limit": 0}])
def test_figures_filter_where_nothing_is_kept(tmp_path, rows, keep):
    methods = {"m": {"threshold": "otsu", "filter": "smooth"}}
    settings = {"methods": methods, "filters": FILTERS, "block": {"rows": 1}}
    study = make_study(tmp_path, rows[0], figures={"tiles": 1}, **settings, **keep)
    job = report.figures(study, (Choice("m"),))
    (shown,) = job.shown
    # a window of 3 reaches from the tile into the other block
    assert job.filtered == [f"results/a/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
    assert (shown["blocks"], shown["steps"]) == (["0/0/0", "0/1/0"], [{"median": 3}])


def test_colours_of_tiles_that_have_them(tmp_path, rows):
    pixels = np.zeros((32, 32), np.uint8)
    Image.fromarray(np.stack([pixels] * 3, -1)).save(tmp_path / "stain.png")
    Image.fromarray(pixels).save(tmp_path / "stain_truth.png")
    row = {"sample": "stain", "image": "stain.png", "truth": "stain_truth.png"}
    study = make_study(tmp_path, rows[0], row, figures={"tiles": 2})
    job = report.figures(study, (Choice("otsu"),))
    assert job.colors == ["results/stain/color.zarr/0/c/0/0/0/0"]
    assert [shown["is_color"] for shown in job.shown] == [False, True]


def test_all_tiles_together(tmp_path, rows):
    methods = OTSU | {"li": {"threshold": "li", "samples": ["b"]}}
    named = [rows[0] | {"site": "north"}, rows[1] | {"site": "south"}]
    study = make_study(tmp_path, *named, methods=methods, validate={"extent": "sample"})
    job = report.aggregate(study)
    pairs = [("a", "otsu"), ("b", "otsu"), ("b", "li")]
    assert job.metrics == [f"results/{s}/{m}/metrics/0/0/0.tsv" for s, m in pairs]
    assert job.structures == [f"results/{s}/{m}/structure/stack.tsv" for s, m in pairs]
    assert job.features == [f"results/{s}/quality/0/0/0.tsv" for s in "ab"]
    assert job.strata == [f"results/{s}/errors/strata/0/0/0.tsv" for s in "ab"]
    assert job.differences == [f"results/{s}/errors/differences/0/0/0.tsv" for s in "ab"]
    assert job.order == {"samples": ["a", "b"], "methods": ["otsu", "li"]}
    assert job.metadata == {"a": {"site": "north"}, "b": {"site": "south"}}


def test_figures_of_collected_samples():
    study = collected_study(filters=FILTERS, figures={"tiles": 3})
    job = report.figures(study, (Choice("otsu"),))
    found = [
        (shown["sample"], shown["block"], shown["stored"], shown["offset"]) for shown in job.shown
    ]
    # the sample's own block, and where it is in the stack
    assert found == [
        *(("a", "0/0/0", "0/0/0", 0), ("c", "0/0/0", "0/0/0", 2), ("d", "0/0/0", "1/0/0", 4))
    ]
    assert [shown["tile"] for shown in job.shown] == [[0, 0, 0], [1, 0, 0], [0, 0, 0]]
    blocks = [0, 0, 1]
    assert job.images == job.filtered == [f"results/{S}/image.zarr/0/c/{z}/0/0" for z in blocks]
    assert job.truths == [f"results/{S}/image.zarr/labels/truth/0/c/{z}/0/0" for z in blocks]
    assert job.thresholds == [f"results/{S}/otsu/thresholds/{z}/0/0.tsv" for z in blocks]


def test_tables_of_collected_samples_are_read_once():
    job = report.aggregate(collected_study(validate={"extent": "sample"}))
    places = [("otsu", 0), ("otsu", 1), ("li", 1)]
    assert job.metrics == [f"results/{S}/{m}/metrics/{z}/0/0.tsv" for m, z in places]
    assert job.structures == [f"results/{S}/{m}/structure/{z}.tsv" for m, z in places]
    assert job.features == [f"results/{S}/quality/{z}/0/0.tsv" for z in (0, 1)]
    assert job.strata == [f"results/{S}/errors/strata/{z}/0/0.tsv" for z in (0, 1)]
    assert job.order["samples"] == list("abcdef")


@pytest.mark.parametrize("keeps", [True, False])
def test_costs_of_masks_and_of_filters_with_jobs_of_their_own(tmp_path, rows, keeps):
    methods = OTSU | {"m": {"threshold": "manual", "filter": "smooth", "grid": {"value": [1, 2]}}}
    limits = (
        {"keep_filtered": True} if keeps else {"keep_filtered": "auto", "keep_filtered_limit": 0}
    )
    settings = {"methods": methods, "filters": FILTERS, "block": {"rows": 1}} | limits
    study = make_study(tmp_path, *rows[:2], rows[-1], **settings)
    assert report.cost_methods(study) == ["otsu", "m"]
    job = report.costs(study, (Choice("otsu"), Choice("m", "value=2")))
    places = [(sample, block) for sample in "ab" for block in ("0/0/0", "0/1/0")]
    # of annotated blocks alone; the image itself has no filter
    assert job.masks == [
        f"results/{sample}/{method}/cost/{block}.tsv"
        for method in ("otsu", "m")
        for sample, block in places
    ]
    assert job.mask_methods == ["otsu"] * 4 + ["m"] * 4
    expected = [f"results/{sample}/filtered/cost/smooth/{block}.tsv" for sample, block in places]
    assert job.filtered == (expected if keeps else [])
    assert job.filtered_methods == (["m"] * 4 if keeps else [])
