"""Which image files of masks are written, and of what."""

import pytest
from studies import make_study, write_sample

from tilewise.plan import export

METHODS = {"otsu": {"threshold": "otsu"}, "li": {"threshold": "li"}}


def make(folder, **settings):
    """A collected plane and stack, all of them annotated, and a large stack without truth."""
    rows = [
        write_sample(folder, "flat", (1, 16, 20), truth=(0,)),
        write_sample(folder, "deep", (2, 16, 20), truth=(0,)),
        write_sample(folder, "large", (2, 16, 70)),
    ]
    collect = {"side": 4, "planes": 64}
    return make_study(folder, *rows, collect=collect, methods=METHODS, **settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["flat.png", "deep.tif", "large.tif"]),
        ({"export": "png"}, ["flat.png", "deep.tif", "large.tif"]),
        ({"export": "tiff"}, ["flat.tif", "deep.tif", "large.tif"]),
        ({"export": "none"}, []),
        # 16 x 20 x 2 = 640 and 16 x 70 x 2 = 2240 pixels
        ({"export_limit": 640e-9}, ["flat.png", "deep.tif"]),
        ({"export": "png", "export_limit": 0}, ["flat.png", "deep.tif", "large.tif"]),
        ({"apply": "all"}, []),
        ({"apply": "all", "export_labels": ["li"]}, ["li/flat.png", "li/deep.tif", "li/large.tif"]),
        ({"export_labels": ["truth"]}, ["truth/flat.png", "truth/deep.tif"]),
        (
            {"export_labels": ["otsu-confusion"]},
            ["otsu-confusion/flat.png", "otsu-confusion/deep.tif"],
        ),
        # the second plane of `deep` has no truth, and is not segmented by methods that are tried
        ({"export_labels": ["otsu"]}, ["otsu/flat.png"]),
    ],
)
def test_files_by_format_size_and_label(tmp_path, settings, expected):
    study = make(tmp_path, **settings)
    export.check(study)
    assert export.files(study) == [f"results/masks/{name}" for name in expected]
    assert export.single_files(study) == [name for name in expected if "large" in name]


def test_one_job_for_all_collected_samples(tmp_path):
    study = make(tmp_path)
    job = export.collected(study)
    assert job.masks == ["results/masks/flat.png", "results/masks/deep.tif"]
    path = "results/_small_uint8_4/image.zarr/labels/segmentation/0/c/0/0/0"
    assert job.blocks == [path]
    (array,) = job.arrays
    assert (array["files"], array["blocks"], array["fill"]) == ([0, 1], ["0/0/0"], 0)
    assert array["factor"] == 255
    assert [(part["sample"], part["offset"], part["mask"]) for part in array["parts"]] == [
        ("flat", 0, 0),
        ("deep", 1, 1),
    ]


def test_a_job_for_each_large_sample_and_label(tmp_path):
    study = make(tmp_path, block={"planes": 1}, export_labels=["segmentation", "truth"])
    assert export.single_files(study) == ["deep.tif", "large.tif", "truth/deep.tif"]
    job = export.single(study, "truth/deep.tif")
    # of the plane without truth there is no block: it is not annotated
    assert job.blocks == ["results/deep/image.zarr/labels/truth/0/c/0/0/0"]
    (array,) = job.arrays
    assert (array["blocks"], array["fill"], array["factor"]) == (["0/0/0"], 255, 1)
    blocks = export.single(study, "large.tif").blocks
    assert [path[-5:] for path in blocks] == ["0/0/0", "1/0/0"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"export_labels": ["ostu"]}, "ostu is no label of this study: it has segmentation, truth"),
        ({"apply": "none", "export_labels": ["li"]}, "li hold annotated tiles only"),
        # what the message says to export instead is another label
        ({"apply": "li", "export_labels": ["li"]}, "or to li and export segmentation"),
    ],
)
def test_labels_that_are_not_there_are_refused(tmp_path, settings, message):
    rows = [write_sample(tmp_path, "deep", (2, 16, 20), truth=(0,))]
    study = make_study(tmp_path, *rows, methods=METHODS, **settings)
    with pytest.raises(ValueError, match=message):
        export.check(study)
