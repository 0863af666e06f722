"""Masks as image files: what people hand to other programs."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from projects import Project
from samples import blobs, write_planes


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A plane and a stack of two that are collected, and a stack of two that is not."""
    project = Project.create(tmp_path_factory.mktemp("export") / "project")
    rows = []
    for name, planes, height, width in (
        ("flat", 1, 50, 61),
        ("deep", 2, 64, 70),
        ("tall", 2, 300, 66),
    ):
        image, truth = blobs(planes=planes, rows=height, columns=width, seed=len(name))
        write_planes(project.folder / name, image)
        write_planes(project.folder / f"{name}_truth", truth[:1] * 255)
        row = {"sample": name, "image": f"{name}/*.png", "truth": f"{name}_truth/*.png"}
        rows.append(row | {"pixel_size": "2 0.5 0.25"})
    labels = ["segmentation", "truth", "otsu-confusion"]
    settings = {"apply": "otsu", "collect": {"side": 4}, "export_labels": labels}
    project.configure(rows, **settings)
    project.succeed()
    return project


@pytest.mark.parametrize(
    ("label", "factor"), [("segmentation", 255), ("truth", 1), ("otsu-confusion", 1)]
)
def test_files_hold_each_sample_s_pixels(project, label, factor):
    folder = project.results / "masks" / ("" if label == "segmentation" else label)
    stacks = {"flat.png": "_small_uint8_1", "deep.tif": "_small_uint8_4", "tall.tif": "tall"}
    expected = {
        name: project.array(f"{stack}/image.zarr/labels/{label}/0")
        for name, stack in stacks.items()
    }
    expected["flat.png"] = expected["flat.png"][0]
    assert {path.name for path in folder.iterdir() if path.is_file()} == set(expected)
    for name, pixels in expected.items():
        found = (
            np.asarray(Image.open(folder / name))
            if name.endswith("png")
            else tifffile.imread(folder / name)
        )
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, pixels * factor)
        assert len(np.unique(pixels)) > 1


def test_files_say_how_large_a_pixel_is(project):
    with tifffile.TiffFile(project.results / "masks/deep.tif") as file:
        assert len(file.pages) == 2
        page = file.pages[0]
        assert page.get_resolution("micrometer") == pytest.approx((4, 2))
        assert file.shaped_metadata[0]["spacing"] == 2
    assert Image.open(project.results / "masks/flat.png").info["dpi"] == pytest.approx(
        (25400 / 0.25, 25400 / 0.5), rel=1e-4
    )


def test_another_label_writes_files_only(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    text = (copy.folder / "my.yaml").read_text()
    (copy.folder / "my.yaml").write_text(text.replace("- otsu-confusion", "- errors"))
    run = copy.succeed()
    # the configuration is another
    assert set(run.jobs) - {"report"} == {"export", "export_collected", "provenance"}
    assert (copy.results / "masks/errors/flat.png").exists()
    # what was exported before stays, and is named
    old = ", ".join(f"results/masks/otsu-confusion/{name}" for name in ("deep.tif", "flat.png"))
    assert f"3 masks are of an earlier run: delete {old}" in run.output


def test_unknown_labels_are_refused(project, tmp_path):
    copy = project.copy(tmp_path / "copy")
    text = (copy.folder / "my.yaml").read_text()
    (copy.folder / "my.yaml").write_text(text.replace("- otsu-confusion", "- ostu"))
    run = copy.run()
    assert run.code != 0
    assert "export_labels: ostu is no label of this study: it has segmentation, truth" in run.output
