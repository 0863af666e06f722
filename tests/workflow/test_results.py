"""What the steps write: the published numbers, and the same for any blocks, cores and order."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from projects import Project
from published import KESM, needs_kesm
from samples import blobs, write_planes
from scipy import ndimage
from skimage import filters


@needs_kesm
def test_published_tile(project):
    project.succeed("--configfile", "config/kesm.yaml")

    (threshold,) = project.rows("_small_uint8_1/otsu/thresholds/0/0/0.tsv")
    assert float(threshold["threshold"]) == 79
    (row,) = project.rows("metrics.tsv")
    counts = {"tp": "5595", "fp": "122", "fn": "1863", "tn": "254564", "edge": "normal"}
    assert counts.items() <= row.items()
    assert float(row["accuracy"]) == 0.9924278259277344
    assert float(row["f1"]) == 0.8493358633776091
    assert float(row["mcc"]) == 0.8533910225863214

    # the published blend: 0.7 image + 0.3 colour, added by OpenCV
    image = cv2.imread(str(KESM / "grayscale.png"), cv2.IMREAD_GRAYSCALE)
    truth = cv2.imread(str(KESM / "groundtruth.png"), cv2.IMREAD_GRAYSCALE) > 0
    mask = ndimage.median_filter(255 - image, 3) > 79
    colors = np.zeros((*image.shape, 3), np.uint8)
    colors[mask & truth] = 0, 255, 255
    colors[mask & ~truth] = 255, 0, 255
    colors[~mask & truth] = 255, 255, 0
    published = cv2.addWeighted(np.stack([image] * 3, -1), 0.7, colors, 1 - 0.7, 0)
    overlay = Image.open(
        project.results / "_small_uint8_1/otsu/overlay/0/0/0/kesm_z0000_y00_x00.png"
    )
    np.testing.assert_array_equal(np.asarray(overlay), published)


def contents(project):
    """Every line of the tables, every picture and every array, by its name."""
    lines = {
        line
        for table in ("metrics.tsv", "summary.tsv")
        for line in (project.results / table).read_text().splitlines()
    }
    for path in project.results.glob("*/*/thresholds/**/*.tsv"):
        lines |= set(path.read_text().splitlines())
    pictures = {
        (path.relative_to(project.results).parts[1], path.name): path.read_bytes()
        for path in project.results.glob("*/*/overlay/**/*.png")
    }
    # where methods are wrong depends on which methods there are
    arrays = {
        path.parent.relative_to(project.results): project.array(
            path.parent.relative_to(project.results)
        )
        for path in project.results.glob("**/zarr.json")
        if '"array"' in path.read_text() and path.parts[-3] != "errors"
    }
    return lines, pictures, arrays


@pytest.fixture(scope="module")
def cut_differently(tmp_path_factory):
    """The same samples and methods run with other blocks and cores; the first is the reference."""
    methods = {
        "tile": {"filter": "denoised", "threshold": "otsu", "min_contrast": 0},
        "plane": {"filter": "flat", "threshold": "li", "scope": "plane"},
        "sample": {"filter": "denoised", "threshold": "yen", "scope": "sample"},
        "fallback": {"filter": "denoised", "threshold": "otsu", "fallback": "sample"},
        "adaptive": {"filter": "denoised", "threshold": {"adaptive": {"size": 31, "offset": -9}}},
        "cleaned": {
            "threshold": "otsu",
            "scope": "sample",
            "cleanup": [{"opening": 2}, {"remove_small": 30}],
        },
        "hysteresis": {"threshold": {"hysteresis": {"low": "otsu", "high": 190}}},
    }
    filters = {
        "denoised": [{"median": 5}, {"gaussian": 1.5}],
        "flat": ["clahe", {"background": {"method": "opening", "size": 31}}],
    }
    runs = {
        "whole planes": ({"planes": 2}, 2, list(methods)),
        "one core": ({"planes": 2}, 1, ["tile", "sample"]),
        "one tile per block": ({"rows": 1, "columns": 1}, 2, ["tile", "cleaned"]),
        "split planes": ({"planes": 1, "rows": 1}, 2, list(methods)[1:]),
    }
    image, truth = blobs(planes=2, rows=100, columns=120)
    # a dim corner, so that scopes differ
    image[1, :64, :64] //= 3
    results = {}
    for name, (block, cores, chosen) in runs.items():
        project = Project.create(tmp_path_factory.mktemp("cut") / "project")
        tifffile.imwrite(project.folder / "image.tif", image, photometric="minisblack")
        write_planes(project.folder / "truth", truth * 255)
        rows = [{"sample": "discs", "image": "image.tif", "truth": "truth/*.png", "site": "A"}]
        project.configure(
            rows,
            block=block,
            filters=filters,
            methods={method: methods[method] for method in chosen},
            pyramid={"levels": 1 if name in ("whole planes", "split planes") else 0},
            # a filter that one method uses is then applied by the method's own job
            keep_filtered=name != "split planes",
            figures={"tiles": 1 if name == "one core" else 0},
        )
        project.succeed(cores=cores, is_alike=name != "one core")
        results[name] = contents(project)
    return results


@pytest.mark.parametrize("name", ["one core", "one tile per block", "split planes"])
def test_results_do_not_depend_on_blocks_and_cores(cut_differently, name):
    lines, pictures, arrays = cut_differently["whole planes"]
    other_lines, other_pictures, other_arrays = cut_differently[name]
    methods = {key[0] for key in other_pictures}
    assert len(methods) >= 2
    assert other_lines == {
        line for line in lines if line.startswith("sample") or line.split("\t")[1] in methods
    }
    assert other_pictures == {key: png for key, png in pictures.items() if key[0] in methods}
    assert len(other_pictures) == 8 * len(methods)
    for path, pixels in other_arrays.items():
        np.testing.assert_array_equal(arrays[path], pixels, err_msg=str(path))


def test_figures_are_the_same_each_time(project):
    image, truth = blobs(planes=1)
    write_planes(project.folder, image, "image.png")
    write_planes(project.folder, truth, "truth.png")
    project.configure(
        [{"sample": "discs", "image": "image.png", "truth": "truth.png"}],
        figures={"tiles": 2},
        report={"tiles": 2},
        pyramid={"levels": 0},
    ).succeed()
    results = project.results
    paths = [*results.glob("figures/*"), *results.glob("report/*"), results / "report.html"]
    before = {path: path.read_bytes() for path in paths}
    names = [
        "comparison.svg",
        "otsu-confusion.svg",
        "otsu-histogram.svg",
        "otsu-tiles.svg",
        "pack_0000.js",
    ]
    names += ["pack_0001.js", "report.html", "tiles.json.gz"]
    assert sorted(path.name for path in paths) == names
    forced = project.succeed("--forcerun", "figures", "report_tiles", cores=1, is_alike=False)
    assert forced.jobs == {"figures": 1, "report_tiles": 1, "report": 1}
    assert {path: path.read_bytes() for path in paths} == before


def test_thresholds_are_scikit_image_s(project):
    image, truth = blobs(planes=2)
    tifffile.imwrite(project.folder / "image.tif", image, photometric="minisblack")
    write_planes(project.folder / "truth", truth)
    methods = {
        f"{name}_{scope}": {"threshold": name, "scope": scope, "min_contrast": 0}
        for name in ("otsu", "li")
        for scope in ("tile", "plane", "sample")
    }
    rows = [{"sample": "discs", "image": "image.tif", "truth": "truth/*.png"}]
    project.configure(rows, methods=methods, overlay={"format": "zarr-only"}, block={"planes": 1})
    project.succeed()
    for name, method in methods.items():
        oracle = getattr(filters, f"threshold_{method['threshold']}")
        for row in project.rows(f"discs/{name}/thresholds/1/0/0.tsv"):
            y, x = int(row["tile"][7:9]) * 64, int(row["tile"][11:13]) * 64
            pixels = {
                "tile": image[1, y : y + 64, x : x + 64],
                "plane": image[1],
                "sample": image,
            }[method["scope"]]
            assert float(row["threshold"]) == oracle(pixels), name
    assert not list(project.results.glob("*/*/overlay"))
