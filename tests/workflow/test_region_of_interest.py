"""Round fields of view in a black frame, as of retinas: only the inside is image."""

import numpy as np
import pytest
from pages import decoded, pack_of, report_data, texts
from PIL import Image
from samples import write_planes
from skimage.filters import threshold_li, threshold_otsu

from tilewise.quality.feature_names import FEATURES

SHAPE = 200, 220


def retina(seed=0):
    """Bright vessels on a ground that is darker at its rim, in a round field; black outside.

    Returns
    -------
    image, truth, inside : (Y, X) uint8 ndarray
        The truth is 0 or 1, the inside 0 or 255.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    radius = np.hypot(y - 100, x - 110) / 92
    inside = radius < 1
    waves = np.abs(np.sin(x / 17 + np.sin(y / 23 + seed) * 1.5))
    truth = (waves < 0.16) & inside
    level = 110 - 35 * radius**2 + 60 * truth + random.normal(0, 5, SHAPE)
    image = np.where(inside, level.clip(1, 255), 0).astype(np.uint8)
    return image, truth.astype(np.uint8), inside.astype(np.uint8) * 255


METHODS = {
    "otsu": {"threshold": "otsu"},
    "plane": {"threshold": "otsu", "scope": "plane", "min_contrast": 0},
    "sample": {"threshold": "li", "scope": "sample"},
    "smooth": {"filter": "smooth", "threshold": "otsu", "fallback": "sample"},
}
FILTERS = {"smooth": ["clahe", {"gaussian": 1}, {"background": {"size": 41}}]}


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    """Grey and colour fields, with the region of interest from a file, found, or not known."""
    from projects import Project

    project = Project.create(tmp_path_factory.mktemp("fields") / "project")
    rows = []
    for seed, name in enumerate(("given", "other", "found", "color", "unknown", "whole", "moon")):
        image, truth, inside = retina(seed)
        if name == "color":
            image = np.dstack([image // 3, image, image // 5])
        if name == "whole":
            inside[:] = 255
        if name == "moon":
            # tiles that are surveyed, and shown in figures, lie outside
            inside[:, :150] = 0
        Image.fromarray(image).save(project.folder / f"{name}.png")
        write_planes(project.folder, truth[None] * 255, f"{name}_truth.png")
        write_planes(project.folder, inside[None], f"{name}_roi.png")
        row = {"sample": name, "image": f"{name}.png", "truth": f"{name}_truth.png", "roi": ""}
        if name in ("found", "color"):
            row["roi"] = "auto"
        elif name != "unknown":
            row["roi"] = f"{name}_roi.png"
        rows.append(row)
    # what is outside of this one is noise
    image, _, inside = retina(1)
    noise = np.random.default_rng(9).integers(0, 256, SHAPE).astype(np.uint8)
    Image.fromarray(np.where(inside, image, noise)).save(project.folder / "other.png")
    rows.append({"sample": "black", "image": "black.png", "truth": "", "roi": "other_roi.png"})
    Image.fromarray(np.where(inside, image, 0).astype(np.uint8)).save(project.folder / "black.png")
    # and this one has no region of interest because all of it is image
    rows.append({"sample": "bare", "image": "bare.png", "truth": "", "roi": ""})
    Image.fromarray(retina(5)[0]).save(project.folder / "bare.png")
    project.configure(
        rows,
        tile=32,
        filters=FILTERS,
        methods=METHODS,
        quality={"measure": True, "survey": 300},
        figures={"tiles": 20},
        report={"tiles": 40},
        collect={"side": 8},
        channel="green",
        pyramid={"levels": 1},
    )
    project.succeed()
    return project


def mask_of(project, sample, label):
    """A sample's label, out of its stack."""
    (row,) = [row for row in project.rows("stacks.tsv") if row["sample"] == sample]
    array = project.array(f"{row['stack']}/image.zarr/labels/{label}/0")
    return array[int(row["first_plane"]), : SHAPE[0], : SHAPE[1]]


def test_the_page_has_data_of_its_schema(fields):
    data = report_data(fields)
    # nine samples of 7 x 7 tiles, those outside of the region of interest too
    assert data["tiles_total"] == 9 * 49
    assert data["packs"]["number"] == 40
    # all tiles have a picture
    assert None not in data["thumbnails"]["image"]
    is_color = {sample["name"]: sample["is_color"] for sample in data["samples"]}
    assert [name for name, own in is_color.items() if own] == ["color"]
    for number, reasons in zip(data["tiles"]["pack"], texts(data["tiles"], "reasons"), strict=True):
        assert (number is None) == (reasons == "")


