"""Kinds of images and truths, from their files to the arrays and the tables."""

import numpy as np
import pytest
import tifffile
import zarr
from pages import report_data
from PIL import Image
from samples import blobs, configure_discs, write_planes

from tilewise.plan.sheet_columns import COMPUTED
from tilewise.score.formulas import CHOICES


def test_planes_in_natural_order_and_truth_by_number(project):
    image, truth = blobs(planes=11)
    write_planes(project.folder / "image", image)
    write_planes(project.folder / "truth", truth[[1, 9]] * 255, "t{}.png")
    for old, new in (("t1", "t_2"), ("t2", "t_10")):
        (project.folder / f"truth/{old}.png").rename(project.folder / f"truth/{new}.png")
    project.configure([{"sample": "discs", "image": "image/*.png", "truth": "truth/*.png"}])
    project.succeed()
    np.testing.assert_array_equal(project.array("discs/image.zarr/0"), image)
    known = project.array("discs/image.zarr/labels/truth/0")
    np.testing.assert_array_equal(known[[1, 9]], truth[[1, 9]])
    assert (np.delete(known, [1, 9], axis=0) == 255).all()
    assert {row["z"] for row in project.rows("metrics.tsv")} == {"1", "9"}


def test_windows_of_truth(project):
    image, truth = blobs(planes=3)
    tifffile.imwrite(project.folder / "image.tif", image, photometric="minisblack")
    write_planes(project.folder, [truth[1, 10:50, 70:120]], "window.png")
    (project.folder / "windows.tsv").write_text("z\ty\tx\tpath\n1\t10\t70\twindow.png\n")
    rows = [{"sample": "discs", "image": "image.tif", "truth": "windows.tsv"}]
    run = project.configure(rows, block={"planes": 1}).succeed()
    assert run.jobs["validate"] == run.jobs["ingest_truth"] == 1
    assert run.jobs["threshold"] == 3
    (row,) = project.rows("metrics.tsv")
    assert row["tile"] == "z0001_y00_x01"
    assert int(row["annotated"]) == 40 * 50
    known = project.array("discs/image.zarr/labels/truth/0")
    np.testing.assert_array_equal(known[1, 10:50, 70:120], truth[1, 10:50, 70:120])
    assert (known != 255).sum() == 40 * 50


def test_region_of_interest(project):
    image, truth = blobs(planes=1)
    roi = np.zeros_like(truth)
    roi[0, 20:100, 30:150] = 255
    for name, plane in (("image", image), ("truth", truth), ("roi", roi)):
        write_planes(project.folder, plane, f"{name}.png")
    rows = [{"sample": "discs", "image": "image.png", "truth": "truth.png", "roi": "roi.png"}]
    project.configure(rows).succeed()
    known = project.array("discs/image.zarr/labels/truth/0")
    np.testing.assert_array_equal(known, np.where(roi, truth, 255))
    assert sum(int(row["annotated"]) for row in project.rows("metrics.tsv")) == 80 * 120


def test_truth_of_two_other_values(project):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, np.where(truth, 3, 9).astype(np.uint8), "truth.png")
    row = {"sample": "discs", "image": "image.png", "truth": "truth.png", "truth_foreground": "3"}
    project.configure([row]).succeed()
    np.testing.assert_array_equal(project.array("discs/image.zarr/labels/truth/0"), truth)


def test_colour(project):
    image, truth = blobs(planes=1)
    colour = np.stack([image[0], image[0] // 2, 255 - image[0]], -1)
    Image.fromarray(colour).save(project.folder / "image.png")
    write_planes(project.folder, truth, "truth.png")
    row = {"sample": "discs", "image": "image.png", "truth": "truth.png", "channel": "green"}
    project.configure([row]).succeed()
    np.testing.assert_array_equal(project.array("discs/image.zarr/0")[0], colour[..., 1])
    channels = project.array("discs/color.zarr/0")
    np.testing.assert_array_equal(np.moveaxis(channels[:, 0], 0, -1), colour)
    # a right background pixel: 0.7 of the colour, and black
    overlay = np.asarray(
        Image.open(project.results / "discs/otsu/overlay/0/0/0/discs_z0000_y00_x00.png")
    )
    codes = project.array("discs/image.zarr/labels/otsu-confusion/0")[0, :64, :64]
    right = codes == 1
    expected = np.rint(colour[:64, :64][right] * 0.7)
    assert np.abs(overlay[right] - expected).max() <= 1


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_dtype_is_kept(project, dtype):
    image, truth = blobs(planes=2)
    # levels that 8 bits could not tell apart
    image = (image.astype(np.float64) * 200 + 7).astype(dtype)
    if dtype == "float32":
        # whose squares are beyond single precision
        image *= np.float32(2.0**80) / 1000
    tifffile.imwrite(project.folder / "image.tif", image, photometric="minisblack")
    write_planes(project.folder / "truth", truth)
    methods = {
        "otsu": {"filter": "denoised", "threshold": "otsu"},
        "otsu_sample": {"filter": "denoised", "threshold": "otsu", "scope": "sample"},
    }
    rows = [{"sample": "discs", "image": "image.tif", "truth": "truth/*.png"}]
    project.configure(rows, methods=methods, block={"planes": 1}).succeed()
    stored = project.array("discs/image.zarr/0")
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, image)
    assert project.array("discs/filtered/denoised.zarr").dtype == dtype
    assert all(float(row["f1"]) > 0.9 for row in project.rows("metrics.tsv"))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_ome_zarr(project, zarr_format):
    image, _ = blobs(planes=2)
    group = zarr.open_group(project.folder / "image.zarr", mode="w", zarr_format=zarr_format)
    group.create_array("0", data=image, chunks=(1, 50, 50))
    axes = [{"name": axis, "type": "space"} for axis in "zyx"]
    scale = [{"type": "scale", "scale": [1, 1, 1]}]
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    if zarr_format == 2:
        group.attrs["multiscales"] = [multiscale | {"version": "0.4"}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    project.configure([{"sample": "discs", "image": "image.zarr"}]).succeed()
    np.testing.assert_array_equal(project.array("discs/image.zarr/0"), image)


def test_no_truth_at_all(project):
    image, _ = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    settings = {"quality": {"measure": True, "next": 2}, "report": {"tiles": 5}}
    run = project.configure([{"sample": "discs", "image": "image.png"}], **settings).succeed()
    assert not run.jobs["validate"]
    assert project.rows("metrics.tsv") == []
    assert "nothing to validate" in (project.results / "report.html").read_text()
    # six tiles, of which the two to annotate next are shown in full
    data = report_data(project)
    assert None not in data["thumbnails"]["image"]
    assert (data["tiles_total"], data["packs"]["number"]) == (6, 2)
    following = [row["tile"] for row in project.rows("annotate_next.tsv")]
    assert [data["packs"]["embedded"][i]["tile"] for i in ("0", "1")] == following


def test_metadata(project):
    """They are added to the metrics, whose columns, with all that there are, none may have."""
    row = {"sample": "discs", "image": "image.png", "truth": "truth.png", "stain": "H&E"}
    configure_discs(project).configure([row], validate={"metrics": list(CHOICES)})
    run = project.succeed()
    assert run.output.count("Kept as metadata in results/metrics.tsv: stain\n") == 1
    rows = project.rows("metrics.tsv")
    assert {row["stain"] for row in rows} == {"H&E"}
    assert set(rows[0]) == {"sample", "stain", *COMPUTED} - {"patch"}
