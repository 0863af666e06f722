"""Images of four channels, of which methods choose by number and by name."""

import networks
import numpy as np
import pytest
import tifffile
import zarr
from projects import Project
from samples import blobs
from skimage.filters import median, threshold_otsu

NAMES = ["DAPI", "Alexa 488/FITC", "Cy3", "Cy5"]
OTHER_ORDER = ["Cy3", "DAPI", "Cy5", "Alexa 488/FITC"]
FOUND = "Alexa 488/FITC"
"""The channel that discs are seen in."""
METHODS = {
    "grey": {"threshold": "otsu", "min_contrast": 0},
    "named": {"filter": "fitc", "threshold": "otsu"},
    "swept": {"threshold": "otsu", "min_contrast": 0, "grid": {"filter": ["cy5", "fitc"]}},
    "whole": {"filter": "fitc", "threshold": "otsu", "scope": "sample"},
    "learned": {
        "filter": "both",
        "threshold": {"pixel_classifier": {"trees": 5, "sigmas": [1], "folds": 2}},
    },
    "network": {
        "filter": "both",
        "threshold": {
            "onnx": {"file": "model.onnx", "output": "logit", "halo": 0, "window": 64}
            | {"scale": 1, "mean": [0, 20000], "std": 1}
        },
    },
    "voted": {"threshold": {"vote": ["named", "learned", "network"]}},
}


def channels(seed, names):
    """Discs in one channel, the ground of noise in others: (channels, rows, columns) uint16."""
    image, truth = blobs(planes=1, rows=128, columns=128, seed=seed)
    random = np.random.default_rng(seed)
    noise = (
        random.integers(0, 30, (len(names), 128, 128)) + 1000 * np.arange(len(names))[:, None, None]
    )
    pixels = dict(zip(names, noise, strict=True)) | {FOUND: image[0] * 200.0}
    return np.stack([pixels[name] for name in names]).astype(np.uint16), truth[0]


def write_ome_zarr(path, pixels, names):
    group = zarr.create_group(path, zarr_format=3)
    axes = [{"name": axis, "type": "channel" if axis == "c" else "space"} for axis in "czyx"]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": axes,
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1, 1]}],
                    }
                ],
            }
        ],
        "omero": {"channels": [{"label": name} for name in names]},
    }
    group.create_array("0", data=pixels[:, None], chunks=(1, 1, 64, 64))


def write(folder, kind, number):
    """A sample of an own order of its channels, and the row of the sheet."""
    names = NAMES if kind == "tiff" else OTHER_ORDER
    pixels, truth = channels(number, names)
    name = f"{kind}{number}"
    image = f"{name}.ome.tif" if kind == "tiff" else f"{name}.ome.zarr"
    if kind == "tiff":
        metadata = {"axes": "CYX", "Channel": {"Name": names}}
        tifffile.imwrite(
            folder / image, pixels, ome=True, photometric="minisblack", metadata=metadata
        )
    else:
        write_ome_zarr(folder / image, pixels, names)
    tifffile.imwrite(folder / f"{name}_truth.tif", truth)
    return {"sample": name, "image": image, "truth": f"{name}_truth.tif"}


@pytest.fixture(scope="module", params=["collected", "alone"])
def finished(tmp_path_factory, request):
    project = Project.create(tmp_path_factory.mktemp("channels") / "project")
    rows = [write(project.folder, kind, number) for kind in ("tiff", "zarr") for number in (1, 2)]
    # a network that sees the second of two channels
    kernel = np.array([0.0, 1.0])[None, :, None, None]
    model = networks.convolution(kernel, last=None, shape=(1, 2, "rows", "columns"))
    (project.folder / "model.onnx").write_bytes(model)
    project.configure(
        rows,
        channel="Cy3",
        filters={
            "fitc": [{"channel": FOUND}, {"median": 3}],
            "cy5": [{"channel": "Cy5"}],
            "both": [{"channels": [{"channel": "DAPI"}, {"channel": FOUND}]}],
        },
        methods=METHODS,
        quality={"measure": True, "survey": 2},
        figures={"tiles": 2},
        report={"tiles": 4},
        collect={"side": 8 if request.param == "collected" else 0},
        validate={"oracles": True},
    )
    project.succeed()
    return project


def place(project, sample):
    """Where a sample lies in its stack: the name of the stack, and a plane."""
    (row,) = [row for row in project.rows("stacks.tsv") if row["sample"] == sample]
    return row["stack"], int(row["first_plane"])


SAMPLES = [("tiff1", NAMES), ("tiff2", NAMES), ("zarr1", OTHER_ORDER), ("zarr2", OTHER_ORDER)]


@pytest.mark.parametrize(("sample", "names"), SAMPLES)
def test_each_sample_gives_the_channel_of_that_name(finished, sample, names):
    pixels, _ = channels(int(sample[-1]), names)
    stack, z = place(finished, sample)
    grey = finished.array(f"{stack}/image.zarr/0")[z, :128, :128]
    np.testing.assert_array_equal(grey, pixels[names.index("Cy3")])
    filtered = finished.array(f"{stack}/filtered/fitc.zarr")[z, :128, :128]
    expected = median(pixels[names.index(FOUND)], np.ones((3, 3)), mode="reflect")
    np.testing.assert_array_equal(filtered, expected)
    (array,) = (finished.results / stack / "channels").glob("Alexa_488_FITC-*.zarr")
    stored = zarr.open_array(array, mode="r")[z, :128, :128]
    np.testing.assert_array_equal(stored, pixels[names.index(FOUND)])


@pytest.mark.parametrize(("sample", "names"), SAMPLES)
def test_methods_see_what_only_one_channel_shows(finished, sample, names):
    pixels, truth = channels(int(sample[-1]), names)
    stack, z = place(finished, sample)

    def mask(method):
        return finished.array(f"{stack}/image.zarr/labels/{method}/0")[z, :128, :128]

    plane = median(pixels[names.index(FOUND)], np.ones((3, 3)), mode="reflect")
    np.testing.assert_array_equal(mask("whole"), plane > threshold_otsu(plane))
    np.testing.assert_array_equal(mask("network"), pixels[names.index(FOUND)] > 20000)
    for method in ("named", "swept", "learned", "voted"):
        found = mask(method)
        assert 2 * np.sum(found & truth) / (found.sum() + truth.sum()) > 0.97, method


def test_the_decision_says_which_channel(finished):
    rows = finished.rows("sweeps/swept/sweep.tsv")
    assert [row["variant"] for row in rows if row["chosen"] == "yes"] == ["filter=fitc"]
    best = finished.rows("ranking.tsv")[0]["method"]
    assert best != "grey"
