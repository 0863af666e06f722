"""What the pictures of the report are made of."""

import numpy as np
import pytest
from PIL import Image
from studies import OTSU, S, collected_study, make_study, write_sample

from tilewise.plan import report_tiles
from tilewise.plan.study import Choice

SMOOTH = {"smooth": [{"median": 3}]}


@pytest.fixture
def rows(tmp_path):
    """A sample of a plane of 2 x 2 tiles with truth, and one without."""
    annotated = write_sample(tmp_path, "a", (1, 32, 32), truth=(0,))
    return [annotated, write_sample(tmp_path, "bare", (1, 32, 32))]


def test_blocks_with_truth_and_all_others_of_a_small_study(tmp_path, rows):
    methods = OTSU | {"m": {"threshold": "manual", "filter": "smooth", "grid": {"value": [1, 2]}}}
    settings = {"methods": methods, "filters": SMOOTH, "block": {"rows": 1}}
    study = make_study(tmp_path, *rows, **settings)
    job = report_tiles.report_tiles(study, (Choice("otsu"), Choice("m", "value=2")))
    image = "results/{}/image.zarr/{}0/c/0/{}/0"
    assert job.images == [image.format(name, "", y) for name in ("a", "bare") for y in (0, 1)]
    assert job.truths == [image.format("a", "labels/truth/", y) for y in (0, 1)]
    labels = [f"labels/{method}/" for method in ("otsu", "m")]
    assert job.masks == [image.format("a", label, y) for y in (0, 1) for label in labels]
    assert job.thresholds == [
        f"results/a/{method}/thresholds/0/{y}/0.tsv" for y in (0, 1) for method in ("otsu", "m")
    ]
    # without a filter the image itself, else what is kept of it
    assert job.filtered == [
        path
        for y in (0, 1)
        for path in (image.format("a", "", y), f"results/a/filtered/smooth.zarr/c/0/{y}/0")
    ]
    assert list(map(methods_of, job.blocks)) == [["otsu", "m"]] * 2 + [[]] * 2
    assert [one["files"]["truths"] for one in job.blocks] == [1, 1, 0, 0]
    # every file belongs to a block
    for kind in job.blocks[0]["files"]:
        assert sum(one["files"][kind] for one in job.blocks) == len(getattr(job, kind))


def methods_of(block):
    """Those whose own masks a block has."""
    return [one["method"] for one in block["masks"] if not one["is_applied"]]


def test_the_mask_that_is_applied_is_shown_where_there_is_no_truth(tmp_path, rows):
    methods = OTSU | {"m": {"threshold": "li", "filter": "smooth"}}
    study = make_study(tmp_path, *rows, methods=methods, filters=SMOOTH)
    job = report_tiles.report_tiles(study, (Choice("otsu"), Choice("m")), Choice("m"))
    labels = [("a", "otsu"), ("a", "m"), ("a", "segmentation"), ("bare", "segmentation")]
    assert job.masks == [f"results/{s}/image.zarr/labels/{m}/0/c/0/0/0" for s, m in labels]
    assert job.thresholds == [f"results/{s}/{m}/thresholds/0/0/0.tsv" for s, m in labels]
    (of_bare,) = job.blocks[1]["filters"]
    assert (of_bare["name"], of_bare["methods"]) == ("smooth", ["m"])
    assert job.filtered[-1] == "results/bare/filtered/smooth.zarr/c/0/0/0"
    (part,) = job.blocks[1]["parts"]
    assert (part["everywhere"], part["is_applied"]) == ([], True)
    (part,) = job.blocks[0]["parts"]
    # all of the plane has truth, so that each method has segmented all of it
    assert part["everywhere"] == ["otsu", "m"]


def test_masks_of_all_tiles_of_all_methods(tmp_path, rows):
    methods = OTSU | {"m": {"threshold": "li", "samples": ["bare"]}}
    study = make_study(tmp_path, *rows, methods=methods, apply="all")
    assert report_tiles.shown_methods(study) == ["otsu", "m"]
    job = report_tiles.report_tiles(study, (Choice("otsu"), Choice("m")))
    assert list(map(methods_of, job.blocks)) == [["otsu"], ["otsu", "m"]]
    (part,) = job.blocks[1]["parts"]
    assert (part["everywhere"], part["is_applied"]) == (["otsu", "m"], False)