def test_packs_show_masks_truth_and_what_lies_outside(fields):
    packs = [pack for pack in map(pack_of, sorted(fields.results.glob("report/*.js"))) if pack]
    assert len(packs) == 40
    assert {"color", "moon", "given"} <= {pack["sample"] for pack in packs}
    seeds = {"given": 0, "other": 1, "found": 2, "color": 3, "unknown": 4, "whole": 5, "moon": 6}
    seeds |= {"black": 1, "bare": 5}
    shown = {pack["sample"] for pack in packs}
    # tiles without truth, too, of which all methods have masks
    assert shown & {"black", "bare"}
    masks = {(name, method): mask_of(fields, name, method) for name in shown for method in METHODS}
    for pack in packs:
        _, truth, inside = retina(seeds[pack["sample"]])
        if pack["sample"] in ("whole", "unknown", "bare"):
            inside[:] = 255
        if pack["sample"] in ("black", "bare"):
            truth[:] = 2
        if pack["sample"] == "moon":
            inside[:, :150] = 0
        _, y, x = (int(part[1:]) for part in pack["tile"].split("_"))
        tile = np.s_[32 * y : 32 * y + 32, 32 * x : 32 * x + 32]
        known = np.where(inside[tile] != 0, truth[tile], 3)
        for method in METHODS:
            mask = masks[pack["sample"], method][tile]
            codes = decoded(pack["codes"][method])
            np.testing.assert_array_equal(codes, mask + 2 * known)
        height, width = known.shape
        assert (pack["image"]["height"], pack["image"]["width"]) == (height, width)
        counted = pack["histograms"]["image"]["counts"]
        assert sum(counted) == np.count_nonzero(inside[tile])
        assert pack["method_filter"]["smooth"] == "smooth"


INSIDE = {"given": 0, "other": 1, "found": 2, "color": 3}


def test_the_region_is_a_label(fields):
    for name, seed in INSIDE.items():
        np.testing.assert_array_equal(mask_of(fields, name, "roi"), retina(seed)[2] // 255)


@pytest.mark.parametrize("method", METHODS)
def test_no_foreground_lies_outside(fields, method):
    for name, seed in INSIDE.items():
        mask = mask_of(fields, name, method)
        assert mask.any()
        assert not mask[retina(seed)[2] == 0].any()


def test_thresholds_are_those_of_the_pixels_inside(fields):
    for name, seed in INSIDE.items():
        image, _, inside = retina(seed)
        values = image[inside != 0]
        for method, threshold in (("plane", threshold_otsu), ("sample", threshold_li)):
            expected = (image > threshold(values)) & (inside != 0)
            np.testing.assert_array_equal(mask_of(fields, name, method), expected)


def test_methods_see_vessels_and_not_the_frame(fields):
    scores = {
        (row["sample"], row["method"]): float(row["pooled"])
        for row in fields.rows("summary.tsv")
        if row["metric"] == "mcc"
    }
    for name in INSIDE:
        assert all(scores[name, method] > 0.6 for method in METHODS)
    # whose frame counts as background
    assert scores["unknown", "plane"] < 0.4


def test_a_frame_without_a_region_has_a_warning(fields):
    framed = [row for row in fields.rows("warnings.tsv") if row["code"] == "frame"]
    assert {row["sample"] for row in framed} == {"unknown", "bare"}
    assert all("roi: auto" in row["remedy"] for row in framed)


def test_quality_does_not_depend_on_what_is_outside(fields):
    rows = {(row["sample"], row["tile"]): row for row in fields.rows("quality.tsv")}
    tiles = {tile for sample, tile in rows if sample == "other"}
    # the corners, of 34 x 32 px, are outside
    assert "z0000_y00_x00" not in tiles
    assert len(tiles) > 6
    for tile in tiles:
        for name in FEATURES:
            assert rows["other", tile][name] == rows["black", tile][name]
    assert any(row["agreement"] for row in fields.rows("trust.tsv"))
    following = fields.rows("annotate_next.tsv")
    assert {(row["sample"], row["tile"]) for row in following} <= rows.keys()


def test_a_region_of_everything_is_as_none(fields):
    for method in METHODS:
        np.testing.assert_array_equal(
            mask_of(fields, "whole", method), mask_of(fields, "bare", method)
        )