def test_probabilities_of_methods_that_keep_them(tmp_path, rows):
    learned = {"pixel_classifier": {"keep_probability": True}}
    methods = OTSU | {"m": {"threshold": learned}}
    study = make_study(tmp_path, *rows, methods=methods, apply="m")
    job = report_tiles.report_tiles(study, (Choice("otsu"), Choice("m")), Choice("m"))
    path = "results/{}/probability/{}.zarr/0/c/0/0/0"
    labels = [("a", "m"), ("a", "segmentation"), ("bare", "segmentation")]
    assert job.probabilities == [path.format(*own) for own in labels]
    has_any = [[one["has_probability"] for one in block["masks"]] for block in job.blocks]
    assert has_any == [[False, True, True], [True]]


def test_of_a_large_study_blocks_with_truth_alone(tmp_path, rows, monkeypatch):
    monkeypatch.setattr(report_tiles, "MOST_TILES", 7)
    study = make_study(tmp_path, *rows, quality={"next": 20})
    assert report_tiles.number_of_tiles(study) == 8
    job = report_tiles.report_tiles(study, (Choice("otsu"),))
    assert job.images == ["results/a/image.zarr/0/c/0/0/0"]
    assert report_tiles.are_few(study)
    # all tiles of the sample have truth, and of others there are no pictures
    assert report_tiles.number_of_packs(study) == 4


def test_filters_that_are_not_kept_read_around_their_block(tmp_path, rows):
    methods = {"m": {"threshold": "otsu", "filter": "smooth"}, "n": {"threshold": "li"}}
    methods["n"]["filter"] = "smooth"
    settings = {"filters": SMOOTH, "block": {"rows": 1}, "keep_filtered_limit": 0}
    study = make_study(tmp_path, rows[0], methods=methods, **settings)
    job = report_tiles.report_tiles(study, (Choice("m"), Choice("n")))
    both = [f"results/a/image.zarr/0/c/0/{y}/0" for y in (0, 1)]
    assert job.filtered == both * 2
    (own,) = job.blocks[0]["filters"]
    assert (own["methods"], own["steps"]) == (["m", "n"], [{"median": 3}])
    assert own["blocks"] == ["0/0/0", "0/1/0"]


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        # four with truth, and up to three of the other sample to annotate next
        ({"quality": {"next": 3}}, 7),
        ({"quality": {"measure": False}}, 4),
        ({"report": {"tiles": 2}}, 2),
        ({"report": {"tiles": 0}}, 0),
    ],
)
def test_how_many_tiles_are_shown_in_full(tmp_path, rows, settings, number):
    study = make_study(tmp_path, *rows, **settings)
    assert report_tiles.number_of_packs(study) == number
    files = [f"results/report/pack_{i:04d}.js" for i in range(number)]
    assert report_tiles.packs(study) == files
    assert bool(report_tiles.tables(study)) == (settings.get("report") != {"tiles": 0})


def test_colours_of_samples_that_have_them(tmp_path):
    pixels = np.zeros((32, 32), np.uint8)
    Image.fromarray(np.stack([pixels] * 3, -1)).save(tmp_path / "stain.png")
    Image.fromarray(pixels).save(tmp_path / "truth.png")
    row = {"sample": "stain", "image": "stain.png", "truth": "truth.png"}
    job = report_tiles.report_tiles(make_study(tmp_path, row), (Choice("otsu"),))
    assert job.images == []
    assert job.colors == ["results/stain/color.zarr/0/c/0/0/0/0"]
    assert job.blocks[0]["is_color"]


def test_collected_samples():
    job = report_tiles.report_tiles(collected_study(), (Choice("otsu"), Choice("li")))
    assert job.images == [f"results/{S}/image.zarr/0/c/{z}/0/0" for z in range(3)]
    first, second, third = job.blocks
    # li is for b, d and f alone; a and c have truth in the first block
    assert list(map(methods_of, (first, second, third))) == [["otsu"], ["otsu", "li"], []]
    assert [part["sample"] for part in second["parts"]] == ["d", "e"]
    assert [part["methods"] for part in second["parts"]] == [["otsu", "li"], ["otsu"]]
